/* Lines for people: made where something happens, delivered on a worker in order through a bounded
 * number of records. What finds no room is counted, not waited for. Nothing is formatted when
 * nobody listens, or not at that level.
 *
 * A line names its object first and holds no field values. Not for things that happen for each
 * request on a healthy connection. */
#ifndef WF_IO_THREAD_LOG_H
#define WF_IO_THREAD_LOG_H

#include "weft/config.h"
#include "workers/mail.h"

struct weft_client;
struct wf_conn;
struct wf_io_thread;

/* Records on their way to the worker, in all. */
#define WF_LOG_MAX_WAITING 4096u

/* Leaves with the turn's completions. Thread: I/O. */
void wf_log(struct wf_io_thread *io, enum weft_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with "conn=3 https://a.example:443: " in front. Thread: I/O. */
void wf_log_conn(const struct wf_conn *conn, enum weft_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* For those who have no I/O thread. Thread: any, before the workers stop. */
void wf_log_client(struct weft_client *engine, enum weft_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Calls the user's function and frees the record. Thread: worker. */
void wf_log_deliver(struct weft_client *engine, struct wf_mail *mail);

#endif
