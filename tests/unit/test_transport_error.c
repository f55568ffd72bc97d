#include "support/cmocka.h"

#include "io_thread/transport_error.h"

#include <errno.h>
#include <string.h>

static void test_each_kind_has_its_own_public_code(void **state)
{
    (void)state;
    static const struct {
        enum wf_io_error_kind kind;
        enum weft_code code;
    } rows[] = {
        {WF_IO_ERR_SYSTEM, WEFT_ERR_CONNECTION_LOST},
        {WF_IO_ERR_NO_MEMORY, WEFT_ERR_NO_MEMORY},
        {WF_IO_ERR_CONFIG, WEFT_ERR_TLS},
        {WF_IO_ERR_TRUNCATED, WEFT_ERR_TRUNCATED},
        {WF_IO_ERR_UNTRUSTED, WEFT_ERR_CERTIFICATE},
        {WF_IO_ERR_EXPIRED, WEFT_ERR_CERTIFICATE_TIME},
        {WF_IO_ERR_NOT_YET_VALID, WEFT_ERR_CERTIFICATE_TIME},
        {WF_IO_ERR_WRONG_HOST, WEFT_ERR_CERTIFICATE_HOST},
        {WF_IO_ERR_BAD_CERT, WEFT_ERR_CERTIFICATE},
        {WF_IO_ERR_TLS_ALERT, WEFT_ERR_TLS},
        {WF_IO_ERR_TLS_VERSION, WEFT_ERR_TLS},
        {WF_IO_ERR_NOT_TLS, WEFT_ERR_TLS},
        {WF_IO_ERR_TLS_CLOSED, WEFT_ERR_TLS},
        {WF_IO_ERR_TICKET_NONCE, WEFT_ERR_TLS},
        {WF_IO_ERR_TLS_LIMIT, WEFT_ERR_TLS},
        {WF_IO_ERR_TLS_PROTOCOL, WEFT_ERR_TLS},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct wf_io_error cause = {
            .kind = rows[i].kind, .sys_errno = EPIPE, .tls_code = -5, .text = "the cause"};
        struct weft_error error;
        wf_error_from_transport(&error, &cause, "https://a.example:443", WEFT_STAGE_WAIT);
        assert_int_equal(error.code, rows[i].code);
        assert_int_equal(error.stage, WEFT_STAGE_WAIT);
        assert_int_equal(error.sys_errno, EPIPE);
        assert_int_equal(error.tls_code, -5);
        assert_non_null(strstr(error.text, "the cause"));
        assert_non_null(strstr(error.text, "a.example"));
    }
}

static void test_a_socket_that_breaks_in_the_handshake_is_a_tls_error(void **state)
{
    (void)state;
    struct wf_io_error cause = {.kind = WF_IO_ERR_SYSTEM, .text = "reset"};
    struct weft_error error;
    wf_error_from_transport(&error, &cause, "https://a.example:443", WEFT_STAGE_TLS);
    assert_int_equal(error.code, WEFT_ERR_TLS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_kind_has_its_own_public_code),
        cmocka_unit_test(test_a_socket_that_breaks_in_the_handshake_is_a_tls_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
