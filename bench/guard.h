/* What the two workloads of the guard share. */
#ifndef WEFT_BENCH_GUARD_H
#define WEFT_BENCH_GUARD_H

#include <stdbool.h>

#define GUARD_IN_FLIGHT 100u

typedef void guard_step_fn(void *user);

#if defined(__clang__)
#define GUARD_ALONE __attribute__((noinline))
#else
#define GUARD_ALONE __attribute__((noipa))
#endif

/* The one function whose instructions callgrind collects: it stays whatever the linker optimises.
 */
GUARD_ALONE void counted(guard_step_fn *step, void *user);

/* Ends the program when something is not as it must be: a figure of a failure is worth nothing. */
void guard_check(bool ok, const char *what);

void guard_session(unsigned long rounds);
void guard_path(unsigned long rounds);

#endif
