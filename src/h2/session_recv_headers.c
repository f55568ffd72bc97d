/* Field blocks in: HEADERS, CONTINUATION and PUSH_PROMISE (RFC 9113 sections 6.2, 6.6 and 6.10).
 * Every block is decoded, whoever it is for, or the dynamic table would fall out of step
 * (section 4.3); what the peer's blocks may cost is bounded before they are decoded. */
#include "h2/session_internal.h"

static enum wf_h2_step fail_stream(struct wf_h2_session *s, struct wf_h2_stream *stream,
                                   uint32_t code, const char *reason)
{
    wf_h2_stream_error(s, stream, stream->id, code, reason);
    return WF_H2_STEP_DONE;
}

/* The end of what HEADERS for @stream have in common: their event, and END_STREAM. */
static enum wf_h2_step deliver(struct wf_h2_session *s, struct wf_h2_stream *stream,
                               const struct wf_field_section *section, bool end_stream,
                               enum wf_h2_section_kind kind, const struct wf_h2_message_head *head,
                               struct wf_h2_event *event)
{
    wf_h2_event_init(event, WF_H2_EVENT_HEADERS, stream);
    event->end_stream = end_stream;
    event->headers.section = section;
    event->headers.kind = kind;
    event->headers.status = head != NULL ? head->status : 0;
    event->headers.content_length = head != NULL ? head->content_length : -1;
    if (!end_stream)
        return WF_H2_STEP_EVENT;
    struct wf_h2_err err;
    if (!wf_h2_stream_move(stream, WF_H2_RECV_END_STREAM, &err)) {
        wf_h2_raise(s, stream, stream->id, &err);
        return WF_H2_STEP_DONE;
    }
    wf_h2_stream_end_if_closed(s, stream);
    return WF_H2_STEP_EVENT;
}

static enum wf_h2_step recv_trailers(struct wf_h2_session *s, struct wf_h2_stream *stream,
                                     const struct wf_field_section *section, bool end_stream,
                                     struct wf_h2_event *event)
{
    /* RFC 9113 section 8.1: only trailers follow, and they end the message. */
    if (!end_stream)
        return fail_stream(s, stream, WF_H2_PROTOCOL_ERROR,
                           "HEADERS after the message's own do not end the stream");
    const char *wrong = wf_h2_check_trailers(section);
    if (wrong != NULL)
        return fail_stream(s, stream, WF_H2_PROTOCOL_ERROR, wrong);
    if (stream->content_left > 0)
        return fail_stream(s, stream, WF_H2_PROTOCOL_ERROR,
                           "there is less content than content-length says");
    return deliver(s, stream, section, true, WF_H2_SECTION_TRAILERS, NULL, event);
}

/* Reads the head of a response, or knows it from the last time when the section is the same. */
static const char *read_response_head(struct wf_h2_session *s,
                                      const struct wf_field_section *section)
{
    if (WF_LIKELY(section->serial != 0 && section->serial == s->head_serial))
        return NULL;
    s->head_serial = 0;
    const char *wrong = wf_h2_check_response(section, &s->head);
    if (wrong == NULL)
        s->head_serial = section->serial;
    return wrong;
}

