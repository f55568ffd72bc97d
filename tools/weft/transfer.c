/* One URL, from its first readable event to its last octet. */
#include "transfer.h"

#include "common/clock.h"
#include "common/interrupt.h"
#include "common/memory.h"
#include "exit_code.h"
#include "remote_name.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool wf_fetch_transfer_init(struct wf_fetch_transfer *transfer,
                            const struct wf_fetch_options *options, size_t index)
{
    const struct wf_fetch_output *output =
        index < options->output_count ? &options->outputs[index] : NULL;

    *transfer =
        (struct wf_fetch_transfer){.options = options, .url = options->urls[index], .index = index};
    if (output && output->from_url)
        transfer->path = wf_fetch_remote_name(transfer->url);
    else if (output && output->path)
        transfer->path = wf_tool_strndup(output->path, strlen(output->path));
    wf_fetch_sink_init(&transfer->sink, transfer->path);
    if (output && output->from_url && !transfer->path) {
        wf_fetch_transfer_fail(transfer, WF_FETCH_EXIT_WRITE,
                               "the URL does not end in a file name for -O");
        return false;
    }
    return true;
}

void wf_fetch_transfer_fini(struct wf_fetch_transfer *transfer)
{
    weft_future_unref(transfer->future);
    transfer->future = NULL;
    (void)wf_fetch_sink_close(&transfer->sink); /* closed with a check when it finished */
    free(transfer->path);
    free(transfer->content_type);
}

/* The last step of every transfer. */
static void finish(struct wf_fetch_transfer *transfer)
{
    if (transfer->future) {
        transfer->body_len = weft_future_body_len(transfer->future);
        transfer->timings.size = sizeof(transfer->timings);
        (void)weft_future_timings(transfer->future, &transfer->timings); /* given up: stays zero */
    }
    weft_future_unref(transfer->future);
    transfer->future = NULL;
    transfer->finished = true;
    transfer->readable = false;
    if (transfer->started_ns)
        transfer->time_ns = wf_tool_now_ns() - transfer->started_ns;
}

static void report(const struct wf_fetch_transfer *transfer)
{
    if ((transfer->options->silent && !transfer->options->show_error) || wf_tool_interrupt_signal())
        return;
    flockfile(stderr);
    fprintf(stderr, "weft: (%d) %s: %s", transfer->exit_code, transfer->url, transfer->error);
    if (transfer->sink.written)
        fprintf(stderr, " (%" PRIu64 " octets had been written to %s)", transfer->sink.written,
                wf_fetch_sink_name(&transfer->sink));
    fputc('\n', stderr);
    funlockfile(stderr);
}

void wf_fetch_transfer_fail(struct wf_fetch_transfer *transfer, int exit_code, const char *format,
                            ...)
{
    va_list list;

    if (transfer->finished)
        return;
    transfer->exit_code = exit_code;
    va_start(list, format);
    (void)vsnprintf(transfer->error, sizeof(transfer->error), format, list); /* cut if too long */
    va_end(list);
    report(transfer);
    (void)wf_fetch_sink_close(&transfer->sink); /* it has failed already */
    finish(transfer);
}

static bool write_octets(struct wf_fetch_transfer *transfer, const void *data, size_t len)
{
    int result = wf_fetch_sink_open(&transfer->sink);

    if (result == 0)
        result = wf_fetch_sink_write(&transfer->sink, data, len);
    if (result == 0)
        return true;
    wf_fetch_transfer_fail(transfer, WF_FETCH_EXIT_WRITE, "cannot write to %s: %s",
                           wf_fetch_sink_name(&transfer->sink), strerror(result));
    return false;
}

static void append_status(struct wf_tool_bytes *head, const struct weft_future *future, int status)
{
    const char *protocol = weft_future_protocol(future);
    bool is_h1 = protocol != NULL && strcmp(protocol, "http/1.1") == 0;
    char line[32];

    snprintf(line, sizeof(line), "HTTP/%s %d \r\n", is_h1 ? "1.1" : "2", status);
    wf_tool_bytes_append(head, line, strlen(line));
}

static void append_field(struct wf_tool_bytes *head, const struct weft_field *field)
{
    wf_tool_bytes_append(head, field->name, field->name_len);
    wf_tool_bytes_append(head, ": ", 2);
    wf_tool_bytes_append(head, field->value, field->value_len);
    wf_tool_bytes_append(head, "\r\n", 2);
}

