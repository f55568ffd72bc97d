/* How streams and the connection end. Whatever the cause, a stream leaves through
 * wf_h2_stream_end(), or through the owner's wf_h2_session_reset(). */
#include "h2/session_internal.h"

/* What is proven about a stream that ends by @end. HEADERS that were not handed to the transport
 * stay unsent only when the output is cut, which is when the connection itself ends. */
static enum wf_h2_effect effect_of_end(const struct wf_h2_session *s,
                                       const struct wf_h2_stream *stream, enum wf_h2_end end,
                                       uint32_t code)
{
    if (stream->message_began)
        return WF_H2_PROCESSED;
    /* RFC 9113 section 8.7; and who wants HTTP/1.1 instead (section 7) has not served this. */
    bool was_refused = code == WF_H2_REFUSED_STREAM || code == WF_H2_HTTP_1_1_REQUIRED;
    if (end == WF_H2_END_GOAWAY || (end == WF_H2_END_RESET_BY_PEER && was_refused))
        return WF_H2_NOT_PROCESSED;
    if ((end == WF_H2_END_CONNECTION_ERROR || end == WF_H2_END_CONNECTION_LOST) &&
        !wf_h2_stream_was_sent(s, stream))
        return WF_H2_NOT_SENT;
    return WF_H2_MAYBE_PROCESSED;
}

/* The input is in the middle of a DATA frame of @stream: the rest has no taker. */
static void abandon_data(struct wf_h2_session *s, const struct wf_h2_stream *stream)
{
    if (s->data_stream != stream)
        return;
    s->data_stream = NULL;
    s->skip_left = s->data_left + s->pad_left;
}

void wf_h2_stream_end(struct wf_h2_session *s, struct wf_h2_stream *stream, enum wf_h2_end end,
                      uint32_t code, const char *reason)
{
    wf_assert(!stream->ended);
    stream->effect = effect_of_end(s, stream, end, code) & 0xf;
    stream->end = end & 0xf;
    stream->end_code = code;
    stream->reason = reason;
    stream->state = WF_H2_CLOSED;
    stream->ended = true;
    stream->body_left = 0;
    if (s->is_server && end == WF_H2_END_COMPLETE)
        s->guard.streams++;
    abandon_data(s, stream);
    wf_h2_growth_end(&s->growth, &stream->growth);
    wf_h2_stream_set_remove(&s->streams, stream);
    wf_list_remove(&stream->node);
    wf_list_push_back(&s->ending, &stream->node);
    s->events_due = true;
    /* After an error of ours the peer may read on until RST_STREAM, so it gets what was meant. */
    if (stream->inserts > 0 && !wf_h2_output_disown(&s->out, stream, end == WF_H2_END_STREAM_ERROR))
        wf_h2_no_memory(s);
}

void wf_h2_stream_end_if_closed(struct wf_h2_session *s, struct wf_h2_stream *stream)
{
    if (stream->state == WF_H2_CLOSED && stream->inserts == 0 && !stream->ended)
        wf_h2_stream_end(s, stream, WF_H2_END_COMPLETE, WF_H2_NO_ERROR, NULL);
}

void wf_h2_remember_reset(struct wf_h2_session *s, uint32_t id)
{
    uint32_t *slot = &s->resets.ids[(id >> 1) % WF_H2_REMEMBERED_RESETS];
    if (*slot > s->resets.forgotten)
        s->resets.forgotten = *slot;
    *slot = id;
}

enum wf_h2_absent wf_h2_session_absent(const struct wf_h2_session *s, uint32_t id)
{
    /* RFC 9113 section 5.1.1: odd identifiers are the client's. We promise nothing and accept no
     * promise, so no even one was ever used. */
    bool was_used = id % 2 == 1 && (s->is_server ? id <= s->highest_peer_id : id < s->next_id);
    if (!was_used)
        return WF_H2_ABSENT_IDLE;
    if (id <= s->resets.forgotten || s->resets.ids[(id >> 1) % WF_H2_REMEMBERED_RESETS] == id)
        return WF_H2_ABSENT_RESET_BY_US;
    return WF_H2_ABSENT_CLOSED;
}

void wf_h2_stream_error(struct wf_h2_session *s, struct wf_h2_stream *stream, uint32_t id,
                        uint32_t code, const char *reason)
{
    wf_h2_remember_reset(s, id);
    bool tolerated = s->dead || wf_h2_tolerate(s, WF_H2_NUISANCE_STREAM_ERROR, 1);
    if (stream != NULL && !stream->ended)
        wf_h2_stream_end(s, stream, WF_H2_END_STREAM_ERROR, code, reason);
    if (tolerated && !s->dead)
        wf_h2_send_rst_stream(s, id, code, true);
}

