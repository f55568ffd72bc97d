/* An exchange: one request, its response, and its completion. To the user it is a future.
 *
 * Ownership. The submitting thread fills it and pushes it to its I/O thread's mailbox. From then on
 * the I/O thread owns what stands under "I/O thread until done"; when it resolves the completion
 * those fields are frozen and every holder of a reference may read them. Only the I/O thread
 * resolves, so cancel, deadline, close and a response never race: the loser finds an exchange that
 * is done.
 *
 * References are of two kinds in one word: users' and the engine's. The engine holds one from
 * submission until the completion was told, and one for each item of the exchange that lies in a
 * queue. The memory goes back when the whole word is zero; users' references reaching zero before
 * completion cancel. */
#ifndef WF_IO_THREAD_EXCHANGE_H
#define WF_IO_THREAD_EXCHANGE_H

#include "base/alloc.h"
#include "base/list.h"
#include "io_thread/address.h"
#include "io_thread/span.h"
#include "io_thread/timers.h"
#include "message/request.h"
#include "message/response.h"
#include "weft/client.h"
#include "workers/completion.h"
#include "workers/mail.h"

struct wf_body_stream;
struct wf_conn;
struct wf_extra;
struct wf_h2_stream;
struct wf_io_thread;
struct wf_upload;

/* What a piece of mail is; it is the same node type in every queue of the engine. */
enum wf_item_kind {
    WF_ITEM_SUBMIT,     /* exchange.item, to the I/O thread */
    WF_ITEM_MESSAGE,    /* exchange.message, to the I/O thread */
    WF_ITEM_CLOSE,      /* io_thread.close_item, to the I/O thread */
    WF_ITEM_PRECONNECT, /* preconnect.c, to the I/O thread */
    WF_ITEM_TRUST,      /* io_thread.trust_item, to the I/O thread */
    WF_ITEM_DONE,       /* exchange.item, to a completion queue or a worker */
    WF_ITEM_READABLE,   /* body_stream.readable, to a completion queue or a worker */
    WF_ITEM_WRITABLE,   /* upload.item, to a completion queue or a worker */
    WF_ITEM_FILL,       /* upload.item, to a worker */
    WF_ITEM_DRAIN,      /* body_sink.item, to a worker */
    WF_ITEM_TRACE,      /* trace record, to a worker */
    WF_ITEM_LOG         /* log record, to a worker */
};

struct wf_item {
    struct wf_mail mail;
    enum wf_item_kind kind;
    atomic_uint word; /* its owner's, in room that would be left */
};

static inline struct wf_item *wf_item_of(struct wf_mail *mail)
{
    return wf_container_of(mail, struct wf_item, mail);
}

enum wf_delivery_kind { WF_DELIVER_NONE, WF_DELIVER_CALLBACK, WF_DELIVER_CQ };
enum wf_body_mode { WF_BODY_COLLECT, WF_BODY_STREAM, WF_BODY_DISCARD };

/* Bits of exchange.message.word: what other threads want of the I/O thread. Several coalesce into
 * one item. */
#define WF_MESSAGE_CANCEL 0x1u
#define WF_MESSAGE_CREDIT 0x2u
#define WF_MESSAGE_UPLOAD 0x4u  /* the source of an upload has something to say */
#define WF_MESSAGE_SINK   0x10u /* a worker has written of a body what it could */
#define WF_MESSAGE_QUEUED 0x8u  /* the item lies in the mailbox */

#define WF_HEAD_READY 1u
#define WF_BODY_READY 2u /* the response is complete, though the upload goes on */

#define WF_USER_REF   0x1u
#define WF_USER_REFS  0xfffffu
#define WF_ENGINE_REF 0x100000u

/* When what happened, from the submission on, as the turn of the I/O thread read the clock. */
struct wf_times {
    wf_span head; /* of the response */
    wf_span done;
};

/* The same of its way to a connection. */
struct wf_start_times {
    wf_span started; /* given to its connection; of the last one, where there were several */
    wf_span sent;    /* its last octet was written; 0 also where that was in the turn it started */
    /* The connection's, where it was still opening when the request was submitted. */
    wf_span resolved;
    wf_span connected;
    wf_span secured;
};

