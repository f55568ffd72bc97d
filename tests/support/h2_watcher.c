#include "support/h2_watcher.h"

#include "support/check.h"

void watcher_init(struct h2_watcher *w)
{
    *w = (struct h2_watcher){.in_force = WF_H2_SETTINGS_INITIAL,
                             .client = WF_H2_SETTINGS_INITIAL,
                             .may_send = WF_H2_INITIAL_WINDOW,
                             .credit = WF_H2_INITIAL_WINDOW,
                             .refused_above = WF_H2_MAX_STREAM_ID};
    w->decoder = wf_hpack_decoder_new(WF_H2_INITIAL_TABLE_SIZE, 1u << 20, 1000);
    CHECK(w->decoder != NULL);
}

void watcher_fini(struct h2_watcher *w)
{
    wf_hpack_decoder_free(w->decoder);
    wf_buf_fini(&w->in);
    wf_buf_fini(&w->block);
}

struct watched_stream *watcher_stream(struct h2_watcher *w, uint32_t id)
{
    /* RFC 9113 section 5.1.1: our clients leave no identifier out. */
    uint32_t index = id / 2;
    return id % 2 == 1 && index < w->stream_count ? &w->streams[index] : NULL;
}

struct watched_stream *watcher_call(struct h2_watcher *w, uint32_t call)
{
    for (uint32_t i = 0; i < w->stream_count; i++) {
        if (w->streams[i].call == call)
            return &w->streams[i];
    }
    return NULL;
}

void watcher_note_settings(struct h2_watcher *w, const struct wf_h2_settings *settings)
{
    CHECK(w->unacked_count < WATCHER_MAX_SETTINGS);
    w->unacked[w->unacked_count++] = *settings;
}

void watcher_note_window_update(struct h2_watcher *w, uint32_t id, uint32_t increment)
{
    struct watched_stream *stream = watcher_stream(w, id);
    if (id == 0)
        w->may_send += increment;
    else if (stream != NULL)
        stream->may_send += increment;
}

static bool is_closed(const struct watched_stream *stream)
{
    return stream->client_reset || stream->server_reset ||
           (stream->client_ended && stream->server_ended);
}

static uint32_t open_streams(const struct h2_watcher *w)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < w->stream_count; i++)
        count += !is_closed(&w->streams[i]);
    return count;
}

static void open_stream(struct h2_watcher *w, uint32_t id, const struct wf_field_section *section)
{
    /* RFC 9113 section 5.1.1: odd, and higher than all before; section 5.1.2: within the limit. */
    CHECK(id == 2 * w->stream_count + 1);
    CHECK(w->stream_count < WATCHER_MAX_STREAMS);
    if (w->in_force.max_concurrent_streams != UINT32_MAX)
        CHECK(open_streams(w) < w->in_force.max_concurrent_streams);
    struct watched_stream *stream = &w->streams[w->stream_count++];
    *stream = (struct watched_stream){.id = id,
                                      .call = WATCHER_NO_CALL,
                                      .may_send = w->in_force.initial_window_size,
                                      .credit = w->client.initial_window_size};
    for (uint32_t i = 0; i < section->count; i++) {
        struct wf_slice name = wf_section_name(section, i);
        struct wf_slice value = wf_section_value(section, i);
        if (wf_slice_is(name, ":method"))
            stream->is_head = wf_slice_is(value, "HEAD");
        if (!wf_slice_is(name, "x-call"))
            continue;
        uint32_t call = 0;
        for (size_t k = 0; k < value.len; k++)
            call = call * 10 + (uint32_t)(value.ptr[k] - '0');
        stream->call = call;
    }
}

static void read_block(struct h2_watcher *w, uint32_t id, struct wf_slice block, bool ends)
{
    struct wf_field_section section;
    CHECK(wf_hpack_decode(w->decoder, block, &section) == WF_HPACK_OK);
    for (uint32_t i = 0; i < section.count; i++)
        CHECK((section.lines[i].flags & WF_FIELD_INVALID) == 0);
    struct watched_stream *stream = watcher_stream(w, id);
    if (stream == NULL) {
        open_stream(w, id, &section);
        stream = watcher_stream(w, id);
    } else {
        /* Trailers. */
        CHECK(!stream->client_ended && !stream->client_reset && ends);
        CHECK(section.count > 0 && wf_section_name(&section, 0).ptr[0] != ':');
    }
    stream->client_ended = ends;
}

