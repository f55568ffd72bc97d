/* Memory over time: what the process has resident, and what of it the library has allocated. The
 * first shows what users see, but moves with what the allocator keeps; the second is exact. */
#include "everything.h"
#include "support/counting_alloc.h"

#include <malloc.h>
#include <unistd.h>

#define MAX_SAMPLES 4096u
#define LONG_RUN_S  600u

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

static size_t resident[MAX_SAMPLES]; /* KiB */
static size_t live[MAX_SAMPLES];     /* KiB */
static unsigned sample_count;

static size_t resident_kib(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    must(file != NULL && fscanf(file, "%*u %lu", &pages) == 1, "/proc/self/statm");
    (void)fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

static size_t mean(const size_t *samples, unsigned number)
{
    size_t sum = 0;
    for (unsigned i = 0; i < number; i++)
        sum += samples[i];
    return number > 0 ? sum / number : 0;
}

/* KiB a minute, by least squares, of samples a second apart. */
static double slope(const size_t *samples, unsigned number)
{
    double x_mean = (number - 1) / 2.0;
    double y_mean = 0;
    double above = 0;
    double below_it = 0;
    for (unsigned i = 0; i < number; i++)
        y_mean += (double)samples[i] / number;
    for (unsigned i = 0; i < number; i++) {
        above += (i - x_mean) * ((double)samples[i] - y_mean);
        below_it += (i - x_mean) * (i - x_mean);
    }
    return below_it > 0 ? above / below_it * 60 : 0;
}

void memory_start(void)
{
    /* One heap for all threads. glibc would give them up to eight for each CPU, which reach their
     * highest mark one after the other: minutes of a climb that says nothing of the library. The
     * sanitizers' allocators know no such thing. */
    (void)mallopt(M_ARENA_MAX, 1);
}

void memory_sample(void)
{
    if (sample_count == MAX_SAMPLES)
        return;
    resident[sample_count] = resident_kib();
    live[sample_count++] = counting_alloc_octets() / 1024;
}

void memory_print(unsigned second)
{
    printf("%u s: %zu KiB resident, %zu KiB in %zu blocks allocated, %llu callbacks\n", second,
           resident[sample_count - 1], live[sample_count - 1], counting_alloc_blocks(),
           (unsigned long long)everything_callbacks);
}

/* @growth_max: KiB a minute in the second half. */
static bool is_level(const char *what, const size_t *samples, double growth_max)
{
    const size_t *half = samples + sample_count / 2;
    double growth = slope(half, sample_count - sample_count / 2);
    size_t early = mean(samples + sample_count / 4, sample_count / 4);
    size_t late = mean(samples + sample_count - sample_count / 4, sample_count / 4);
    printf("%s: %zu KiB after 1 s, %zu KiB half-way, %zu KiB at the end; slope of the second half "
           "%+.0f KiB a minute; mean of the second quarter %zu KiB, of the last %zu KiB\n",
           what, samples[0], *half, samples[sample_count - 1], growth, early, late);
    return growth <= growth_max && late <= early + early / 10 + 2048;
}

void memory_judge(unsigned seconds)
{
    /* In ten minutes, what is in flight at a time no longer hides a leak of a few octets a request.
     */
    bool live_is_level = is_level("allocated", live, seconds >= LONG_RUN_S ? 256 : 1024);
    bool resident_is_level = is_level("resident", resident, 1024);
    if (seconds >= 120 && !live_is_level)
        complain("what the library has allocated is not level\n");
    if (seconds >= 120 && !IS_SANITIZED && !resident_is_level)
        complain("memory is not level\n");
}

void memory_judge_end(void)
{
    if (counting_alloc_blocks() != 0)
        complain("%zu octets in %zu blocks were never freed\n", counting_alloc_octets(),
                 counting_alloc_blocks());
}
