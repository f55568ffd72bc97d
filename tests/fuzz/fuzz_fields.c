/* Builds a request from lines of "name: value" after a line with the method. Whatever the input,
 * the fields that would be sent satisfy RFC 9113 section 8.2, or the request is failed. */
#include "fuzz.h"

#include "base/field_rules.h"
#include "message/request.h"

#include <string.h>

static void check_fields(const struct weft_request *request)
{
    static const char *const pseudo[] = {":method", ":scheme", ":authority", ":path"};
    const struct wf_field *fields = wf_request_fields(request);
    size_t count = wf_request_field_count(request);
    size_t fields_len = 0;
    FUZZ_CHECK(count >= 4);
    for (size_t i = 0; i < count; i++) {
        struct wf_slice name = fields[i].name;
        FUZZ_CHECK(wf_field_value_is_valid(fields[i].value));
        fields_len += name.len + fields[i].value.len;
        if (i < 4) {
            FUZZ_CHECK(wf_slice_is(name, pseudo[i]));
            continue;
        }
        FUZZ_CHECK(wf_field_name_is_valid(name));
        FUZZ_CHECK(!wf_field_is_connection_specific(name));
        FUZZ_CHECK(!wf_slice_is(name, "host"));
        if (wf_slice_is(name, "te"))
            FUZZ_CHECK(wf_slice_is_nocase(fields[i].value, "trailers"));
    }
    FUZZ_CHECK(fields_len == request->fields_len);
    if (!wf_request_is_failed(request))
        FUZZ_CHECK(wf_method_is_valid(fields[0].value) && fields[2].value.len > 0);
}

static void check_error(const struct weft_request *request)
{
    struct weft_error error;
    enum weft_code code = weft_request_check(request, &error);
    FUZZ_CHECK((code != WEFT_OK) == wf_request_is_failed(request));
    for (const char *c = error.text; *c != '\0'; c++)
        FUZZ_CHECK(*c >= 0x20 && *c < 0x7f);
}

/* Lines are ended by LF; a field value that begins with '!' is a secret one's, "body" sets a body
 * of the value instead. */
static void add_line(struct weft_request *request, char *line)
{
    char *value = strstr(line, ": ");
    if (value == NULL) {
        (void)weft_request_add_field(request, line, ""); /* check_error() looks at the outcome */
        return;
    }
    *value = '\0';
    value += 2;
    if (strcmp(line, "body") == 0)
        (void)weft_request_set_body(request, value, strlen(value)); /* likewise */
    else if (value[0] == '!')
        (void)weft_request_add_secret_field(request, line, value + 1); /* likewise */
    else
        (void)weft_request_add_field(request, line, value); /* likewise */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    FUZZ_CHECK(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';

    char *next = strchr(text, '\n');
    if (next != NULL)
        *next++ = '\0';
    struct weft_request *request = weft_request_new(text, "https://a.example/b?c");
    FUZZ_CHECK(request != NULL);
    while (next != NULL) {
        char *line = next;
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        add_line(request, line);
        check_fields(request);
        check_error(request);
    }
    check_fields(request);
    check_error(request);
    weft_request_unref(request);
    free(text);
    return 0;
}
