#include "h2/output.h"

#include "base/assert.h"
#include "h2/frame_decode.h"

/* A drained buffer that once held a burst gives its memory back; one of this size stays. */
#define KEEP_CAP 65536u

/* Stands for content that no longer matters: the peer has reset its stream. */
static const uint8_t zeros[WF_H2_MAX_INSERT_LEN];

static struct wf_h2_insert *insert_at(const struct wf_h2_output *out, uint32_t i)
{
    return &out->inserts[(out->first + i) % WF_H2_MAX_INSERTS];
}

static void drop_first_insert(struct wf_h2_output *out)
{
    struct wf_h2_insert *insert = insert_at(out, 0);
    out->insert_octets -= insert->len;
    wf_free(insert->owned);
    out->first = (out->first + 1) % WF_H2_MAX_INSERTS;
    out->count--;
}

void wf_h2_output_fini(struct wf_h2_output *out)
{
    wf_h2_output_clear(out);
    wf_buf_fini(&out->buf);
    wf_free(out->inserts);
    out->inserts = NULL;
}

bool wf_h2_output_prepare(struct wf_h2_output *out)
{
    if (out->inserts == NULL)
        out->inserts = wf_calloc(WF_H2_MAX_INSERTS, sizeof(struct wf_h2_insert));
    return out->inserts != NULL;
}

void wf_h2_output_insert(struct wf_h2_output *out, struct wf_h2_stream *stream, const uint8_t *ptr,
                         uint32_t len)
{
    wf_assert(wf_h2_output_has_room(out) && len > 0 && len <= WF_H2_MAX_INSERT_LEN);
    *insert_at(out, out->count) = (struct wf_h2_insert){
        .at = wf_h2_output_position(out), .ptr = ptr, .len = len, .stream = stream};
    out->count++;
    out->insert_octets += len;
    stream->inserts++;
}

size_t wf_h2_output_slices(const struct wf_h2_output *out, struct wf_slice *slices, size_t max,
                           size_t budget)
{
    struct wf_slice rest = wf_buf_slice(&out->buf);
    uint64_t position = out->written;
    size_t count = 0;
    for (uint32_t i = 0; i <= out->count && count < max && budget > 0; i++) {
        const struct wf_h2_insert *insert = i < out->count ? insert_at(out, i) : NULL;
        size_t len = insert != NULL ? (size_t)(insert->at - position) : rest.len;
        len = len < budget ? len : budget;
        if (len > 0) {
            slices[count++] = wf_slice(rest.ptr, len);
            rest = wf_slice_skip(rest, len);
            position += len;
            budget -= len;
        }
        if (insert == NULL || position < insert->at || count == max || budget == 0)
            break;
        len = insert->len < budget ? insert->len : budget;
        slices[count++] = wf_slice(insert->ptr, len);
        budget -= len;
        if (len < insert->len)
            break;
    }
    return count;
}

static bool is_insert_at(const struct wf_h2_output *out, uint64_t position)
{
    for (uint32_t i = 0; i < out->count; i++) {
        if (insert_at(out, i)->at >= position)
            return insert_at(out, i)->at == position;
    }
    return false;
}

/* Moves the boundary to or behind @position, of which the frame headers are still in the buffer.
 * What was written all is the common case and costs nothing. */
static void advance_boundary(struct wf_h2_output *out, uint64_t position)
{
    if (position == wf_h2_output_position(out)) {
        out->boundary = position;
        return;
    }
    bool in_block = false;
    while (out->boundary < position || in_block) {
        const uint8_t *p = out->buf.data + out->buf.start + (out->boundary - out->written);
        struct wf_h2_frame_header header = wf_h2_frame_header_decode(p);
        out->boundary += WF_H2_FRAME_HEADER_LEN;
        if (header.type != WF_H2_FRAME_DATA || !is_insert_at(out, out->boundary))
            out->boundary += header.len;
        bool is_block =
            header.type == WF_H2_FRAME_HEADERS || header.type == WF_H2_FRAME_CONTINUATION;
        in_block = is_block && (header.flags & WF_H2_FLAG_END_HEADERS) == 0;
    }
}

