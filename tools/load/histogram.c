/* A log-linear histogram: each power of two is cut into 1,024 equal parts, which is finer than a
 * thousandth of any value in it. */
#include "histogram.h"

#include "common/memory.h"

#include <math.h>
#include <stdlib.h>

#define PART_BITS 10
#define PARTS     ((size_t)1 << PART_BITS)
/* The maximum is below 2^42; values below 1,024 have a bucket of their own each. */
#define MAX_BITS 42
#define BUCKETS  ((size_t)(MAX_BITS - PART_BITS + 1) * PARTS)

static size_t bucket_of(uint64_t ns)
{
    unsigned bits = 63 - (unsigned)__builtin_clzll(ns | 1);
    unsigned shift = bits < PART_BITS ? 0 : bits - PART_BITS;

    /* In the shift-th power of two, ns >> shift runs from PARTS to 2 * PARTS - 1. */
    return ((size_t)shift << PART_BITS) + (size_t)(ns >> shift);
}

static uint64_t bucket_low(size_t bucket)
{
    size_t shift = bucket < 2 * PARTS ? 0 : (bucket >> PART_BITS) - 1;

    return (uint64_t)(bucket - (shift << PART_BITS)) << shift;
}

static uint64_t bucket_middle(size_t bucket)
{
    return bucket_low(bucket) + (bucket_low(bucket + 1) - bucket_low(bucket)) / 2;
}

void wf_load_histogram_init(struct wf_load_histogram *histogram)
{
    *histogram = (struct wf_load_histogram){.min_ns = UINT64_MAX};
    histogram->buckets = wf_tool_calloc(BUCKETS, sizeof(*histogram->buckets));
}

void wf_load_histogram_fini(struct wf_load_histogram *histogram)
{
    free(histogram->buckets);
    histogram->buckets = NULL;
}

void wf_load_histogram_record(struct wf_load_histogram *histogram, uint64_t ns)
{
    if (ns < WF_LOAD_HISTOGRAM_MIN_NS)
        ns = WF_LOAD_HISTOGRAM_MIN_NS;
    if (ns > WF_LOAD_HISTOGRAM_MAX_NS)
        ns = WF_LOAD_HISTOGRAM_MAX_NS;
    histogram->buckets[bucket_of(ns)]++;
    histogram->count++;
    if (ns < histogram->min_ns)
        histogram->min_ns = ns;
    if (ns > histogram->max_ns)
        histogram->max_ns = ns;
}

void wf_load_histogram_merge(struct wf_load_histogram *into, const struct wf_load_histogram *from)
{
    for (size_t i = 0; i < BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
    into->count += from->count;
    if (from->min_ns < into->min_ns)
        into->min_ns = from->min_ns;
    if (from->max_ns > into->max_ns)
        into->max_ns = from->max_ns;
}

uint64_t wf_load_histogram_percentile(const struct wf_load_histogram *histogram, double percent)
{
    uint64_t rank = (uint64_t)ceil(percent / 100 * (double)histogram->count);
    uint64_t seen = 0;

    if (histogram->count == 0)
        return 0;
    if (rank >= histogram->count)
        return histogram->max_ns;
    for (size_t i = 0; i < BUCKETS; i++) {
        uint64_t value = bucket_middle(i);

        seen += histogram->buckets[i];
        if (seen == 0 || seen < rank)
            continue;
        /* The ends are known exactly. */
        if (value < histogram->min_ns)
            return histogram->min_ns;
        return value > histogram->max_ns ? histogram->max_ns : value;
    }
    return histogram->max_ns;
}

struct wf_load_moments wf_load_histogram_moments(const struct wf_load_histogram *histogram)
{
    struct wf_load_moments moments = {0, 0, 0};
    double count = (double)histogram->count;
    double squares = 0;
    uint64_t within = 0;

    if (histogram->count == 0)
        return moments;
    for (size_t i = 0; i < BUCKETS; i++)
        moments.mean_ns += (double)histogram->buckets[i] * (double)bucket_middle(i) / count;
    for (size_t i = 0; i < BUCKETS; i++) {
        double distance = (double)bucket_middle(i) - moments.mean_ns;

        squares += (double)histogram->buckets[i] * distance * distance;
    }
    moments.sd_ns = sqrt(squares / count);
    for (size_t i = 0; i < BUCKETS; i++) {
        /* Half a bucket of slack: the mean itself is no finer. */
        if (fabs((double)bucket_middle(i) - moments.mean_ns) <= moments.sd_ns * 1.0001 + 1)
            within += histogram->buckets[i];
    }
    moments.within_sd = (double)within / count;
    return moments;
}
