/* HTTP/1.1 on a connection: one exchange at a time, which is the first and only one of
 * conn->exchanges. Where another protocol resets a stream, this one gives the connection up. */
#include "io_thread/conn.h"

#include "base/assert.h"
#include "h1/session.h"
#include "io_thread/conn_h1_error.h"
#include "io_thread/engine.h"
#include "io_thread/exchange.h"
#include "io_thread/io_thread.h"
#include "io_thread/origin.h"
#include "io_thread/retry.h"
#include "io_thread/trace.h"
#include "io_thread/upload.h"
#include "message/error.h"

/* What stands in a head beside names and values: ends of lines, the status line, white space. */
#define HEAD_SLACK 8192u

static struct weft_future *active(const struct wf_conn *conn)
{
    struct wf_node *node = wf_list_first((struct wf_node *)(uintptr_t)&conn->exchanges);
    return node == NULL ? NULL : wf_container_of(node, struct weft_future, node);
}

static enum weft_effect effect_now(const struct wf_conn *conn)
{
    if (!wf_h1_session_was_sent(conn->h1))
        return WEFT_NOT_SENT;
    return wf_h1_session_has_begun(conn->h1) ? WEFT_PROCESSED : WEFT_MAYBE_PROCESSED;
}

static void describe(const struct wf_conn *conn, const struct weft_future *x,
                     enum weft_stage *out_stage, enum weft_effect *out_effect)
{
    *out_effect = effect_now(conn);
    *out_stage = wf_conn_stage_of(x, *out_effect);
}

/* To a piece. */
static void let_go(struct wf_conn *conn, struct weft_future *x)
{
    if (x->upload != NULL)
        x->content_sent = x->upload->consumed;
    else if (x->stage == WEFT_STAGE_WAIT)
        x->content_sent = wf_request_body(x->request).len;
    else
        x->content_sent = 0;
    wf_conn_let_go(conn, x);
}

/* RFC 9112 section 9.6: nothing else makes the server stop. A request of which no octet was given
 * away is taken back instead. */
static void cancel(struct wf_conn *conn, struct weft_future *x)
{
    let_go(conn, x);
    wf_h1_session_cancel(conn->h1);
    if (!wf_h1_session_is_dead(conn->h1))
        return;
    wf_conn_set_draining(conn);
    wf_conn_mark_dirty(conn);
}

/* How much content may be read: what a reader left behind must fit into its window. */
static void set_room(struct wf_conn *conn, const struct weft_future *x)
{
    size_t window = conn->io->engine->config.stream_window;
    if (x == NULL || x->body_mode != WF_BODY_STREAM)
        conn->read_room = SIZE_MAX;
    else
        conn->read_room = conn->unread_body < window ? window - conn->unread_body : 0;
}

static void credit(struct wf_conn *conn, struct weft_future *x, size_t len)
{
    bool was_full = conn->read_room == 0;
    conn->unread_body -= len < conn->unread_body ? len : conn->unread_body;
    /* Half a window at a time: a reader of single octets must not make as many reads. */
    if (was_full && conn->unread_body > conn->io->engine->config.stream_window / 2)
        return;
    set_room(conn, x);
    /* Edges that came meanwhile were not followed. */
    if (was_full && conn->read_room > 0 && !wf_node_is_linked(&conn->unread_node))
        wf_list_push_back(&conn->io->unread, &conn->unread_node);
}

static uint32_t capacity(const struct wf_conn *conn)
{
    return wf_h1_session_is_idle(conn->h1) ? 1 : 0;
}

static uint32_t open_count(const struct wf_conn *conn)
{
    return wf_list_is_empty(&conn->exchanges) ? 0 : 1;
}

/* A connection that was kept open may have been closed, or hold octets that nobody asked for. To
 * look first costs a system call; not to look costs a request that may have been processed. */
static bool is_stale(struct wf_conn *conn)
{
    size_t len;
    enum wf_io_result result =
        wf_transport_read(conn->transport, conn->io->read_buf, WF_READ_LEN, &len);
    if (result == WF_IO_OK && len == 0 && !wf_node_is_linked(&conn->unread_node))
        wf_list_push_back(&conn->io->unread, &conn->unread_node);
    return len > 0 || result == WF_IO_END || result == WF_IO_ERROR;
}

