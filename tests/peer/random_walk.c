/* The random walk over a session in memory. Without arguments: seeds from WEFT_TEST_SEED, or the
 * clock, on, until the time or the number of walks is used up. With arguments: the walks of these
 * seeds. */
#include "support/check.h"
#include "support/h2_walk.h"

#define WALKS   6000u
#define SECONDS 15

static void walk(uint64_t seed)
{
    struct choice choice = choice_random(seed);
    check_context("to have this walk again: random_walk %llu", (unsigned long long)seed);
    /* Half of the servers are honest. */
    struct walk_plan plan = {.steps = 20 + (unsigned)choose_below(&choice, 400)};
    if (seed % 2 == 1)
        plan.illegal_one_in = 10 + (unsigned)choose_below(&choice, 60);
    walk_run(&choice, &plan);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        walk(strtoull(argv[i], NULL, 10));
    if (argc > 1)
        return 0;
    uint64_t seed = test_random_start("random_walk").state;
    time_t end = time(NULL) + SECONDS;
    unsigned walks = 0;
    for (; walks < WALKS && time(NULL) < end; walks++)
        walk(seed + walks);
    printf("%u walks\n", walks);
    return 0;
}
