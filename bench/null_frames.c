/* Frames of the null server, in and out. */
#include "null.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    DATA,
    HEADERS,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    PUSH_PROMISE,
    PING,
    GOAWAY,
    WINDOW_UPDATE,
    CONTINUATION
};

#define FRAME_HEADER    9u
#define END_STREAM      0x1u
#define ACK             0x1u
#define END_HEADERS     0x4u
#define PREFACE_LEN     24u
#define FIRST_WINDOW    65535
#define BIG_WINDOW      0x7fffffffu
#define RETURN_AT       (1u << 28)
#define DATES_MAX       50u
#define RESPONSE_MAX    256u /* octets of a response's HEADERS frame */
#define SETTING_WINDOW  4u
#define SETTING_FRAME   5u
#define SETTING_STREAMS 3u

static void put_u32(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 24);
    p[1] = (uint8_t)(value >> 16);
    p[2] = (uint8_t)(value >> 8);
    p[3] = (uint8_t)value;
}

static uint32_t get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static size_t room(const struct null_conn *conn)
{
    return sizeof(conn->out) - conn->out_len;
}

static uint8_t *put_header(struct null_conn *conn, size_t len, uint8_t type, uint8_t flags,
                           uint32_t id)
{
    uint8_t *p = conn->out + conn->out_len;
    put_u32(p, (uint32_t)len << 8 | type);
    p[4] = flags;
    put_u32(p + 5, id);
    conn->out_len += FRAME_HEADER + len;
    return p + FRAME_HEADER;
}

static void put_window_update(struct null_conn *conn, uint32_t increment)
{
    put_u32(put_header(conn, 4, WINDOW_UPDATE, 0, 0), increment);
}

void null_conn_begin(struct null_conn *conn)
{
    uint8_t *p = put_header(conn, 12, SETTINGS, 0, 0);
    p[0] = 0;
    p[1] = SETTING_STREAMS;
    put_u32(p + 2, NULL_STREAMS);
    p[6] = 0;
    p[7] = SETTING_WINDOW;
    put_u32(p + 8, BIG_WINDOW);
    put_window_update(conn, BIG_WINDOW - FIRST_WINDOW);
    conn->window = FIRST_WINDOW;
    conn->initial_window = FIRST_WINDOW;
    conn->max_frame_size = 16384;
}

/* A literal with incremental indexing whose name is indexed (RFC 7541 section 6.2.1). */
static size_t put_literal(uint8_t *p, uint8_t name_index, const char *value)
{
    size_t len = strlen(value);
    p[0] = (uint8_t)(0x40 | name_index);
    p[1] = (uint8_t)len;
    memcpy(p + 2, value, len);
    return len + 2;
}

static void write_date(char text[32], uint32_t ahead)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    (void)snprintf(text, 32, "%.3s, %02u Nov 2026 %02u:%02u:%02u GMT", days + ahead / 86400 % 7 * 3,
                   ahead / 86400 % 28 + 1, ahead / 3600 % 24, ahead / 60 % 60, ahead % 60);
}

/* :status 200, server, content-type, content-length, date: five fields. */
static size_t write_block(struct null_conn *conn, uint8_t *p)
{
    char text[32];
    size_t len = 1;
    p[0] = 0x88;
    if (!conn->has_fields) {
        (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)conn->listener->body_len);
        len += put_literal(p + len, 54, "null");
        len += put_literal(p + len, 31, "text/plain");
        len += put_literal(p + len, 28, text);
        write_date(text, conn->date);
        conn->dates = 0;
        conn->has_fields = true;
        return len + put_literal(p + len, 33, text);
    }
    /* Entries 62 and up, the newest first: dates, content-length, content-type, server. */
    uint8_t first = (uint8_t)(0x80 + 62 + conn->dates);
    p[len++] = (uint8_t)(first + 3);
    p[len++] = (uint8_t)(first + 2);
    p[len++] = (uint8_t)(first + 1);
    if (!conn->listener->changes_date) {
        p[len++] = first;
        return len;
    }
    write_date(text, ++conn->date);
    /* Before the other fields are evicted, and while an index is one octet. */
    if (++conn->dates == DATES_MAX)
        conn->has_fields = false;
    return len + put_literal(p + len, 33, text);
}

static void put_data(struct null_conn *conn, uint32_t id, size_t len, bool last)
{
    (void)memset(put_header(conn, len, DATA, last ? END_STREAM : 0, id), 'x', len);
}