static enum wf_conn_start refuse(struct wf_conn *conn, struct weft_future *x,
                                 enum wf_h1_submit submitted)
{
    if (submitted == WF_H1_SUBMIT_BUSY)
        return WF_CONN_FULL;
    if (submitted == WF_H1_SUBMIT_INVALID)
        wf_exchange_fail(x, WEFT_ERR_INVALID_REQUEST, WEFT_STAGE_SEND, WEFT_NOT_SENT,
                         "the request has a field that HTTP/1.1 cannot carry to %s",
                         conn->origin->key);
    else
        wf_exchange_fail(x, WEFT_ERR_NO_MEMORY, WEFT_STAGE_SEND, WEFT_NOT_SENT,
                         "no memory to send a request");
    return WF_CONN_ENDED;
}

/* The request is all in the session's hands: at once, or by BODY_SENT. */
static void note_sent(struct wf_conn *conn, struct weft_future *x)
{
    if (x->stage == WEFT_STAGE_SEND && wf_h1_session_is_sent(conn->h1))
        wf_conn_sent(conn, x);
}

static bool end_by_trailers(struct wf_conn *conn, struct weft_future *x)
{
    size_t count;
    const struct wf_field *trailers = wf_upload_trailers(x->upload, &count);
    x->upload->is_sent = true;
    /* RFC 9112 section 7.1.2: only chunks can be followed by them. */
    if (!wf_h1_session_is_in_chunks(conn->h1)) {
        wf_io_thread_end(x, WEFT_ERR_INVALID_REQUEST, 0,
                         "HTTP/1.1 has no trailers after a body that was sent with content-length: "
                         "name them in a \"trailer\" field of the request, or give no length");
        return false;
    }
    const char *wrong = wf_h1_session_send_trailers(conn->h1, trailers, count);
    if (wrong == NULL)
        return true;
    wf_io_thread_end(x, WEFT_ERR_NO_MEMORY, 0, wrong);
    return false;
}

static bool has_trailers(const struct wf_upload *upload)
{
    size_t count;
    (void)wf_upload_trailers(upload, &count);
    return count > 0;
}

static bool pull(struct wf_conn *conn, struct weft_future *x)
{
    struct wf_upload *upload = x->upload;
    if (wf_upload_give_up(upload))
        return false;
    if (upload->is_sending || upload->is_sent ||
        wf_upload_peek(upload, &upload->piece) != WF_UPLOAD_PIECE)
        return true;
    bool trailers_follow = upload->piece.is_last && has_trailers(upload);
    wf_conn_mark_dirty(conn);
    if (upload->piece.octets.len == 0 && trailers_follow)
        return end_by_trailers(conn, x);
    bool ends = upload->piece.is_last && !trailers_follow;
    const char *wrong = wf_h1_session_send_body(conn->h1, upload->piece.octets, ends);
    if (wrong != NULL) {
        wf_io_thread_end(x, WEFT_ERR_NO_MEMORY, 0, wrong);
        return false;
    }
    upload->is_sending = upload->piece.octets.len > 0;
    upload->is_sent = ends;
    note_sent(conn, x); /* the end of a body whose length was given has no octets */
    return true;
}

static bool announces_trailers(const struct wf_h1_message *message)
{
    for (size_t i = 0; i < message->count; i++) {
        if (wf_slice_is(message->fields[i].name, "trailer"))
            return true;
    }
    return false;
}

static void use_upload(struct wf_upload *upload, struct wf_h1_message *message)
{
    message->fields = wf_upload_fields(upload, &message->count);
    message->end_stream = false;
    /* The writer may add some until it has finished; if it will, RFC 9110 section 6.6.2 has it say
     * so. Chunks take the place of content-length then. */
    message->has_trailers = (wf_upload_is_finished(upload) && has_trailers(upload)) ||
                            (upload->source == WF_UPLOAD_WRITER && announces_trailers(message));
}

static enum wf_conn_start start(struct wf_conn *conn, struct weft_future *x)
{
    const struct weft_request *request = x->request;
    struct wf_slice body = wf_request_body(request);
    struct wf_h1_message message = {.fields = wf_request_fields(request),
                                    .count = wf_request_field_count(request),
                                    .end_stream = body.len == 0};
    if (x->upload != NULL)
        use_upload(x->upload, &message);
    if (conn->had_response && is_stale(conn)) {
        wf_h1_session_lost(conn->h1);
        wf_conn_set_draining(conn);
        wf_conn_mark_dirty(conn);
        return WF_CONN_LEAVING;
    }
    if (conn->had_response)
        wf_trace_note(conn, "another request on the connection to %s", conn->origin->key);
    enum wf_h1_submit submitted = wf_h1_session_request(conn->h1, &message);
    if (submitted != WF_H1_SUBMITTED)
        return refuse(conn, x, submitted);
    wf_conn_take(conn, x);
    conn->unread_body = 0;
    set_room(conn, x);
    wf_conn_mark_dirty(conn);
    if (x->upload != NULL) {
        wf_upload_begin(x->upload);
        return pull(conn, x) ? WF_CONN_STARTED : WF_CONN_ENDED;
    }
    if (body.len == 0)
        return WF_CONN_STARTED;
    const char *wrong = wf_h1_session_send_body(conn->h1, body, true);
    if (wrong == NULL)
        return WF_CONN_STARTED;
    cancel(conn, x);
    wf_exchange_fail(x, WEFT_ERR_INVALID_REQUEST, WEFT_STAGE_SEND, WEFT_NOT_SENT, "%s: %s",
                     conn->origin->key, wrong);
    return WF_CONN_ENDED;
}

