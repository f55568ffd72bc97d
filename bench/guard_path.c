/* A client engine stepped by hand, over a transport that is a buffer. */
#include "guard.h"

#include "base/buf.h"
#include "h2/frame_decode.h"
#include "h2/frame_encode.h"
#include "h2/hpack_encode.h"
#include "io_thread/conn.h"
#include "io_thread/engine.h"
#include "io_thread/io_thread.h"
#include "support/memory_wire.h"
#include "weft/weft.h"

#define PREFACE_LEN 24u

struct path {
    struct weft_client *client;
    struct weft_cq *cq;
    struct weft_request *request;
    struct memory_wire *wire;
    struct wf_conn *conn;
    struct wf_hpack_encoder *encoder;
    struct wf_field response[5];
    struct weft_future *futures[GUARD_IN_FLIGHT];
    unsigned long completed;
};

static void step(struct path *path)
{
    wf_io_thread_turn(path->client->io_threads[0]);
}

static void submit(void *user)
{
    struct path *path = user;
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    struct weft_request *requests[GUARD_IN_FLIGHT];
    for (unsigned i = 0; i < GUARD_IN_FLIGHT; i++)
        requests[i] = path->request;
    how.cq = path->cq;
    guard_check(weft_submit_batch(path->client, requests, GUARD_IN_FLIGHT, &how, NULL,
                                  path->futures) == GUARD_IN_FLIGHT,
                "out of memory");
    step(path);
}

static void receive(void *user)
{
    struct path *path = user;
    struct weft_event events[GUARD_IN_FLIGHT];
    struct wf_io_thread *io = path->client->io_threads[0];
    wf_list_push_back(&io->unread, &path->conn->unread_node);
    step(path);
    size_t count = weft_cq_next(path->cq, events, GUARD_IN_FLIGHT, 0);
    for (size_t i = 0; i < count; i++) {
        if (weft_future_error(events[i].future)->code == WEFT_OK &&
            weft_future_status(events[i].future) == 200 &&
            weft_future_body_len(events[i].future) == 10)
            path->completed++;
        weft_future_unref(events[i].future);
    }
}

/* Answers every request that the client wrote. */
static void answer(struct path *path)
{
    struct wf_slice in = wf_buf_slice(&path->wire->sent);
    struct wf_buf *out = &path->wire->received;
    struct wf_buf block = {0};
    while (in.len >= WF_H2_FRAME_HEADER_LEN) {
        struct wf_h2_frame_header header = wf_h2_frame_header_decode(in.ptr);
        in = wf_slice_skip(in, WF_H2_FRAME_HEADER_LEN + header.len);
        if (header.type != WF_H2_FRAME_HEADERS)
            continue;
        wf_buf_consume(&block, wf_buf_len(&block));
        guard_check(wf_hpack_encode(path->encoder, 1, path->response, 5, &block) &&
                        wf_h2_encode_headers(out, header.stream_id, WF_H2_FLAG_END_HEADERS, NULL,
                                             wf_buf_slice(&block), -1) &&
                        wf_h2_encode_data(out, header.stream_id, WF_H2_FLAG_END_STREAM,
                                          wf_slice("0123456789", 10), -1),
                    "out of memory");
    }
    wf_buf_consume(&path->wire->sent, wf_buf_len(&path->wire->sent));
    wf_buf_fini(&block);
}

static struct wf_field field(const char *name, const char *value)
{
    return (struct wf_field){.name = wf_slice_str(name), .value = wf_slice_str(value)};
}

static void open_connection(struct path *path)
{
    struct wf_io_thread *io = path->client->io_threads[0];
    path->wire = memory_wire_new(PREFACE_LEN);
    struct wf_origin *origin = wf_origin_get(io, path->request);
    guard_check(origin != NULL, "out of memory");
    path->conn = wf_conn_adopt(origin, &path->wire->base);
    guard_check(path->conn != NULL, "out of memory");
    /* SETTINGS without an entry, so that the first requests count as those that follow do. */
    guard_check(
        wf_h2_encode_header(&path->wire->received, 0, WF_H2_FRAME_SETTINGS, 0, 0) &&
            wf_h2_encode_header(&path->wire->received, 0, WF_H2_FRAME_SETTINGS, WF_H2_FLAG_ACK, 0),
        "out of memory");
    step(path);
    answer(path);
    receive(path);
}

void guard_path(unsigned long rounds)
{
    struct weft_config config = WEFT_CONFIG_INIT;
    struct weft_error error;
    struct path path = {0};
    config.http2_prior_knowledge = true;
    config.insecure_skip_verify = true; /* no TLS here, so no certificate store either */
    path.client = wf_engine_new_stepped(&config, &error);
    path.cq = weft_cq_new();
    path.request = weft_request_new("GET", "http://localhost:8080/");
    path.encoder = wf_hpack_encoder_new(4096);
    guard_check(path.client != NULL && path.cq != NULL && path.request != NULL &&
                    path.encoder != NULL,
                "out of memory");
    path.response[0] = field(":status", "200");
    path.response[1] = field("server", "guard");
    path.response[2] = field("content-type", "text/plain");
    path.response[3] = field("content-length", "10");
    path.response[4] = field("date", "Sat, 21 Nov 2026 20:00:00 GMT");
    open_connection(&path);
    for (unsigned long i = 0; i <= rounds; i++) {
        if (i == 0) { /* fills tables and pools */
            submit(&path);
            answer(&path);
            receive(&path);
            continue;
        }
        counted(submit, &path);
        answer(&path);
        counted(receive, &path);
    }
    guard_check(path.completed == (rounds + 1) * GUARD_IN_FLIGHT, "a request was not completed");
    guard_check(weft_client_close(path.client, 0) == WEFT_OK, "the client did not close");
    weft_client_unref(path.client);
    weft_request_unref(path.request);
    weft_cq_unref(path.cq);
    wf_hpack_encoder_free(path.encoder);
}