static void wrote_from_buf(struct wf_h2_output *out, size_t len)
{
    uint64_t position = out->written + len;
    if (position > out->boundary)
        advance_boundary(out, position);
    out->written = position;
    wf_buf_consume(&out->buf, len);
    if (position >= out->answers_mark) {
        out->answers_before = out->answers_after;
        out->answers_after = 0;
        out->answers_mark = wf_h2_output_position(out);
    }
    if (wf_buf_len(&out->buf) == 0 && out->buf.cap > KEEP_CAP)
        wf_buf_fini(&out->buf);
}

struct wf_h2_stream *wf_h2_output_wrote(struct wf_h2_output *out, size_t *len)
{
    struct wf_h2_insert *insert = out->count > 0 ? insert_at(out, 0) : NULL;
    size_t before = insert != NULL ? (size_t)(insert->at - out->written) : wf_buf_len(&out->buf);
    size_t part = *len < before ? *len : before;
    if (part > 0)
        wrote_from_buf(out, part);
    *len -= part;
    wf_assert(*len == 0 || insert != NULL);
    if (*len == 0 || insert == NULL)
        return NULL;
    part = *len < insert->len ? *len : insert->len;
    insert->ptr += part;
    insert->len -= (uint32_t)part;
    out->insert_octets -= part;
    *len -= part;
    if (insert->len > 0)
        return NULL;
    struct wf_h2_stream *stream = insert->stream;
    if (stream != NULL)
        stream->inserts--;
    drop_first_insert(out);
    return stream;
}

static bool copy_insert(struct wf_h2_insert *insert)
{
    uint8_t *copy = wf_alloc(insert->len);
    if (copy == NULL)
        return false;
    memcpy(copy, insert->ptr, insert->len);
    insert->ptr = copy;
    insert->owned = copy;
    return true;
}

bool wf_h2_output_disown(struct wf_h2_output *out, struct wf_h2_stream *stream, bool keep)
{
    for (uint32_t i = 0; i < out->count && stream->inserts > 0; i++) {
        struct wf_h2_insert *insert = insert_at(out, i);
        if (insert->stream != stream)
            continue;
        if (!keep)
            insert->ptr = zeros;
        else if (!copy_insert(insert))
            return false;
        insert->stream = NULL;
        stream->inserts--;
    }
    return true;
}

/* Drops the inserts from the @from-th on, the last first. */
static void drop_inserts(struct wf_h2_output *out, uint32_t from)
{
    while (out->count > from) {
        struct wf_h2_insert *insert = insert_at(out, out->count - 1);
        if (insert->stream != NULL)
            insert->stream->inserts--;
        out->insert_octets -= insert->len;
        wf_free(insert->owned);
        out->count--;
    }
}

void wf_h2_output_clear(struct wf_h2_output *out)
{
    drop_inserts(out, 0);
    wf_buf_consume(&out->buf, wf_buf_len(&out->buf));
    out->boundary = out->written;
    out->answers_before = 0;
    out->answers_after = 0;
}

void wf_h2_output_cut(struct wf_h2_output *out)
{
    wf_assert(out->boundary >= out->written);
    /* At most one insert stands in front of the boundary: that of a DATA frame whose header went.
     */
    uint32_t kept = out->count > 0 && insert_at(out, 0)->at <= out->boundary ? 1 : 0;
    drop_inserts(out, kept);
    if (kept == 1 && insert_at(out, 0)->stream != NULL) {
        struct wf_h2_insert *insert = insert_at(out, 0);
        if (!copy_insert(insert)) {
            wf_h2_output_clear(out);
            return;
        }
        insert->stream->inserts--;
        insert->stream = NULL;
    }
    out->buf.end = out->buf.start + (size_t)(out->boundary - out->written);
    out->answers_before = 0;
    out->answers_after = 0;
}

size_t wf_h2_output_note_answer(struct wf_h2_output *out, size_t len)
{
    if (out->answers_before + out->answers_after == 0) {
        out->answers_mark = wf_h2_output_position(out);
        out->answers_before = len;
    } else {
        out->answers_after += len;
    }
    return out->answers_before + out->answers_after;
}