/* Small, since there are as many as requests in flight: what few of them need is in an extra. The
 * members lie by who uses them when, since a line that two threads use travels between their CPUs:
 * the second pair of lines is the I/O thread's alone, unless somebody asks for timings. */
struct weft_future {
    /* First line: submission, I/O thread, reader.
     * Any thread; atomic, or owned by whoever has the item. */
    struct wf_item item; /* submission; later DONE. Its word counts the references */
    struct wf_completion completion;
    atomic_uchar head_ready; /* WF_HEAD_*: status and fields may be read */

    /* I/O thread until done, which changes the last two alone; then frozen. */
    bool is_forked : 1;     /* made in a child of the client's process, and failed */
    bool is_told_twice : 1; /* a callback and a queue were asked for, which is an error */
    bool is_single : 1;     /* is never tried again */
    bool may_repeat : 1;    /* the user allows to do twice what may have been done */
    bool is_timed : 1;      /* a try has time limits, and so it has an extra */
    bool was_buffered : 1;  /* `buffered` may not be 0 */
    bool error_is_owned : 1;
    uint8_t delivery;       /* enum wf_delivery_kind; immutable after submission */
    uint8_t body_mode;      /* enum wf_body_mode; likewise */
    int64_t content_length; /* of the response; -1: unknown */

    /* Immutable after submission. */
    struct wf_io_thread *io;
    struct weft_request *request;
    union {
        weft_done_fn done;
        struct weft_cq *cq;
    };
    void *context; /* user of done, tag of cq */

    /* Second line: the same.
     * Any thread; atomic. */
    struct wf_item message; /* while WF_MESSAGE_QUEUED, which its word says: WF_MESSAGE_* */
    _Atomic(struct wf_extra *) extra; /* NULL: not needed yet */

    /* Immutable after submission. */
    struct wf_body_stream *body; /* WF_BODY_STREAM */
    struct wf_upload *upload;    /* the body's source; NULL: memory, or there is no body */
    uint64_t submitted_ns;       /* of the monotonic clock */

    /* I/O thread until done; then frozen. */
    union {
        uint64_t deadline_ms;   /* until wf_exchange_enter(); WF_TIMER_NONE: none */
        uint64_t body_received; /* octets of content */
    };
    struct wf_times times;

    /* Third and fourth line. I/O thread from wf_exchange_enter() until done; then frozen. */
    struct wf_node node; /* origin.waiting or conn.exchanges */
    struct wf_timer deadline;
    struct wf_conn *conn; /* set while it has a stream */
    union {
        struct wf_h2_stream *stream; /* while it has a connection of HTTP/2 */
        uint64_t content_sent;       /* afterwards: of the request, by the try that ended last */
    };
    bool conn_was_used : 1;  /* by a request before this one */
    bool is_early : 1;       /* its stream was opened before the peer's SETTINGS had come */
    bool was_early : 1;      /* its stream was refused then, and it went back once */
    bool is_backing_off : 1; /* waits for its next try, in io->retry.waiting */
    uint8_t stage;           /* enum weft_stage while it is with a connection */
    uint8_t worst;           /* enum weft_effect: the strongest of the tries that have ended */
    uint8_t protocol;        /* enum wf_protocol_id of the connection that it was given to last */
    uint16_t tries;          /* was given to a connection so often */
    uint16_t charged;        /* tries that count against max_tries */
    struct wf_peer peer;     /* of the connection it was given to last */
    struct wf_start_times start;
    uint64_t conn_id;  /* of the connection it was given to last; 0: none */
    uint64_t buffered; /* octets of content counted in io->buffered */

    /* Fifth line: I/O thread, reader.
     * I/O thread until done; then frozen. */
    struct wf_response response;
    const struct weft_error *error; /* wf_error_static() or allocated, see error_is_owned */
};

_Static_assert(sizeof(struct weft_future) + sizeof(void *) <= 5 * WF_CACHE_LINE,
               "with the pool's pointer behind it an exchange is five cache lines");
_Static_assert(offsetof(struct weft_future, message) == WF_CACHE_LINE &&
                   offsetof(struct weft_future, node) == 2 * WF_CACHE_LINE &&
                   offsetof(struct weft_future, response) == 4 * WF_CACHE_LINE,
               "its members lie in the lines that they are meant for");

