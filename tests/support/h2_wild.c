#include "support/h2_wild.h"

#include "h2/frame_encode.h"
#include "support/check.h"

void wild_init(struct wild_server *s, unsigned illegal_one_in)
{
    memset(s, 0, sizeof(*s));
    watcher_init(&s->watcher);
    s->encoder = wf_hpack_encoder_new(4096);
    s->settings = WF_H2_SETTINGS_INITIAL;
    s->illegal_one_in = illegal_one_in;
    s->continuations = 129; /* WF_H2_CONFIG_INIT allows 128 */
    CHECK(s->encoder != NULL);
}

void wild_fini(struct wild_server *s)
{
    watcher_fini(&s->watcher);
    wf_hpack_encoder_free(s->encoder);
    wf_buf_fini(&s->out);
}

struct wild_stream *wild_of(struct wild_server *s, const struct watched_stream *stream)
{
    return &s->streams[stream->id / 2];
}

void wild_note(struct wild_server *s, enum wild_fact_kind kind, uint32_t id, uint32_t value)
{
    CHECK(s->fact_count < WILD_MAX_FACTS);
    /* Nothing counts once the connection is broken. */
    if (!s->broken)
        s->facts[s->fact_count++] = (struct wild_fact){kind, id, value, s->sent};
    s->broken = s->broken || kind == FACT_CONNECTION_ERROR;
}

static void frame_is_whole(struct wild_server *s, size_t before)
{
    s->sent += wf_buf_len(&s->out) - before;
}

void wild_frame(struct wild_server *s, uint8_t type, uint8_t flags, uint32_t id,
                const void *payload, size_t len)
{
    size_t before = wf_buf_len(&s->out);
    CHECK(wf_h2_encode_frame(&s->out, type, flags, id, wf_slice(payload, len)));
    frame_is_whole(s, before);
}

size_t wild_boundary(const struct wild_server *s, size_t len)
{
    struct wf_slice rest = wf_buf_slice(&s->out);
    size_t at = 0;
    while (rest.len - at >= WF_H2_FRAME_HEADER_LEN) {
        size_t end = at + WF_H2_FRAME_HEADER_LEN + wf_h2_frame_header_decode(rest.ptr + at).len;
        if (end > len)
            break;
        at = end;
    }
    return at;
}

/* In one frame or several, padded or not, with or without a priority. */
void wild_headers(struct wild_server *s, struct choice *choice, uint32_t id, uint8_t flags,
                  const struct wf_field *fields, size_t count)
{
    struct wf_buf block = {0};
    struct wf_h2_priority priority = {.depends_on = id + 2, .weight = 7};
    CHECK(wf_hpack_encode(s->encoder, 0, fields, count, &block));
    struct wf_slice rest = wf_buf_slice(&block);
    size_t frames = choice != NULL && choose_one_in(choice, 4) ? 1 + choose_below(choice, 5) : 1;
    if (rest.len > 16000)
        frames = rest.len / 16000 + 1;
    size_t piece = frames == 1 ? rest.len : rest.len / frames;
    int pad = choice != NULL && choose_one_in(choice, 6) ? (int)choose_below(choice, 256) : -1;
    bool with_priority = choice != NULL && choose_one_in(choice, 8);
    size_t before = wf_buf_len(&s->out);
    CHECK(wf_h2_encode_headers(&s->out, id,
                               (uint8_t)(flags | (frames == 1 ? WF_H2_FLAG_END_HEADERS : 0)),
                               with_priority ? &priority : NULL, wf_slice(rest.ptr, piece), pad));
    rest = wf_slice_skip(rest, piece);
    for (size_t i = 1; i < frames; i++) {
        size_t len = i + 1 == frames ? rest.len : piece;
        CHECK(wf_h2_encode_continuation(&s->out, id, i + 1 == frames ? WF_H2_FLAG_END_HEADERS : 0,
                                        wf_slice(rest.ptr, len)));
        rest = wf_slice_skip(rest, len);
    }
    frame_is_whole(s, before);
    wf_buf_fini(&block);
}