static enum wf_h2_step recv_response(struct wf_h2_session *s, struct wf_h2_stream *stream,
                                     const struct wf_field_section *section, bool end_stream,
                                     struct wf_h2_event *event)
{
    const char *wrong = read_response_head(s, section);
    if (WF_UNLIKELY(wrong != NULL))
        return fail_stream(s, stream, WF_H2_PROTOCOL_ERROR, wrong);
    const struct wf_h2_message_head *head = &s->head;
    if (head->status < 200) {
        /* RFC 9113 section 8.1.1. */
        if (end_stream)
            return fail_stream(s, stream, WF_H2_PROTOCOL_ERROR,
                               "an informational response ends the stream");
        if (stream->informational == s->config.max_informational)
            return fail_stream(s, stream, WF_H2_ENHANCE_YOUR_CALM,
                               "there are more informational responses than max_informational");
        stream->informational++;
        return deliver(s, stream, section, false, WF_H2_SECTION_INFORMATIONAL, head, event);
    }
    stream->message_began = true;
    /* RFC 9113 section 8.1.1, RFC 9110 section 6.4.1: these have no content, whatever they
     * announce. */
    bool has_content = !stream->is_head && head->status != 204 && head->status != 304;
    stream->content_left = has_content ? head->content_length : 0;
    if (end_stream && stream->content_left > 0)
        return fail_stream(s, stream, WF_H2_PROTOCOL_ERROR,
                           "there is less content than content-length says");
    return deliver(s, stream, section, end_stream, WF_H2_SECTION_RESPONSE, head, event);
}

/* A client opens a stream (RFC 9113 sections 5.1.1 and 5.1.2). The application first hears of it
 * when its request is valid. */
static enum wf_h2_step recv_request(struct wf_h2_session *s, uint32_t id,
                                    const struct wf_field_section *section, bool end_stream,
                                    struct wf_h2_event *event)
{
    struct wf_h2_message_head head;
    s->highest_peer_id = id;
    if (s->goaway_sent && id > s->refused_above) {
        wf_h2_remember_reset(s, id); /* RFC 9113 section 6.8: it was told, and is ignored */
        return WF_H2_STEP_DONE;
    }
    if (s->streams.count >= s->config.max_concurrent_streams) {
        wf_h2_stream_error(s, NULL, id, WF_H2_REFUSED_STREAM, "too many streams are open");
        return WF_H2_STEP_DONE;
    }
    const char *wrong = wf_h2_check_request(section, &head);
    if (wrong == NULL && end_stream && head.content_length > 0)
        wrong = "there is less content than content-length says";
    if (wrong != NULL) {
        wf_h2_stream_error(s, NULL, id, WF_H2_PROTOCOL_ERROR, wrong);
        return WF_H2_STEP_DONE;
    }
    struct wf_h2_stream *stream = wf_h2_stream_set_take(&s->streams, id);
    if (stream == NULL) {
        wf_h2_no_memory(s);
        return WF_H2_STEP_DONE;
    }
    stream->state = WF_H2_OPEN;
    stream->send_window = (int32_t)s->remote.initial_window_size;
    stream->recv_window.open = (int32_t)s->stream_recv_window;
    stream->is_head = head.is_head;
    stream->message_began = true;
    stream->content_left = head.content_length;
    wf_h2_stream_set_insert(&s->streams, stream);
    return deliver(s, stream, section, end_stream, WF_H2_SECTION_REQUEST, &head, event);
}

/* A block for a stream that is not there: it opens one, is ignored, or is an error. */
static enum wf_h2_step recv_for_absent(struct wf_h2_session *s, uint32_t id,
                                       const struct wf_field_section *section, bool end_stream,
                                       struct wf_h2_event *event)
{
    enum wf_h2_absent how = wf_h2_session_absent(s, id);
    if (how == WF_H2_ABSENT_RESET_BY_US) {
        (void)wf_h2_tolerate(s, WF_H2_NUISANCE_LATE, 1);
        return WF_H2_STEP_DONE;
    }
    if (how == WF_H2_ABSENT_CLOSED) {
        struct wf_h2_stream absent = {.id = id, .state = WF_H2_CLOSED};
        struct wf_h2_err err;
        if (!wf_h2_stream_move(&absent, WF_H2_RECV_HEADERS, &err))
            wf_h2_raise(s, NULL, id, &err);
        return WF_H2_STEP_DONE;
    }
    if (s->is_server && id % 2 == 1) {
        if (s->block.wrong == NULL)
            return recv_request(s, id, section, end_stream, event);
        s->highest_peer_id = id;
        wf_h2_stream_error(s, NULL, id, s->block.wrong_code, s->block.wrong);
        return WF_H2_STEP_DONE;
    }
    /* RFC 9113 section 5.1.1: only a client opens streams by HEADERS, and with odd identifiers. */
    wf_h2_connection_error(s, WF_H2_PROTOCOL_ERROR, "HEADERS on a stream that nobody opened");
    return WF_H2_STEP_DONE;
}

