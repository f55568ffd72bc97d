#include "options_data.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

bool wf_fetch_data_has(int id)
{
    return id == 'd' || id == 'G' || (id >= OPT_DATA_RAW && id < OPT_DATA_END);
}

/* What -d takes from a file comes without line ends and NULs. */
static void strip_lines(struct wf_tool_bytes *bytes)
{
    size_t len = 0;

    for (size_t i = 0; i < bytes->len; i++) {
        char c = bytes->data[i];

        if (c != '\r' && c != '\n' && c != '\0')
            bytes->data[len++] = c;
    }
    bytes->len = len;
    if (bytes->data)
        bytes->data[len] = '\0';
}

/* The unreserved characters of RFC 3986 section 2.3 stay; a space is a plus, as in forms. */
static void append_encoded(struct wf_tool_bytes *to, const char *text, size_t len)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~";
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < len; i++) {
        unsigned char octet = (unsigned char)text[i];
        char escape[3] = {'%', digits[octet >> 4], digits[octet & 15]};

        if (octet != '\0' && strchr(unreserved, octet))
            wf_tool_bytes_append(to, text + i, 1);
        else if (octet == ' ')
            wf_tool_bytes_append(to, "+", 1);
        else
            wf_tool_bytes_append(to, escape, sizeof(escape));
    }
}

static bool read_encoded(struct wf_tool_bytes *piece, const char *value, const char **out_path)
{
    size_t name_len = strcspn(value, "=@");
    const char *text = value + name_len;
    struct wf_tool_bytes file = {NULL, 0};

    if (*text == '\0') {
        append_encoded(piece, value, name_len);
        return true;
    }
    if (name_len) {
        wf_tool_bytes_append(piece, value, name_len);
        wf_tool_bytes_append(piece, "=", 1);
    }
    if (*text == '=') {
        append_encoded(piece, text + 1, strlen(text + 1));
        return true;
    }
    *out_path = text + 1;
    if (wf_tool_read_file(text + 1, &file)) {
        append_encoded(piece, file.data, file.len);
        free(file.data);
        return true;
    }
    free(file.data);
    return false;
}

static bool read_piece(struct wf_tool_bytes *piece, int id, const char *value,
                       const char **out_path)
{
    if (id == OPT_DATA_URLENCODE)
        return read_encoded(piece, value, out_path);
    if (id == OPT_DATA_RAW || value[0] != '@') {
        wf_tool_bytes_append(piece, value, strlen(value));
        return true;
    }
    *out_path = value + 1;
    if (!wf_tool_read_file(value + 1, piece))
        return false;
    if (id == 'd')
        strip_lines(piece);
    return true;
}

bool wf_fetch_data_set(struct wf_fetch_data *data, int id, const char *value, const char **out_path)
{
    struct wf_tool_bytes piece = {NULL, 0};

    if (id == 'G') {
        data->in_query = true;
        return true;
    }
    if (!read_piece(&piece, id, value, out_path)) {
        free(piece.data);
        return false;
    }
    if (id == OPT_DATA_JSON)
        data->is_json = true;
    if (!data->has_body) {
        /* The usual case is one large file: it is not copied. */
        data->body = piece;
        piece.data = NULL;
    } else {
        if (id != OPT_DATA_JSON)
            wf_tool_bytes_append(&data->body, "&", 1);
        wf_tool_bytes_append(&data->body, piece.data, piece.len);
    }
    free(piece.data);
    data->has_body = true;
    return true;
}

void wf_fetch_data_fini(struct wf_fetch_data *data)
{
    free(data->body.data);
    *data = (struct wf_fetch_data){.has_body = false};
}
