/* The frame decoder: what it accepts lies inside the frame and keeps to the RFC's ranges, and says
 * the same when it is written again by our encoder. What it refuses has a code and a reason. */
#include "fuzz.h"

#include "h2/frame_decode.h"
#include "h2/frame_encode.h"
#include "h2/frame_text.h"
#include "h2/settings.h"

static void check_error(const struct wf_h2_err *err)
{
    FUZZ_CHECK(err->scope == WF_H2_SCOPE_STREAM || err->scope == WF_H2_SCOPE_CONNECTION);
    FUZZ_CHECK(err->code != WF_H2_NO_ERROR && err->reason != NULL && err->reason[0] != '\0');
}

static bool is_inside(struct wf_slice part, const uint8_t *payload, uint32_t len)
{
    return part.ptr >= payload && part.ptr <= payload + len &&
           part.len <= (size_t)(payload + len - part.ptr);
}

static void check_data(const struct wf_h2_frame_header *header, const uint8_t *payload)
{
    uint32_t data_len;
    uint32_t pad_len;
    struct wf_h2_err err;
    uint8_t pad = header->len > 0 ? payload[0] : 0;
    bool padded = (header->flags & WF_H2_FLAG_PADDED) != 0;
    if (!wf_h2_data_decode(header, pad, &data_len, &pad_len, &err)) {
        check_error(&err);
        return;
    }
    FUZZ_CHECK((uint64_t)data_len + pad_len + (padded ? 1 : 0) == header->len);
}

static void check_headers(const struct wf_h2_frame_header *header, const uint8_t *payload)
{
    struct wf_h2_headers_payload out;
    struct wf_h2_headers_payload again;
    struct wf_h2_err err;
    if (!wf_h2_headers_decode(header, payload, &out, &err)) {
        check_error(&err);
        return;
    }
    FUZZ_CHECK(is_inside(out.fragment, payload, header->len));
    struct wf_buf buf = {0};
    FUZZ_CHECK(wf_h2_encode_headers(&buf, header->stream_id, 0,
                                    out.has_priority ? &out.priority : NULL, out.fragment,
                                    (header->flags & WF_H2_FLAG_PADDED) != 0 ? 3 : -1));
    struct wf_h2_frame_header second = wf_h2_frame_header_decode(buf.data + buf.start);
    FUZZ_CHECK(second.len == wf_buf_len(&buf) - WF_H2_FRAME_HEADER_LEN);
    FUZZ_CHECK(
        wf_h2_headers_decode(&second, buf.data + buf.start + WF_H2_FRAME_HEADER_LEN, &again, &err));
    FUZZ_CHECK(wf_slice_equal(out.fragment, again.fragment));
    FUZZ_CHECK(out.has_priority == again.has_priority);
    if (out.has_priority)
        FUZZ_CHECK(out.priority.depends_on == again.priority.depends_on &&
                   out.priority.weight == again.priority.weight &&
                   out.priority.exclusive == again.priority.exclusive);
    wf_buf_fini(&buf);
}

static void check_push_promise(const struct wf_h2_frame_header *header, const uint8_t *payload)
{
    struct wf_slice fragment;
    uint32_t promised;
    struct wf_h2_err err;
    if (!wf_h2_push_promise_decode(header, payload, &fragment, &promised, &err)) {
        check_error(&err);
        return;
    }
    FUZZ_CHECK(is_inside(fragment, payload, header->len));
    FUZZ_CHECK(promised != 0 && promised % 2 == 0 && promised <= WF_H2_MAX_STREAM_ID);
}

