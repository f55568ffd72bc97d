#include "support/frame_vector.h"

#include "support/hex.h"

#include <stdlib.h>

/* The text behind "name": , or NULL. */
static const char *member(const struct frame_vector *vector, const char *name)
{
    char key[64];
    snprintf(key, sizeof(key), "\"%s\":", name);
    const char *at = strstr(vector->text, key);
    return at == NULL ? NULL : at + strlen(key) + strspn(at + strlen(key), " \t\r\n");
}

bool frame_vector_load(struct frame_vector *vector, const char *path)
{
    memset(vector, 0, sizeof(*vector));
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    vector->text = calloc(1, 65536);
    if (vector->text == NULL)
        abort();
    size_t len = fread(vector->text, 1, 65535, file);
    vector->text[len] = '\0';
    (void)fclose(file); /* it was only read */
    struct wf_slice wire = frame_vector_string(vector, "wire");
    char digits[2 * sizeof(vector->wire) + 1];
    if (wire.len >= sizeof(digits))
        abort();
    memcpy(digits, wire.ptr, wire.len);
    digits[wire.len] = '\0';
    vector->wire_len = test_hex(digits, vector->wire, sizeof(vector->wire)).len;
    const char *error = member(vector, "error");
    vector->is_error = error != NULL && *error == '[';
    return true;
}

void frame_vector_free(struct frame_vector *vector)
{
    free(vector->text);
}

bool frame_vector_allows(const struct frame_vector *vector, uint32_t code)
{
    const char *at = member(vector, "error");
    if (at == NULL || *at != '[')
        return false;
    while (*at != ']' && *at != '\0') {
        char *end;
        unsigned long value = strtoul(++at, &end, 10);
        if (end == at)
            return false;
        if (value == code)
            return true;
        at = end + strspn(end, " \t\r\n");
    }
    return false;
}

long frame_vector_number(const struct frame_vector *vector, const char *name)
{
    const char *at = member(vector, name);
    if (at == NULL || strncmp(at, "null", 4) == 0 || strncmp(at, "false", 5) == 0)
        return at != NULL && *at == 'f' ? 0 : -1;
    return strncmp(at, "true", 4) == 0 ? 1 : strtol(at, NULL, 10);
}

struct wf_slice frame_vector_string(const struct frame_vector *vector, const char *name)
{
    const char *at = member(vector, name);
    if (at == NULL || *at != '"')
        return wf_slice("", 0);
    return wf_slice(at + 1, strcspn(at + 1, "\""));
}
