/* The frame walk against libnghttp2: a client's session reads recorded octets of a server, in reads
 * of some 64 KiB. One request is sent for each answer; only reading is timed.
 *
 *   bench_frame_walk [ROUNDS [WHAT]]
 *
 * WHAT is one of weft-small, nghttp2-small, weft-pieces, ...: only that is run (for a profiler,
 * with --toggle-collect=read_recording); otherwise all, interleaved. Field blocks are one octet,
 * ":status: 200", so that HPACK takes next to no part. */
#include "base/buf.h"
#include "h2/frame_encode.h"
#include "h2/session.h"

#include <nghttp2/nghttp2.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define READ_LEN  65536u
#define READS_MAX 512u
#define WINDOW    0x7fffffffu
#define STREAMS   100u
#define PIECE_MAX 16384u

/* What a server answers to each of STREAMS requests, the streams in turn. */
struct workload {
    const char *name;
    unsigned pieces; /* DATA frames of each answer */
    uint32_t piece_len;
    unsigned updates; /* WINDOW_UPDATE frames among them, in hundredths of the DATA frames */
};

static const struct workload workloads[] = {
    {"small", 1, 10, 0},
    {"pieces", 50, 100, 20},
    {"bulk", 8, PIECE_MAX, 0},
};
#define WORKLOADS (sizeof(workloads) / sizeof(workloads[0]))

struct recording {
    struct wf_buf octets;
    size_t ends[READS_MAX]; /* of reads; whole frames each, so that nobody keeps part of one */
    size_t reads;
    size_t frames;
    size_t content; /* octets of DATA */
};

/* What a reader found. */
struct seen {
    size_t content;
    size_t closed;
};

static void die(const char *what)
{
    fprintf(stderr, "bench_frame_walk: %s\n", what);
    exit(1);
}

static void check(bool ok)
{
    if (!ok)
        die("out of memory, or something was refused");
}

static double cpu_seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A frame was recorded, if @ok. */
static void note_frame(struct recording *recording, bool ok, bool is_last)
{
    size_t begin = recording->reads == 0 ? 0 : recording->ends[recording->reads - 1];
    size_t end = wf_buf_len(&recording->octets);
    check(ok);
    recording->frames++;
    if (end - begin < READ_LEN && !is_last)
        return;
    check(recording->reads < READS_MAX);
    recording->ends[recording->reads++] = end;
}

static void record(struct recording *recording, const struct workload *w)
{
    static uint8_t piece[PIECE_MAX];
    struct wf_buf *out = &recording->octets;
    unsigned updates = 0;
    *recording = (struct recording){0};
    for (unsigned ack = 0; ack < 2; ack++)
        note_frame(recording, wf_h2_encode_header(out, 0, WF_H2_FRAME_SETTINGS, (uint8_t)ack, 0),
                   false);
    for (uint32_t id = 1; id < 2 * STREAMS; id += 2)
        note_frame(
            recording,
            wf_h2_encode_headers(out, id, WF_H2_FLAG_END_HEADERS, NULL, wf_slice("\x88", 1), -1),
            false);
    for (unsigned n = 1; n <= w->pieces; n++) {
        for (uint32_t id = 1; id < 2 * STREAMS; id += 2) {
            bool is_end = n == w->pieces;
            for (updates += w->updates; updates >= 100; updates -= 100)
                note_frame(recording, wf_h2_encode_window_update(out, 0, 100), false);
            note_frame(recording,
                       wf_h2_encode_data(out, id, is_end ? WF_H2_FLAG_END_STREAM : 0,
                                         wf_slice(piece, w->piece_len), -1),
                       is_end && id == 2 * STREAMS - 1);
            recording->content += w->piece_len;
        }
    }
}

static struct wf_h2_session *weft_session(void)
{
    static const char *const names[] = {":method", ":scheme", ":authority", ":path"};
    static const char *const values[] = {"GET", "http", "localhost", "/"};
    struct wf_h2_config config = WF_H2_CONFIG_INIT(WF_H2_CLIENT);
    struct wf_field fields[4];
    struct wf_slice slices[8];
    config.initial_window_size = WINDOW;
    config.connection_window = WINDOW;
    config.assumed_streams = STREAMS;
    struct wf_h2_session *session = wf_h2_session_new(&config, 0);
    check(session != NULL);
    for (size_t i = 0; i < 4; i++)
        fields[i] =
            (struct wf_field){.name = wf_slice_str(names[i]), .value = wf_slice_str(values[i])};
    struct wf_h2_message message = {.fields = fields, .count = 4, .end_stream = true};
    for (unsigned i = 0; i < STREAMS; i++) {
        struct wf_h2_stream *stream;
        check(wf_h2_session_request(session, &message, NULL, &stream) == WF_H2_SUBMITTED);
    }
    size_t count;
    while ((count = wf_h2_session_output(session, slices, 8, READ_LEN)) > 0) {
        size_t len = 0;
        for (size_t i = 0; i < count; i++)
            len += slices[i].len;
        wf_h2_session_wrote(session, len);
    }
    return session;
}

