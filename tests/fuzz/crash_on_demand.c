/* A fuzz target for the test of scripts/fuzz: crashes when the environment says so. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FUZZ_CHECK(size < 3 || data[0] != 'c' || getenv("FUZZ_TEST_CRASH") == NULL);
    return 0;
}
