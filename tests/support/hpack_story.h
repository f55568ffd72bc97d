/* The stories of the public test data http2jp/hpack-test-case, read from JSON. */
#ifndef WF_TESTS_HPACK_STORY_H
#define WF_TESTS_HPACK_STORY_H

#include "base/field.h"

struct hpack_case {
    struct wf_slice wire; /* empty in raw data */
    bool has_table_size;
    uint32_t table_size; /* what the decoder announced before this case */
    struct wf_field *fields;
    size_t count;
};

struct hpack_story {
    char *text; /* slices point into it */
    struct hpack_case *cases;
    size_t count;
};

/* False: no such file, or no story in it (which is printed). */
bool hpack_story_load(struct hpack_story *story, const char *path);
void hpack_story_free(struct hpack_story *story);

#endif