static bool may_act(struct wild_server *s, const struct watched_stream *stream)
{
    return !stream->server_ended && !stream->server_reset && !stream->client_reset &&
           !(s->said_goaway && stream->id > s->goaway_last);
}

struct watched_stream *wild_pick(struct wild_server *s, struct choice *choice, bool answered)
{
    struct h2_watcher *w = &s->watcher;
    if (w->stream_count == 0)
        return NULL;
    size_t first = choice != NULL ? choose_below(choice, w->stream_count) : 0;
    for (size_t i = 0; i < w->stream_count; i++) {
        struct watched_stream *stream = &w->streams[(first + i) % w->stream_count];
        if (may_act(s, stream) && (wild_of(s, stream)->status != 0) == answered)
            return stream;
    }
    return NULL;
}

static void end_stream(struct wild_server *s, struct watched_stream *stream)
{
    stream->server_ended = true;
    wild_note(s, FACT_END, stream->id, 0);
}

static struct wf_field field(const char *name, const char *value)
{
    return (struct wf_field){.name = wf_slice_str(name), .value = wf_slice_str(value)};
}

static void send_informational(struct wild_server *s, struct choice *choice)
{
    static const char *const statuses[] = {"100", "102", "103", "199"};
    struct watched_stream *stream = wild_pick(s, choice, false);
    if (stream == NULL)
        return;
    struct wf_field fields[] = {field(":status", statuses[choose_below(choice, 4)]),
                                field("link", "</style.css>; rel=preload")};
    wild_headers(s, choice, stream->id, 0, fields, choose_below(choice, 2) + 1);
    wild_of(s, stream)->touched = true;
    wild_note(s, FACT_INFORMATIONAL, stream->id, 0);
}

