/* A whole client session against a server whose steps, legal and illegal, are the fuzzer's choice,
 * as are those of the application above the session (support/h2_walk.h). */
#include "fuzz.h"

#include "support/h2_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct choice choice = choice_octets(data, size);
    struct walk_plan plan = {.steps = 600, .max_upload = 2000};
    plan.illegal_one_in = choose_octet(&choice) % 2 == 0 ? 0 : 16;
    walk_run(&choice, &plan);
    return 0;
}