static void weft_read(struct wf_h2_session *session, struct wf_slice in, struct seen *seen)
{
    struct wf_h2_event event;
    while (wf_h2_session_next(session, 0, &in, &event)) {
        if (event.type == WF_H2_EVENT_DATA) {
            seen->content += event.data.bytes.len;
            wf_h2_session_consume(session, event.stream, event.data.bytes.len);
        } else if (event.type == WF_H2_EVENT_CLOSED) {
            seen->closed += event.closed.end == WF_H2_END_COMPLETE;
        }
    }
    if (in.len > 0)
        die("something was left of a read");
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t len, void *user)
{
    (void)session, (void)flags, (void)id, (void)data;
    ((struct seen *)user)->content += len;
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    (void)session, (void)id;
    ((struct seen *)user)->closed += code == NGHTTP2_NO_ERROR;
    return 0;
}

static nghttp2_nv nv(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
                        strlen(value), NGHTTP2_NV_FLAG_NONE};
}

static nghttp2_session *nghttp2_client(struct seen *seen)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *session;
    check(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    check(nghttp2_session_client_new(&session, callbacks, seen) == 0);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_settings_entry entry = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW};
    check(nghttp2_submit_settings(session, 0, &entry, 1) == 0 &&
          nghttp2_session_set_local_window_size(session, 0, 0, (int32_t)WINDOW) == 0);
    nghttp2_nv fields[] = {nv(":method", "GET"), nv(":scheme", "http"),
                           nv(":authority", "localhost"), nv(":path", "/")};
    for (unsigned i = 0; i < STREAMS; i++)
        check(nghttp2_submit_request(session, NULL, fields, 4, NULL, NULL) > 0);
    const uint8_t *data;
    while (nghttp2_session_mem_send(session, &data) > 0)
        ;
    return session;
}

/* Of one of the two. Not inlined: a profiler is told its name. */
__attribute__((noinline)) void read_recording(struct wf_h2_session *weft, nghttp2_session *nghttp2,
                                              const struct recording *recording, struct seen *seen);

void read_recording(struct wf_h2_session *weft, nghttp2_session *nghttp2,
                    const struct recording *recording, struct seen *seen)
{
    struct wf_slice all = wf_buf_slice(&recording->octets);
    size_t begin = 0;
    for (size_t i = 0; i < recording->reads; i++) {
        size_t len = recording->ends[i] - begin;
        const uint8_t *ptr = all.ptr + begin;
        begin += len;
        if (weft != NULL)
            weft_read(weft, wf_slice(ptr, len), seen);
        else if (nghttp2_session_mem_recv(nghttp2, ptr, len) != (ssize_t)len)
            die("libnghttp2 refused what was recorded");
    }
}

enum who { WEFT, NGHTTP2, WHO_COUNT };
static const char *const who_names[WHO_COUNT] = {"weft", "nghttp2"};

/* Seconds of CPU for one reading by a new session. */
static double run(enum who who, const struct recording *recording)
{
    struct seen seen = {0};
    struct wf_h2_session *weft = who == WEFT ? weft_session() : NULL;
    nghttp2_session *nghttp2 = who == NGHTTP2 ? nghttp2_client(&seen) : NULL;
    double start = cpu_seconds();
    read_recording(weft, nghttp2, recording, &seen);
    double seconds = cpu_seconds() - start;
    if (seen.closed != STREAMS || seen.content != recording->content)
        die("an answer is not complete");
    wf_h2_session_free(weft);
    nghttp2_session_del(nghttp2);
    return seconds;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void compare(const struct workload *w, const struct recording *recording, size_t rounds)
{
    double *seconds[WHO_COUNT];
    double median[WHO_COUNT];
    for (int who = 0; who < WHO_COUNT; who++)
        check((seconds[who] = calloc(rounds, sizeof(double))) != NULL);
    for (size_t r = 0; r < rounds; r++) {
        for (int who = 0; who < WHO_COUNT; who++)
            seconds[who][r] = run((enum who)who, recording);
    }
    for (int who = 0; who < WHO_COUNT; who++) {
        qsort(seconds[who], rounds, sizeof(double), by_value);
        median[who] = seconds[who][rounds / 2];
        free(seconds[who]);
    }
    printf("%-7s %6zu frames, %9zu octets: weft %6.1f, libnghttp2 %6.1f ns/frame; %.3f\n", w->name,
           recording->frames, wf_buf_len(&recording->octets),
           median[WEFT] * 1e9 / (double)recording->frames,
           median[NGHTTP2] * 1e9 / (double)recording->frames, median[WEFT] / median[NGHTTP2]);
}

/* False: @what names another workload. */
static bool run_only(const char *what, const struct workload *w, const struct recording *recording,
                     size_t rounds)
{
    for (int who = 0; who < WHO_COUNT; who++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "%s-%s", who_names[who], w->name);
        if (strcmp(name, what) != 0)
            continue;
        for (size_t r = 0; r < rounds; r++)
            (void)run((enum who)who, recording);
        printf("%s: %zu times %zu frames\n", name, rounds, recording->frames);
        return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 101;
    bool found = argc < 3;
    if (rounds == 0 || argc > 3) {
        fprintf(stderr, "usage: bench_frame_walk [ROUNDS [WHAT]]\n");
        return 2;
    }
    for (size_t i = 0; i < WORKLOADS; i++) {
        static struct recording recording;
        record(&recording, &workloads[i]);
        if (argc < 3)
            compare(&workloads[i], &recording, rounds);
        else
            found |= run_only(argv[2], &workloads[i], &recording, rounds);
        wf_buf_fini(&recording.octets);
    }
    if (!found)
        die("there is no such WHAT");
    return 0;
}
