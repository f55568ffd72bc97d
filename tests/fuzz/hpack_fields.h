/* Field sections out of a fuzzer's octets: names and values that repeat, as those of real messages
 * do, and now and then arbitrary ones. */
#ifndef WF_TESTS_HPACK_FIELDS_H
#define WF_TESTS_HPACK_FIELDS_H

#include "base/field.h"
#include "support/choice.h"

#define HPACK_FIELDS_MAX     24u
#define HPACK_FIELDS_MAX_LEN 3000u

struct hpack_fields {
    struct wf_field fields[HPACK_FIELDS_MAX];
    size_t count;
    char octets[HPACK_FIELDS_MAX][2][HPACK_FIELDS_MAX_LEN];
};

static inline struct wf_slice hpack_fields_text(struct choice *choice, char *room,
                                                const char *const *known, size_t known_count,
                                                bool is_name)
{
    size_t which = choose_below(choice, known_count + 4);
    if (which < known_count)
        return wf_slice_str(known[which]);
    if (which == known_count)
        return is_name ? wf_slice_str("x") : wf_slice(room, 0);
    size_t len = choose_len(choice, HPACK_FIELDS_MAX_LEN - 1);
    /* One octet repeated after a few chosen ones: lengths matter more than content. */
    uint8_t fill = choose_octet(choice);
    for (size_t i = 0; i < len; i++) {
        uint8_t octet = i < 12 ? choose_octet(choice) : fill;
        room[i] = (char)(is_name ? 'a' + octet % 26 : octet);
    }
    return len == 0 && is_name ? wf_slice_str("y") : wf_slice(room, len);
}

static inline void hpack_fields_choose(struct choice *choice, struct hpack_fields *out)
{
    static const char *const names[] = {":method", ":path",          ":authority", "accept",
                                        "cookie",  "authorization",  "user-agent", "x-a",
                                        "x-b",     "content-length", "date",       "etag",
                                        "server",  ":status",        "set-cookie"};
    static const char *const values[] = {"GET",
                                         "/",
                                         "/index.html",
                                         "localhost",
                                         "gzip, deflate",
                                         "200",
                                         "a=b; c=d",
                                         "Mon, 21 Oct 2013 20:13:21 GMT",
                                         "0123456789abcdef0123456789abcdef"};
    out->count = choose_below(choice, HPACK_FIELDS_MAX + 1);
    for (size_t i = 0; i < out->count; i++) {
        struct wf_field *field = &out->fields[i];
        field->name = hpack_fields_text(choice, out->octets[i][0], names,
                                        sizeof(names) / sizeof(names[0]), true);
        field->value = hpack_fields_text(choice, out->octets[i][1], values,
                                         sizeof(values) / sizeof(values[0]), false);
        field->never_indexed = choose_one_in(choice, 8);
    }
}

#endif
