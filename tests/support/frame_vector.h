/* One vector of the public test data http2jp/http2-frame-test-case, read from its JSON. */
#ifndef WF_TESTS_FRAME_VECTOR_H
#define WF_TESTS_FRAME_VECTOR_H

#include "base/slice.h"

struct frame_vector {
    char *text;
    uint8_t wire[1024];
    size_t wire_len;
    bool is_error;
};

/* False: no such file. */
bool frame_vector_load(struct frame_vector *vector, const char *path);
void frame_vector_free(struct frame_vector *vector);

/* Whether @code is one of the error codes that the vector allows. */
bool frame_vector_allows(const struct frame_vector *vector, uint32_t code);
/* The value of a member that is a number or true (1), found by its name; -1: null or not there. */
long frame_vector_number(const struct frame_vector *vector, const char *name);
/* The value of a member that is a string; empty when null or not there. */
struct wf_slice frame_vector_string(const struct frame_vector *vector, const char *name);

#endif
