/* Whether a request that failed is tried again, and the waiting in between. Thread: I/O.
 *
 * A try begins when an exchange is given to a connection and ends when the connection lets go of
 * it. What never had a connection waits at its origin (origin.h) and is not tried "again".
 *
 * | the try ended                   | tried again                 | budget | after        |
 * | not sent                        | yes                         | no     | at once      |
 * | not processed, by GOAWAY        | yes                         | no     | at once      |
 * | not processed, refused          | yes                         | yes    | a backoff    |
 * | maybe processed, by a failure   | idempotent, or allowed      | yes    | a backoff    |
 *   that may pass
 * | anything else                   | no                          |        |              |
 *
 * Never when anything of a response was handed out, 1xx included, or when body octets are gone that
 * cannot be had again; never beyond max_tries (of a try that says nothing of the request, such as
 * one that was not sent, the number does not count) or where the deadline is nearer than the
 * backoff. A stream that was refused before the peer's SETTINGS were known is our own haste: it
 * goes back once, whatever the configuration.
 *
 * The answer at the end says of all tries the most that any may have done. */
#ifndef WF_IO_THREAD_RETRY_H
#define WF_IO_THREAD_RETRY_H

#include "base/list.h"
#include "weft/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weft_future;
struct wf_conn;
struct wf_io_thread;
struct wf_origin;

/* Of one I/O thread. Tokens are thousandths of a retry. */
struct wf_retry {
    struct wf_node waiting; /* exchange.node: backing off */
    uint64_t tokens;
    uint64_t counted_ms; /* up to when, and up to which submission, tokens were earned */
    uint64_t counted_submitted;
};

void wf_retry_init(struct wf_retry *retry, uint64_t now_ms);

/* @conn has let go of @x, which ends with @error or is tried again. */
void wf_retry_or_end(struct weft_future *x, const struct wf_conn *conn,
                     const struct weft_error *error);
/* The stream of @x was refused before @conn knew the peer's limit of streams: it waits once more.
 * False: it did so before. */
bool wf_retry_early(struct weft_future *x, struct wf_conn *conn);
/* The answer to @x, which has an upload, is 417: sends it again without "expect" (RFC 9110 section
 * 10.1.1). False: there was none, or no other try is allowed; the answer stands. */
bool wf_retry_without_expect(struct weft_future *x, struct wf_conn *conn);

/* @x, which backs off, is to end otherwise. */
void wf_retry_leave(struct weft_future *x);
/* Ends all that back off. */
void wf_retry_close(struct wf_io_thread *io, const struct weft_error *error);

/* No connection to @origin could be had: whether @x goes on waiting for one. */
bool wf_retry_waits(const struct weft_future *x, const struct wf_origin *origin,
                    const struct weft_error *error);
/* How long after the @failures-th failure in a row, at least 1, the next attempt comes, ms. */
uint64_t wf_retry_backoff(struct wf_io_thread *io, unsigned failures);

/* Brings @error, which ends @x, up to what all its tries together prove. */
void wf_retry_sum_up(const struct weft_future *x, struct weft_error *error);

#endif
