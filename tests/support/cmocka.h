/* CMocka and what it wants included before it. */
#ifndef WF_TESTS_CMOCKA_H
#define WF_TESTS_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#endif
