#include "support/stepped.h"

#include "h2/frame_decode.h"
#include "h2/frame_encode.h"
#include "io_thread/conn.h"
#include "io_thread/engine.h"
#include "io_thread/io_thread.h"
#include "io_thread/origin.h"
#include "workers/park.h"
#include "support/cmocka.h"

#define PREFACE_LEN 24u
#define PATIENCE_NS 10000000000u
#define DEADLINE_MS 5000

void stepped_init(struct stepped *stepped, const struct weft_config *given)
{
    struct weft_config config = WEFT_CONFIG_INIT;
    struct weft_error error;
    if (given != NULL)
        config = *given;
    config.http2_prior_knowledge = true;
    config.connections_per_origin = 1;
    config.max_connections_per_origin = 1;
    *stepped = (struct stepped){.client = wf_engine_new_stepped(&config, &error)};
    assert_non_null(stepped->client);
    stepped->request = weft_request_new("GET", "http://localhost:8080/");
    stepped->wire = memory_wire_new(PREFACE_LEN);
    struct wf_origin *origin = wf_origin_get(stepped->client->io_threads[0], stepped->request);
    assert_non_null(origin);
    stepped->conn = wf_conn_adopt(origin, &stepped->wire->base);
    assert_non_null(stepped->conn);
}

void stepped_fini(struct stepped *stepped)
{
    weft_request_unref(stepped->request);
    assert_int_equal(weft_client_close(stepped->client, 0), WEFT_OK);
    weft_client_unref(stepped->client);
}

struct weft_future *stepped_submit(struct stepped *stepped)
{
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.deadline_ms = DEADLINE_MS;
    struct weft_future *future = weft_submit(stepped->client, stepped->request, &how);
    assert_non_null(future);
    return future;
}

void stepped_turn(struct stepped *stepped)
{
    struct wf_io_thread *io = stepped->client->io_threads[0];
    if (!wf_node_is_linked(&stepped->conn->unread_node))
        wf_list_push_back(&io->unread, &stepped->conn->unread_node);
    wf_io_thread_turn(io);
}

uint32_t stepped_next_request(struct stepped *stepped)
{
    struct wf_buf *sent = &stepped->wire->sent;
    while (wf_buf_len(sent) >= WF_H2_FRAME_HEADER_LEN) {
        struct wf_h2_frame_header header = wf_h2_frame_header_decode(wf_buf_slice(sent).ptr);
        assert_true(wf_buf_len(sent) >= WF_H2_FRAME_HEADER_LEN + header.len);
        wf_buf_consume(sent, WF_H2_FRAME_HEADER_LEN + header.len);
        if (header.type == WF_H2_FRAME_HEADERS)
            return header.stream_id;
    }
    return 0;
}

uint32_t stepped_await_request(struct stepped *stepped)
{
    uint64_t end = wf_now_ns() + PATIENCE_NS;
    uint32_t stream_id = stepped_next_request(stepped);
    while (stream_id == 0 && wf_now_ns() < end) {
        stepped_turn(stepped);
        stream_id = stepped_next_request(stepped);
    }
    return stream_id;
}

enum weft_code stepped_await(struct stepped *stepped, struct weft_future *future)
{
    uint64_t end = wf_now_ns() + PATIENCE_NS;
    while (!weft_future_is_done(future) && wf_now_ns() < end)
        stepped_turn(stepped);
    return weft_future_wait(future, 0);
}

void stepped_put(struct stepped *stepped, uint8_t type, uint8_t flags, uint32_t stream_id,
                 const void *payload, size_t len)
{
    assert_true(wf_h2_encode_frame(&stepped->wire->received, type, flags, stream_id,
                                   wf_slice(payload, len)));
}

void stepped_put_settings(struct stepped *stepped, uint8_t max_streams)
{
    const uint8_t entry[6] = {0, 3, 0, 0, 0, max_streams};
    stepped_put(stepped, WF_H2_FRAME_SETTINGS, 0, 0, entry, sizeof(entry));
    stepped_put(stepped, WF_H2_FRAME_SETTINGS, WF_H2_FLAG_ACK, 0, NULL, 0);
}

void stepped_put_answer(struct stepped *stepped, uint32_t stream_id)
{
    stepped_put(stepped, WF_H2_FRAME_HEADERS, WF_H2_FLAG_END_HEADERS | WF_H2_FLAG_END_STREAM,
                stream_id, "\x88", 1);
}

void stepped_put_reset(struct stepped *stepped, uint32_t stream_id, uint8_t code)
{
    const uint8_t payload[4] = {0, 0, 0, code};
    stepped_put(stepped, WF_H2_FRAME_RST_STREAM, 0, stream_id, payload, sizeof(payload));
}
