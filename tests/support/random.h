/* Random numbers that can be had again: the seed is printed, and WEFT_TEST_SEED sets it. */
#ifndef WF_TESTS_RANDOM_H
#define WF_TESTS_RANDOM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct test_random {
    uint64_t state;
};

static inline struct test_random test_random_start(const char *what)
{
    const char *given = getenv("WEFT_TEST_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    printf("%s: WEFT_TEST_SEED=%llu\n", what, (unsigned long long)seed);
    return (struct test_random){.state = seed};
}

static inline uint64_t test_random_next(struct test_random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* From 0 to @end - 1; @end is not 0. */
static inline size_t test_random_below(struct test_random *random, size_t end)
{
    return (size_t)(test_random_next(random) % end);
}

#endif
