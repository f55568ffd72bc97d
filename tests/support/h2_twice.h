/* Runs a group of tests twice: with octets that travel whole, and one by one. */
#ifndef WF_TESTS_H2_TWICE_H
#define WF_TESTS_H2_TWICE_H

#include "support/cmocka.h"
#include "support/h2_rig.h"

/* Not zero when a test failed; the second run is left out when the first one did. */
#define RUN_TWICE(tests)                                                                           \
    ((rig_step = SIZE_MAX, cmocka_run_group_tests_name("whole", tests, NULL, NULL)) != 0 ||        \
     (rig_step = 1, cmocka_run_group_tests_name("octet by octet", tests, NULL, NULL)) != 0)

#endif
