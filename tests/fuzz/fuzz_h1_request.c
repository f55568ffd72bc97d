/* A request of arbitrary fields and an upload in arbitrary pieces: whatever the input, what goes
 * out is one message whose lines are those that were given. */
#include "fuzz.h"

#include "h1/session.h"
#include "support/choice.h"
#include "support/h1_player.h"

#include <string.h>

#define MAX_FIELDS 8u

static const char *const names[] = {":method", ":path",  ":authority",     "cookie", "te",
                                    "host",    "x-name", "content-length", "accept", "connection"};

/* Fields whose names are known or octets of the input, as their values are. */
static size_t choose_fields(struct choice *choice, struct wf_field *fields)
{
    size_t count = choose_below(choice, MAX_FIELDS + 1);
    for (size_t i = 0; i < count; i++) {
        size_t which = choose_below(choice, sizeof(names) / sizeof(names[0]) + 2);
        size_t len = choose_below(choice, 16);
        if (len > choice->octets.len)
            len = choice->octets.len;
        struct wf_slice text = wf_slice(choice->octets.ptr, len);
        choice->octets = wf_slice_skip(choice->octets, len);
        fields[i] = (struct wf_field){.value = text};
        fields[i].name =
            which < sizeof(names) / sizeof(names[0]) ? wf_slice_str(names[which]) : text;
    }
    return count;
}

static void write_some(struct wf_h1_session *session, struct choice *choice, struct wf_buf *out)
{
    struct wf_slice slices[3];
    size_t count = wf_h1_session_output(session, slices, 3);
    FUZZ_CHECK((count > 0) == wf_h1_session_wants_write(session));
    if (count == 0)
        return;
    size_t len = choice == NULL ? slices[0].len : 1 + choose_below(choice, slices[0].len);
    FUZZ_CHECK(wf_buf_append(out, slices[0].ptr, len));
    wf_h1_session_wrote(session, len);
}

static void drain(struct wf_h1_session *session)
{
    struct wf_slice nothing = wf_slice(NULL, 0);
    struct wf_h1_event event;
    while (wf_h1_session_next(session, &nothing, &event))
        FUZZ_CHECK(event.type == WF_H1_EVENT_BODY_SENT);
}

/* The head ends at the first empty line, has a line for each field at most, and no odd octet. */
static void check_head(struct wf_slice head, size_t fields)
{
    size_t lines = 0;
    for (size_t i = 0; i < head.len; i++) {
        uint8_t octet = head.ptr[i];
        if (octet == '\n') {
            FUZZ_CHECK(i > 0 && head.ptr[i - 1] == '\r');
            lines++;
            if (i >= 3 && memcmp(head.ptr + i - 3, "\r\n\r\n", 4) == 0)
                FUZZ_CHECK(i + 1 == head.len);
        } else {
            FUZZ_CHECK(octet >= 0x20 || octet == '\r' || octet == '\t');
        }
    }
    FUZZ_CHECK(lines >= 3 && lines <= fields + 5);
}

static void upload(struct wf_h1_session *session, struct choice *choice, struct wf_buf *out)
{
    static const uint8_t octets[300];
    bool end = false;
    for (int i = 0; i < 6 && !end; i++) {
        while (wf_h1_session_wants_write(session))
            write_some(session, choice_is_over(choice) ? NULL : choice, out);
        drain(session);
        end = choose_one_in(choice, 3);
        size_t len = choose_below(choice, sizeof(octets));
        if (wf_h1_session_send_body(session, wf_slice(octets, len), end) != NULL)
            return;
    }
    while (wf_h1_session_wants_write(session))
        write_some(session, NULL, out);
    drain(session);
    FUZZ_CHECK(wf_h1_session_is_sent(session) == end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct choice choice = choice_octets(data, size);
    struct wf_field fields[MAX_FIELDS + 3] = {
        {wf_slice_str(":method"), wf_slice_str("PUT"), false},
        {wf_slice_str(":authority"), wf_slice_str("a"), false},
        {wf_slice_str(":path"), wf_slice_str("/"), false}};
    struct wf_h1_config config = WF_H1_CONFIG_INIT;
    struct wf_h1_session *session = wf_h1_session_new(&config);
    struct wf_buf out;
    wf_buf_init(&out);
    FUZZ_CHECK(session != NULL);
    bool has_body = choose_one_in(&choice, 2);
    struct wf_h1_message message = {.fields = fields,
                                    .count = 3 + choose_fields(&choice, fields + 3),
                                    .end_stream = !has_body,
                                    .has_trailers = choose_one_in(&choice, 4)};
    if (wf_h1_session_request(session, &message) == WF_H1_SUBMITTED) {
        while (wf_h1_session_wants_write(session))
            write_some(session, NULL, &out);
        check_head(wf_buf_slice(&out), message.count);
        if (has_body)
            upload(session, &choice, &out);
    }
    wf_buf_fini(&out);
    wf_h1_session_free(session);
    return 0;
}
