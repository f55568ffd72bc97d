/* The octets on their way to the transport: a buffer of everything but DATA payload, and pieces of
 * borrowed memory, the payloads, that belong in between. Thread: owner of the session.
 *
 * A position counts the octets that ever went through the buffer; payloads that are not in the
 * buffer have no position of their own, each stands in front of one. */
#ifndef WF_H2_OUTPUT_H
#define WF_H2_OUTPUT_H

#include "base/buf.h"
#include "h2/stream.h"

#define WF_H2_MAX_INSERTS       64u /* a power of two */
#define WF_H2_MAX_INSERT_LEN    16384u
#define WF_H2_MAX_INSERT_OCTETS 262144u

struct wf_h2_insert {
    uint64_t at; /* the position that it stands in front of */
    const uint8_t *ptr;
    struct wf_h2_stream *stream; /* who waits for it; NULL: nobody does any more */
    uint8_t *owned;              /* our copy, when @ptr points into it */
    uint32_t len;
};

struct wf_h2_output {
    struct wf_buf buf;
    uint64_t written; /* position of the first octet of buf */
    uint64_t
        boundary; /* the first frame boundary at or behind written; a field block is one frame */
    struct wf_h2_insert *inserts; /* a ring, allocated when first needed */
    uint32_t first;
    uint32_t count;
    size_t insert_octets;
    /* Answers that a peer made us queue: those in front of the mark, and those behind it. */
    uint64_t answers_mark;
    size_t answers_before;
    size_t answers_after;
};

/* The position of the octet that is queued next. */
static inline uint64_t wf_h2_output_position(const struct wf_h2_output *out)
{
    return out->written + wf_buf_len(&out->buf);
}

static inline size_t wf_h2_output_len(const struct wf_h2_output *out)
{
    return wf_buf_len(&out->buf) + out->insert_octets;
}

void wf_h2_output_fini(struct wf_h2_output *out);

/* Makes the ring of inserts. False: out of memory. */
WF_MUST_USE bool wf_h2_output_prepare(struct wf_h2_output *out);
static inline bool wf_h2_output_has_room(const struct wf_h2_output *out)
{
    return out->count < WF_H2_MAX_INSERTS && out->insert_octets < WF_H2_MAX_INSERT_OCTETS;
}
/* Queues @len octets, at most WF_H2_MAX_INSERT_LEN, at @ptr for @stream. There must be room. */
void wf_h2_output_insert(struct wf_h2_output *out, struct wf_h2_stream *stream, const uint8_t *ptr,
                         uint32_t len);

/* Something in front of @position waits to be written. */
static inline bool wf_h2_output_is_before(const struct wf_h2_output *out, uint64_t position)
{
    return out->written < position || (out->count > 0 && out->inserts[out->first].at <= position);
}

/* At most @budget octets as at most @max slices; their number. */
size_t wf_h2_output_slices(const struct wf_h2_output *out, struct wf_slice *slices, size_t max,
                           size_t budget);

/* Takes off what was written, up to the end of one insert, and leaves the rest in @len. Returns the
 * stream whose insert that was, or NULL. Call until @len is 0. */
struct wf_h2_stream *wf_h2_output_wrote(struct wf_h2_output *out, size_t *len);

/* Nobody owns @stream's pieces any more. @keep: the peer may still read them, so they are copied;
 * otherwise they become zeros. False: out of memory; some still point at borrowed memory. */
WF_MUST_USE bool wf_h2_output_disown(struct wf_h2_output *out, struct wf_h2_stream *stream,
                                     bool keep);

/* Drops all that is queued but the frame of which a part was written. No borrowed memory is left.
 */
void wf_h2_output_cut(struct wf_h2_output *out);
/* Drops all that is queued. */
void wf_h2_output_clear(struct wf_h2_output *out);

/* The last @len octets of the buffer are an answer that a peer provoked. Returns how many octets of
 * answers wait. */
size_t wf_h2_output_note_answer(struct wf_h2_output *out, size_t len);

#endif
