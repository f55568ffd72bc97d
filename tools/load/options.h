/* The command line of weft-load. Thread: owner. */
#ifndef WF_LOAD_OPTIONS_H
#define WF_LOAD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "body.h"
#include "common/headers.h"
#include "url_list.h"

struct wf_load_options {
    struct wf_load_url_list urls; /* used in turn */
    const char *method;
    struct wf_tool_headers headers;
    struct wf_tool_headers defaults;
    const char *unique_field; /* its value differs in each request; NULL: there is none */
    struct wf_load_body body;
    bool has_body;

    uint64_t requests;    /* -n; meaningless with a duration */
    unsigned connections; /* -c, in all, to each origin */
    unsigned streams;     /* -m */
    unsigned threads;     /* -t */
    unsigned connections_per_thread;
    int64_t duration_ms; /* -D; 0: -n counts */
    int64_t warm_up_ms;
    int64_t timeout_ms; /* -T, of a request */
    uint32_t stream_window;
    uint32_t connection_window;

    bool http1; /* HTTP/1.1 only; else what ALPN decides, and HTTP/2 in cleartext */
    bool insecure;
    const char *ca_file;
    bool verbose;
    bool show_help;
    bool show_version;

    char error[320];
};

/* False: error is one sentence. To be released in any case. */
bool wf_load_options_parse(struct wf_load_options *options, int argc, char *const *argv);
void wf_load_options_fini(struct wf_load_options *options);
void wf_load_options_help(FILE *to);

#endif
