/* What the URL parser accepts, written out again, parses to the same; what it refuses is told in
 * printable text. */
#include "fuzz.h"

#include "message/url.h"

static void check_text(struct wf_slice text)
{
    FUZZ_CHECK(text.ptr[text.len] == '\0');
    for (size_t i = 0; i < text.len; i++)
        FUZZ_CHECK(text.ptr[i] > 0x20 && text.ptr[i] < 0x7f);
}

static void check_accepted(const struct wf_url *url)
{
    struct wf_url again;
    struct weft_error error;
    size_t cap = url->authority.len + url->path.len + sizeof("https://");
    char *text = malloc(cap);
    FUZZ_CHECK(text != NULL);
    int len = snprintf(text, cap, "%s://%s%s", url->https ? "https" : "http",
                       (const char *)url->authority.ptr, (const char *)url->path.ptr);
    FUZZ_CHECK(len > 0 && (size_t)len < cap);
    /* Rewriting may make the text longer than the limit: a '/' was added to a bare query. */
    if ((size_t)len <= WF_URL_MAX_LEN) {
        char *room = malloc(wf_url_room((size_t)len));
        FUZZ_CHECK(room != NULL);
        FUZZ_CHECK(wf_url_parse(&again, wf_slice(text, (size_t)len), room, &error) == WEFT_OK);
        FUZZ_CHECK(again.https == url->https && again.port == url->port);
        FUZZ_CHECK(wf_slice_equal(again.host, url->host));
        FUZZ_CHECK(wf_slice_equal(again.authority, url->authority));
        FUZZ_CHECK(wf_slice_equal(again.path, url->path));
        FUZZ_CHECK(wf_slice_equal(again.origin.text, url->origin.text));
        FUZZ_CHECK(again.origin.hash == url->origin.hash);
        free(room);
    }
    FUZZ_CHECK(wf_url_check_authority(url->authority, &error) == WEFT_OK);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wf_url url;
    struct weft_error error;
    struct wf_slice text = size > 0 ? wf_slice(data, size) : wf_slice_str("");
    char *room = malloc(wf_url_room(size));
    FUZZ_CHECK(room != NULL);
    if (wf_url_parse(&url, text, room, &error) == WEFT_OK) {
        FUZZ_CHECK(url.port != 0 && url.host.len > 0 && url.path.ptr[0] == '/');
        check_text(url.host);
        check_text(url.authority);
        check_text(url.path);
        check_text(url.origin.text);
        check_accepted(&url);
    } else {
        FUZZ_CHECK(error.code == WEFT_ERR_INVALID_URL && error.text[0] != '\0');
        for (const char *c = error.text; *c != '\0'; c++)
            FUZZ_CHECK(*c >= 0x20 && *c < 0x7f);
    }
    free(room);
    return 0;
}