static void append_informational(struct wf_tool_bytes *head, const struct weft_future *future)
{
    struct weft_field field;

    for (size_t i = 0; i < weft_future_informational_count(future); i++) {
        append_status(head, future, weft_future_informational_status(future, i));
        for (size_t j = 0; weft_future_informational_field_at(future, i, j, &field); j++)
            append_field(head, &field);
        wf_tool_bytes_append(head, "\r\n", 2);
    }
}

/* -i and -I: as HTTP/1.1 would have written it, which is what curl prints. */
static bool write_head(struct wf_fetch_transfer *transfer)
{
    struct wf_tool_bytes head = {NULL, 0};
    struct weft_field field;
    bool done;

    append_informational(&head, transfer->future);
    append_status(&head, transfer->future, transfer->status);
    for (size_t i = 0; weft_future_field_at(transfer->future, i, &field); i++)
        append_field(&head, &field);
    wf_tool_bytes_append(&head, "\r\n", 2);
    done = write_octets(transfer, head.data, head.len);
    free(head.data);
    return done;
}

/* False: the transfer has failed. */
static bool take_head(struct wf_fetch_transfer *transfer)
{
    struct weft_field field;

    if (transfer->head_done)
        return true;
    transfer->status = weft_future_status(transfer->future);
    if (transfer->status == 0)
        return true;
    transfer->head_done = true;
    transfer->field_count = weft_future_field_count(transfer->future);
    if (weft_future_field(transfer->future, "content-type", &field))
        transfer->content_type = wf_tool_strndup(field.value, field.value_len);
    if (transfer->options->fail && transfer->status >= 400) {
        wf_fetch_transfer_fail(transfer, WF_FETCH_EXIT_STATUS, "the response has status %d",
                               transfer->status);
        return false;
    }
    if (transfer->options->include || transfer->options->head)
        return write_head(transfer);
    return write_octets(transfer, "", 0);
}

static enum wf_fetch_pump succeed(struct wf_fetch_transfer *transfer)
{
    int result = wf_fetch_sink_close(&transfer->sink);

    if (result != 0)
        wf_fetch_transfer_fail(transfer, WF_FETCH_EXIT_WRITE, "cannot write to %s: %s",
                               wf_fetch_sink_name(&transfer->sink), strerror(result));
    else
        finish(transfer);
    return WF_FETCH_PUMP_FINISHED;
}

/* The sentence without an origin in front, which the line names already. */
static const char *without_origin(const char *text, const char *url)
{
    const char *end = strstr(text, ": ");

    if (end && strncmp(text, url, (size_t)(end - text)) == 0)
        return end + 2;
    return text;
}

static enum wf_fetch_pump end_with_error(struct wf_fetch_transfer *transfer, enum weft_code code)
{
    const struct weft_error *error = weft_future_error(transfer->future);
    struct weft_error plain = {.code = code, .stage = WEFT_STAGE_BODY};

    if (!error || error->code == WEFT_OK)
        error = &plain;
    wf_fetch_transfer_fail(transfer, (int)wf_fetch_exit_code(error), "%s",
                           error->text[0] ? without_origin(error->text, transfer->url)
                                          : weft_code_name(error->code));
    return WF_FETCH_PUMP_FINISHED;
}

enum wf_fetch_pump wf_fetch_transfer_pump(struct wf_fetch_transfer *transfer, void *buf)
{
    size_t len = 0;
    enum weft_code code;

    /* Read first, head second: the code then belongs to what the head says. */
    code = weft_future_read(transfer->future, buf, WF_FETCH_CHUNK_LEN, 0, &len);
    if (!take_head(transfer))
        return WF_FETCH_PUMP_FINISHED;
    if (code == WEFT_ERR_TIMEOUT) {
        transfer->readable = false;
        return WF_FETCH_PUMP_NOTHING;
    }
    if (code != WEFT_OK)
        return end_with_error(transfer, code);
    if (len == 0)
        return succeed(transfer);
    return write_octets(transfer, buf, len) ? WF_FETCH_PUMP_SOMETHING : WF_FETCH_PUMP_FINISHED;
}

void wf_fetch_transfer_result(const struct wf_fetch_transfer *transfer,
                              struct wf_fetch_result *out_result)
{
    *out_result = (struct wf_fetch_result){
        .url = transfer->url,
        .method = transfer->options->method,
        .content_type = transfer->content_type ? transfer->content_type : "",
        .filename = transfer->path ? transfer->path : "",
        .error = transfer->error,
        .exit_code = transfer->exit_code,
        .status = transfer->status,
        .index = transfer->index,
        .field_count = transfer->field_count,
        .body_len = transfer->body_len,
        .upload_len = transfer->started_ns ? transfer->options->body.len : 0,
        .time_ns = transfer->time_ns,
        .timings = transfer->timings,
    };
}
