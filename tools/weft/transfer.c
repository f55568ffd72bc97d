/* One URL, from its first readable event to its last octet. */
#include "transfer.h"

#include "common/clock.h"
#include "common/interrupt.h"
#include "common/memory.h"
#include "exit_code.h"
#include "remote_name.h"
#include "request_url.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define NS_PER_MS 1000000u

/* NULL: nothing is uploaded to this URL. */
static const char *upload_path(const struct wf_fetch_options *options, size_t index)
{
    if (index >= options->upload_count || options->uploads[index][0] == '\0')
        return NULL;
    return options->uploads[index];
}

static char *make_url(const struct wf_fetch_options *options, size_t index)
{
    const char *query = options->data.in_query ? options->data.body.data : NULL;
    const char *path = upload_path(options, index);
    const char *given = options->urls[index];
    char *named = NULL;
    char *url;

    if (path && strcmp(path, "-") != 0)
        named = wf_fetch_url_with_name(given, path);
    url = wf_fetch_url_with_query(named ? named : given, query);
    free(named);
    return url;
}

bool wf_fetch_transfer_init(struct wf_fetch_transfer *transfer,
                            const struct wf_fetch_options *options, size_t index)
{
    const struct wf_fetch_output *output =
        index < options->output_count ? &options->outputs[index] : NULL;

    *transfer = (struct wf_fetch_transfer){
        .options = options, .given_url = options->urls[index], .index = index};
    transfer->url = make_url(options, index);
    transfer->method = options->method;
    if (upload_path(options, index) && !options->method_is_given)
        transfer->method = "PUT";
    wf_fetch_source_init(&transfer->source, upload_path(options, index));
    if (output && output->from_url)
        transfer->path = wf_fetch_remote_name(transfer->given_url);
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
    weft_future_unref(transfer->response);
    transfer->response = NULL;
    wf_fetch_source_fini(&transfer->source);
    free(transfer->path);
    free(transfer->url);
    free(transfer->head.data);
    free(transfer->content_type);
}

bool wf_fetch_transfer_needs_turn(const struct wf_fetch_transfer *transfer)
{
    const char *dump = transfer->options->dump_head;

    return !transfer->path || (dump && strcmp(dump, "-") == 0);
}