static inline struct weft_future *wf_exchange_of_item(struct wf_item *item)
{
    return wf_container_of(item, struct weft_future, item);
}

static inline struct weft_future *wf_exchange_of_message(struct wf_item *item)
{
    return wf_container_of(item, struct weft_future, message);
}

/* Memory for up to @count exchanges, at least one, to be filled or given back. Returns for how
 * many; 0: out of memory. Thread: any. */
WF_MUST_USE size_t wf_exchange_take(struct weft_client *engine, struct weft_future **out,
                                    size_t count);
/* Of one that was not filled. Thread: any. */
void wf_exchange_give(struct weft_client *engine, struct weft_future *x);

/* Fills what was taken for one user's reference and the engine's. Takes a reference on @request and
 * on how->cq. False: out of memory, and it is not filled. Thread: any. */
WF_MUST_USE bool wf_exchange_init(struct weft_future *x, struct wf_io_thread *io,
                                  struct weft_request *request, const struct weft_delivery *how,
                                  uint64_t now_ns);

/* Fills what is the I/O thread's own, before anything else is done with what came from the mailbox.
 * Returns when its deadline is, which is not set yet; WF_TIMER_NONE: none. Thread: I/O, or whoever
 * drains a stopped I/O thread's mailbox. */
uint64_t wf_exchange_enter(struct weft_future *x, wf_timer_fn *deadline_fired);

/* Ends an exchange of a client that is forked, and tells: callbacks run before it returns.
 * Thread: any. */
void wf_exchange_fail_forked(struct weft_future *x);

/* Drops @ref (WF_USER_REF or WF_ENGINE_REF) and frees with the last of either kind. Thread: any. */
void wf_exchange_drop(struct weft_future *x, unsigned ref);

/* Adds an engine's reference; the caller holds one of either kind. Thread: any. */
static inline void wf_exchange_hold(struct weft_future *x)
{
    /* Relaxed: whoever adds has a reference already; ordering is the queue's. */
    atomic_fetch_add_explicit(&x->item.word, WF_ENGINE_REF, memory_order_relaxed);
}

/* Sends @bits (WF_MESSAGE_*) to the I/O thread. The caller holds a reference. Thread: any. */
void wf_exchange_post(struct weft_future *x, unsigned bits);

/* The head of the response is stored: tells whoever waits. Thread: I/O. */
void wf_exchange_publish_head(struct weft_future *x);
/* An informational response, or octets of a streamed body, are there. Thread: I/O. */
void wf_exchange_publish_more(struct weft_future *x);

/* The whole response is there, while the upload goes on. Thread: I/O. */
void wf_exchange_publish_end(struct weft_future *x);
/* Sends @item, an event's, where the exchange's user wants it, and marks @notice as queued.
 * Thread: I/O. */
void wf_exchange_send_event(struct weft_future *x, atomic_uint *notice, weft_event_fn event,
                            struct wf_item *item);
/* The worker that all of @x's callbacks run on. */
unsigned wf_exchange_worker(const struct weft_future *x);

/* What makes a submission fail at once: true, with *out_error. Thread: I/O, or whoever drains a
 * stopped I/O thread's mailbox. */
bool wf_exchange_is_refused(const struct weft_future *x, struct weft_error *out_error);

/* Counts @len more octets of content that are kept for the user. False: max_buffered is reached,
 * and nothing was counted. What is counted is taken off with the exchange, or by
 * wf_exchange_unbuffer(). Thread: I/O. */
WF_MUST_USE bool wf_exchange_buffer(struct weft_future *x, uint64_t len);
void wf_exchange_unbuffer(struct weft_future *x, uint64_t len);

/* The one way in which an exchange ends. @error NULL: a complete response. The connection has let
 * go of it already (conn and stream NULL). Delivery leaves with the turn's outbox. Thread: I/O, or
 * whoever drains a stopped I/O thread's mailbox. */
void wf_exchange_finish(struct weft_future *x, const struct weft_error *error);

/* The same with a copy of @error. */
void wf_exchange_finish_copy(struct weft_future *x, const struct weft_error *error);

/* wf_exchange_finish() with an error made of its arguments. */
void wf_exchange_fail(struct weft_future *x, enum weft_code code, enum weft_stage stage,
                      enum weft_effect effect, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif
