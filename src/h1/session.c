#include "h1/session_internal.h"

#include "base/assert.h"

struct wf_h1_session *wf_h1_session_new(const struct wf_h1_config *config)
{
    struct wf_h1_session *s = wf_calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    s->config = *config;
    s->state = WF_H1_IDLE;
    return s;
}

void wf_h1_session_free(struct wf_h1_session *session)
{
    if (session == NULL)
        return;
    wf_buf_fini(&session->line);
    wf_buf_fini(&session->out);
    wf_h1_section_fini(&session->section);
    wf_free(session);
}

void wf_h1_session_trim(struct wf_h1_session *session)
{
    if (session->state != WF_H1_IDLE)
        return;
    wf_assert(wf_buf_len(&session->line) == 0);
    wf_buf_fini(&session->line);
    wf_h1_section_fini(&session->section);
    if (!wf_h1_session_wants_write(session))
        wf_buf_fini(&session->out);
}

/* RFC 9112 section 6.3: only the end of the connection ends such a body well. */
void wf_h1_session_end(struct wf_h1_session *session)
{
    if (session->state == WF_H1_CONTENT && session->body == WF_H1_BODY_UNTIL_CLOSE) {
        session->state = WF_H1_COMPLETE;
        return;
    }
    wf_h1_session_lost(session);
}

void wf_h1_session_lost(struct wf_h1_session *session)
{
    switch (session->state) {
    case WF_H1_IDLE:
        wf_h1_drop_output(session);
        session->state = WF_H1_DEAD;
        return;
    case WF_H1_STATUS_LINE:
        if (session->first_len > 0) {
            wf_h1_fail_foreign(session, WF_H1_FOREIGN_NONE);
            return;
        }
        wf_h1_fail(session,
                   wf_h1_err(WF_H1_ERR_LOST, wf_buf_len(&session->line) == 0
                                                 ? "the connection ended before a response"
                                                 : "the connection ended in a status line"));
        return;
    case WF_H1_FIELDS:
        wf_h1_fail(session, wf_h1_err(WF_H1_ERR_LOST, "the connection ended in a header section"));
        return;
    case WF_H1_CONTENT:
    case WF_H1_TRAILERS:
        wf_h1_fail(session, wf_h1_err(WF_H1_ERR_LOST,
                                      "the connection ended before the response was complete"));
        return;
    case WF_H1_COMPLETE:
        session->framing.wants_close = true;
        return;
    case WF_H1_FAILED:
    case WF_H1_DEAD:
        return;
    }
}

void wf_h1_session_cancel(struct wf_h1_session *session)
{
    bool untouched = session->state == WF_H1_STATUS_LINE && !session->was_sent;
    wf_h1_drop_output(session);
    session->body_pending = false;
    session->state = untouched ? WF_H1_IDLE : WF_H1_DEAD;
}

bool wf_h1_session_is_idle(const struct wf_h1_session *session)
{
    return session->state == WF_H1_IDLE;
}

bool wf_h1_session_is_dead(const struct wf_h1_session *session)
{
    return session->state == WF_H1_DEAD;
}

bool wf_h1_session_is_ready(const struct wf_h1_session *session)
{
    return session->is_ready;
}

bool wf_h1_session_was_sent(const struct wf_h1_session *session)
{
    return session->was_sent;
}

bool wf_h1_session_is_in_chunks(const struct wf_h1_session *session)
{
    return session->in_chunks;
}

uint64_t wf_h1_session_sent_len(const struct wf_h1_session *session)
{
    return session->sent_len;
}

bool wf_h1_session_is_sent(const struct wf_h1_session *session)
{
    return session->has_ended && !wf_h1_session_wants_write(session);
}

bool wf_h1_session_has_begun(const struct wf_h1_session *session)
{
    return session->has_begun;
}