static void check_settings(const struct wf_h2_frame_header *header, const uint8_t *payload)
{
    for (int from_server = 0; from_server < 2; from_server++) {
        struct wf_h2_settings before = WF_H2_SETTINGS_INITIAL;
        struct wf_h2_settings after = before;
        uint32_t smallest;
        struct wf_h2_err err;
        if (!wf_h2_settings_apply(&after, wf_slice(payload, header->len), from_server != 0,
                                  &smallest, &err)) {
            check_error(&err);
            FUZZ_CHECK(err.scope == WF_H2_SCOPE_CONNECTION);
            FUZZ_CHECK(memcmp(&before, &after, sizeof(before)) == 0);
            continue;
        }
        FUZZ_CHECK(after.enable_push <= 1 && after.initial_window_size <= WF_H2_MAX_WINDOW);
        FUZZ_CHECK(after.max_frame_size >= WF_H2_MIN_MAX_FRAME_SIZE &&
                   after.max_frame_size <= WF_H2_MAX_MAX_FRAME_SIZE);
        FUZZ_CHECK(smallest <= after.header_table_size && smallest <= before.header_table_size);
    }
}

static void check_payload(const struct wf_h2_frame_header *header, const uint8_t *payload)
{
    struct wf_h2_err err;
    struct wf_h2_priority priority;
    uint32_t increment;
    switch (header->type) {
    case WF_H2_FRAME_DATA:
        check_data(header, payload);
        break;
    case WF_H2_FRAME_HEADERS:
        check_headers(header, payload);
        break;
    case WF_H2_FRAME_PUSH_PROMISE:
        check_push_promise(header, payload);
        break;
    case WF_H2_FRAME_SETTINGS:
        check_settings(header, payload);
        break;
    case WF_H2_FRAME_PRIORITY:
        if (!wf_h2_priority_decode(header, payload, &priority, &err))
            check_error(&err);
        else
            FUZZ_CHECK(priority.depends_on != header->stream_id);
        break;
    case WF_H2_FRAME_WINDOW_UPDATE:
        if (!wf_h2_window_update_decode(header, payload, &increment, &err))
            check_error(&err);
        else
            FUZZ_CHECK(increment > 0 && increment <= WF_H2_MAX_WINDOW);
        break;
    case WF_H2_FRAME_GOAWAY: {
        struct wf_h2_goaway_payload goaway = wf_h2_goaway_decode(header, payload);
        FUZZ_CHECK(goaway.last_stream_id <= WF_H2_MAX_STREAM_ID);
        FUZZ_CHECK(is_inside(goaway.debug, payload, header->len));
        break;
    }
    default:
        break;
    }
}

/* A frame that was accepted can be shown, in room of any size. */
static void check_text(const struct wf_h2_frame_header *header, const uint8_t *payload)
{
    static const size_t rooms[] = {1, 20, 64, 400};
    struct wf_h2_trace trace = {.type = header->type,
                                .flags = header->flags,
                                .stream_id = header->stream_id,
                                .len = header->len,
                                .payload = wf_slice(payload, header->len)};
    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
        char *text = malloc(rooms[i]);
        FUZZ_CHECK(text != NULL);
        size_t len = wf_h2_frame_text(&trace, text, rooms[i]);
        FUZZ_CHECK(strnlen(text, rooms[i]) < rooms[i]);
        for (const char *c = text; *c != '\0'; c++)
            FUZZ_CHECK(*c >= 0x20 && *c < 0x7f);
        (void)len;
        free(text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    while (size >= WF_H2_FRAME_HEADER_LEN) {
        struct wf_h2_frame_header header = wf_h2_frame_header_decode(data);
        struct wf_h2_err err;
        FUZZ_CHECK(header.len <= WF_H2_MAX_MAX_FRAME_SIZE);
        FUZZ_CHECK(header.stream_id <= WF_H2_MAX_STREAM_ID);
        data += WF_H2_FRAME_HEADER_LEN;
        size -= WF_H2_FRAME_HEADER_LEN;
        if (!wf_h2_frame_header_check(&header, WF_H2_MIN_MAX_FRAME_SIZE, &err)) {
            check_error(&err);
            return 0;
        }
        if (header.len > size)
            return 0;
        /* Of the exact size, so that a sanitizer sees the first octet behind it. */
        uint8_t *payload = malloc(header.len > 0 ? header.len : 1);
        FUZZ_CHECK(payload != NULL);
        if (header.len > 0)
            memcpy(payload, data, header.len);
        check_payload(&header, payload);
        check_text(&header, payload);
        free(payload);
        data += header.len;
        size -= header.len;
    }
    return 0;
}
