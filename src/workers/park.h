/* Sleeping on a word of memory, and the clock that deadlines are told in.
 * A deadline is a time of wf_now_ns(); UINT64_MAX: never; 0: already over. Thread: any. */
#ifndef WF_WORKERS_PARK_H
#define WF_WORKERS_PARK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define WF_NEVER UINT64_MAX

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t wf_now_ns(void);

/* The deadline that is @timeout_ms from now; 0 for 0, WF_NEVER when negative or too far away. */
uint64_t wf_deadline_ns(int64_t timeout_ms);

/* Sleeps while *@word is @expected; the look at the word and the falling asleep are one step for
 * those who change the word first and wake after. False: the deadline has passed. True: anything
 * else, a signal or a wake-up meant for somebody else included, so this always stands in a loop. */
bool wf_park_wait(atomic_uint *word, unsigned expected, uint64_t deadline_ns);

/* Wakes at most @count of those who sleep on @word. The memory is not touched: @word may already
 * be freed or in other use, where a stray wake-up does no harm. */
void wf_park_wake(atomic_uint *word, int count);

#endif
