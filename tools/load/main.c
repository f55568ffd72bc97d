/* weft-load: loads an HTTP/2 server and reports. */
#include "load.h"
#include "options.h"

#include "common/interrupt.h"

#include "weft/weft.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define EXIT_USAGE 2

/* Many connections need many descriptors; where the limit stays low, connecting says so. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* as above */
    }
}

static int run(const struct wf_load_options *options)
{
    unsigned connections = options->connections_per_thread * options->threads;

    if (options->show_help) {
        wf_load_options_help(stdout);
        return 0;
    }
    if (options->show_version) {
        puts("weft-load " WEFT_VERSION);
        return 0;
    }
    if (connections != options->connections)
        fprintf(stderr,
                "weft-load: %u connections cannot be shared out evenly to %u threads: %u "
                "are used\n",
                options->connections, options->threads, connections);
    signal(SIGPIPE, SIG_IGN);
    if (!wf_tool_interrupt_install()) {
        fprintf(stderr, "weft-load: cannot handle signals: %s\n", strerror(errno));
        return 1;
    }
    raise_descriptor_limit();
    return wf_load_run(options);
}

int main(int argc, char **argv)
{
    struct wf_load_options options;
    int status = EXIT_USAGE;

    if (wf_load_options_parse(&options, argc, argv))
        status = run(&options);
    else
        fprintf(stderr, "weft-load: %s\n", options.error);
    wf_load_options_fini(&options);
    return status;
}
