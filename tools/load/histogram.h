/* Latencies in a log-linear histogram: three significant digits from 1 microsecond to 1 hour, kept
 * in nanoseconds. What is outside counts as the nearest end. Recording is an index and three
 * stores. Thread: owner; histograms of several threads are merged after they ended. */
#ifndef WF_LOAD_HISTOGRAM_H
#define WF_LOAD_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define WF_LOAD_HISTOGRAM_MIN_NS UINT64_C(1000)
#define WF_LOAD_HISTOGRAM_MAX_NS UINT64_C(3600000000000)

struct wf_load_histogram {
    uint64_t *buckets;
    uint64_t count;
    uint64_t min_ns;
    uint64_t max_ns;
};

void wf_load_histogram_init(struct wf_load_histogram *histogram);
void wf_load_histogram_fini(struct wf_load_histogram *histogram);
void wf_load_histogram_record(struct wf_load_histogram *histogram, uint64_t ns);
void wf_load_histogram_merge(struct wf_load_histogram *into, const struct wf_load_histogram *from);

/* The least recorded value, to within 0.1 percent, that @percent of all do not exceed; 0 when
 * nothing was recorded. */
uint64_t wf_load_histogram_percentile(const struct wf_load_histogram *histogram, double percent);

struct wf_load_moments {
    double mean_ns;
    double sd_ns;
    double within_sd; /* share of values at most one standard deviation from the mean */
};

struct wf_load_moments wf_load_histogram_moments(const struct wf_load_histogram *histogram);

#endif
