#include "message/request.h"

#include "base/field_rules.h"
#include "message/error.h"
#include "message/request_build.h"
#include "weft/weft.h"

#include <inttypes.h>
#include <stdio.h>

#define INLINE_TEXT_LEN 512u /* behind what the URL takes */
#define CHUNK_LEN       2048u
#define ID_BLOCK        1024u

struct wf_request_chunk {
    struct wf_request_chunk *next;
    char text[];
};

/* A request that is no copy, in one block with its URL. */
struct original {
    struct weft_request request;
    struct wf_url url;
    char text[]; /* the URL's, then fields' */
};

#define INVALID(error, ...)                                                                        \
    wf_error_set(error, WEFT_ERR_INVALID_REQUEST, WEFT_STAGE_QUEUE, WEFT_NOT_SENT, __VA_ARGS__)

/* The one piece of state that clients share. Threads take numbers in blocks, since a counter that
 * all of them write for each request would be the first thing to stop on many cores. */
uint64_t wf_request_next_id(void)
{
    static atomic_uint_least64_t blocks;
    static _Thread_local uint64_t last; /* a multiple of ID_BLOCK: the block is used up */

    /* Relaxed: only uniqueness counts. */
    if (last % ID_BLOCK == 0)
        last = atomic_fetch_add_explicit(&blocks, 1, memory_order_relaxed) * ID_BLOCK;
    return ++last;
}

enum weft_code wf_request_remember_no_memory(struct weft_request *request)
{
    static const struct weft_error error = {.code = WEFT_ERR_NO_MEMORY,
                                            .stage = WEFT_STAGE_QUEUE,
                                            .effect = WEFT_NOT_SENT,
                                            .text = "Out of memory."};

    request->failed = true;
    if (!request->is_invalid)
        request->seldom.error = &error;
    request->is_invalid = true;
    return WEFT_ERR_NO_MEMORY;
}

enum weft_code wf_request_remember(struct weft_request *request, const struct weft_error *error)
{
    if (request->is_invalid)
        return error->code;
    struct weft_error *own = wf_alloc(sizeof(*own));
    if (own == NULL)
        return wf_request_remember_no_memory(request);
    *own = *error;
    request->seldom.error = own;
    request->error_is_own = true;
    request->is_invalid = true;
    request->failed = true;
    return error->code;
}

enum weft_code wf_request_remember_null(struct weft_request *request, const char *what)
{
    struct weft_error error;

    wf_error_set(&error, WEFT_ERR_INVALID_ARGUMENT, WEFT_STAGE_QUEUE, WEFT_NOT_SENT,
                 "The request's %s is NULL.", what);
    return wf_request_remember(request, &error);
}

char *wf_request_take_text(struct weft_request *request, size_t len)
{
    if (len > request->text_left) {
        /* At most WF_REQUEST_FIELDS_MAX_LEN. */
        uint32_t chunk_len = len > CHUNK_LEN ? (uint32_t)len : CHUNK_LEN;
        struct wf_request_chunk *chunk = wf_alloc(sizeof(*chunk) + chunk_len);
        if (chunk == NULL)
            return NULL;
        chunk->next = request->chunks;
        request->chunks = chunk;
        request->text = chunk->text;
        request->text_left = chunk_len;
    }
    char *text = request->text;
    request->text += len;
    request->text_left -= (uint32_t)len;
    return text;
}

/* Room for one more field. */
static bool reserve_field(struct weft_request *request)
{
    if (request->field_count < request->field_cap)
        return true;
    uint32_t cap = request->field_cap * 2; /* of fields that have an octet of name at least */
    bool is_inline = request->fields == request->inline_fields;
    struct wf_field *fields =
        wf_realloc(is_inline ? NULL : request->fields, (size_t)cap * sizeof(struct wf_field));
    if (fields == NULL)
        return false;
    if (is_inline)
        memcpy(fields, request->inline_fields, sizeof(request->inline_fields));
    request->fields = fields;
    request->field_cap = cap;
    return true;
}

bool wf_request_append_field(struct weft_request *request, const struct wf_field *field)
{
    if (!reserve_field(request))
        return false;
    request->fields[request->field_count++] = *field;
    request->fields_len += (uint32_t)(field->name.len + field->value.len);
    return true;
}

void wf_request_remove_field(struct weft_request *request, size_t index)
{
    const struct wf_field *field = &request->fields[index];

    request->fields_len -= (uint32_t)(field->name.len + field->value.len);
    request->field_count--;
    memmove(request->fields + index, request->fields + index + 1,
            (request->field_count - index) * sizeof(struct wf_field));
    if (request->length_index > index)
        request->length_index--;
}

void wf_request_set_value(struct weft_request *request, size_t index, struct wf_slice value)
{
    struct wf_field *field = &request->fields[index];

    request->fields_len += (uint32_t)value.len;
    request->fields_len -= (uint32_t)field->value.len;
    field->value = value;
}