static void send_response(struct wild_server *s, struct choice *choice)
{
    static const char *const statuses[] = {"200", "204", "304", "404", "500", "206"};
    static const uint16_t numbers[] = {200, 204, 304, 404, 500, 206};
    char length[24];
    struct watched_stream *stream = wild_pick(s, choice, false);
    if (stream == NULL)
        return;
    struct wild_stream *state = wild_of(s, stream);
    size_t which = choice != NULL ? choose_below(choice, 6) : 0;
    bool ends = choice == NULL || choose_one_in(choice, 3);
    struct wf_field fields[4] = {field(":status", statuses[which]), field("server", "wild")};
    size_t count = 2;
    state->status = numbers[which];
    state->touched = true;
    state->has_content = !stream->is_head && numbers[which] != 204 && numbers[which] != 304;
    state->content_left = -1;
    if (choice != NULL && choose_one_in(choice, 3) && numbers[which] != 204) {
        size_t len = ends && state->has_content ? 0 : choose_len(choice, 70000);
        (void)snprintf(length, sizeof(length), "%zu", len);
        fields[count++] = field("content-length", length);
        if (state->has_content)
            state->content_left = (int64_t)len;
    }
    if (choice != NULL && choose_one_in(choice, 4))
        fields[count++] = field("set-cookie", "id=some rather long value; Path=/");
    wild_headers(s, choice, stream->id, ends ? WF_H2_FLAG_END_STREAM : 0, fields, count);
    wild_note(s, FACT_RESPONSE, stream->id, state->status);
    if (ends)
        end_stream(s, stream);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void send_data(struct wild_server *s, struct choice *choice)
{
    static uint8_t octets[16384];
    struct h2_watcher *w = &s->watcher;
    struct watched_stream *stream = wild_pick(s, choice, true);
    if (stream == NULL)
        return;
    struct wild_stream *state = wild_of(s, stream);
    int pad = choose_one_in(choice, 6) ? (int)choose_below(choice, 256) : -1;
    int64_t room = smaller(smaller(w->credit, stream->credit), 16384) - (pad + 1);
    if (room < 0)
        return;
    size_t len = state->has_content ? choose_len(choice, (size_t)room) : 0;
    if (state->content_left >= 0)
        len = (size_t)smaller((int64_t)len, state->content_left);
    bool ends = choose_one_in(choice, 4);
    if (state->content_left >= 0 && state->content_left != (int64_t)len)
        ends = false;
    if (!state->has_content && !ends && pad < 0)
        return;
    for (size_t i = 0; i < len; i++)
        octets[i] = h2_body_octet(stream->call + 1000, state->body_len + i);
    size_t before = wf_buf_len(&s->out);
    CHECK(wf_h2_encode_data(&s->out, stream->id, ends ? WF_H2_FLAG_END_STREAM : 0,
                            wf_slice(octets, len), pad));
    frame_is_whole(s, before);
    w->credit -= (int64_t)len + pad + 1;
    stream->credit -= (int64_t)len + pad + 1;
    state->body_len += len;
    if (state->content_left >= 0)
        state->content_left -= (int64_t)len;
    wild_note(s, FACT_DATA, stream->id, (uint32_t)len);
    if (ends)
        end_stream(s, stream);
}

static void send_trailers(struct wild_server *s, struct choice *choice)
{
    struct watched_stream *stream = wild_pick(s, choice, true);
    if (stream == NULL || wild_of(s, stream)->content_left > 0)
        return;
    struct wf_field fields[] = {field("x-sum", "1234"), field("grpc-status", "0")};
    wild_headers(s, choice, stream->id, WF_H2_FLAG_END_STREAM, fields, choose_below(choice, 3));
    wild_note(s, FACT_TRAILERS, stream->id, 0);
    end_stream(s, stream);
}

static void send_reset(struct wild_server *s, struct choice *choice, struct watched_stream *stream,
                       uint32_t code)
{
    uint8_t payload[4];
    (void)choice;
    wf_h2_put_u32(payload, code);
    wild_frame(s, WF_H2_FRAME_RST_STREAM, 0, stream->id, payload, 4);
    wild_of(s, stream)->touched = true;
    stream->server_reset = true;
    wild_note(s, FACT_RESET, stream->id, code);
}

static void choose_reset(struct wild_server *s, struct choice *choice)
{
    static const uint32_t codes[] = {WF_H2_NO_ERROR, WF_H2_INTERNAL_ERROR,    WF_H2_REFUSED_STREAM,
                                     WF_H2_CANCEL,   WF_H2_ENHANCE_YOUR_CALM, 0xffffffffu};
    struct watched_stream *stream = wild_pick(s, choice, choose_below(choice, 2) == 1);
    /* An answer that is whole may be followed by "send no more". */
    if (stream == NULL && s->watcher.stream_count > 0) {
        stream = &s->watcher.streams[choose_below(choice, s->watcher.stream_count)];
        if (!stream->server_ended || stream->client_ended || stream->server_reset)
            return;
    }
    if (stream != NULL)
        send_reset(s, choice, stream, codes[choose_below(choice, 6)]);
}

static void send_settings(struct wild_server *s, struct choice *choice)
{
    static const uint32_t windows[] = {0, 1, 100, 65535, 65536, 1000000};
    static const uint32_t tables[] = {0, 64, 100, 4096, 65536};
    static const uint32_t streams[] = {0, 1, 5, 20, 100, UINT32_MAX};
    static const uint32_t lists[] = {200, 5000, UINT32_MAX, UINT32_MAX};
    struct wf_h2_settings *now = &s->settings;
    struct wf_h2_setting_entry entries[6];
    size_t count = 0;
    if (s->watcher.unacked_count + 1 >= WATCHER_MAX_SETTINGS)
        return;
    if (choose_one_in(choice, 2))
        entries[count++] = (struct wf_h2_setting_entry){WF_H2_SETTING_INITIAL_WINDOW_SIZE,
                                                        now->initial_window_size =
                                                            windows[choose_below(choice, 6)]};
    if (choose_one_in(choice, 3))
        entries[count++] =
            (struct wf_h2_setting_entry){WF_H2_SETTING_HEADER_TABLE_SIZE,
                                         now->header_table_size = tables[choose_below(choice, 5)]};
    if (choose_one_in(choice, 3))
        entries[count++] = (struct wf_h2_setting_entry){
            WF_H2_SETTING_MAX_FRAME_SIZE,
            now->max_frame_size = 16384 + (uint32_t)choose_len(choice, 100000)};
    if (choose_one_in(choice, 4))
        entries[count++] = (struct wf_h2_setting_entry){WF_H2_SETTING_MAX_CONCURRENT_STREAMS,
                                                        now->max_concurrent_streams =
                                                            streams[choose_below(choice, 6)]};
    if (choose_one_in(choice, 6))
        entries[count++] = (struct wf_h2_setting_entry){WF_H2_SETTING_MAX_HEADER_LIST_SIZE,
                                                        now->max_header_list_size =
                                                            lists[choose_below(choice, 4)]};
    if (choose_one_in(choice, 6))
        entries[count++] = (struct wf_h2_setting_entry){0x99, 12345};
    size_t before = wf_buf_len(&s->out);
    CHECK(wf_h2_settings_encode(&s->out, entries, count));
    frame_is_whole(s, before);
    watcher_note_settings(&s->watcher, now);
}

static void acknowledge(struct wild_server *s)
{
    struct h2_watcher *w = &s->watcher;
    for (; w->client_settings > 0; w->client_settings--) {
        wild_frame(s, WF_H2_FRAME_SETTINGS, WF_H2_FLAG_ACK, 0, NULL, 0);
        wf_hpack_encoder_set_max_table_size(s->encoder, w->client.header_table_size);
    }
    for (uint32_t i = 0; i < w->ping_count; i++)
        wild_frame(s, WF_H2_FRAME_PING, WF_H2_FLAG_ACK, 0, w->pings[i], 8);
    w->ping_count = 0;
}

static void send_window_update(struct wild_server *s, struct choice *choice)
{
    uint8_t payload[4];
    struct h2_watcher *w = &s->watcher;
    uint32_t id = 0;
    int64_t window = w->may_send;
    uint32_t increment = 1 + (uint32_t)choose_len(choice, 1000000);
    if (w->stream_count > 0 && choose_below(choice, 3) != 0) {
        struct watched_stream *stream = &w->streams[choose_below(choice, w->stream_count)];
        id = stream->id;
        window = stream->may_send;
    }
    /* Far from what SETTINGS could lift above 2^31-1. */
    if (window > 1 << 30)
        return;
    wf_h2_put_u32(payload, increment);
    wild_frame(s, WF_H2_FRAME_WINDOW_UPDATE, 0, id, payload, 4);
    watcher_note_window_update(w, id, increment);
}

static void send_goaway(struct wild_server *s, struct choice *choice)
{
    static const uint32_t codes[] = {WF_H2_NO_ERROR, WF_H2_ENHANCE_YOUR_CALM};
    struct h2_watcher *w = &s->watcher;
    uint8_t payload[12] = {0, 0, 0, 0, 0, 0, 0, 0, 'b', 'y', 'e', '!'};
    uint32_t lowest = 0;
    for (uint32_t i = 0; i < w->stream_count; i++) {
        if (s->streams[i].touched)
            lowest = w->streams[i].id;
    }
    uint32_t highest = s->said_goaway ? s->goaway_last : WF_H2_MAX_STREAM_ID;
    uint32_t last = highest;
    if (choose_below(choice, 2) == 1 && highest > lowest)
        last = lowest + (uint32_t)choose_below(choice, (size_t)smaller(highest - lowest, 40) + 1);
    uint32_t code = codes[choose_below(choice, 2)];
    wf_h2_put_u32(payload, last);
    wf_h2_put_u32(payload + 4, code);
    wild_frame(s, WF_H2_FRAME_GOAWAY, 0, 0, payload, 8 + choose_below(choice, 5));
    s->said_goaway = true;
    s->goaway_last = last;
    w->refused_above = last;
    wild_note(s, FACT_GOAWAY, last, code);
}

static void send_noise(struct wild_server *s, struct choice *choice)
{
    static const uint8_t zeros[300];
    uint8_t payload[8] = {0, 0, 0, 99, 16, 1, 2, 3};
    uint32_t id = 1 + 2 * (uint32_t)choose_below(choice, 40);
    switch (choose_below(choice, 3)) {
    case 0:
        wild_frame(s, WF_H2_FRAME_PRIORITY, 0, id == 99 ? 1 : id, payload, 5);
        break;
    case 1:
        wild_frame(s, WF_H2_FRAME_PING, 0, 0, payload, 8);
        break;
    default:
        wild_frame(s, (uint8_t)(0xa + choose_below(choice, 240)), choose_octet(choice),
                   (uint32_t)choose_below(choice, 3), zeros, choose_below(choice, 300));
    }
}

void wild_step(struct wild_server *s, struct choice *choice)
{
    if (!s->said_settings) {
        s->said_settings = true;
        send_settings(s, choice);
        return;
    }
    if (s->fact_count + 300 > WILD_MAX_FACTS)
        return;
    if (s->illegal_one_in != 0 && choose_one_in(choice, s->illegal_one_in)) {
        wild_illegal(s, choice);
        return;
    }
    size_t what = choose_below(choice, 64);
    if (what < 6)
        acknowledge(s);
    else if (what < 18)
        send_response(s, choice);
    else if (what < 34)
        send_data(s, choice);
    else if (what < 38)
        send_informational(s, choice);
    else if (what < 42)
        send_trailers(s, choice);
    else if (what < 50)
        send_window_update(s, choice);
    else if (what < 53)
        send_settings(s, choice);
    else if (what < 56)
        choose_reset(s, choice);
    else if (what < 63)
        send_noise(s, choice);
    else if (choose_below(choice, 4) == 1)
        send_goaway(s, choice);
}

/* Large windows, and no limits. */
static void open_up(struct wild_server *s)
{
    struct wf_h2_setting_entry entries[] = {{WF_H2_SETTING_INITIAL_WINDOW_SIZE, 1u << 20},
                                            {WF_H2_SETTING_MAX_CONCURRENT_STREAMS, 100}};
    uint8_t payload[4];
    s->settings.initial_window_size = 1u << 20;
    s->settings.max_concurrent_streams = 100;
    size_t before = wf_buf_len(&s->out);
    CHECK(wf_h2_settings_encode(&s->out, entries, 2));
    frame_is_whole(s, before);
    watcher_note_settings(&s->watcher, &s->settings);
    wf_h2_put_u32(payload, 1u << 20);
    wild_frame(s, WF_H2_FRAME_WINDOW_UPDATE, 0, 0, payload, 4);
    watcher_note_window_update(&s->watcher, 0, 1u << 20);
}

void wild_settle(struct wild_server *s)
{
    struct h2_watcher *w = &s->watcher;
    if (!s->said_settings)
        open_up(s);
    s->said_settings = true;
    acknowledge(s);
    if (w->unacked_count == 0 &&
        (w->in_force.initial_window_size != 1u << 20 || w->in_force.max_concurrent_streams != 100 ||
         w->may_send < 200000))
        open_up(s);
    while (wild_pick(s, NULL, false) != NULL)
        send_response(s, NULL);
    for (;;) {
        struct watched_stream *stream = wild_pick(s, NULL, true);
        if (stream == NULL)
            break;
        struct wild_stream *state = wild_of(s, stream);
        if (state->content_left > 0) {
            send_reset(s, NULL, stream, WF_H2_INTERNAL_ERROR);
        } else {
            wild_frame(s, WF_H2_FRAME_DATA, WF_H2_FLAG_END_STREAM, stream->id, NULL, 0);
            end_stream(s, stream);
        }
    }
}
