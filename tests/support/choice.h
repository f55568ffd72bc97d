/* Where a run takes its decisions from: random numbers, or octets that a fuzzer made. */
#ifndef WF_TESTS_CHOICE_H
#define WF_TESTS_CHOICE_H

#include "base/slice.h"
#include "support/random.h"

struct choice {
    struct test_random random;
    struct wf_slice octets;
    bool is_random;
};

static inline struct choice choice_random(uint64_t seed)
{
    return (struct choice){.random = {.state = seed}, .is_random = true};
}

static inline struct choice choice_octets(const uint8_t *data, size_t len)
{
    return (struct choice){.octets = wf_slice(data, len)};
}

static inline bool choice_is_over(const struct choice *choice)
{
    return !choice->is_random && choice->octets.len == 0;
}

static inline uint8_t choose_octet(struct choice *choice)
{
    if (choice->is_random)
        return (uint8_t)test_random_next(&choice->random);
    if (choice->octets.len == 0)
        return 0;
    uint8_t octet = choice->octets.ptr[0];
    choice->octets = wf_slice_skip(choice->octets, 1);
    return octet;
}

/* From 0 to @end - 1; @end is not 0. Octets that have run out are zeros. */
static inline size_t choose_below(struct choice *choice, size_t end)
{
    if (choice->is_random)
        return test_random_below(&choice->random, end);
    size_t value = 0;
    for (size_t room = end - 1; room > 0; room >>= 8)
        value = value << 8 | choose_octet(choice);
    return value % end;
}

/* True once in @count times, and never when the octets have run out. */
static inline bool choose_one_in(struct choice *choice, size_t count)
{
    return choose_below(choice, count) == count - 1 && count > 1;
}

/* Mostly small, now and then up to @max, which both sides of a limit want. */
static inline size_t choose_len(struct choice *choice, size_t max)
{
    size_t end = max + 1;
    switch (choose_below(choice, 4)) {
    case 0:
        end = max < 16 ? end : 16;
        break;
    case 1:
        end = max < 300 ? end : 300;
        break;
    case 2:
        end = max < 20000 ? end : 20000;
        break;
    default:
        break;
    }
    return choose_below(choice, end);
}

#endif