static enum wf_h2_step recv_section(struct wf_h2_session *s, uint32_t id,
                                    const struct wf_field_section *section, bool end_stream,
                                    struct wf_h2_event *event)
{
    struct wf_h2_stream *stream = wf_h2_stream_set_find(&s->streams, id);
    struct wf_h2_err err;
    if (WF_UNLIKELY(stream == NULL))
        return recv_for_absent(s, id, section, end_stream, event);
    wf_h2_stream_set_expect(&s->streams, id + 2);
    if (WF_UNLIKELY(!wf_h2_stream_move(stream, WF_H2_RECV_HEADERS, &err))) {
        wf_h2_raise(s, stream, id, &err);
        return WF_H2_STEP_DONE;
    }
    if (WF_UNLIKELY(s->block.wrong != NULL))
        return fail_stream(s, stream, s->block.wrong_code, s->block.wrong);
    /* Each section is within its limit; so must be all of a message together. */
    uint64_t size = (uint64_t)stream->sections_size + section->size;
    uint64_t limit = (uint64_t)s->config.max_header_list_size * WF_H2_SECTIONS_FACTOR;
    if (WF_UNLIKELY(size > limit || size > UINT32_MAX))
        return fail_stream(s, stream, WF_H2_ENHANCE_YOUR_CALM,
                           "all header sections together are larger than twice "
                           "MAX_HEADER_LIST_SIZE");
    stream->sections_size = (uint32_t)size;
    if (stream->message_began)
        return recv_trailers(s, stream, section, end_stream, event);
    return recv_response(s, stream, section, end_stream, event);
}

/* @header is that of the frame which ended the block, for the trace. */
static enum wf_h2_step recv_block(struct wf_h2_session *s, const struct wf_h2_frame_header *header,
                                  const uint8_t *payload, struct wf_slice block, bool end_stream,
                                  struct wf_h2_event *event)
{
    struct wf_field_section *section = &s->section;
    enum wf_hpack_status status = wf_hpack_decode(s->decoder, block, section);
    wf_h2_recv_trace(s, header, wf_slice(payload, header->len),
                     status == WF_HPACK_OK ? section : NULL);
    switch (status) {
    case WF_HPACK_OK:
        return recv_section(s, header->stream_id, section, end_stream, event);
    case WF_HPACK_SECTION_TOO_LARGE:
        /* RFC 9113 section 10.5.1: what is too large may be refused. */
        s->block.wrong = "a header section is larger than MAX_HEADER_LIST_SIZE";
        s->block.wrong_code = WF_H2_ENHANCE_YOUR_CALM;
        return recv_section(s, header->stream_id, section, end_stream, event);
    case WF_HPACK_COMPRESSION_ERROR:
        /* RFC 9113 section 4.3. */
        wf_h2_connection_error(s, WF_H2_COMPRESSION_ERROR, wf_hpack_decoder_reason(s->decoder));
        return WF_H2_STEP_DONE;
    case WF_HPACK_NO_MEMORY:
        wf_h2_no_memory(s);
        return WF_H2_STEP_DONE;
    }
    WF_UNREACHABLE("every status has a case");
}

/* Adds a fragment to the open block, within the limits. */
static bool gather(struct wf_h2_session *s, struct wf_slice fragment)
{
    struct wf_h2_open_block *block = &s->block;
    if (fragment.len > s->config.max_field_block_len - wf_buf_len(&block->buf)) {
        wf_h2_connection_error(s, WF_H2_ENHANCE_YOUR_CALM, "a field block is too long");
        return false;
    }
    if (!wf_buf_append(&block->buf, fragment.ptr, fragment.len)) {
        wf_h2_no_memory(s);
        return false;
    }
    return true;
}