static void on_headers(struct wf_conn *conn, const struct wf_h1_event *event)
{
    struct weft_future *x = active(conn);
    const struct wf_field_section *section = event->headers.section;
    switch (event->headers.kind) {
    case WF_H1_SECTION_INFORMATIONAL:
        wf_conn_recv_informational(conn, x, event->headers.status, section);
        return;
    case WF_H1_SECTION_RESPONSE:
        wf_conn_recv_head(conn, x, event->headers.status, event->headers.content_length, section);
        return;
    case WF_H1_SECTION_TRAILERS:
        wf_conn_recv_trailers(conn, x, section);
        return;
    }
}

static void on_data(struct wf_conn *conn, struct wf_slice bytes)
{
    struct weft_future *x = active(conn);
    if (wf_conn_recv_body(conn, x, bytes) || active(conn) != x)
        return;
    conn->unread_body += bytes.len;
    set_room(conn, x);
}

static void on_complete(struct wf_conn *conn, bool reusable)
{
    struct weft_future *x = active(conn);
    conn->read_room = SIZE_MAX;
    if (!reusable)
        wf_conn_set_draining(conn);
    let_go(conn, x);
    wf_exchange_finish(x, NULL);
}

/* A server that has begun its own side of HTTP/2, or whose TLS has failed, has read no request
 * (RFC 9113 section 3.4, RFC 8446 section 6). */
static enum weft_effect effect_of_error(const struct wf_conn *conn, enum wf_h1_err_kind kind)
{
    enum weft_effect effect = effect_now(conn);
    bool is_foreign = kind == WF_H1_ERR_HTTP2 || kind == WF_H1_ERR_TLS;
    return is_foreign && effect == WEFT_MAYBE_PROCESSED ? WEFT_NOT_PROCESSED : effect;
}

/* The connection has ended in an error, and its exchange with it. */
static void on_error(struct wf_conn *conn, const struct wf_h1_err *err)
{
    struct weft_future *x = active(conn);
    enum weft_effect effect = effect_of_error(conn, err->kind);
    enum weft_stage stage = x == NULL ? WEFT_STAGE_WAIT : wf_conn_stage_of(x, effect);
    struct weft_error error;
    wf_conn_h1_note_error(conn, err, stage);
    wf_conn_set_draining(conn);
    wf_conn_mark_dirty(conn);
    if (x == NULL)
        return;
    let_go(conn, x);
    /* A farewell (408, say) that crossed the request before any of it was written is not its
     * answer: another connection takes it. */
    if (err->kind == WF_H1_ERR_UNASKED && effect == WEFT_NOT_SENT && conn->had_response) {
        x->stage = WEFT_STAGE_QUEUE;
        if (x->upload != NULL)
            wf_upload_rewind(x->upload);
        wf_origin_return(conn->origin, x);
        return;
    }
    /* How far the response had come says more than that the connection ended. */
    bool was_cut = err->kind == WF_H1_ERR_LOST && effect != WEFT_NOT_SENT;
    wf_error_set(&error, wf_conn_h1_code(conn, err->kind), stage, effect, "%s%s%s%s",
                 conn->error.text, was_cut ? " (" : "", was_cut ? err->reason : "",
                 was_cut ? ")" : "");
    error.sys_errno = conn->error.sys_errno;
    error.tls_code = conn->error.tls_code;
    wf_retry_or_end(x, conn, &error);
}

static void on_body_sent(struct wf_conn *conn)
{
    struct weft_future *x = active(conn);
    if (x == NULL)
        return;
    struct wf_upload *upload = x->upload;
    if (upload != NULL && upload->is_sending) {
        upload->is_sending = false;
        wf_upload_advance(upload, upload->piece.octets.len);
        bool goes_on =
            upload->piece.is_last && !upload->is_sent ? end_by_trailers(conn, x) : pull(conn, x);
        if (!goes_on)
            return;
        wf_conn_mark_dirty(conn);
    }
    note_sent(conn, x);
}