/* Sends our own content-length, for the body as it is now. */
static bool put_length(struct weft_request *request)
{
    int len = snprintf(request->length_text, sizeof(request->length_text), "%" PRIu64,
                       wf_request_body_len(request));
    struct wf_field field = {wf_slice_str("content-length"),
                             wf_slice(request->length_text, (size_t)len), false};

    if (request->length_index != 0) {
        wf_request_set_value(request, request->length_index, field.value);
        return true;
    }
    if (!wf_request_append_field(request, &field))
        return false;
    request->length_index = request->field_count - 1;
    return true;
}

static bool is_one_of(struct wf_slice s, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (wf_slice_is(s, names[i]))
            return true;
    }
    return false;
}

static bool method_is_idempotent(struct wf_slice method)
{
    static const char *const names[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};

    return is_one_of(method, names, sizeof(names) / sizeof(names[0]));
}

/* These say so when their content is empty (RFC 9110 section 8.6). */
static bool method_expects_content(struct wf_slice method)
{
    static const char *const names[] = {"POST", "PUT", "PATCH"};

    return is_one_of(method, names, sizeof(names) / sizeof(names[0]));
}

static bool check_method(struct wf_slice method, struct weft_error *error)
{
    if (method.len > WF_REQUEST_METHOD_MAX_LEN) {
        INVALID(error, "The method \"%.*s...\" is longer than %u octets.",
                wf_request_quoted(method), (const char *)method.ptr, WF_REQUEST_METHOD_MAX_LEN);
        return false;
    }
    if (!wf_method_is_valid(method)) {
        INVALID(error, "The method \"%.*s\" is not a token.", wf_request_quoted(method),
                (const char *)method.ptr);
        return false;
    }
    if (wf_slice_is(method, "CONNECT")) {
        INVALID(error, "The method CONNECT is not supported: tunnels cannot be made.");
        return false;
    }
    return true;
}

static void set_method(struct weft_request *request, const char *text)
{
    struct wf_slice method = wf_slice_str(text);
    struct weft_error error;

    if (!check_method(method, &error)) {
        (void)wf_request_remember(request, &error); /* arrives with the submission */
        return;
    }
    char *copy = wf_request_take_text(request, method.len);
    if (copy == NULL) {
        (void)wf_request_remember_no_memory(request);
        return;
    }
    memcpy(copy, method.ptr, method.len);
    method = wf_slice(copy, method.len);
    wf_request_set_value(request, 0, method);
    request->is_head = wf_slice_is(method, "HEAD");
    request->is_trace = wf_slice_is(method, "TRACE");
    request->is_idempotent = method_is_idempotent(method);
    if (method_expects_content(method) && !put_length(request))
        (void)wf_request_remember_no_memory(request);
}

static void set_url(struct weft_request *request, struct wf_slice text, struct wf_url *url,
                    char *room)
{
    struct weft_error error;

    if (wf_url_parse(url, text, room, &error) != WEFT_OK) {
        (void)wf_request_remember(request, &error); /* arrives with the submission */
        return;
    }
    request->origin = url->origin;
    wf_request_set_value(request, 1, wf_slice_str(url->https ? "https" : "http"));
    wf_request_set_value(request, WF_REQUEST_AUTHORITY, url->authority);
    /* RFC 9113 section 8.3.1: OPTIONS for the server as a whole. */
    bool whole_server = !url->has_path && wf_slice_is(request->fields[0].value, "OPTIONS");
    wf_request_set_value(request, 3, whole_server ? wf_slice_str("*") : url->path);
}

static void set_defaults(struct weft_request *request)
{
    static const char *const names[WF_REQUEST_PSEUDO_FIELDS] = {":method", ":scheme", ":authority",
                                                                ":path"};

    for (size_t i = 0; i < WF_REQUEST_PSEUDO_FIELDS; i++)
        request->inline_fields[i].name = wf_slice_str(names[i]);
    request->inline_fields[WF_REQUEST_PSEUDO_FIELDS] =
        (struct wf_field){wf_slice_str("user-agent"), wf_slice_str("weft/" WEFT_VERSION), false};
    request->fields = request->inline_fields;
    request->field_cap = WF_REQUEST_INLINE_FIELDS;
    request->field_count = WF_REQUEST_PSEUDO_FIELDS + 1;
    for (size_t i = 0; i < request->field_count; i++)
        request->fields_len +=
            (uint32_t)(request->fields[i].name.len + request->fields[i].value.len);
    request->agent_index = WF_REQUEST_PSEUDO_FIELDS;
}

struct weft_request *weft_request_new(const char *method, const char *url)
{
    struct wf_slice url_text = wf_slice_str(url != NULL ? url : "");
    size_t url_room = wf_url_room(url_text.len);
    struct original *original = wf_alloc(sizeof(*original) + url_room + INLINE_TEXT_LEN);

