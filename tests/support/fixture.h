/* A client and a loopback server for tests of the public API. */
#ifndef TESTS_SUPPORT_FIXTURE_H
#define TESTS_SUPPORT_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "support/loop_server.h"
#include "weft/weft.h"

#define TEST_WAIT_MS 20000

struct fixture {
    struct loop_server *server;
    struct weft_client *client;
    char url[128];
};

/* NULL: defaults. The loopback server speaks HTTP/2 without being asked which. */
static inline struct fixture fixture_with(const struct loop_server_config *server,
                                          const struct weft_config *config)
{
    struct weft_config ours = WEFT_CONFIG_INIT;
    struct weft_error error;
    struct fixture f = {.server = loop_server_new(server)};
    if (config != NULL)
        ours = *config;
    ours.http2_prior_knowledge = true;
    f.client = weft_client_new(&ours, &error);
    assert_non_null(f.client);
    return f;
}

static inline struct fixture fixture_new(void)
{
    return fixture_with(NULL, NULL);
}

static inline void fixture_free(struct fixture *f)
{
    if (f->client != NULL) {
        assert_int_equal(weft_client_close(f->client, 0), WEFT_OK);
        weft_client_unref(f->client);
    }
    loop_server_free(f->server);
}

static inline const char *fixture_url(struct fixture *f, const char *path)
{
    (void)snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%u%s", loop_server_port(f->server),
                   path);
    return f->url;
}

static inline struct weft_request *fixture_request(struct fixture *f, const char *path)
{
    struct weft_request *request = weft_request_new("GET", fixture_url(f, path));
    assert_non_null(request);
    return request;
}

static inline struct weft_future *fixture_submit(struct fixture *f, const char *path,
                                                 const struct weft_delivery *how)
{
    struct weft_request *request = fixture_request(f, path);
    struct weft_future *future = weft_submit(f->client, request, how);
    assert_non_null(future);
    weft_request_unref(request);
    return future;
}

/* Submits, waits, and checks the three parts of how it ended. */
static inline struct weft_future *fixture_expect(struct fixture *f, const char *path,
                                                 enum weft_code code, enum weft_stage stage,
                                                 enum weft_effect effect)
{
    struct weft_future *future = fixture_submit(f, path, NULL);
    enum weft_code got = weft_future_wait(future, TEST_WAIT_MS);
    if (got != code)
        print_error("%s: %s\n", path,
                    weft_future_error(future) == NULL ? "not done"
                                                      : weft_future_error(future)->text);
    assert_int_equal(got, code);
    const struct weft_error *error = weft_future_error(future);
    assert_int_equal(error->code, code);
    if (code != WEFT_OK) {
        assert_int_equal(error->stage, stage);
        assert_int_equal(error->effect, effect);
        assert_true(strlen(error->text) > 10);
    }
    return future;
}

#endif
