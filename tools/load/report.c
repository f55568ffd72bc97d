/* The report at the end of a run. */
#include "report.h"

#include "common/format.h"

#include <inttypes.h>

static double per_second(const struct wf_load_report *report, uint64_t count)
{
    if (report->elapsed_ns == 0)
        return 0;
    return (double)count * 1e9 / (double)report->elapsed_ns;
}

static void print_counts(const struct wf_load_report *report, FILE *to)
{
    const struct wf_load_tally *tally = &report->tally;
    struct wf_tool_text time = wf_tool_format_duration(report->elapsed_ns);
    struct wf_tool_text speed =
        wf_tool_format_octets((uint64_t)per_second(report, report->octets_read));
    struct wf_tool_text all = wf_tool_format_octets(report->octets_read);
    struct wf_tool_text data = wf_tool_format_octets(tally->body_octets);
    struct wf_tool_text sent = wf_tool_format_octets(report->octets_written);

    fprintf(to, "\nfinished in %s, %.2f req/s, %s/s\n", time.text, per_second(report, tally->done),
            speed.text);
    fprintf(to,
            "requests: %" PRIu64 " total, %" PRIu64 " started, %" PRIu64 " done, %" PRIu64
            " succeeded, %" PRIu64 " failed, %" PRIu64 " errored, %" PRIu64 " timeout\n",
            report->total, tally->started, tally->done, tally->succeeded, tally->failed,
            tally->errored, tally->timeout);
    fprintf(to,
            "status codes: %" PRIu64 " 2xx, %" PRIu64 " 3xx, %" PRIu64 " 4xx, %" PRIu64 " 5xx\n",
            tally->status[2], tally->status[3], tally->status[4], tally->status[5]);
    fprintf(to, "traffic: %s (%" PRIu64 ") total, %s (%" PRIu64 ") data, %s (%" PRIu64 ") sent\n",
            all.text, report->octets_read, data.text, tally->body_octets, sent.text,
            report->octets_written);
}

static void print_latency(const struct wf_load_histogram *latency, FILE *to)
{
    static const struct {
        const char *name;
        double percent;
    } percentiles[] = {{"p50", 50}, {"p75", 75}, {"p90", 90}, {"p99", 99}, {"p99.9", 99.9}};
    struct wf_load_moments moments = wf_load_histogram_moments(latency);
    struct wf_tool_text min = wf_tool_format_duration(latency->count ? latency->min_ns : 0);
    struct wf_tool_text max = wf_tool_format_duration(latency->max_ns);
    struct wf_tool_text mean = wf_tool_format_duration((uint64_t)moments.mean_ns);
    struct wf_tool_text sd = wf_tool_format_duration((uint64_t)moments.sd_ns);

    fprintf(to, "                     min         max         mean         sd        +/- sd\n");
    fprintf(to, "time for request: %8s  %10s  %10s  %10s  %8.2f%%\n", min.text, max.text, mean.text,
            sd.text, moments.within_sd * 100);
    fprintf(to, "latency: min %s, mean %s, sd %s", min.text, mean.text, sd.text);
    for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++) {
        struct wf_tool_text value =
            wf_tool_format_duration(wf_load_histogram_percentile(latency, percentiles[i].percent));

        fprintf(to, ", %s %s", percentiles[i].name, value.text);
    }
    fprintf(to, ", max %s\n", max.text);
}

static void print_errors(const struct wf_load_tally *tally, FILE *to)
{
    for (size_t i = 0; i < WF_LOAD_TALLY_ERRORS && tally->errors[i].count; i++)
        fprintf(to, "error: %" PRIu64 " times: %s\n", tally->errors[i].count,
                tally->errors[i].text);
    if (tally->other_errors)
        fprintf(to, "error: %" PRIu64 " times: others\n", tally->other_errors);
}

void wf_load_report_print(const struct wf_load_report *report, FILE *to)
{
    const struct wf_load_histogram *latency = &report->latency;

    print_counts(report, to);
    print_latency(latency, to);
    print_errors(&report->tally, to);
    fprintf(to, "REPORT ok=%" PRIu64 " err=%" PRIu64 " rps=%.2f p50us=%.1f p99us=%.1f\n",
            report->tally.succeeded, report->tally.failed, per_second(report, report->tally.done),
            (double)wf_load_histogram_percentile(latency, 50) / 1e3,
            (double)wf_load_histogram_percentile(latency, 99) / 1e3);
}