enum wf_h2_step wf_h2_recv_headers(struct wf_h2_session *s, const struct wf_h2_frame_header *header,
                                   const uint8_t *payload, struct wf_h2_event *event)
{
    struct wf_h2_headers_payload headers;
    struct wf_h2_err err;
    bool end_stream = (header->flags & WF_H2_FLAG_END_STREAM) != 0;
    if (!wf_h2_headers_decode(header, payload, &headers, &err)) {
        wf_h2_recv_trace(s, header, wf_slice(payload, header->len), NULL);
        wf_h2_raise(s, NULL, header->stream_id, &err);
        return WF_H2_STEP_DONE;
    }
    s->block.wrong = NULL;
    if (WF_UNLIKELY(headers.has_priority)) {
        wf_h2_note_priority(s, header->stream_id, &headers.priority);
        if (headers.priority.depends_on == header->stream_id) {
            s->block.wrong = "a stream depends on itself";
            s->block.wrong_code = WF_H2_PROTOCOL_ERROR;
        }
    }
    if (WF_LIKELY((header->flags & WF_H2_FLAG_END_HEADERS) != 0)) {
        if (headers.fragment.len > s->config.max_field_block_len) {
            wf_h2_recv_trace(s, header, wf_slice(payload, header->len), NULL);
            wf_h2_connection_error(s, WF_H2_ENHANCE_YOUR_CALM, "a field block is too long");
            return WF_H2_STEP_DONE;
        }
        return recv_block(s, header, payload, headers.fragment, end_stream, event);
    }
    wf_h2_recv_trace(s, header, wf_slice(payload, header->len), NULL);
    s->block.stream_id = header->stream_id;
    s->block.end_stream = end_stream;
    s->block.continuations = 0;
    (void)gather(s, headers.fragment); /* what failed is known to the session */
    return WF_H2_STEP_DONE;
}

enum wf_h2_step wf_h2_recv_continuation(struct wf_h2_session *s,
                                        const struct wf_h2_frame_header *header,
                                        const uint8_t *payload, struct wf_h2_event *event)
{
    struct wf_h2_open_block *block = &s->block;
    bool end_headers = (header->flags & WF_H2_FLAG_END_HEADERS) != 0;
    if (!end_headers)
        wf_h2_recv_trace(s, header, wf_slice(payload, header->len), NULL);
    /* Counted as well as measured: an empty one costs its sender next to nothing. */
    if (++block->continuations > s->config.max_continuations) {
        wf_h2_connection_error(s, WF_H2_ENHANCE_YOUR_CALM,
                               "a field block has too many CONTINUATION frames");
        return WF_H2_STEP_DONE;
    }
    if (!gather(s, wf_slice(payload, header->len)) || !end_headers)
        return WF_H2_STEP_DONE;
    block->stream_id = 0;
    enum wf_h2_step step =
        recv_block(s, header, payload, wf_buf_slice(&block->buf), block->end_stream, event);
    wf_buf_fini(&block->buf); /* rare and perhaps large: not kept */
    return step;
}

enum wf_h2_step wf_h2_recv_push_promise(struct wf_h2_session *s,
                                        const struct wf_h2_frame_header *header,
                                        const uint8_t *payload)
{
    struct wf_slice fragment;
    uint32_t promised_id;
    struct wf_h2_err err;
    /* RFC 9113 section 8.4: a client never promises, and we, as a client, have switched it off with
     * the first frame, before anything that could be answered. */
    if (!s->is_server && !wf_h2_push_promise_decode(header, payload, &fragment, &promised_id, &err))
        wf_h2_raise(s, NULL, header->stream_id, &err);
    else
        wf_h2_connection_error(s, WF_H2_PROTOCOL_ERROR, "PUSH_PROMISE although push is off");
    return WF_H2_STEP_DONE;
}