/* The last step of every transfer. */
static void finish(struct wf_fetch_transfer *transfer)
{
    if (transfer->future) {
        transfer->body_len = weft_future_body_len(transfer->future);
        transfer->timings.size = sizeof(transfer->timings);
        (void)weft_future_timings(transfer->future, &transfer->timings); /* given up: stays zero */
    }
    if (transfer->options->write_out) {
        /* -w may want its fields; what is not complete is not wanted any more. */
        weft_future_cancel(transfer->future);
        transfer->response = transfer->future;
    } else {
        weft_future_unref(transfer->future);
    }
    transfer->future = NULL;
    transfer->retry_at_ns = 0;
    wf_fetch_source_fini(&transfer->source);
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

static void fail_as_said(struct wf_fetch_transfer *transfer, int exit_code)
{
    transfer->exit_code = exit_code;
    report(transfer);
    (void)wf_fetch_sink_close(&transfer->sink); /* it has failed already */
    finish(transfer);
}

void wf_fetch_transfer_fail(struct wf_fetch_transfer *transfer, int exit_code, const char *format,
                            ...)
{
    va_list list;

    if (transfer->finished)
        return;
    va_start(list, format);
    (void)vsnprintf(transfer->error, sizeof(transfer->error), format, list); /* cut if too long */
    va_end(list);
    fail_as_said(transfer, exit_code);
}

static int64_t retry_after(const struct wf_fetch_transfer *transfer)
{
    struct weft_field field;
    char *value;
    int64_t result;

    if (!weft_future_field(transfer->future, "retry-after", &field))
        return -1;
    value = wf_tool_strndup(field.value, field.value_len);
    result = wf_fetch_retry_after_ms(value, (int64_t)time(NULL));
    free(value);
    return result;
}

/* As if the try had not been, but for what is counted. A file begins anew when it is opened. */
static void forget_try(struct wf_fetch_transfer *transfer)
{
    unsigned tries = weft_future_tries(transfer->future);

    transfer->tries_before += tries > 1 ? tries - 1 : 0;
    weft_future_unref(transfer->future);
    transfer->future = NULL;
    transfer->readable = false;
    transfer->head_done = false;
    (void)wf_fetch_sink_close(&transfer->sink); /* what it held is not wanted */
    wf_fetch_sink_init(&transfer->sink, transfer->path);
    transfer->status = 0;
    transfer->written = 0;
    transfer->head.len = 0;
    free(transfer->content_type);
    transfer->content_type = NULL;
}

/* Whether there will be another try. What is on the standard output cannot be taken back, and what
 * was read from a pipe not read again. */
static bool try_again(struct wf_fetch_transfer *transfer, int exit_code, const char *why)
{
    const struct wf_fetch_options *options = transfer->options;
    uint64_t now = wf_tool_now_ns();
    struct wf_fetch_try ended = {transfer->retries, (now - transfer->first_ns) / NS_PER_MS,
                                 exit_code, transfer->status, -1};
    int64_t delay_ms = 0;

    if (options->retry.count == 0 || !transfer->future || transfer->source.begun ||
        (!transfer->path && transfer->sink.written))
        return false;
    ended.retry_after_ms = retry_after(transfer);
    if (!wf_fetch_retry_wanted(&options->retry, &ended, &delay_ms))
        return false;
    transfer->retries++;
    if (!options->silent)
        fprintf(stderr, "weft: %s: %s; trying again in %" PRId64 " ms, %" PRIu64 " left\n",
                transfer->url, why, delay_ms, options->retry.count - transfer->retries);
    forget_try(transfer);
    transfer->retry_at_ns = now + (uint64_t)delay_ms * NS_PER_MS;
    return true;
}

enum wf_fetch_pump wf_fetch_transfer_fail_try(struct wf_fetch_transfer *transfer, int exit_code,
                                              const char *format, ...)
{
    va_list list;

    va_start(list, format);
    (void)vsnprintf(transfer->error, sizeof(transfer->error), format, list); /* cut if too long */
    va_end(list);
    if (try_again(transfer, exit_code, transfer->error)) {
        transfer->error[0] = '\0';
        return WF_FETCH_PUMP_RETRY;
    }
    fail_as_said(transfer, exit_code);
    return WF_FETCH_PUMP_FINISHED;
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

/* As HTTP/1.1 would have written it, which is what curl prints. */
static void make_head(struct wf_fetch_transfer *transfer)
{
    struct weft_field field;

    append_informational(&transfer->head, transfer->future);
    append_status(&transfer->head, transfer->future, transfer->status);
    for (size_t i = 0; weft_future_field_at(transfer->future, i, &field); i++)
        append_field(&transfer->head, &field);
    wf_tool_bytes_append(&transfer->head, "\r\n", 2);
}

/* False: the transfer has failed. */
static bool write_head(struct wf_fetch_transfer *transfer)
{
    const struct wf_fetch_options *options = transfer->options;
    struct wf_fetch_sink out;
    int result = 0;

    wf_fetch_sink_init(&out, NULL);
    if (options->dump_head && strcmp(options->dump_head, "-") == 0)
        result = wf_fetch_sink_write(&out, transfer->head.data, transfer->head.len);
    if (result != 0) {
        wf_fetch_transfer_fail(transfer, WF_FETCH_EXIT_WRITE, "cannot write to %s: %s",
                               wf_fetch_sink_name(&out), strerror(result));
        return false;
    }
    if (options->include || options->head)
        return write_octets(transfer, transfer->head.data, transfer->head.len);
    return write_octets(transfer, "", 0);
}

/* --max-filesize, for what the head tells of the body. */
static bool is_announced_too_large(const struct wf_fetch_transfer *transfer)
{
    struct weft_field field;
    uint64_t len = 0;

    if (!transfer->options->max_body || transfer->options->head ||
        !weft_future_field(transfer->future, "content-length", &field))
        return false;
    for (size_t i = 0; i < field.value_len; i++) {
        uint64_t digit = (uint64_t)(field.value[i] - '0');

        if (digit > 9)
            return false;
        if (len > (UINT64_MAX - digit) / 10)
            return true;
        len = len * 10 + digit;
    }
    return len > transfer->options->max_body;
}

static enum wf_fetch_pump fail_too_large(struct wf_fetch_transfer *transfer)
{
    return wf_fetch_transfer_fail_try(transfer, WF_FETCH_EXIT_BODY_TOO_LARGE,
                                      "the body has more than the %" PRIu64
                                      " octets of --max-filesize",
                                      transfer->options->max_body);
}

/* SOMETHING: go on with the body. */
static enum wf_fetch_pump look_at_status(struct wf_fetch_transfer *transfer)
{
    char why[64];

    snprintf(why, sizeof(why), "the response has status %d", transfer->status);
    if (transfer->options->fail && transfer->status >= 400)
        return wf_fetch_transfer_fail_try(transfer, WF_FETCH_EXIT_STATUS, "%s", why);
    if (try_again(transfer, WF_FETCH_EXIT_OK, why))
        return WF_FETCH_PUMP_RETRY;
    if (is_announced_too_large(transfer))
        return fail_too_large(transfer);
    return WF_FETCH_PUMP_SOMETHING;
}

/* SOMETHING: go on with the body. */
static enum wf_fetch_pump take_head(struct wf_fetch_transfer *transfer)
{
    struct weft_field field;
    enum wf_fetch_pump result;

    if (transfer->head_done)
        return WF_FETCH_PUMP_SOMETHING;
    transfer->status = weft_future_status(transfer->future);
    if (transfer->status == 0)
        return WF_FETCH_PUMP_SOMETHING;
    transfer->head_done = true;
    transfer->field_count = weft_future_field_count(transfer->future);
    if (weft_future_field(transfer->future, "content-type", &field))
        transfer->content_type = wf_tool_strndup(field.value, field.value_len);
    make_head(transfer);
    result = look_at_status(transfer);
    if (result != WF_FETCH_PUMP_SOMETHING)
        return result;
    return write_head(transfer) ? WF_FETCH_PUMP_SOMETHING : WF_FETCH_PUMP_FINISHED;
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
    return wf_fetch_transfer_fail_try(transfer, (int)wf_fetch_exit_code(error), "%s%s",
                                      error->text[0] ? without_origin(error->text, transfer->url)
                                                     : weft_code_name(error->code),
                                      wf_fetch_hint(error));
}

static enum wf_fetch_pump write_body(struct wf_fetch_transfer *transfer, const void *data,
                                     size_t len)
{
    uint64_t limit = transfer->options->max_body;

    if (limit && len > limit - transfer->written)
        return fail_too_large(transfer);
    transfer->written += len;
    return write_octets(transfer, data, len) ? WF_FETCH_PUMP_SOMETHING : WF_FETCH_PUMP_FINISHED;
}

enum wf_fetch_pump wf_fetch_transfer_send(struct wf_fetch_transfer *transfer)
{
    int failed;

    if (wf_fetch_source_pump(&transfer->source, transfer->future, &failed))
        return WF_FETCH_PUMP_SOMETHING;
    if (failed == 0)
        return WF_FETCH_PUMP_NOTHING;
    wf_fetch_transfer_fail(transfer, WF_FETCH_EXIT_READ, "cannot read %s: %s",
                           transfer->source.path, strerror(failed));
    return WF_FETCH_PUMP_FINISHED;
}

enum wf_fetch_pump wf_fetch_transfer_pump(struct wf_fetch_transfer *transfer, void *buf)
{
    size_t len = 0;
    enum wf_fetch_pump head;
    enum weft_code code;

    /* Read first, head second: the code then belongs to what the head says. */
    code = weft_future_read(transfer->future, buf, WF_FETCH_CHUNK_LEN, 0, &len);
    head = take_head(transfer);
    if (head != WF_FETCH_PUMP_SOMETHING)
        return head;
    if (code == WEFT_ERR_TIMEOUT) {
        transfer->readable = false;
        return WF_FETCH_PUMP_NOTHING;
    }
    if (code != WEFT_OK)
        return end_with_error(transfer, code);
    if (len == 0)
        return succeed(transfer);
    return write_body(transfer, buf, len);
}

/* 0: the certificate was found good, or none was asked for by the URL. */
static int verify_result(const struct wf_fetch_transfer *transfer)
{
    if (strncasecmp(transfer->url, "https:", 6) != 0)
        return 0;
    return transfer->options->insecure || transfer->exit_code == WF_FETCH_EXIT_CERTIFICATE ||
           transfer->exit_code == WF_FETCH_EXIT_PIN;
}

void wf_fetch_transfer_result(const struct wf_fetch_transfer *transfer,
                              struct wf_fetch_result *out_result)
{
    *out_result = (struct wf_fetch_result){
        .url = transfer->url,
        .method = transfer->method,
        .content_type = transfer->content_type ? transfer->content_type : "",
        .filename = transfer->path ? transfer->path : "",
        .error = transfer->error,
        .exit_code = transfer->exit_code,
        .status = transfer->status,
        .index = transfer->index,
        .field_count = transfer->field_count,
        .body_len = transfer->body_len,
        .upload_len = transfer->timings.octets_sent,
        .head_len = transfer->head.len,
        .retries = transfer->retries + transfer->tries_before +
                   (transfer->timings.tries > 1 ? transfer->timings.tries - 1 : 0),
        .verify_result = verify_result(transfer),
        .response = transfer->response,
        .time_ns = transfer->time_ns,
        .timings = transfer->timings,
    };
}