static void respond(struct null_conn *conn, uint32_t id)
{
    uint64_t body_len = conn->listener->body_len;
    if (conn->listener->hangs)
        return;
    uint8_t *p = conn->out + conn->out_len + FRAME_HEADER;
    size_t len = write_block(conn, p);
    (void)put_header(conn, len, HEADERS, END_HEADERS, id);
    conn->counts->responses++;
    if ((int64_t)body_len <= conn->window && (int64_t)body_len <= conn->initial_window &&
        body_len <= conn->max_frame_size && room(conn) > body_len + 1024) {
        conn->window -= (int64_t)body_len;
        put_data(conn, id, (size_t)body_len, true);
        return;
    }
    struct null_stream *stream = &conn->streams[id / 2 % NULL_STREAMS];
    conn->dead = conn->dead || stream->id != 0;
    *stream = (struct null_stream){id, conn->initial_window, body_len};
    conn->active++;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* One frame of the stream whose turn it is. False: it cannot send now. */
static bool send_frame(struct null_conn *conn, struct null_stream *stream)
{
    if (stream->id == 0 || stream->window <= 0)
        return false;
    uint64_t len = least(stream->body_left, conn->max_frame_size);
    len = least(len, least((uint64_t)conn->window, (uint64_t)stream->window));
    put_data(conn, stream->id, (size_t)len, len == stream->body_left);
    conn->window -= (int64_t)len;
    stream->window -= (int64_t)len;
    stream->body_left -= len;
    if (stream->body_left == 0) {
        stream->id = 0;
        conn->active--;
    }
    return true;
}

void null_conn_fill(struct null_conn *conn)
{
    uint32_t in_vain = 0;
    while (conn->active > 0 && conn->window > 0 && in_vain < NULL_STREAMS &&
           room(conn) > conn->max_frame_size + 1024) {
        bool sent = send_frame(conn, &conn->streams[conn->next]);
        in_vain = sent ? 0 : in_vain + 1;
        conn->next = (conn->next + 1) % NULL_STREAMS;
    }
}

static void take_settings(struct null_conn *conn, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i + 6 <= len; i += 6) {
        uint32_t value = get_u32(p + i + 2);
        if (p[i + 1] == SETTING_WINDOW) {
            for (size_t s = 0; s < NULL_STREAMS; s++)
                conn->streams[s].window += (int64_t)value - conn->initial_window;
            conn->initial_window = value;
        } else if (p[i + 1] == SETTING_FRAME && value <= 65536) {
            conn->max_frame_size = value;
        }
    }
    (void)put_header(conn, 0, SETTINGS, ACK, 0);
}

static void take_window_update(struct null_conn *conn, uint32_t id, uint32_t increment)
{
    struct null_stream *stream = &conn->streams[id / 2 % NULL_STREAMS];
    if (id == 0)
        conn->window += increment;
    else if (stream->id == id)
        stream->window += increment;
}

static void take_data(struct null_conn *conn, uint32_t id, uint32_t len, bool ends)
{
    conn->counts->upload_octets += len;
    conn->unreturned += len;
    if (conn->unreturned >= RETURN_AT) {
        put_window_update(conn, conn->unreturned);
        conn->unreturned = 0;
    }
    if (ends)
        respond(conn, id);
}

static void take_frame(struct null_conn *conn, const uint8_t *p, uint32_t len)
{
    uint32_t id = get_u32(p + 5) & BIG_WINDOW;
    uint8_t flags = p[4];
    const uint8_t *payload = p + FRAME_HEADER;
    switch (p[3]) {
    case DATA:
        take_data(conn, id, len, (flags & END_STREAM) != 0);
        break;
    case HEADERS:
        conn->ends_with_block = (flags & END_STREAM) != 0;
        if ((flags & END_HEADERS) != 0 && conn->ends_with_block)
            respond(conn, id);
        break;
    case CONTINUATION:
        if ((flags & END_HEADERS) != 0 && conn->ends_with_block)
            respond(conn, id);
        break;
    case RST_STREAM:
        if (conn->streams[id / 2 % NULL_STREAMS].id == id) {
            conn->streams[id / 2 % NULL_STREAMS].id = 0;
            conn->active--;
        }
        break;
    case SETTINGS:
        if ((flags & ACK) == 0)
            take_settings(conn, payload, len);
        break;
    case PING:
        if ((flags & ACK) == 0)
            memcpy(put_header(conn, 8, PING, ACK, 0), payload, 8);
        break;
    case WINDOW_UPDATE:
        take_window_update(conn, id, get_u32(payload) & BIG_WINDOW);
        break;
    case PRIORITY:
    case PUSH_PROMISE:
    case GOAWAY:
    default:
        break;
    }
}

size_t null_conn_take(struct null_conn *conn, const uint8_t *in, size_t len)
{
    size_t at = 0;
    if (!conn->had_preface) {
        if (len < PREFACE_LEN)
            return 0;
        conn->had_preface = true;
        at = PREFACE_LEN;
    }
    while (len - at >= FRAME_HEADER && room(conn) > RESPONSE_MAX) {
        uint32_t frame_len = get_u32(in + at) >> 8;
        if (frame_len > 16384) {
            conn->dead = true;
            break;
        }
        if (len - at < FRAME_HEADER + frame_len)
            break;
        take_frame(conn, in + at, frame_len);
        at += FRAME_HEADER + frame_len;
    }
    return at;
}