    if (original == NULL)
        return NULL;
    struct weft_request *request = &original->request;
    *request = (struct weft_request){.id = wf_request_next_id()};
    atomic_init(&request->refs, 1);
    atomic_init(&request->frozen, false);
    atomic_init(&request->repeated, false);
    atomic_init(&request->pool, NULL);
    original->url = (struct wf_url){0};
    request->url = &original->url;
    request->text = original->text + url_room;
    request->text_left = INLINE_TEXT_LEN;
    set_defaults(request);
    if (method == NULL)
        (void)wf_request_remember_null(request, "method");
    else
        set_method(request, method);
    if (url == NULL)
        (void)wf_request_remember_null(request, "URL");
    else
        set_url(request, url_text, &original->url, original->text);
    return request;
}

struct weft_request *weft_request_ref(struct weft_request *request)
{
    /* Relaxed: who can call this holds a reference, so nothing hangs on the order. */
    (void)atomic_fetch_add_explicit(&request->refs, 1, memory_order_relaxed);
    return request;
}

static void release_body(struct weft_request *request)
{
    if (request->release != NULL)
        request->release(request->seldom.release_user);
    request->body = wf_slice(NULL, 0);
    request->has_file = false;
}

static void request_free(struct weft_request *request)
{
    if (request->release != NULL)
        request->release(request->seldom.release_user);
    while (request->chunks != NULL) {
        struct wf_request_chunk *next = request->chunks->next;
        wf_free(request->chunks);
        request->chunks = next;
    }
    if (request->fields != request->inline_fields)
        wf_free(request->fields);
    if (request->error_is_own)
        wf_free((void *)(uintptr_t)request->seldom.error);
    wf_request_free_block(request);
}

void weft_request_unref(struct weft_request *request)
{
    /* R1 and A1: what other holders did with the request comes before its end. */
    while (request != NULL &&
           atomic_fetch_sub_explicit(&request->refs, 1, memory_order_acq_rel) == 1) {
        struct weft_request *like = request->like;
        request_free(request);
        request = like; /* a copy of a copy of a copy may be long: no recursion */
    }
}

enum weft_code wf_request_take_body(struct weft_request *request, struct wf_slice body, int fd,
                                    uint64_t offset, uint64_t len, void (*release)(void *user),
                                    void *user)
{
    struct weft_error error;

    release_body(request);
    request->release = release;
    request->seldom.release_user = user;
    /* RFC 9110 section 9.3.8. */
    if (request->is_trace && (body.len > 0 || len > 0)) {
        INVALID(&error, "A TRACE request must not have a body.");
        return wf_request_remember(request, &error);
    }
    request->body = body;
    request->has_file = fd >= 0;
    request->seldom.file_fd = fd;
    request->seldom.file_offset = offset;
    request->seldom.file_len = len;
    if (!request->length_is_given && !put_length(request))
        return wf_request_remember_no_memory(request);
    wf_request_update_failed(request);
    return WEFT_OK;
}

enum weft_code weft_request_borrow_body(struct weft_request *request, const void *body, size_t len,
                                        void (*release)(void *user), void *user)
{
    if (request == NULL) {
        if (release != NULL)
            release(user);
        return WEFT_ERR_INVALID_ARGUMENT;
    }
    if (atomic_load_explicit(&request->frozen, memory_order_relaxed))
        return WEFT_ERR_FROZEN;
    if (body == NULL && len > 0) {
        release_body(request);
        request->release = release;
        request->seldom.release_user = user;
        return wf_request_remember_null(request, "body");
    }
    return wf_request_take_body(request, wf_slice(body, len), -1, 0, 0, release, user);
}

enum weft_code weft_request_set_body(struct weft_request *request, const void *body, size_t len)
{
    if (request == NULL)
        return WEFT_ERR_INVALID_ARGUMENT;
    if (atomic_load_explicit(&request->frozen, memory_order_relaxed))
        return WEFT_ERR_FROZEN;
    if (body == NULL && len > 0)
        return wf_request_remember_null(request, "body");
    if (len == 0)
        return weft_request_borrow_body(request, NULL, 0, NULL, NULL);

    void *copy = wf_alloc(len);
    if (copy == NULL)
        return wf_request_remember_no_memory(request);
    memcpy(copy, body, len);
    return weft_request_borrow_body(request, copy, len, wf_free, copy);
}

void wf_request_error(const struct weft_request *request, struct weft_error *out_error)
{
    if (request->is_invalid)
        *out_error = *request->seldom.error;
    else if (wf_request_length_is_wrong(request))
        INVALID(out_error,
                "The field \"content-length\" is %" PRIu64 ", but the body has %" PRIu64 " octets.",
                request->seldom.given_length, wf_request_body_len(request));
    else
        *out_error = (struct weft_error){.code = WEFT_OK};
}

enum weft_code weft_request_check(const struct weft_request *request, struct weft_error *out_error)
{
    struct weft_error error;

    if (request == NULL)
        wf_error_set(&error, WEFT_ERR_INVALID_ARGUMENT, WEFT_STAGE_QUEUE, WEFT_NOT_SENT,
                     "The request is NULL.");
    else
        wf_request_error(request, &error);
    if (out_error != NULL)
        *out_error = error;
    return error.code;
}
