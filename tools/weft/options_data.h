/* The options that say what a request carries: curl's spellings. Thread: owner. */
#ifndef WF_FETCH_OPTIONS_DATA_H
#define WF_FETCH_OPTIONS_DATA_H

#include <stdbool.h>

#include "common/file.h"

enum { OPT_DATA_RAW = 600, OPT_DATA_BINARY, OPT_DATA_URLENCODE, OPT_DATA_JSON, OPT_DATA_END };

/* Rows of the table of options. */
#define WF_FETCH_OPTIONS_DATA                                                                      \
    {'d', "data", "DATA|@FILE",                                                                    \
     "body of a form, without the line ends of FILE;\n"                                            \
     "several are joined with &"},                                                                 \
        {OPT_DATA_RAW, "data-raw", "DATA", "the same; @ means nothing"},                           \
        {OPT_DATA_BINARY, "data-binary", "DATA|@FILE", "the same; FILE (- is stdin) as it is"},    \
        {OPT_DATA_URLENCODE, "data-urlencode", "DATA",                                             \
         "the same, percent-encoded: TEXT, =TEXT, NAME=TEXT,\n@FILE or NAME@FILE"},                \
        {OPT_DATA_JSON, "json", "DATA|@FILE",                                                      \
         "body of JSON, with the fields that go with it;\nseveral follow each other"},             \
    {                                                                                              \
        'G', "get", NULL, "the data of -d goes into the query of the URLs"                         \
    }

/* All zero: nothing was said. */
struct wf_fetch_data {
    struct wf_tool_bytes body;
    bool has_body;
    bool is_json;
    bool in_query; /* -G */
};

/* Whether @id is one of these options. */
bool wf_fetch_data_has(int id);
/* @value is NULL for -G. False: *out_path cannot be read, errno says why. */
bool wf_fetch_data_set(struct wf_fetch_data *data, int id, const char *value,
                       const char **out_path);
void wf_fetch_data_fini(struct wf_fetch_data *data);

#endif
