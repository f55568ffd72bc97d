/* Exit statuses of weft: curl's numbers, wherever curl has one. Thread: any. */
#ifndef WF_FETCH_EXIT_CODE_H
#define WF_FETCH_EXIT_CODE_H

#include "weft/weft.h"

enum wf_fetch_exit {
    WF_FETCH_EXIT_OK = 0,
    WF_FETCH_EXIT_NOT_HTTP2 = 1, /* no protocol that we speak */
    WF_FETCH_EXIT_USAGE = 2,
    WF_FETCH_EXIT_URL = 3,
    WF_FETCH_EXIT_RESOLVE = 6,
    WF_FETCH_EXIT_CONNECT = 7,
    WF_FETCH_EXIT_WEIRD = 8, /* a head of HTTP/1.1 that is not valid */
    WF_FETCH_EXIT_HTTP2 = 16,
    WF_FETCH_EXIT_PARTIAL = 18,
    WF_FETCH_EXIT_STATUS = 22, /* -f and a status from 400 on */
    WF_FETCH_EXIT_WRITE = 23,
    WF_FETCH_EXIT_READ = 26,
    WF_FETCH_EXIT_NO_MEMORY = 27,
    WF_FETCH_EXIT_TIMEOUT = 28,
    WF_FETCH_EXIT_TLS = 35,
    WF_FETCH_EXIT_CANCELLED = 42,
    WF_FETCH_EXIT_REQUEST = 43,
    WF_FETCH_EXIT_EMPTY = 52, /* the end instead of an answer of HTTP/1.1 */
    WF_FETCH_EXIT_SEND = 55,
    WF_FETCH_EXIT_RECEIVE = 56,
    WF_FETCH_EXIT_CLIENT_CERT = 58,
    WF_FETCH_EXIT_CERTIFICATE = 60,
    WF_FETCH_EXIT_BODY_TOO_LARGE = 63,
    WF_FETCH_EXIT_CA_FILE = 77,
    WF_FETCH_EXIT_QUEUE = 89,
    WF_FETCH_EXIT_PIN = 90,
    WF_FETCH_EXIT_STREAM = 92,
    WF_FETCH_EXIT_FIELDS_TOO_LARGE = 100,
    WF_FETCH_EXIT_INTERNAL = 125,
    WF_FETCH_EXIT_SIGNAL = 128 /* and the signal's number added, as a shell would say it */
};

/* The status for how a request ended; 0 for WEFT_OK. */
enum wf_fetch_exit wf_fetch_exit_code(const struct weft_error *error);

/* What to type instead, as the end of a sentence, where the server speaks something else than it
 * was asked in; else "". */
const char *wf_fetch_hint(const struct weft_error *error);

#endif
