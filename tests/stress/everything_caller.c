/* What each of the threads does, again and again: a request of some kind to some path, and
 * something done to its future. */
#include "everything.h"

#include <string.h>

#define WAIT_MS 60000

/* Of one submission. Given by malloc(), so that a second completion is a use after free. */
struct slot {
    atomic_uint completions;
};

/* Codes that nothing here can cause. */
static void check_code(enum weft_code code, struct weft_future *future)
{
    static const bool impossible[WEFT_CODE_COUNT] = {[WEFT_ERR_NO_MEMORY] = true,
                                                     [WEFT_ERR_INVALID_ARGUMENT] = true,
                                                     [WEFT_ERR_INVALID_URL] = true,
                                                     [WEFT_ERR_INVALID_REQUEST] = true,
                                                     [WEFT_ERR_FROZEN] = true,
                                                     [WEFT_ERR_WOULD_DEADLOCK] = true,
                                                     [WEFT_ERR_TIMEOUT] = true,
                                                     [WEFT_ERR_FORKED] = true,
                                                     [WEFT_ERR_PROTOCOL] = true,
                                                     [WEFT_ERR_BODY_TOO_LARGE] = true,
                                                     [WEFT_ERR_FIELDS_TOO_LARGE] = true,
                                                     [WEFT_ERR_INTERNAL] = true,
                                                     [WEFT_ERR_BUSY] = true,
                                                     [WEFT_ERR_UPLOAD_OVER] = true};
    const struct weft_error *error = weft_future_error(future);
    if (impossible[code])
        complain("ended as %s: %s\n", weft_code_name(code), error == NULL ? "" : error->text);
    if (error != NULL && error->code != code)
        complain("%s and %s\n", weft_code_name(code), weft_code_name(error->code));
}

static void count_completion(struct slot *slot)
{
    if (atomic_fetch_add(&slot->completions, 1) != 0)
        complain("a second completion\n");
    free(slot);
}

static void done(void *user, struct weft_future *future)
{
    check_code(weft_future_wait(future, 0), future);
    if (!weft_future_is_done(future))
        complain("a callback before the end\n");
    count_completion(user);
    atomic_fetch_add(&everything_callbacks, 1);
}

static size_t below(struct caller *c, size_t end)
{
    return test_random_below(&c->random, end);
}

void caller_take_events(struct caller *c)
{
    struct weft_event events[32];
    size_t count = weft_cq_next(c->cq, events, 32, 0);
    for (size_t i = 0; i < count; i++) {
        if (events[i].type != WEFT_EVENT_DONE)
            continue;
        count_completion(events[i].tag);
        c->queue_done++;
    }
}

static void read_some(struct caller *c, struct weft_future *future)
{
    char buf[3000];
    size_t len;
    for (size_t n = below(c, 30); n > 0; n--) {
        if (weft_future_read(future, buf, 1 + below(c, sizeof(buf)), (int64_t)below(c, 3), &len) !=
                WEFT_OK ||
            len == 0)
            return;
    }
}

static void write_some(struct caller *c, struct weft_future *future)
{
    size_t len;
    for (size_t n = below(c, 8); n > 0; n--) {
        if (weft_future_write(future, everything_letters, below(c, LETTERS), (int64_t)below(c, 5),
                              &len) != WEFT_OK)
            break;
    }
    if (below(c, 8) == 0)
        (void)weft_future_add_trailer(future, "x-sum", "42");
    if (below(c, 5) != 0)
        (void)weft_future_finish(future);
}

/* What came is what was asked for. */
static void check_content(struct weft_future *future, const char *path, unsigned flags)
{
    uint64_t expected = strtoull(path + strlen("/bytes/"), NULL, 10);
    if (strncmp(path, "/bytes/", 7) != 0 || weft_future_wait(future, 0) != WEFT_OK)
        return;
    struct weft_body body = weft_future_body(future);
    if (weft_future_body_len(future) != expected || weft_future_status(future) != 200)
        complain("%s: status %d, %llu octets\n", path, weft_future_status(future),
                 (unsigned long long)weft_future_body_len(future));
    if ((flags & (WEFT_STREAM_BODY | WEFT_DISCARD_BODY)) == 0 &&
        (body.len != expected ||
         (body.len > 0 && memcmp(body.data, everything_letters, body.len) != 0)))
        complain("%s: other octets\n", path);
}

/* Whoever waits learns the end, and learns it again. */
static void wait_for(struct caller *c, struct weft_future *future)
{
    enum weft_code code = weft_future_wait(future, WAIT_MS);
    check_code(code, future);
    if (weft_future_wait(future, 0) != code)
        complain("another end\n");
    c->codes[code]++;
}

