/* A certificate of arbitrary octets is never read beyond its end; a name that it matches is matched
 * in any case and with a trailing dot; and none is matched whose octets are not there. */
#include "fuzz.h"

#include "io_thread/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A copy of just this size, so that a read behind it is seen. */
    uint8_t *der = malloc(size > 0 ? size : 1);
    FUZZ_CHECK(der != NULL);
    if (size > 0)
        memcpy(der, data, size);
    struct wf_slice slice = wf_slice(der, size);
    enum wf_verify_result result = wf_verify_host(slice, "www.good.test");
    FUZZ_CHECK(wf_verify_host(slice, "WWW.Good.TEST") == result);
    FUZZ_CHECK(wf_verify_host(slice, "www.good.test.") == result);
    enum wf_verify_result address = wf_verify_host(slice, "127.0.0.1");
    FUZZ_CHECK((address == WF_VERIFY_MALFORMED) == (result == WF_VERIFY_MALFORMED));
    FUZZ_CHECK((address == WF_VERIFY_NO_NAMES) <= (result != WF_VERIFY_OK));
    FUZZ_CHECK(wf_verify_host(slice, "unheard-of") != WF_VERIFY_OK ||
               memmem(der, size, "of", 2) != NULL || memmem(der, size, "OF", 2) != NULL ||
               memmem(der, size, "Of", 2) != NULL || memmem(der, size, "oF", 2) != NULL);
    (void)wf_verify_is_self_issued(slice);
    struct wf_slice key;
    if (wf_verify_public_key(slice, &key))
        FUZZ_CHECK(key.ptr > der && key.len >= 2 && key.ptr + key.len <= der + size);
    int64_t from, to;
    (void)wf_verify_validity(slice, &from, &to);
    free(der);
    return 0;
}