static void handle(struct wf_conn *conn, const struct wf_h1_event *event)
{
    switch (event->type) {
    case WF_H1_EVENT_HEADERS:
        on_headers(conn, event);
        return;
    case WF_H1_EVENT_DATA:
        on_data(conn, event->data);
        return;
    case WF_H1_EVENT_BODY_SENT:
        on_body_sent(conn);
        return;
    case WF_H1_EVENT_COMPLETE:
        on_complete(conn, event->reusable);
        return;
    case WF_H1_EVENT_ERROR:
        on_error(conn, &event->error);
        return;
    }
}

static void feed(struct wf_conn *conn, struct wf_slice *in)
{
    struct wf_h1_event event;
    while (wf_h1_session_next(conn->h1, in, &event))
        handle(conn, &event);
}

static size_t output(struct wf_conn *conn, struct wf_slice *slices, size_t max, size_t budget)
{
    size_t count = wf_h1_session_output(conn->h1, slices, max);
    for (size_t i = 0; i < count; i++) {
        if (slices[i].len > budget)
            slices[i].len = budget;
        budget -= slices[i].len;
        if (budget == 0)
            return i + 1;
    }
    return count;
}

static void wrote(struct wf_conn *conn, size_t len)
{
    wf_h1_session_wrote(conn->h1, len);
}

static bool wants_write(const struct wf_conn *conn)
{
    return wf_h1_session_wants_write(conn->h1);
}

static uint64_t deadline(const struct wf_conn *conn)
{
    (void)conn;
    return UINT64_MAX;
}

static void timeout(struct wf_conn *conn)
{
    (void)conn;
}

static void goodbye(struct wf_conn *conn)
{
    (void)conn; /* RFC 9112 section 9.6: the end of the connection is all there is to say */
}

static void trim(struct wf_conn *conn)
{
    wf_h1_session_trim(conn->h1);
}

static void lost(struct wf_conn *conn)
{
    struct wf_slice nothing = {NULL, 0};
    if (conn->peer_ended)
        wf_h1_session_end(conn->h1);
    else
        wf_h1_session_lost(conn->h1);
    feed(conn, &nothing);
}

static bool is_dead(const struct wf_conn *conn)
{
    return wf_h1_session_is_dead(conn->h1);
}

static bool is_ready(const struct wf_conn *conn)
{
    return wf_h1_session_is_ready(conn->h1);
}

/* A response that is whole ends its exchange, whatever of the upload is left. */
static size_t late_body(const struct weft_future *x)
{
    (void)x;
    return 0;
}

static size_t recv_room(const struct weft_future *x)
{
    return x->conn->read_room;
}

/* The head counts, too: what matters is that it goes on. */
static uint64_t body_sent(const struct weft_future *x)
{
    return wf_h1_session_sent_len(x->conn->h1);
}

static bool make_session(struct wf_conn *conn)
{
    const struct weft_config *config = &conn->io->engine->config;
    struct wf_h1_config h1 = WF_H1_CONFIG_INIT;
    h1.max_header_list_size = config->max_header_list_size;
    h1.max_head_len = config->max_header_list_size > UINT32_MAX - HEAD_SLACK
                          ? UINT32_MAX
                          : config->max_header_list_size + HEAD_SLACK;
    h1.max_fields = config->max_header_fields;
    h1.max_informational = config->max_informational;
    if (config->trace != NULL) {
        h1.trace = wf_trace_line;
        h1.trace_user = conn;
    }
    conn->h1 = wf_h1_session_new(&h1);
    return conn->h1 != NULL;
}

static void free_session(struct wf_conn *conn)
{
    wf_h1_session_free(conn->h1);
}

const struct wf_protocol_ops wf_protocol_h1 = {
    .id = WF_PROTOCOL_H1,
    .name = "http/1.1",
    .one_at_a_time = true,
    .make = make_session,
    .free = free_session,
    .capacity = capacity,
    .open_count = open_count,
    .start = start,
    .pull = pull,
    .cancel = cancel,
    .stop_upload = cancel,
    .describe = describe,
    .credit = credit,
    .late_body = late_body,
    .recv_room = recv_room,
    .body_sent = body_sent,
    .feed = feed,
    .output = output,
    .wrote = wrote,
    .wants_write = wants_write,
    .deadline = deadline,
    .timeout = timeout,
    .goodbye = goodbye,
    .trim = trim,
    .lost = lost,
    .is_dead = is_dead,
    .is_ready = is_ready,
};
