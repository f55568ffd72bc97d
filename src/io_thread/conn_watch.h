/* Limits in time on what a peer does with a connection: that it reads what we write, that the
 * bodies of its responses come at a least rate, and that it wants the uploads that it has answered
 * already. Thread: I/O. */
#ifndef WF_IO_THREAD_CONN_WATCH_H
#define WF_IO_THREAD_CONN_WATCH_H

#include "io_thread/conn.h"

void wf_conn_watch_init(struct wf_conn *conn);
/* After each attempt to write: conn->blocked is up to date, @progress says that octets went out. */
void wf_conn_watch_writing(struct wf_conn *conn, bool progress);
/* @x has its whole response, and its upload goes on: it may, while the peer takes it. */
void wf_conn_watch_late(struct wf_conn *conn, struct weft_future *x);
/* When wf_conn_watch() wants to be called; UINT64_MAX: never. */
uint64_t wf_conn_watch_deadline(struct wf_conn *conn);
/* Ends what has been too slow: exchanges, or the connection with all of them. */
void wf_conn_watch(struct wf_conn *conn);

#endif
