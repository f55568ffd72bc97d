#include "support/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static char context[256];
static char detail[256];

void check_context(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(context, sizeof(context), format, args);
    va_end(args);
}

void check_detail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(detail, sizeof(detail), format, args);
    va_end(args);
}

void check_failed(const char *file, int line, const char *condition)
{
    (void)fprintf(stderr, "%s:%d: not true: %s\n%s\n%s\n", file, line, condition, detail, context);
    abort();
}
