/* The secrets of TLS connections for those who look into captured traffic (NSS key log format). It
 * undoes what TLS is for, so nothing but a file's name that somebody gave switches it on. */
#ifndef WF_IO_THREAD_TLS_KEYLOG_H
#define WF_IO_THREAD_TLS_KEYLOG_H

#include "base/alloc.h"

#include <stdbool.h>

struct WOLFSSL;
struct wf_io_error;
struct wf_keylog;

/* Opens @path for appending; NULL: the environment's SSLKEYLOGFILE. True with *out NULL: there is
 * nothing to log to. The environment's file is not worth an error: *out_error then has a text that
 * says why there is no log, and true is returned. Thread: any. */
WF_MUST_USE bool wf_keylog_open(const char *path, struct wf_keylog **out,
                                struct wf_io_error *out_error);
/* NULL is a no-op. */
void wf_keylog_close(struct wf_keylog *keylog);

/* Before the handshake of @ssl. False: this library cannot. Thread: I/O, any number of them. */
WF_MUST_USE bool wf_keylog_watch(struct wf_keylog *keylog, struct WOLFSSL *ssl);
/* After it. Thread: I/O. */
void wf_keylog_handshake_done(struct wf_keylog *keylog, struct WOLFSSL *ssl);

#endif
