/* What is said of an HTTP/1.1 connection that ended in an error. Thread: I/O. */
#ifndef WF_IO_THREAD_CONN_H1_ERROR_H
#define WF_IO_THREAD_CONN_H1_ERROR_H

#include "h1/error.h"
#include "weft/error.h"

struct wf_conn;

/* An end of the connection keeps the code that the transport gave it. */
enum weft_code wf_conn_h1_code(const struct wf_conn *conn, enum wf_h1_err_kind kind);

/* Counts the limit that was reached, and makes @err the connection's error, with what can be done
 * about it, unless the connection only ended and has said how. */
void wf_conn_h1_note_error(struct wf_conn *conn, const struct wf_h1_err *err,
                           enum weft_stage stage);

#endif