struct end_all {
    struct wf_h2_session *session;
    enum wf_h2_end end;
    uint32_t code;
    const char *reason;
};

/* A client's stream may be complete but for the writing of an upload that the server did not wait
 * for. */
static void end_one(void *user, struct wf_h2_stream *stream)
{
    const struct end_all *all = user;
    if (stream->state == WF_H2_CLOSED && !all->session->is_server)
        wf_h2_stream_end(all->session, stream, WF_H2_END_COMPLETE, WF_H2_NO_ERROR, NULL);
    else
        wf_h2_stream_end(all->session, stream, all->end, all->code, all->reason);
}

static void end_all_streams(struct wf_h2_session *s, enum wf_h2_end end, uint32_t code,
                            const char *reason)
{
    struct end_all all = {s, end, code, reason};
    wf_h2_stream_set_each(&s->streams, end_one, &all);
}

void wf_h2_connection_error(struct wf_h2_session *s, uint32_t code, const char *reason)
{
    if (s->dead)
        return;
    s->dead = true;
    s->error = (struct wf_h2_err){WF_H2_SCOPE_CONNECTION, code, reason};
    s->error_pending = true;
    s->events_due = true;
    /* What was not begun to be written is dropped, so that "not sent" stays true. */
    wf_h2_output_cut(&s->out);
    bool told = wf_h2_send_goaway(s, s->highest_peer_id, code, reason);
    (void)told; /* without memory for it the peer finds out by the connection's end */
    end_all_streams(s, WF_H2_END_CONNECTION_ERROR, code, reason);
}

void wf_h2_no_memory(struct wf_h2_session *s)
{
    wf_h2_connection_error(s, WF_H2_INTERNAL_ERROR, "out of memory");
}

bool wf_h2_tolerate(struct wf_h2_session *s, enum wf_h2_nuisance kind, uint32_t cost)
{
    if (WF_LIKELY(wf_h2_guard_take(&s->guard, kind, cost, s->now_ms)))
        return true;
    wf_h2_connection_error(s, WF_H2_ENHANCE_YOUR_CALM, wf_h2_guard_reason(kind));
    return false;
}

void wf_h2_raise(struct wf_h2_session *s, struct wf_h2_stream *stream, uint32_t id,
                 const struct wf_h2_err *err)
{
    if (err->scope == WF_H2_SCOPE_CONNECTION)
        wf_h2_connection_error(s, err->code, err->reason);
    else
        wf_h2_stream_error(s, stream, id, err->code, err->reason);
}

void wf_h2_raise_absent(struct wf_h2_session *s, uint32_t id, const struct wf_h2_err *err)
{
    if (err->scope == WF_H2_SCOPE_CONNECTION || wf_h2_session_absent(s, id) == WF_H2_ABSENT_IDLE)
        wf_h2_connection_error(s, err->code, err->reason);
    else
        (void)wf_h2_tolerate(s, WF_H2_NUISANCE_STREAM_ERROR, 1); /* not answered, but a look each */
}

void wf_h2_session_lost(struct wf_h2_session *s)
{
    wf_h2_output_clear(&s->out);
    if (s->dead)
        return;
    s->dead = true;
    end_all_streams(s, WF_H2_END_CONNECTION_LOST, WF_H2_NO_ERROR, "the connection was lost");
}

void wf_h2_session_reset(struct wf_h2_session *s, struct wf_h2_stream *stream, uint32_t code)
{
    wf_assert(stream != s->reported);
    wf_list_remove(&stream->node);
    if (!stream->ended) {
        bool peer_may_know = stream->state != WF_H2_CLOSED;
        uint32_t id = stream->id;
        stream->ended = true;
        abandon_data(s, stream);
        wf_h2_growth_end(&s->growth, &stream->growth);
        wf_h2_stream_set_remove(&s->streams, stream);
        if (stream->inserts > 0 && !wf_h2_output_disown(&s->out, stream, true))
            wf_h2_no_memory(s);
        if (peer_may_know) {
            wf_h2_remember_reset(s, id);
            wf_h2_send_rst_stream(s, id, code, false);
        }
    }
    wf_assert(stream->inserts == 0);
    wf_h2_stream_set_give(&s->streams, stream);
}

enum wf_h2_effect wf_h2_stream_effect(const struct wf_h2_session *s,
                                      const struct wf_h2_stream *stream)
{
    (void)s;
    if (stream->ended)
        return (enum wf_h2_effect)stream->effect;
    return stream->message_began ? WF_H2_PROCESSED : WF_H2_MAYBE_PROCESSED;
}

bool wf_h2_stream_was_sent(const struct wf_h2_session *s, const struct wf_h2_stream *stream)
{
    return s->out.written > stream->headers_at;
}
