/* The command line, walked option by option. */
#include "args.h"

#include <stdarg.h>
#include <string.h>

#define HELP_COLUMN 34

__attribute__((format(printf, 2, 3))) static enum wf_tool_arg fail(struct wf_tool_args *args,
                                                                   const char *format, ...)
{
    va_list list;

    va_start(list, format);
    (void)vsnprintf(args->error, sizeof(args->error), format, list); /* cut when too long */
    va_end(list);
    return WF_TOOL_ARG_ERROR;
}

static const struct wf_tool_option *find_letter(const struct wf_tool_args *args, char letter)
{
    for (size_t i = 0; i < args->option_count; i++) {
        if (args->options[i].id == (unsigned char)letter)
            return &args->options[i];
    }
    return NULL;
}

static const struct wf_tool_option *find_name(const struct wf_tool_args *args, const char *name,
                                              size_t len)
{
    for (size_t i = 0; i < args->option_count; i++) {
        const char *other = args->options[i].name;

        if (other && strlen(other) == len && memcmp(other, name, len) == 0)
            return &args->options[i];
    }
    return NULL;
}

static bool take_following(struct wf_tool_args *args)
{
    if (args->index >= args->argc)
        return false;
    args->value = args->argv[args->index++];
    return true;
}

static enum wf_tool_arg next_letter(struct wf_tool_args *args)
{
    char letter = *args->cluster++;

    args->option = find_letter(args, letter);
    if (!args->option)
        return fail(args, "unknown option -%c", letter);
    if (args->option->value_name) {
        if (*args->cluster != '\0')
            args->value = args->cluster;
        else if (!take_following(args))
            return fail(args, "option -%c needs a value: %s", letter, args->option->value_name);
        args->cluster = NULL;
    } else if (*args->cluster == '\0') {
        args->cluster = NULL;
    }
    return WF_TOOL_ARG_OPTION;
}

static enum wf_tool_arg next_name(struct wf_tool_args *args, const char *word)
{
    const char *equals = args->equals ? strchr(word, '=') : NULL;
    size_t len = equals ? (size_t)(equals - word) : strlen(word);

    args->option = find_name(args, word, len);
    if (!args->option)
        return fail(args, "unknown option --%.*s", (int)(len > 128 ? 128 : len), word);
    if (equals && !args->option->value_name)
        return fail(args, "option --%s takes no value", args->option->name);
    if (equals)
        args->value = equals + 1;
    else if (args->option->value_name && !take_following(args))
        return fail(args, "option --%s needs a value: %s", args->option->name,
                    args->option->value_name);
    return WF_TOOL_ARG_OPTION;
}

enum wf_tool_arg wf_tool_args_next(struct wf_tool_args *args)
{
    const char *word;

    args->option = NULL;
    args->value = NULL;
    if (args->cluster)
        return next_letter(args);
    if (args->index >= args->argc)
        return WF_TOOL_ARG_END;
    word = args->argv[args->index++];
    if (args->operands_only || word[0] != '-' || word[1] == '\0') {
        args->value = word;
        return WF_TOOL_ARG_OPERAND;
    }
    if (word[1] != '-') {
        args->cluster = word + 1;
        return next_letter(args);
    }
    if (word[2] != '\0')
        return next_name(args, word + 2);
    args->operands_only = true;
    return wf_tool_args_next(args);
}

static void help_line(const struct wf_tool_option *option, FILE *to)
{
    int column = 2;
    const char *text = option->help;

    if (option->id <= 255)
        column += fprintf(to, "  -%c%s", option->id, option->name ? ", " : "") - 2;
    else
        column += fprintf(to, "      ") - 2;
    if (option->name)
        column += fprintf(to, "--%s", option->name);
    if (option->value_name)
        column += fprintf(to, " %s", option->value_name);
    if (column >= HELP_COLUMN) {
        fputc('\n', to);
        column = 0;
    }
    for (;;) {
        size_t len = strcspn(text, "\n");

        fprintf(to, "%*s%.*s\n", HELP_COLUMN - column, "", (int)len, text);
        if (text[len] == '\0')
            return;
        text += len + 1;
        column = 0;
    }
}

void wf_tool_args_help(const struct wf_tool_option *options, size_t count, FILE *to)
{
    for (size_t i = 0; i < count; i++)
        help_line(&options[i], to);
}
