/* Walks a command line against a table of options: short ones may stand together (-ki), a value may
 * be glued to its letter (-XPOST) or follow. "--" ends the options; "-" alone is an operand.
 *
 *     struct wf_tool_args args = WF_TOOL_ARGS_INIT(options, count, argc, argv);
 *     while ((kind = wf_tool_args_next(&args)) != WF_TOOL_ARG_END)
 *         ...
 */
#ifndef WF_TOOL_ARGS_H
#define WF_TOOL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct wf_tool_option {
    int id;                 /* the letter of a short option, or a number above 255 */
    const char *name;       /* without the dashes; NULL: none */
    const char *value_name; /* NULL: takes no value */
    const char *help;       /* lines end in \n but for the last */
};

enum wf_tool_arg {
    WF_TOOL_ARG_END,
    WF_TOOL_ARG_OPTION,  /* option, and value when it takes one */
    WF_TOOL_ARG_OPERAND, /* value */
    WF_TOOL_ARG_ERROR    /* error says what is wrong; do not go on */
};

struct wf_tool_args {
    const struct wf_tool_option *options;
    size_t option_count;
    int argc;
    char *const *argv;
    bool equals; /* --name=value is taken too */
    int index;
    const char *cluster; /* rest of a group of short options */
    bool operands_only;  /* "--" was seen */

    const struct wf_tool_option *option;
    const char *value;
    char error[256];
};

#define WF_TOOL_ARGS_INIT(options, count, argc, argv)                                              \
    {                                                                                              \
        (options), (count), (argc), (argv), false, 1, NULL, false, NULL, NULL, ""                  \
    }

enum wf_tool_arg wf_tool_args_next(struct wf_tool_args *args);

/* The table as text for --help, one option after the other. */
void wf_tool_args_help(const struct wf_tool_option *options, size_t count, FILE *to);

#endif
