/* A JSON reader for just these files: strings are decoded where they stand. */
#include "support/hpack_story.h"

#include <stdio.h>
#include <stdlib.h>

struct reader {
    char *p; /* the text ends with a zero */
    bool bad;
};

static void *grow(void *array, size_t count, size_t size)
{
    /* Doubled whenever the count reaches a power of two. */
    if (count != 0 && (count & (count - 1)) != 0)
        return array;
    void *more = realloc(array, (count == 0 ? 1 : count * 2) * size);
    if (more == NULL)
        abort();
    return more;
}

/* Skips white space and takes @c if it comes next. */
static bool take(struct reader *r, char c)
{
    while (*r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r')
        r->p++;
    if (*r->p != c)
        return false;
    r->p++;
    return true;
}

static void expect(struct reader *r, char c)
{
    if (!take(r, c))
        r->bad = true;
}

static char *put_utf8(char *out, unsigned code)
{
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
        *out++ = (char)(0x80 | (code & 0x3f));
    } else {
        *out++ = (char)(0xe0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (char)(0x80 | (code & 0x3f));
    }
    return out;
}

static char *read_escape(struct reader *r, char *out)
{
    char c = *r->p++;
    const char *from = "bfnrt";
    const char *to = "\b\f\n\r\t";
    const char *at = c != 0 ? strchr(from, c) : NULL;
    if (at != NULL) {
        *out++ = to[at - from];
    } else if (c == 'u') {
        char hex[5] = {0};
        for (unsigned i = 0; i < 4 && *r->p != 0; i++)
            hex[i] = *r->p++;
        out = put_utf8(out, (unsigned)strtoul(hex, NULL, 16));
    } else if (c != 0) {
        *out++ = c;
    } else {
        r->bad = true;
        r->p--;
    }
    return out;
}

static struct wf_slice read_string(struct reader *r)
{
    expect(r, '"');
    char *start = r->p;
    char *out = start;
    while (!r->bad && *r->p != '"') {
        if (*r->p == 0) {
            r->bad = true;
        } else if (*r->p == '\\') {
            r->p++;
            out = read_escape(r, out);
        } else {
            *out++ = *r->p++;
        }
    }
    if (!r->bad)
        r->p++;
    return wf_slice(start, (size_t)(out - start));
}

/* A number, a string, null, true or false. */
static void skip_scalar(struct reader *r)
{
    if (take(r, '"')) {
        r->p--;
        read_string(r);
        return;
    }
    while (*r->p != 0 && strchr(",]} \n\r\t", *r->p) == NULL)
        r->p++;
}

static struct wf_slice read_hex(struct reader *r)
{
    struct wf_slice text = read_string(r);
    uint8_t *octets = (uint8_t *)(uintptr_t)text.ptr;
    for (size_t i = 0; i < text.len / 2; i++) {
        const char digits[3] = {(char)octets[2 * i], (char)octets[2 * i + 1], 0};
        octets[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return wf_slice(octets, text.len / 2);
}

static void read_fields(struct reader *r, struct hpack_case *c)
{
    expect(r, '[');
    if (take(r, ']'))
        return;
    do {
        expect(r, '{');
        struct wf_field field = {.name = read_string(r)};
        expect(r, ':');
        field.value = read_string(r);
        expect(r, '}');
        c->fields = grow(c->fields, c->count, sizeof(*c->fields));
        c->fields[c->count++] = field;
    } while (!r->bad && take(r, ','));
    expect(r, ']');
}

static void read_case(struct reader *r, struct hpack_case *c)
{
    expect(r, '{');
    do {
        struct wf_slice key = read_string(r);
        expect(r, ':');
        if (wf_slice_is(key, "headers")) {
            read_fields(r, c);
        } else if (wf_slice_is(key, "wire")) {
            c->wire = read_hex(r);
        } else if (wf_slice_is(key, "header_table_size") && !take(r, 'n')) {
            c->has_table_size = true;
            c->table_size = (uint32_t)strtoul(r->p, &r->p, 10);
        } else {
            skip_scalar(r);
        }
    } while (!r->bad && take(r, ','));
    expect(r, '}');
}

static void read_cases(struct reader *r, struct hpack_story *story)
{
    expect(r, '[');
    do {
        story->cases = grow(story->cases, story->count, sizeof(*story->cases));
        story->cases[story->count] = (struct hpack_case){0};
        read_case(r, &story->cases[story->count++]);
    } while (!r->bad && take(r, ','));
    expect(r, ']');
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    size_t len = 0;
    char *text = NULL;
    do {
        text = realloc(text, len + 65537);
        if (text == NULL)
            abort();
        size_t got = fread(text + len, 1, 65536, file);
        len += got;
        text[len] = 0;
    } while (!feof(file) && !ferror(file));
    fclose(file);
    return text;
}

bool hpack_story_load(struct hpack_story *story, const char *path)
{
    *story = (struct hpack_story){.text = read_file(path)};
    if (story->text == NULL)
        return false;
    struct reader r = {.p = story->text};
    expect(&r, '{');
    do {
        struct wf_slice key = read_string(&r);
        expect(&r, ':');
        if (wf_slice_is(key, "cases"))
            read_cases(&r, story);
        else
            skip_scalar(&r);
    } while (!r.bad && take(&r, ','));
    if (!r.bad && story->count > 0)
        return true;
    printf("%s: not a story, at octet %td\n", path, r.p - story->text);
    hpack_story_free(story);
    return false;
}

void hpack_story_free(struct hpack_story *story)
{
    for (size_t i = 0; i < story->count; i++)
        free(story->cases[i].fields);
    free(story->cases);
    free(story->text);
    *story = (struct hpack_story){0};
}
