/* The steps that a server may not take, and the error that each must be. */
#include "h2/frame_encode.h"
#include "support/check.h"
#include "support/h2_wild.h"

static struct wf_field field(const char *name, const char *value)
{
    return (struct wf_field){.name = wf_slice_str(name), .value = wf_slice_str(value)};
}

/* The frame is of one kind and the error always the same. */
struct bad_frame {
    uint8_t type;
    uint8_t flags;
    uint32_t id;
    uint32_t code;
    uint8_t len;
    uint8_t payload[12];
};

static const struct bad_frame bad_frames[] = {
    /* A stream's frames on stream 0. */
    {WF_H2_FRAME_DATA, 0, 0, WF_H2_PROTOCOL_ERROR, 3, "abc"},
    {WF_H2_FRAME_HEADERS, WF_H2_FLAG_END_HEADERS, 0, WF_H2_PROTOCOL_ERROR, 1, {0x88}},
    {WF_H2_FRAME_RST_STREAM, 0, 0, WF_H2_PROTOCOL_ERROR, 4, {0}},
    {WF_H2_FRAME_PRIORITY, 0, 0, WF_H2_PROTOCOL_ERROR, 5, {0}},
    /* The connection's frames on a stream. */
    {WF_H2_FRAME_SETTINGS, 0, 1, WF_H2_PROTOCOL_ERROR, 0, {0}},
    {WF_H2_FRAME_PING, 0, 3, WF_H2_PROTOCOL_ERROR, 8, {0}},
    {WF_H2_FRAME_GOAWAY, 0, 1, WF_H2_PROTOCOL_ERROR, 8, {0}},
    /* Lengths. */
    {WF_H2_FRAME_SETTINGS, 0, 0, WF_H2_FRAME_SIZE_ERROR, 5, {0}},
    {WF_H2_FRAME_SETTINGS, WF_H2_FLAG_ACK, 0, WF_H2_FRAME_SIZE_ERROR, 6, {0}},
    {WF_H2_FRAME_PING, 0, 0, WF_H2_FRAME_SIZE_ERROR, 7, {0}},
    {WF_H2_FRAME_GOAWAY, 0, 0, WF_H2_FRAME_SIZE_ERROR, 7, {0}},
    {WF_H2_FRAME_WINDOW_UPDATE, 0, 0, WF_H2_FRAME_SIZE_ERROR, 3, {0}},
    {WF_H2_FRAME_RST_STREAM, 0, 1, WF_H2_FRAME_SIZE_ERROR, 5, {0}},
    /* Values. */
    {WF_H2_FRAME_SETTINGS, 0, 0, WF_H2_PROTOCOL_ERROR, 6, {0, 2, 0, 0, 0, 1}},
    {WF_H2_FRAME_SETTINGS, 0, 0, WF_H2_FLOW_CONTROL_ERROR, 6, {0, 4, 0x80, 0, 0, 0}},
    {WF_H2_FRAME_SETTINGS, 0, 0, WF_H2_PROTOCOL_ERROR, 6, {0, 5, 0, 0, 0, 0}},
    {WF_H2_FRAME_SETTINGS, 0, 0, WF_H2_PROTOCOL_ERROR, 6, {0, 5, 1, 0, 0, 0}},
    {WF_H2_FRAME_WINDOW_UPDATE, 0, 0, WF_H2_PROTOCOL_ERROR, 4, {0}},
    {WF_H2_FRAME_WINDOW_UPDATE, 0, 0, WF_H2_FLOW_CONTROL_ERROR, 4, {0x7f, 0xff, 0xff, 0xff}},
    /* Streams that nobody opened. */
    {WF_H2_FRAME_DATA, 0, 1001, WF_H2_PROTOCOL_ERROR, 3, "abc"},
    {WF_H2_FRAME_HEADERS, WF_H2_FLAG_END_HEADERS, 1001, WF_H2_PROTOCOL_ERROR, 1, {0x88}},
    {WF_H2_FRAME_HEADERS, WF_H2_FLAG_END_HEADERS, 2, WF_H2_PROTOCOL_ERROR, 1, {0x88}},
    {WF_H2_FRAME_RST_STREAM, 0, 1001, WF_H2_PROTOCOL_ERROR, 4, {0}},
    {WF_H2_FRAME_WINDOW_UPDATE, 0, 2, WF_H2_PROTOCOL_ERROR, 4, {0, 0, 0, 1}},
    {WF_H2_FRAME_PUSH_PROMISE,
     WF_H2_FLAG_END_HEADERS,
     1,
     WF_H2_PROTOCOL_ERROR,
     5,
     {0, 0, 0, 2, 0x88}},
    /* Field blocks. */
    {WF_H2_FRAME_CONTINUATION, WF_H2_FLAG_END_HEADERS, 1, WF_H2_PROTOCOL_ERROR, 1, {0x88}},
    {WF_H2_FRAME_HEADERS, WF_H2_FLAG_END_HEADERS, 1, WF_H2_COMPRESSION_ERROR, 1, {0x80}},
    {WF_H2_FRAME_HEADERS,
     WF_H2_FLAG_END_HEADERS,
     1,
     WF_H2_COMPRESSION_ERROR,
     3,
     {0xff, 0xff, 0xff}},
    {WF_H2_FRAME_HEADERS,
     WF_H2_FLAG_END_HEADERS,
     1,
     WF_H2_COMPRESSION_ERROR,
     4,
     {0x3f, 0xff, 0xff, 0x7f}},
    {WF_H2_FRAME_HEADERS,
     WF_H2_FLAG_END_HEADERS | WF_H2_FLAG_PADDED,
     1,
     WF_H2_PROTOCOL_ERROR,
     2,
     {9, 0x88}},
};