static void read_headers(struct h2_watcher *w, const struct wf_h2_frame_header *header,
                         const uint8_t *payload)
{
    struct wf_h2_headers_payload headers;
    struct wf_h2_err err;
    CHECK(wf_h2_headers_decode(header, payload, &headers, &err));
    bool ends = (header->flags & WF_H2_FLAG_END_STREAM) != 0;
    if ((header->flags & WF_H2_FLAG_END_HEADERS) != 0) {
        read_block(w, header->stream_id, headers.fragment, ends);
        return;
    }
    w->block_id = header->stream_id;
    w->block_ends_stream = ends;
    CHECK(wf_buf_append(&w->block, headers.fragment.ptr, headers.fragment.len));
}

static void read_continuation(struct h2_watcher *w, const struct wf_h2_frame_header *header,
                              const uint8_t *payload)
{
    CHECK(wf_buf_append(&w->block, payload, header->len));
    if ((header->flags & WF_H2_FLAG_END_HEADERS) == 0)
        return;
    w->block_id = 0;
    read_block(w, header->stream_id, wf_buf_slice(&w->block), w->block_ends_stream);
    wf_buf_consume(&w->block, wf_buf_len(&w->block));
}

static void read_data(struct h2_watcher *w, const struct wf_h2_frame_header *header,
                      const uint8_t *payload)
{
    struct watched_stream *stream = watcher_stream(w, header->stream_id);
    CHECK(stream != NULL && !stream->client_ended && !stream->client_reset);
    CHECK((header->flags & WF_H2_FLAG_PADDED) == 0);
    /* RFC 9113 section 6.9: windows that are not above zero stop all but empty frames. */
    w->may_send -= header->len;
    stream->may_send -= header->len;
    if (header->len > 0)
        CHECK(w->may_send >= 0 && stream->may_send >= 0);
    bool is_blank = stream->server_reset || stream->is_excused || stream->id > w->refused_above;
    for (uint32_t i = 0; i < header->len && stream->call != WATCHER_NO_CALL && !is_blank; i++)
        CHECK(payload[i] == h2_body_octet(stream->call, stream->body_len + i));
    stream->body_len += header->len;
    stream->client_ended = (header->flags & WF_H2_FLAG_END_STREAM) != 0;
}

/* The client has acknowledged the oldest SETTINGS: they bind it from here on. */
static void settings_acked(struct h2_watcher *w)
{
    CHECK(w->unacked_count > 0);
    const struct wf_h2_settings *next = &w->unacked[0];
    int64_t shift = (int64_t)next->initial_window_size - w->in_force.initial_window_size;
    for (uint32_t i = 0; i < w->stream_count; i++)
        w->streams[i].may_send += shift;
    if (next->header_table_size != w->in_force.header_table_size)
        wf_hpack_decoder_set_max_table_size(w->decoder, next->header_table_size);
    w->in_force = *next;
    w->unacked_count--;
    memmove(&w->unacked[0], &w->unacked[1], w->unacked_count * sizeof(w->unacked[0]));
}

static void read_settings(struct h2_watcher *w, const struct wf_h2_frame_header *header,
                          const uint8_t *payload)
{
    uint32_t smallest;
    struct wf_h2_err err;
    if ((header->flags & WF_H2_FLAG_ACK) != 0) {
        settings_acked(w);
        return;
    }
    uint32_t before = w->client.initial_window_size;
    CHECK(wf_h2_settings_apply(&w->client, wf_slice(payload, header->len), false, &smallest, &err));
    for (uint32_t i = 0; i < w->stream_count; i++)
        w->streams[i].credit += (int64_t)w->client.initial_window_size - before;
    w->client_settings++;
    w->settings_seen = true;
}

