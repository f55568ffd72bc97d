/* An allocator that counts what is out, for programs that were given weft_counting_alloc() in
 * CMake. Only what goes through base/alloc.h is counted. Thread: any. */
#ifndef WF_TESTS_COUNTING_ALLOC_H
#define WF_TESTS_COUNTING_ALLOC_H

#include <stddef.h>

/* Blocks that are allocated and not freed. */
size_t counting_alloc_blocks(void);
/* Their octets, as the allocator rounds them. */
size_t counting_alloc_octets(void);
/* The largest alignment that was asked for so far, in octets. */
size_t counting_alloc_alignment(void);

#endif
