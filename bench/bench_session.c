/* What a small request costs a client session alone: 100 in flight, answered by canned frames of
 * HEADERS and 10 octets of DATA. Under callgrind with --toggle-collect=client_turn the figure is
 * free of noise:
 *   valgrind --tool=callgrind --toggle-collect=client_turn bin/bench_session 10000 */
#include "h2/frame_encode.h"
#include "h2/hpack_encode.h"
#include "h2/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define IN_FLIGHT 100u

struct bench {
    struct wf_h2_session *session;
    struct wf_h2_message request;
    struct wf_buf answers; /* to the requests of one turn */
    uint32_t next_id;
    size_t completed;
};

static struct wf_field field(const char *name, const char *value)
{
    return (struct wf_field){.name = wf_slice_str(name), .value = wf_slice_str(value)};
}

static void check(bool ok)
{
    if (!ok) {
        fputs("bench_session: something failed\n", stderr);
        exit(1);
    }
}

/* One turn of a client's loop: submit, write, read. */
__attribute__((noinline)) void client_turn(struct bench *bench);

void client_turn(struct bench *bench)
{
    struct wf_h2_session *session = bench->session;
    struct wf_slice slices[16];
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        struct wf_h2_stream *stream;
        if (wf_h2_session_request(session, &bench->request, bench, &stream) != WF_H2_SUBMITTED)
            return;
    }
    size_t count = wf_h2_session_output(session, slices, 16, 65536);
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += slices[i].len;
    wf_h2_session_wrote(session, len);
    struct wf_slice in = wf_buf_slice(&bench->answers);
    struct wf_h2_event event;
    while (wf_h2_session_next(session, 0, &in, &event)) {
        if (event.type == WF_H2_EVENT_CLOSED && event.closed.end == WF_H2_END_COMPLETE)
            bench->completed++;
        else if (event.type == WF_H2_EVENT_DATA)
            wf_h2_session_consume(session, event.stream, event.data.bytes.len);
    }
}

static void make_answers(struct bench *bench, struct wf_slice block)
{
    wf_buf_consume(&bench->answers, wf_buf_len(&bench->answers));
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        check(wf_h2_encode_headers(&bench->answers, bench->next_id, WF_H2_FLAG_END_HEADERS, NULL,
                                   block, -1));
        check(wf_h2_encode_data(&bench->answers, bench->next_id, WF_H2_FLAG_END_STREAM,
                                wf_slice("0123456789", 10), -1));
        bench->next_id += 2;
    }
}

int main(int argc, char **argv)
{
    size_t turns = (argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000) / IN_FLIGHT;
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    struct wf_field request[] = {field(":method", "GET"), field(":scheme", "https"),
                                 field(":authority", "localhost:8443"), field(":path", "/"),
                                 field("user-agent", "bench")};
    struct wf_field answer[] = {field(":status", "200"), field("server", "bench"),
                                field("content-type", "text/plain"), field("content-length", "10"),
                                field("date", "Sat, 21 Nov 2026 20:00:00 GMT")};
    struct bench bench = {.next_id = 1};
    bench.request =
        (struct wf_h2_message){.fields = request, .count = 5, .cache_key = 1, .end_stream = true};
    bench.session = wf_h2_session_new(&config, 0);
    struct wf_hpack_encoder *encoder = wf_hpack_encoder_new(4096);
    check(bench.session != NULL && encoder != NULL);
    struct wf_buf block = {0};
    struct wf_h2_event event;
    check(wf_buf_append(&bench.answers, "\0\0\0\4\0\0\0\0\0\0\0\0\4\1\0\0\0\0", 18));
    struct wf_slice settings = wf_buf_slice(&bench.answers);
    while (wf_h2_session_next(bench.session, 0, &settings, &event)) {
    }
    struct timespec from;
    struct timespec to;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (size_t i = 0; i < turns; i++) {
        wf_buf_consume(&block, wf_buf_len(&block));
        check(wf_hpack_encode(encoder, 0, answer, 5, &block));
        make_answers(&bench, wf_buf_slice(&block));
        client_turn(&bench);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    check(bench.completed == turns * IN_FLIGHT);
    double ns = (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
    printf("%zu requests, %.0f ns of CPU each, canned answers included\n", bench.completed,
           ns / (double)bench.completed);
    wf_h2_session_free(bench.session);
    wf_hpack_encoder_free(encoder);
    wf_buf_fini(&block);
    wf_buf_fini(&bench.answers);
    return 0;
}
