/* One request through the public API, and everything its accessors say of the answer:
 *
 *   client METHOD URL [body OCTETS | stream OCTETS] [te] [expect] [prior]
 *
 * The body of the response goes to stdout; the rest, a line each, to stderr. */
#include "weft/weft.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEADLINE_MS 120000
#define PIECE       16384u

static uint8_t pattern(size_t at)
{
    return (uint8_t)(at * 31 + at / 251);
}

static void print_field(const char *kind, const struct weft_field *field)
{
    (void)fprintf(stderr, "%s %.*s: %.*s\n", kind, (int)field->name_len, field->name,
                  (int)field->value_len, field->value);
}

static void print_head(const struct weft_future *future)
{
    struct weft_field field;

    for (size_t i = 0; i < weft_future_informational_count(future); i++) {
        (void)fprintf(stderr, "informational %d\n", weft_future_informational_status(future, i));
        for (size_t k = 0; weft_future_informational_field_at(future, i, k, &field); k++)
            print_field("hint", &field);
    }
    (void)fprintf(stderr, "status %d\n", weft_future_status(future));
    for (size_t i = 0; weft_future_field_at(future, i, &field); i++)
        print_field("field", &field);
}

static void print_end(const struct weft_future *future)
{
    struct weft_field field;
    const struct weft_error *error = weft_future_error(future);
    const char *protocol = weft_future_protocol(future);

    for (size_t i = 0; weft_future_trailer_at(future, i, &field); i++)
        print_field("trailer", &field);
    (void)fprintf(stderr, "protocol %s\nlength %" PRIu64 "\nend %s, %s\n",
                  protocol == NULL ? "none" : protocol, weft_future_body_len(future),
                  weft_code_name(error->code), weft_effect_name(error->effect));
    if (error->code != WEFT_OK)
        (void)fprintf(stderr, "text %s\n", error->text);
}

/* Writes until all was taken or nothing more is wanted: an answer may come before. */
static void write_body(struct weft_future *future, size_t len)
{
    uint8_t piece[PIECE];
    size_t at = 0;

    while (at < len) {
        size_t count = len - at < PIECE ? len - at : PIECE;
        size_t taken;
        for (size_t i = 0; i < count; i++)
            piece[i] = pattern(at + i);
        if (weft_future_write(future, piece, count, DEADLINE_MS, &taken) != WEFT_OK)
            return;
        at += taken;
    }
    (void)weft_future_finish(future);
}

static void read_body(struct weft_future *future)
{
    uint8_t piece[PIECE];
    size_t len;

    while (weft_future_read(future, piece, sizeof(piece), DEADLINE_MS, &len) == WEFT_OK && len > 0)
        (void)fwrite(piece, 1, len, stdout);
}

static struct weft_request *request_of(int argc, char **argv, unsigned *flags, size_t *stream_len)
{
    struct weft_request *request = weft_request_new(argv[1], argv[2]);

    if (request == NULL)
        abort();
    for (int i = 3; i < argc; i++) {
        if (strcmp(argv[i], "te") == 0) {
            (void)weft_request_add_field(request, "te", "trailers");
        } else if (strcmp(argv[i], "expect") == 0) {
            (void)weft_request_add_field(request, "expect", "100-continue");
        } else if (strcmp(argv[i], "body") == 0 && i + 1 < argc) {
            size_t len = strtoul(argv[++i], NULL, 10);
            uint8_t *body = malloc(len + 1);
            if (body == NULL)
                abort();
            for (size_t k = 0; k < len; k++)
                body[k] = pattern(k);
            (void)weft_request_borrow_body(request, body, len, free, body);
        } else if (strcmp(argv[i], "stream") == 0 && i + 1 < argc) {
            *stream_len = strtoul(argv[++i], NULL, 10);
            *flags |= WEFT_STREAM_UPLOAD;
        }
    }
    return request;
}

int main(int argc, char **argv)
{
    struct weft_config config = WEFT_CONFIG_INIT;
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    struct weft_error error;
    size_t stream_len = 0;

    if (argc < 3) {
        (void)fprintf(stderr,
                      "usage: client METHOD URL [body N | stream N] [te] [expect] [prior]\n");
        return 2;
    }
    config.insecure_skip_verify = true;
    for (int i = 3; i < argc; i++)
        config.http2_prior_knowledge |= strcmp(argv[i], "prior") == 0;
    struct weft_client *client = weft_client_new(&config, &error);
    if (client == NULL) {
        (void)fprintf(stderr, "text %s\n", error.text);
        return 1;
    }
    how.flags = WEFT_STREAM_BODY;
    how.deadline_ms = DEADLINE_MS;
    struct weft_request *request = request_of(argc, argv, &how.flags, &stream_len);
    struct weft_future *future = weft_submit(client, request, &how);
    weft_request_unref(request);
    if ((how.flags & WEFT_STREAM_UPLOAD) != 0)
        write_body(future, stream_len);
    if (weft_future_wait_response(future, WEFT_FOREVER) == WEFT_OK)
        print_head(future);
    read_body(future);
    enum weft_code code = weft_future_wait(future, WEFT_FOREVER);
    print_end(future);
    weft_future_unref(future);
    (void)weft_client_close(client, 0);
    weft_client_unref(client);
    return code == WEFT_OK ? 0 : 1;
}