static void break_connection(struct wild_server *s, struct choice *choice)
{
    const struct bad_frame *bad =
        &bad_frames[choose_below(choice, sizeof(bad_frames) / sizeof(bad_frames[0]))];
    struct wf_field ok = field(":status", "200");
    bool is_block = bad->type == WF_H2_FRAME_HEADERS && bad->len == 1 && bad->payload[0] == 0x88;
    if (is_block)
        wild_headers(s, NULL, bad->id, 0, &ok, 1); /* with what the decoder expects in front */
    else
        wild_frame(s, bad->type, bad->flags, bad->id, bad->payload, bad->len);
    /* A window of zero takes one increment of 2^31-1, and not another. */
    if (bad->type == WF_H2_FRAME_WINDOW_UPDATE && bad->code == WF_H2_FLOW_CONTROL_ERROR)
        wild_frame(s, bad->type, bad->flags, bad->id, bad->payload, bad->len);
    wild_note(s, FACT_CONNECTION_ERROR, 0, bad->code);
}

/* Another frame inside a field block, and a block without an end. */
static void break_block(struct wild_server *s, struct choice *choice)
{
    struct watched_stream *stream = wild_pick(s, choice, false);
    if (stream == NULL)
        return;
    size_t endless = choose_below(choice, 2);
    wild_frame(s, WF_H2_FRAME_HEADERS, 0, stream->id, "\x88", 1);
    for (unsigned i = 0; endless == 1 && i < s->continuations; i++)
        wild_frame(s, WF_H2_FRAME_CONTINUATION, 0, stream->id, NULL, 0);
    if (endless == 0)
        wild_frame(s, WF_H2_FRAME_PING, 0, 0, "12345678", 8);
    wild_note(s, FACT_CONNECTION_ERROR, 0,
              endless == 1 ? WF_H2_ENHANCE_YOUR_CALM : WF_H2_PROTOCOL_ERROR);
}

static void raise_goaway(struct wild_server *s)
{
    uint8_t payload[8] = {0x7f, 0xff, 0xff, 0xff};
    if (!s->said_goaway || s->goaway_last == WF_H2_MAX_STREAM_ID)
        return;
    wild_frame(s, WF_H2_FRAME_GOAWAY, 0, 0, payload, 8);
    wild_note(s, FACT_CONNECTION_ERROR, 0, WF_H2_PROTOCOL_ERROR);
}

static void acknowledge_nothing(struct wild_server *s)
{
    struct h2_watcher *w = &s->watcher;
    if (!w->settings_seen || w->client_settings > 0)
        return;
    wild_frame(s, WF_H2_FRAME_SETTINGS, WF_H2_FLAG_ACK, 0, NULL, 0);
    wild_note(s, FACT_CONNECTION_ERROR, 0, WF_H2_PROTOCOL_ERROR);
}

/* The server itself knows no better than that the stream is alive; it may go on with it. */
static void spoil(struct wild_server *s, struct watched_stream *stream, uint32_t code)
{
    struct wild_stream *state = wild_of(s, stream);
    state->spoiled = true;
    state->touched = true;
    stream->is_excused = true;
    wild_note(s, FACT_STREAM_ERROR, stream->id, code);
    stream->server_reset = true; /* it leaves it alone from here on */
}

