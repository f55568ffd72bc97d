/* weft: a small curl-like command over HTTP/2. */
#include "exit_code.h"
#include "fetch.h"
#include "options.h"

#include "common/interrupt.h"

#include "weft/weft.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static int run(const struct wf_fetch_options *options)
{
    if (options->show_help) {
        wf_fetch_options_help(stdout);
        return 0;
    }
    if (options->show_version) {
        puts("weft " WEFT_VERSION);
        return 0;
    }
    /* A closed standard output is an error of a write here, not the end of the process. */
    signal(SIGPIPE, SIG_IGN);
    if (!wf_tool_interrupt_install()) {
        fprintf(stderr, "weft: cannot handle signals: %s\n", strerror(errno));
        return WF_FETCH_EXIT_INTERNAL;
    }
    return wf_fetch_run(options);
}

int main(int argc, char **argv)
{
    struct wf_fetch_options options;
    int status;

    if (wf_fetch_options_parse(&options, argc, argv)) {
        status = run(&options);
    } else {
        fprintf(stderr, "weft: %s\n", options.error);
        status = options.exit_code;
    }
    wf_fetch_options_fini(&options);
    return status;
}
