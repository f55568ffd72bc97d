#include "message/error.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void test_every_code_has_a_name_and_a_sentence_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < WEFT_CODE_COUNT; i++) {
        const char *name = weft_code_name((enum weft_code)i);
        const struct weft_error *error = wf_error_static((enum weft_code)i);
        assert_non_null(name);
        assert_int_equal(strncmp(name, "WEFT_", 5), 0);
        assert_int_equal(error->code, i);
        assert_true(strlen(error->text) > 10);
        for (unsigned j = 0; j < i; j++) {
            assert_string_not_equal(name, weft_code_name((enum weft_code)j));
            assert_string_not_equal(error->text, wf_error_static((enum weft_code)j)->text);
        }
    }
    assert_string_equal(weft_code_name(WEFT_ERR_DEADLINE), "WEFT_ERR_DEADLINE");
    assert_string_equal(weft_code_name(WEFT_ERR_INTERNAL), "WEFT_ERR_INTERNAL");
}

static void test_numbers_that_are_no_code_have_an_answer(void **state)
{
    (void)state;
    assert_string_equal(weft_code_name((enum weft_code)WEFT_CODE_COUNT), "unknown code");
    assert_string_equal(weft_code_name((enum weft_code) - 1), "unknown code");
    assert_string_equal(weft_stage_name((enum weft_stage)99), "unknown stage");
    assert_string_equal(weft_effect_name((enum weft_effect) - 1), "unknown effect");
    assert_int_equal(wf_error_static((enum weft_code)WEFT_CODE_COUNT)->code, WEFT_ERR_INTERNAL);
}

static void test_stages_and_effects_have_names(void **state)
{
    (void)state;
    assert_string_equal(weft_stage_name(WEFT_STAGE_QUEUE), "queue");
    assert_string_equal(weft_stage_name(WEFT_STAGE_TLS), "tls");
    assert_string_equal(weft_stage_name(WEFT_STAGE_BODY), "body");
    assert_string_equal(weft_effect_name(WEFT_NOT_SENT), "not sent");
    assert_string_equal(weft_effect_name(WEFT_NOT_PROCESSED), "not processed");
    assert_string_equal(weft_effect_name(WEFT_MAYBE_PROCESSED), "maybe processed");
    assert_string_equal(weft_effect_name(WEFT_PROCESSED), "processed");
}

static void test_set_fills_every_member(void **state)
{
    (void)state;
    struct weft_error error;
    memset(&error, 0x55, sizeof(error));
    wf_error_set(&error, WEFT_ERR_RESET, WEFT_STAGE_WAIT, WEFT_MAYBE_PROCESSED, "stream %d", 7);
    assert_int_equal(error.code, WEFT_ERR_RESET);
    assert_int_equal(error.stage, WEFT_STAGE_WAIT);
    assert_int_equal(error.effect, WEFT_MAYBE_PROCESSED);
    assert_int_equal(error.h2_code, 0);
    assert_int_equal(error.sys_errno, 0);
    assert_int_equal(error.tls_code, 0);
    assert_string_equal(error.text, "stream 7");
}

static void test_octets_that_cannot_be_printed_become_question_marks(void **state)
{
    (void)state;
    struct weft_error error;
    wf_error_set(&error, WEFT_ERR_GOAWAY, WEFT_STAGE_WAIT, WEFT_NOT_PROCESSED, "%s",
                 "a\nb\x1b[31m\xc3\xa4\x7f~ ");
    assert_string_equal(error.text, "a?b?[31m???~ ");
}

static void test_a_text_that_fits_is_whole_and_a_longer_one_ends_in_dots(void **state)
{
    (void)state;
    char text[400];
    struct weft_error error;
    memset(text, 'x', sizeof(text));

    text[WEFT_ERROR_TEXT_LEN - 1] = '\0';
    wf_error_set(&error, WEFT_ERR_GOAWAY, WEFT_STAGE_WAIT, WEFT_NOT_PROCESSED, "%s", text);
    assert_string_equal(error.text, text);

    text[WEFT_ERROR_TEXT_LEN - 1] = 'x';
    text[sizeof(text) - 1] = '\0';
    wf_error_set(&error, WEFT_ERR_GOAWAY, WEFT_STAGE_WAIT, WEFT_NOT_PROCESSED, "%s", text);
    assert_int_equal(strlen(error.text), WEFT_ERROR_TEXT_LEN - 1);
    assert_string_equal(error.text + WEFT_ERROR_TEXT_LEN - 6, "xx...");
}

static void test_a_code_alone_claims_no_more_than_it_proves(void **state)
{
    /* HTTP_1_1_REQUIRED and an HTTP/1 answer come after requests were sent. */
    static const enum weft_code later[] = {
        WEFT_ERR_NOT_HTTP2, WEFT_ERR_NOT_HTTP1, WEFT_ERR_CONNECTION_LOST, WEFT_ERR_CANCELLED,
        WEFT_ERR_DEADLINE,  WEFT_ERR_CLOSED,    WEFT_ERR_NO_MEMORY};
    (void)state;
    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
        assert_int_equal(wf_error_static(later[i])->effect, WEFT_MAYBE_PROCESSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_has_a_name_and_a_sentence_of_its_own),
        cmocka_unit_test(test_numbers_that_are_no_code_have_an_answer),
        cmocka_unit_test(test_stages_and_effects_have_names),
        cmocka_unit_test(test_set_fills_every_member),
        cmocka_unit_test(test_octets_that_cannot_be_printed_become_question_marks),
        cmocka_unit_test(test_a_text_that_fits_is_whole_and_a_longer_one_ends_in_dots),
        cmocka_unit_test(test_a_code_alone_claims_no_more_than_it_proves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
