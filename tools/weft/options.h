/* The command line of weft. Thread: owner. */
#ifndef WF_FETCH_OPTIONS_H
#define WF_FETCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/headers.h"
#include "options_data.h"
#include "options_net.h"
#include "options_tls.h"
#include "retry.h"

/* -o or -O; the n-th belongs to the n-th URL. */
struct wf_fetch_output {
    bool from_url;    /* -O */
    const char *path; /* -o, borrowed from the command line; NULL: the standard output */
};

struct wf_fetch_options {
    const char **urls; /* borrowed from the command line, as all strings are */
    size_t url_count;
    struct wf_fetch_output *outputs;
    size_t output_count;

    const char **uploads; /* -T; the n-th belongs to the n-th URL; "": none */
    size_t upload_count;

    const char *method; /* never NULL; of a URL with an upload only when it was asked for */
    bool method_is_given;
    struct wf_tool_headers headers;
    struct wf_tool_headers defaults;
    struct wf_fetch_data data;
    const char *user; /* NAME:PASSWORD; NULL: none */

    bool include;
    bool head;
    bool fail;
    bool insecure;
    bool http1;                 /* HTTP/1.1 only */
    bool http2_prior_knowledge; /* for http:// */
    bool verbose;
    bool silent;
    bool show_error;
    bool show_help;
    bool show_version;
    const char *ca_file;
    struct wf_fetch_tls tls;
    char *write_out;       /* NULL: none */
    const char *dump_head; /* -D; NULL: none */
    uint64_t max_body;     /* 0: no limit */
    struct wf_fetch_retry retry;

    struct wf_fetch_net net;

    int64_t expect_timeout_ms;  /* negative: the library's */
    int64_t max_time_ms;        /* 0: no limit */
    int64_t connect_timeout_ms; /* 0: the library's */
    int64_t stall_ms;           /* 0: no limit */

    int exit_code; /* of a command line that is wrong */
    char error[320];
};

/* False: error is one sentence, exit_code what to end with. To be released in any case. */
bool wf_fetch_options_parse(struct wf_fetch_options *options, int argc, char *const *argv);
void wf_fetch_options_fini(struct wf_fetch_options *options);
void wf_fetch_options_help(FILE *to);

#endif
