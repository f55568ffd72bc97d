#include "support/h1_player.h"

#include "support/check.h"

#include <inttypes.h>
#include <stdarg.h>

enum wf_h1_submit h1_request(struct wf_h1_session *session, const char *method, int64_t body_len)
{
    char length[24];
    (void)snprintf(length, sizeof(length), "%" PRId64, body_len);
    struct wf_field fields[] = {{wf_slice_str(":method"), wf_slice_str(method), false},
                                {wf_slice_str(":scheme"), wf_slice_str("http"), false},
                                {wf_slice_str(":authority"), wf_slice_str("a.test"), false},
                                {wf_slice_str(":path"), wf_slice_str("/p"), false},
                                {wf_slice_str("content-length"), wf_slice_str(length), false}};
    struct wf_h1_message message = {
        .fields = fields, .count = body_len > 0 ? 5 : 4, .end_stream = body_len < 0};
    return wf_h1_session_request(session, &message);
}

static void write_all(struct h1_player *player)
{
    struct wf_slice slices[3];
    size_t count = wf_h1_session_output(player->session, slices, 3);
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += slices[i].len;
    wf_h1_session_wrote(player->session, len);
}

static void ask(struct h1_player *player)
{
    if (*player->methods == '\0')
        return;
    char letter = *player->methods++;
    CHECK(h1_request(player->session,
                     letter == 'H'   ? "HEAD"
                     : letter == 'P' ? "POST"
                                     : "GET",
                     letter == 'P' ? 100 : -1) == WF_H1_SUBMITTED);
    write_all(player);
}

static void append(struct wf_buf *buf, struct wf_slice text)
{
    CHECK(wf_buf_append(buf, text.ptr, text.len));
}

static void note(struct h1_player *player, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void note(struct h1_player *player, const char *format, ...)
{
    char text[300];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    CHECK(len >= 0 && (size_t)len < sizeof(text));
    append(&player->log, wf_slice(text, (size_t)len));
}

static void flush_data(struct h1_player *player)
{
    if (wf_buf_len(&player->data) == 0)
        return;
    note(player, "data %zu ", wf_buf_len(&player->data));
    append(&player->log, wf_buf_slice(&player->data));
    note(player, "\n");
    wf_buf_consume(&player->data, wf_buf_len(&player->data));
}

static void note_headers(struct h1_player *player, const struct wf_h1_event *event)
{
    static const char *const kinds[] = {"informational", "response", "trailers"};
    const struct wf_field_section *section = event->headers.section;
    uint32_t size = 0;
    note(player, "%s %u %" PRId64, kinds[event->headers.kind], event->headers.status,
         event->headers.content_length);
    for (uint32_t i = 0; i < section->count; i++) {
        note(player, " [");
        append(&player->log, wf_section_name(section, i));
        note(player, ": ");
        append(&player->log, wf_section_value(section, i));
        note(player, "]");
        size += section->lines[i].name_len + section->lines[i].value_len;
    }
    CHECK(size == section->octets_len);
    note(player, "\n");
}

static void handle(struct h1_player *player, const struct wf_h1_event *event)
{
    CHECK(!player->failed);
    if (event->type == WF_H1_EVENT_DATA) {
        CHECK(event->data.len > 0);
        append(&player->data, event->data);
        return;
    }
    flush_data(player);
    switch (event->type) {
    case WF_H1_EVENT_HEADERS:
        note_headers(player, event);
        return;
    case WF_H1_EVENT_DATA:
        return;
    case WF_H1_EVENT_BODY_SENT:
        note(player, "sent\n");
        return;
    case WF_H1_EVENT_COMPLETE:
        note(player, "complete%s\n", event->reusable ? "" : ", close");
        CHECK(event->reusable == wf_h1_session_is_idle(player->session));
        player->completed++;
        if (event->reusable)
            ask(player);
        return;
    case WF_H1_EVENT_ERROR:
        CHECK(wf_h1_session_is_dead(player->session));
        player->failed = true;
        player->error = event->error;
        player->has_begun = wf_h1_session_has_begun(player->session);
        note(player, "error %d%s: %s\n", (int)event->error.kind, player->has_begun ? " begun" : "",
             event->error.reason);
        return;
    }
}

static void drain(struct h1_player *player, struct wf_slice in)
{
    struct wf_h1_event event;
    while (wf_h1_session_next(player->session, &in, &event))
        handle(player, &event);
    CHECK(in.len == 0);
}

bool h1_player_init(struct h1_player *player, const struct wf_h1_config *config,
                    const char *methods)
{
    *player = (struct h1_player){.methods = methods};
    player->session = wf_h1_session_new(config);
    if (player->session == NULL)
        return false;
    ask(player);
    return true;
}

void h1_player_fini(struct h1_player *player)
{
    wf_h1_session_free(player->session);
    wf_buf_fini(&player->log);
    wf_buf_fini(&player->data);
}

void h1_player_feed(struct h1_player *player, struct wf_slice in, size_t piece)
{
    while (in.len > 0) {
        size_t len = piece == 0 || piece > in.len ? in.len : piece;
        drain(player, wf_slice(in.ptr, len));
        in = wf_slice_skip(in, len);
    }
}

void h1_player_feed_random(struct h1_player *player, struct wf_slice in, struct choice *choice)
{
    while (in.len > 0) {
        size_t len = 1 + choose_len(choice, in.len - 1);
        drain(player, wf_slice(in.ptr, len));
        in = wf_slice_skip(in, len);
    }
}

void h1_player_end(struct h1_player *player, bool orderly)
{
    if (orderly)
        wf_h1_session_end(player->session);
    else
        wf_h1_session_lost(player->session);
    drain(player, wf_slice(NULL, 0));
}

const char *h1_player_text(struct h1_player *player)
{
    flush_data(player);
    append(&player->log, wf_slice("", 1));
    player->log.end--;
    return (const char *)player->log.data + player->log.start;
}