static void read_window_update(struct h2_watcher *w, const struct wf_h2_frame_header *header,
                               const uint8_t *payload)
{
    uint32_t increment;
    struct wf_h2_err err;
    CHECK(wf_h2_window_update_decode(header, payload, &increment, &err));
    int64_t *credit = &w->credit;
    if (header->stream_id != 0) {
        struct watched_stream *stream = watcher_stream(w, header->stream_id);
        CHECK(stream != NULL && !stream->client_reset);
        credit = &stream->credit;
    }
    *credit += increment;
    CHECK(*credit <= WF_H2_MAX_WINDOW);
}

static void read_ping(struct h2_watcher *w, const struct wf_h2_frame_header *header,
                      const uint8_t *payload)
{
    if ((header->flags & WF_H2_FLAG_ACK) != 0) {
        w->ping_acks++;
        return;
    }
    CHECK(w->ping_count < WATCHER_MAX_PINGS);
    memcpy(w->pings[w->ping_count++], payload, 8);
}

static void read_frame(struct h2_watcher *w, const struct wf_h2_frame_header *header,
                       const uint8_t *payload)
{
    struct wf_h2_err err;
    CHECK(wf_h2_frame_header_check(header, w->in_force.max_frame_size, &err));
    CHECK(w->settings_seen || header->type == WF_H2_FRAME_SETTINGS);
    /* RFC 9113 section 4.3: a field block is one run of frames. */
    CHECK((w->block_id != 0) == (header->type == WF_H2_FRAME_CONTINUATION));
    CHECK(w->block_id == 0 || w->block_id == header->stream_id);
    /* Our clients end a connection for an error once, and say nothing after it. */
    CHECK(!w->goaway_seen || w->goaway_code == WF_H2_NO_ERROR);
    switch (header->type) {
    case WF_H2_FRAME_HEADERS:
        CHECK(!w->goaway_seen || watcher_stream(w, header->stream_id) != NULL);
        read_headers(w, header, payload);
        break;
    case WF_H2_FRAME_CONTINUATION:
        read_continuation(w, header, payload);
        break;
    case WF_H2_FRAME_DATA:
        read_data(w, header, payload);
        break;
    case WF_H2_FRAME_SETTINGS:
        read_settings(w, header, payload);
        break;
    case WF_H2_FRAME_WINDOW_UPDATE:
        read_window_update(w, header, payload);
        break;
    case WF_H2_FRAME_PING:
        read_ping(w, header, payload);
        break;
    case WF_H2_FRAME_RST_STREAM: {
        struct watched_stream *stream = watcher_stream(w, header->stream_id);
        CHECK(stream != NULL && !stream->client_reset);
        stream->client_reset = true;
        stream->client_reset_code = wf_h2_get_u32(payload);
        break;
    }
    case WF_H2_FRAME_GOAWAY:
        w->goaway_seen = true;
        w->goaway_code = wf_h2_goaway_decode(header, payload).code;
        break;
    default:
        CHECK(header->type == WF_H2_FRAME_PRIORITY);
    }
}

void watcher_read(struct h2_watcher *w, struct wf_slice octets)
{
    w->octets += octets.len;
    CHECK(octets.len == 0 || wf_buf_append(&w->in, octets.ptr, octets.len));
    while (w->preface_len < WF_H2_PREFACE_LEN && wf_buf_len(&w->in) > 0) {
        CHECK(wf_buf_slice(&w->in).ptr[0] == (uint8_t)WF_H2_PREFACE[w->preface_len]);
        wf_buf_consume(&w->in, 1);
        w->preface_len++;
    }
    while (wf_buf_len(&w->in) >= WF_H2_FRAME_HEADER_LEN) {
        const uint8_t *p = wf_buf_slice(&w->in).ptr;
        struct wf_h2_frame_header header = wf_h2_frame_header_decode(p);
        if (wf_buf_len(&w->in) - WF_H2_FRAME_HEADER_LEN < header.len)
            break;
        read_frame(w, &header, p + WF_H2_FRAME_HEADER_LEN);
        wf_buf_consume(&w->in, WF_H2_FRAME_HEADER_LEN + (size_t)header.len);
    }
}
