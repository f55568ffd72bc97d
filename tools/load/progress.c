/* The progress line. */
#include "progress.h"

#include "common/format.h"

#include <inttypes.h>

#define BAR_LEN 20

void wf_load_progress_init(struct wf_load_progress *progress, FILE *to, bool live)
{
    *progress = (struct wf_load_progress){.to = to, .live = live};
}

/* Of the time since the last line, not of the whole run: what it is now is what one watches for. */
static double rate(const struct wf_load_progress *progress, const struct wf_load_moment *moment)
{
    if (moment->elapsed_ns <= progress->last_ns || moment->done < progress->last_done)
        return 0;
    return (double)(moment->done - progress->last_done) * 1e9 /
           (double)(moment->elapsed_ns - progress->last_ns);
}

static void show_live(struct wf_load_progress *progress, const struct wf_load_moment *moment)
{
    char bar[BAR_LEN + 1];
    struct wf_tool_text time = wf_tool_format_duration(moment->elapsed_ns);

    for (unsigned i = 0; i < BAR_LEN; i++)
        bar[i] = moment->part * BAR_LEN >= i + 1 ? '#' : '.';
    bar[BAR_LEN] = '\0';
    /* The escape clears what is left of a longer line before. */
    if (moment->warming_up)
        fprintf(progress->to, "\rwarming up  %" PRIu64 " done\033[K", moment->done);
    else
        fprintf(progress->to,
                "\r%s %3.0f%%  %" PRIu64 " done  %" PRIu64 " failed  %.0f req/s  %s\033[K", bar,
                moment->part * 100, moment->done, moment->failed, rate(progress, moment),
                time.text);
    fflush(progress->to);
    progress->line_open = true;
}

static void show_tenths(struct wf_load_progress *progress, const struct wf_load_moment *moment)
{
    if (moment->warming_up)
        return;
    while (moment->part * 10 >= progress->tenths + 1) {
        progress->tenths++;
        fprintf(progress->to, "progress: %u%% done\n", progress->tenths * 10);
    }
}

void wf_load_progress_show(struct wf_load_progress *progress, const struct wf_load_moment *moment)
{
    if (progress->live)
        show_live(progress, moment);
    else
        show_tenths(progress, moment);
    progress->last_ns = moment->elapsed_ns;
    progress->last_done = moment->done;
}

void wf_load_progress_end(struct wf_load_progress *progress)
{
    if (progress->line_open)
        fputc('\n', progress->to);
    progress->line_open = false;
}