static struct weft_request *make_request(struct caller *c, enum protocol protocol,
                                         const char **out_path, bool *out_posts)
{
    static const char *const paths[] = {
        "/bytes/10", "/bytes/999",   "/bytes/70000", "/bytes/0",    "/echo",     "/echo",
        "/echo",     "/hang",        "/cut",         "/reset",      "/goaway",   "/bytes/1",
        "/half",     "/trailers",    "/drip/5",      "/refuse",     "/bytes/40", "/status/204",
        "/mirror",   "/early-hints", "/hints-only",  "/bytes/5000", "/deaf",     "/enough"};
    const unsigned ports[PROTOCOLS] = {[H2] = everything_servers.h2_port,
                                       [H1] = everything_servers.h1_port,
                                       [TLS] = everything_servers.tls_port};
    char url[128];
    *out_path = paths[below(c, sizeof(paths) / sizeof(paths[0]))];
    (void)snprintf(url, sizeof(url), "%s://127.0.0.1:%u%s", protocol == TLS ? "https" : "http",
                   ports[protocol], *out_path);
    *out_posts = (*out_path)[1] == 'e' || (*out_path)[1] == 'm' || (*out_path)[1] == 'd';
    return weft_request_new(*out_posts ? "POST" : "GET", url);
}

static struct weft_delivery choose_delivery(struct caller *c, enum kind *out_kind)
{
    static const unsigned flags[] = {0, 0, WEFT_STREAM_BODY, WEFT_STREAM_BODY, WEFT_DISCARD_BODY};
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    *out_kind = (enum kind)below(c, KINDS);
    how.deadline_ms = 20 + (int64_t)below(c, 2000);
    how.flags = flags[below(c, 5)];
    if (below(c, 6) == 0)
        how.flags |= below(c, 2) == 0 ? WEFT_NO_RETRY : WEFT_RETRY_MAYBE;
    struct slot *slot = *out_kind == BY_WAIT ? NULL : calloc(1, sizeof(*slot));
    if (*out_kind == BY_CALLBACK) {
        how.done = done;
        how.user = slot;
    } else if (*out_kind == BY_QUEUE) {
        how.cq = c->cq;
        how.tag = slot;
    }
    return how;
}

/* What a caller does with a future; afterwards its reference is gone or kept. */
static void treat(struct caller *c, struct weft_future *future, enum kind kind, const char *path,
                  unsigned flags)
{
    if ((flags & WEFT_STREAM_UPLOAD) != 0)
        write_some(c, future);
    if (below(c, 8) == 0)
        weft_future_cancel(future);
    if ((flags & WEFT_STREAM_BODY) != 0)
        read_some(c, future);
    if (below(c, 3) == 0) {
        wait_for(c, future);
        check_content(future, path, flags);
        c->waited += kind == BY_WAIT;
    } else if (below(c, 2) == 0) {
        /* Somebody else's turn: it ends later, by whatever comes. */
        struct weft_future **place = &c->open[below(c, OPEN_AT_ONCE)];
        struct weft_future *before = *place;
        *place = future;
        if (before != NULL && below(c, 4) == 0)
            weft_future_cancel(before);
        weft_future_unref(before);
        c->dropped += kind == BY_WAIT;
        return;
    } else {
        c->dropped += kind == BY_WAIT;
    }
    weft_future_unref(future);
}

static void turn(struct caller *c)
{
    const char *path;
    bool posts;
    enum kind kind;
    enum protocol protocol = (enum protocol)below(c, PROTOCOLS);
    struct weft_client *client = clients_take(protocol, below(c, 2) == 0);
    struct weft_request *request = make_request(c, protocol, &path, &posts);
    struct weft_delivery how = choose_delivery(c, &kind);
    if (posts && below(c, 2) == 0)
        how.flags |= WEFT_STREAM_UPLOAD;
    else if (posts)
        (void)weft_request_borrow_body(request, everything_letters, below(c, LETTERS), NULL, NULL);
    struct weft_future *future = weft_submit(client, request, &how);
    weft_request_unref(request);
    weft_client_unref(client);
    must(future != NULL, "weft_submit");
    c->submitted[kind]++;
    treat(c, future, kind, path, how.flags);
    if (below(c, 4) == 0)
        caller_take_events(c);
}

void *caller_run(void *user)
{
    struct caller *c = user;
    while (!everything_is_over)
        turn(c);
    for (size_t i = 0; i < OPEN_AT_ONCE; i++)
        weft_future_unref(c->open[i]);
    return NULL;
}
