/* Frames, lines and notes for people who watch: text made on the I/O thread, delivered on a worker
 * through a bounded number of records. What finds no room is counted, not waited for. */
#ifndef WF_IO_THREAD_TRACE_H
#define WF_IO_THREAD_TRACE_H

#include "h2/session.h"
#include "workers/mail.h"

struct weft_client;
struct wf_conn;

/* Records on their way to the worker, in all. */
#define WF_TRACE_MAX_WAITING 16384u

/* A wf_h2_trace_fn; @user is the struct wf_conn. Thread: I/O. */
void wf_trace_frame(void *user, const struct wf_h2_trace *frame);
/* A wf_h1_trace_fn; @user is the struct wf_conn. Thread: I/O. */
void wf_trace_line(void *user, bool sent, struct wf_slice line);
/* Nothing happens when nobody watches. Thread: I/O. */
void wf_trace_note(const struct wf_conn *conn, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Calls the user's function and frees the record. Thread: worker. */
void wf_trace_deliver(struct weft_client *engine, struct wf_mail *mail);

#endif
