/* The body of a request that is not simply in memory to be sent at once: octets that the user
 * writes, a file that a worker reads, or a body that waits for the server's "100 Continue". A
 * protocol pulls from it, whatever it is:
 *
 *   switch (wf_upload_peek(upload, &piece)) ...   send piece.octets; when they are sent:
 *   wf_upload_advance(upload, len);               and peek again, until piece.is_last
 *
 * Peek says WF_UPLOAD_NOTHING when the source has nothing now; wf_protocol_ops.pull is called when
 * that has changed. The octets of a piece stay where they are until they are advanced over.
 *
 * | may overlap                    | write, trailer, finish | peek and the rest |
 * | write, trailer, finish; fill   | no: enter and leave    | yes               |
 * | peek and the rest              | yes                    | no: I/O           | */
#ifndef WF_IO_THREAD_UPLOAD_H
#define WF_IO_THREAD_UPLOAD_H

#include "io_thread/exchange.h"
#include "workers/octet_chain.h"

enum wf_upload_source { WF_UPLOAD_WRITER, WF_UPLOAD_FILE, WF_UPLOAD_MEMORY };

/* Bits of upload.state. Every access writes, so that each sees what came before it. */
#define WF_UPLOAD_HUNGRY   0x1u /* the I/O thread found nothing and wants to be told */
#define WF_UPLOAD_FINISHED 0x2u /* what was written, and the trailers, are all */
#define WF_UPLOAD_BROKEN   0x4u /* `failure` says what is wrong: the stream is to be reset */

/* Why a body cannot go on. */
struct wf_upload_failure {
    enum weft_code code;
    int sys_errno;
    const char *text; /* static storage */
};

struct wf_upload_piece {
    struct wf_slice octets; /* empty only when it is the last */
    bool is_last;           /* nothing follows but the trailers */
};

struct wf_upload {
    /* Immutable. */
    struct weft_future *exchange;
    weft_event_fn event;
    enum wf_upload_source source;
    size_t limit;   /* octets that may wait */
    int64_t length; /* octets that content-length promises; -1: none was given */

    /* Any thread; atomic. */
    atomic_uint state;
    atomic_uint notice;    /* WF_NOTICE_* for WRITABLE */
    atomic_size_t waiting; /* octets in the chain */
    atomic_bool entered;   /* by a writer */
    /* WRITABLE on its way to the user, or FILL on its way to a worker. */
    struct wf_item item;

    /* The writer, or the worker that fills, appends; the I/O thread takes. */
    struct wf_octet_chain octets;

    /* Writer, or worker; the I/O thread once FINISHED or BROKEN. */
    uint64_t written;
    struct wf_upload_failure failure;
    struct wf_field *trailers;
    size_t trailer_count;
    size_t trailer_cap;
    size_t trailers_len; /* octets of names and values */

    /* I/O thread only. */
    struct wf_field *own_fields; /* the request's without our content-length, or without "expect";
                                    NULL: as they are */
    size_t own_count;
    bool expects_nothing; /* "expect" was tried, and taken away */
    uint64_t consumed;
    struct wf_upload_piece piece; /* for the protocol: what it sends now */
    bool is_sending;              /* likewise: it does */
    bool is_sent;                 /* likewise: the last piece, and the trailers, were given */
    struct wf_timer hold_timer;
    bool is_held;      /* waits for "100 Continue" */
    bool is_late;      /* the response is whole */
    bool is_filling;   /* a worker reads */
    bool is_rewinding; /* to the beginning, once no worker reads */
};

/* For @x, whose request is set. NULL: out of memory. Thread: any. */
WF_MUST_USE struct wf_upload *wf_upload_new(struct weft_future *x, const struct weft_delivery *how);
/* NULL is a no-op. */
void wf_upload_free(struct wf_upload *upload);

/* What is wrong with asking for this upload; NULL: nothing. Thread: I/O. */
const char *wf_upload_refusal(const struct wf_upload *upload);

/* The fields to send for an exchange that has an upload: without the content-length that the
 * request has of itself when the length is not known. */
const struct wf_field *wf_upload_fields(const struct wf_upload *upload, size_t *out_count);
/* Octets that will come, -1: not known. */
int64_t wf_upload_length(const struct wf_upload *upload);

enum wf_upload_step { WF_UPLOAD_NOTHING, WF_UPLOAD_PIECE, WF_UPLOAD_FAILED };

/* Thread: I/O, all of these. */
enum wf_upload_step wf_upload_peek(struct wf_upload *upload, struct wf_upload_piece *out_piece);
void wf_upload_advance(struct wf_upload *upload, size_t len);
/* After the last piece. */
const struct wf_field *wf_upload_trailers(const struct wf_upload *upload, size_t *out_count);
/* The source has said that there is no more. */
bool wf_upload_is_finished(struct wf_upload *upload);
/* Octets that the source has given so far, and those of them that were not advanced over. */
uint64_t wf_upload_given(const struct wf_upload *upload);
size_t wf_upload_left(const struct wf_upload *upload);

/* The head is being sent: a body that expects "100 Continue" now waits for it, and no longer than
 * config.expect_timeout_ms. */
void wf_upload_begin(struct wf_upload *upload);
/* Of a request that has "expect": takes it away for the tries to come. False: it was taken away
 * before, or there is no memory. */
WF_MUST_USE bool wf_upload_stop_expecting(struct wf_upload *upload);
/* The waiting is over. True: it was being waited for, pull. */
bool wf_upload_release(struct wf_upload *upload);
/* The server answered and wants no body: if it was being waited for, it is never sent. */
void wf_upload_refuse(struct wf_upload *upload);
/* A message of the source came in: pull afterwards. */
void wf_upload_note_message(struct wf_upload *upload);
/* Ends the exchange if the body cannot go on. True: it did. */
bool wf_upload_give_up(struct wf_upload *upload);
/* The exchange has ended. */
void wf_upload_end(struct wf_upload *upload);

/* All of it can be sent a second time. */
bool wf_upload_can_rewind(const struct wf_upload *upload);
/* Back to the beginning, for another try. wf_upload_can_rewind() must be true. */
void wf_upload_rewind(struct wf_upload *upload);

/* upload_writer.c. Thread: a writer, between enter and leave. */

/* False: another thread is in. Thread: any. */
WF_MUST_USE bool wf_upload_enter(struct wf_upload *upload);
void wf_upload_leave(struct wf_upload *upload);
/* Takes what there is room for, without waiting. WEFT_OK, with *out_len less than what was given:
 * the buffer is full. */
enum weft_code wf_upload_write(struct wf_upload *upload, struct wf_slice octets, size_t *out_len);
enum weft_code wf_upload_add_trailer(struct wf_upload *upload, struct wf_slice name,
                                     struct wf_slice value);
enum weft_code wf_upload_finish(struct wf_upload *upload);
/* The next room makes a WRITABLE event, unless there is room now: then true. */
bool wf_upload_arm(struct wf_upload *upload);

/* upload_file.c. Reads what there is room for. Thread: worker. */
void wf_upload_fill(struct wf_upload *upload);

/* Tells the I/O thread, if it waits for that. Thread: writer, or worker. */
void wf_upload_tell(struct wf_upload *upload);
/* The body cannot go on. Thread: writer, or worker. */
void wf_upload_break(struct wf_upload *upload, enum weft_code code, int sys_errno,
                     const char *text);

#endif