static void spoil_any(struct wild_server *s, struct choice *choice)
{
    struct watched_stream *stream = wild_pick(s, choice, choose_below(choice, 2) == 1);
    if (stream == NULL)
        return;
    uint32_t id = stream->id;
    uint8_t self[5] = {0, 0, (uint8_t)(id >> 8), (uint8_t)id, 3};
    switch (choose_below(choice, 4)) {
    case 0:
        wild_frame(s, WF_H2_FRAME_WINDOW_UPDATE, 0, id, "\0\0\0\0", 4);
        spoil(s, stream, WF_H2_PROTOCOL_ERROR);
        break;
    case 1:
        /* SETTINGS in flight may have brought the window far below zero, but never to 0 - 2^31. */
        wild_frame(s, WF_H2_FRAME_WINDOW_UPDATE, 0, id, "\x7f\xff\xff\xff", 4);
        /* Until the second one has come, the first is credit like any other. */
        watcher_note_window_update(&s->watcher, id, 0x7fffffffu);
        wild_frame(s, WF_H2_FRAME_WINDOW_UPDATE, 0, id, "\x7f\xff\xff\xff", 4);
        spoil(s, stream, WF_H2_FLOW_CONTROL_ERROR);
        break;
    case 2:
        wild_frame(s, WF_H2_FRAME_PRIORITY, 0, id, self, 5);
        spoil(s, stream, WF_H2_PROTOCOL_ERROR);
        break;
    default:
        wild_frame(s, WF_H2_FRAME_PRIORITY, 0, id, self, 4);
        spoil(s, stream, WF_H2_FRAME_SIZE_ERROR);
    }
}

static void spoil_unanswered(struct wild_server *s, struct choice *choice)
{
    static const char *const bad[][2] = {
        {"X-Upper", "a"},   {"connection", "close"}, {"x-a", "a\nb"},        {"x a", "b"},
        {"upgrade", "h2c"}, {"te", "trailers"},      {":path", "/"},         {"x-a", " b"},
        {":status", "200"}, {":unknown", "1"},       {"content-length", "x"}};
    struct watched_stream *stream = wild_pick(s, choice, false);
    if (stream == NULL)
        return;
    uint32_t id = stream->id;
    uint32_t code = WF_H2_PROTOCOL_ERROR;
    struct wf_field ok = field(":status", "200");
    struct wf_field info = field(":status", "103");
    struct wf_field server = field("server", "wild");
    struct wf_field empty[] = {field(":status", "200"), field("content-length", "5")};
    size_t which = choose_below(choice, sizeof(bad) / sizeof(bad[0]));
    struct wf_field lines[2] = {ok, field(bad[which][0], bad[which][1])};
    switch (choose_below(choice, 5)) {
    case 0:
        wild_headers(s, choice, id, 0, lines, 2);
        break;
    case 1:
        wild_headers(s, choice, id, 0, &server, 1);
        break;
    case 2:
        wild_headers(s, choice, id, WF_H2_FLAG_END_STREAM, &info, 1);
        break;
    case 3:
        /* For HEAD this is how it should be. */
        if (stream->is_head)
            return;
        wild_headers(s, choice, id, WF_H2_FLAG_END_STREAM, empty, 2);
        break;
    default:
        if (s->watcher.credit < 1 || stream->credit < 1)
            return;
        wild_frame(s, WF_H2_FRAME_DATA, 0, id, "a", 1);
        s->watcher.credit--;
    }
    spoil(s, stream, code);
}

static void spoil_answered(struct wild_server *s, struct choice *choice)
{
    struct watched_stream *stream = wild_pick(s, choice, true);
    if (stream == NULL)
        return;
    struct wild_stream *state = wild_of(s, stream);
    struct wf_field pseudo = field(":status", "200");
    struct wf_field trailer = field("x-sum", "1");
    switch (choose_below(choice, 4)) {
    case 0:
        wild_headers(s, choice, stream->id, 0, &trailer, 1);
        break;
    case 1:
        wild_headers(s, choice, stream->id, WF_H2_FLAG_END_STREAM, &pseudo, 1);
        break;
    case 2:
        if (state->content_left <= 0)
            return;
        wild_frame(s, WF_H2_FRAME_DATA, WF_H2_FLAG_END_STREAM, stream->id, NULL, 0);
        break;
    default:
        if (state->has_content || s->watcher.credit < 1 || stream->credit < 1)
            return;
        wild_frame(s, WF_H2_FRAME_DATA, 0, stream->id, "a", 1);
        s->watcher.credit--;
    }
    spoil(s, stream, WF_H2_PROTOCOL_ERROR);
}

void wild_illegal(struct wild_server *s, struct choice *choice)
{
    switch (choose_below(choice, 8)) {
    case 0:
        break_connection(s, choice);
        break;
    case 1:
        break_block(s, choice);
        break;
    case 2:
        raise_goaway(s);
        break;
    case 3:
        acknowledge_nothing(s);
        break;
    case 4:
        spoil_any(s, choice);
        break;
    case 5:
    case 6:
        spoil_unanswered(s, choice);
        break;
    default:
        spoil_answered(s, choice);
    }
}
