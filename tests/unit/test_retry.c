/* What is tried again and what is not, against a server that does with the n-th request what the
 * n-th letter of its plan says. The first is always answered, so that no stream is early. */
#include "support/fixture.h"
#include "support/raw_server.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>

#define HEADERS     1
#define RST_STREAM  3
#define GOAWAY      7
#define END_STREAM  1
#define END_HEADERS 4

/* A answer   R refuse   I reset, INTERNAL_ERROR   P reset, PROTOCOL_ERROR   C cut the connection
 * G GOAWAY that leaves it out, then the end   H begin a response, then cut   E 103, then cut
 * S say nothing. The last letter is for all that follow. */
struct play {
    const char *plan;
    atomic_uint asked;
};

struct scene {
    struct play play;
    struct raw_server server;
    struct weft_client *client;
};

static void reset(int fd, uint32_t id, uint8_t code)
{
    const uint8_t payload[4] = {0, 0, 0, code};
    (void)raw_send_frame(fd, RST_STREAM, 0, id, payload, sizeof(payload));
}

/* False: the connection is to end. */
static bool treat(int fd, uint32_t id, char how)
{
    uint8_t goaway[8] = {0, 0, (uint8_t)((id - 2) >> 8), (uint8_t)(id - 2)};
    switch (how) {
    case 'A':
        return raw_send_frame(fd, HEADERS, END_HEADERS | END_STREAM, id, "\x88", 1);
    case 'R':
        reset(fd, id, 7);
        return true;
    case 'I':
        reset(fd, id, 2);
        return true;
    case 'P':
        reset(fd, id, 1);
        return true;
    case 'G':
        if (id == 1)
            goaway[2] = goaway[3] = 0;
        (void)raw_send_frame(fd, GOAWAY, 0, 0, goaway, sizeof(goaway));
        return false;
    case 'H':
        (void)raw_send_frame(fd, HEADERS, END_HEADERS, id, "\x88", 1);
        return false;
    case 'E':
        (void)raw_send_frame(fd, HEADERS, END_HEADERS, id,
                             "\x08\x03"
                             "103",
                             5);
        return false;
    case 'S':
        return true;
    default:
        return false;
    }
}

static void play(struct raw_server *server, int fd, unsigned round)
{
    struct play *play = server->user;
    (void)round;
    bool first = true;
    (void)raw_send_settings(fd);
    for (;;) {
        uint32_t id = raw_await_frame(fd, first, HEADERS);
        if (id == UINT32_MAX)
            return;
        first = false;
        unsigned n = play->asked++;
        size_t last = strlen(play->plan) - 1;
        if (!treat(fd, id, play->plan[n < last ? n : last]))
            return;
    }
}

static struct weft_future *ask(struct scene *scene, const char *method,
                               const struct weft_delivery *how)
{
    char url[64];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", scene->server.port);
    struct weft_request *request = weft_request_new(method, url);
    struct weft_future *future = weft_submit(scene->client, request, how);
    assert_non_null(future);
    weft_request_unref(request);
    return future;
}

/* A client with a connection to a server that will go on with @plan. */
static void begin(struct scene *scene, const char *plan, const struct weft_config *config)
{
    scene->play.plan = plan;
    atomic_init(&scene->play.asked, 0);
    raw_server_start(&scene->server, play, &scene->play);
    struct weft_config ours = WEFT_CONFIG_INIT;
    if (config != NULL)
        ours = *config;
    ours.http2_prior_knowledge = true;
    scene->client = weft_client_new(&ours, NULL);
    assert_non_null(scene->client);
    struct weft_future *future = ask(scene, "GET", NULL);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    assert_int_equal(weft_future_tries(future), 1);
    weft_future_unref(future);
}

static void end(struct scene *scene)
{
    assert_int_equal(weft_client_close(scene->client, 0), WEFT_OK);
    weft_client_unref(scene->client);
    raw_server_stop(&scene->server);
}

struct rule {
    const char *plan;
    const char *method;
    unsigned flags;
    enum weft_code code;
    enum weft_effect effect; /* of a failure */
    unsigned tries;
};

static void follow(const struct rule *rule, const struct weft_config *config)
{
    struct scene scene;
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = rule->flags;
    begin(&scene, rule->plan, config);
    struct weft_future *future = ask(&scene, rule->method, &how);
    enum weft_code code = weft_future_wait(future, TEST_WAIT_MS);
    const struct weft_error *error = weft_future_error(future);
    if (code != rule->code || weft_future_tries(future) != rule->tries ||
        (code != WEFT_OK && error->effect != rule->effect))
        fail_msg("plan %s, %s: %s, %s, after %u tries: %s", rule->plan, rule->method,
                 weft_code_name(code), weft_effect_name(error->effect), weft_future_tries(future),
                 error->text);
    char tries[32];
    (void)snprintf(tries, sizeof(tries), "of %u tries", rule->tries);
    if (code != WEFT_OK)
        assert_true((strstr(error->text, tries) != NULL) == (rule->tries > 1));
    /* The server saw what the client says it did. */
    assert_int_equal(scene.play.asked, 1 + rule->tries);
    weft_future_unref(future);
    end(&scene);
}

static void test_each_end_of_a_try_has_its_rule(void **state)
{
    (void)state;
    static const struct rule rules[] = {
        /* Not processed: whatever the method. */
        {"ARA", "POST", 0, WEFT_OK, 0, 2},
        {"AGA", "POST", 0, WEFT_OK, 0, 2},
        {"ARRR", "POST", 0, WEFT_ERR_REFUSED, WEFT_NOT_PROCESSED, 3},
        /* Maybe processed: idempotent methods, or by leave. */
        {"ACA", "GET", 0, WEFT_OK, 0, 2},
        {"AIA", "PUT", 0, WEFT_OK, 0, 2},
        {"ACA", "POST", 0, WEFT_ERR_CONNECTION_LOST, WEFT_MAYBE_PROCESSED, 1},
        {"AIA", "POST", 0, WEFT_ERR_RESET, WEFT_MAYBE_PROCESSED, 1},
        {"ACA", "POST", WEFT_RETRY_MAYBE, WEFT_OK, 0, 2},
        {"ACCC", "GET", 0, WEFT_ERR_CONNECTION_LOST, WEFT_MAYBE_PROCESSED, 3},
        /* What will not pass. */
        {"APA", "GET", 0, WEFT_ERR_RESET, WEFT_MAYBE_PROCESSED, 1},
        /* Something was handed out. */
        {"AHA", "GET", 0, WEFT_ERR_CONNECTION_LOST, WEFT_PROCESSED, 1},
        {"AEA", "GET", 0, WEFT_ERR_CONNECTION_LOST, WEFT_MAYBE_PROCESSED, 1},
        /* By the caller's wish. */
        {"ARA", "GET", WEFT_NO_RETRY, WEFT_ERR_REFUSED, WEFT_NOT_PROCESSED, 1},
        {"ACA", "GET", WEFT_NO_RETRY, WEFT_ERR_CONNECTION_LOST, WEFT_MAYBE_PROCESSED, 1},
        /* The answer speaks for all tries. */
        {"ACGG", "GET", 0, WEFT_ERR_GOAWAY, WEFT_MAYBE_PROCESSED, 3},
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        follow(&rules[i], NULL);
}

static void test_one_try_is_all_when_the_configuration_says_so(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.max_tries = 1;
    static const struct rule rules[] = {
        {"ARA", "GET", 0, WEFT_ERR_REFUSED, WEFT_NOT_PROCESSED, 1},
        {"AGA", "GET", 0, WEFT_ERR_GOAWAY, WEFT_NOT_PROCESSED, 1},
        {"ACA", "GET", 0, WEFT_ERR_CONNECTION_LOST, WEFT_MAYBE_PROCESSED, 1},
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        follow(&rules[i], &config);
}

static void test_a_goaway_of_a_server_that_serves_costs_no_try(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.max_tries = 2;
    struct scene scene;
    begin(&scene, "AGAGAGA", &config);
    for (int i = 0; i < 3; i++) {
        struct weft_future *future = ask(&scene, "POST", NULL);
        assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
        assert_int_equal(weft_future_tries(future), 2);
        weft_future_unref(future);
    }
    end(&scene);
}

static uint64_t stat_of(struct weft_client *client, size_t offset)
{
    struct weft_stats stats = {.size = sizeof(stats)};
    weft_client_stats(client, &stats);
    return *(uint64_t *)(void *)((char *)&stats + offset);
}

static void test_the_budget_ends_what_may_have_been_processed(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.retry_budget_percent = 0;
    config.retry_budget_min = 1;
    struct scene scene;
    begin(&scene, "ACCA", &config);
    struct weft_future *future = ask(&scene, "GET", NULL);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_CONNECTION_LOST);
    assert_int_equal(weft_future_tries(future), 2); /* a second's worth is one */
    weft_future_unref(future);
    assert_int_equal(stat_of(scene.client, offsetof(struct weft_stats, retries)), 1);
    assert_int_equal(stat_of(scene.client, offsetof(struct weft_stats, retries_denied)), 1);
    end(&scene);

    config.retry_budget_min = 0;
    begin(&scene, "ACGA", &config);
    future = ask(&scene, "GET", NULL);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_CONNECTION_LOST);
    assert_int_equal(weft_future_tries(future), 1);
    assert_non_null(strstr(weft_future_error(future)->text, "budget"));
    weft_future_unref(future);
    /* What was not processed is free. */
    future = ask(&scene, "GET", NULL);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
    assert_int_equal(weft_future_tries(future), 2);
    weft_future_unref(future);
    assert_int_equal(stat_of(scene.client, offsetof(struct weft_stats, retries_denied)), 1);
    end(&scene);
}

static void await_backoff(struct weft_client *client)
{
    for (int i = 0; i < TEST_WAIT_MS && stat_of(client, offsetof(struct weft_stats, retries)) == 0;
         i++)
        (void)poll(NULL, 0, 1);
    assert_int_equal(stat_of(client, offsetof(struct weft_stats, requests_queued)), 1);
}

static void test_what_backs_off_can_be_cancelled_and_closed(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.retry_backoff_ms = 1000;
    struct scene scene;
    begin(&scene, "ACA", &config);
    struct weft_future *future = ask(&scene, "GET", NULL);
    await_backoff(scene.client);
    weft_future_cancel(future);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_CANCELLED);
    assert_int_equal(weft_future_error(future)->stage, WEFT_STAGE_QUEUE);
    assert_int_equal(weft_future_error(future)->effect, WEFT_MAYBE_PROCESSED);
    assert_int_equal(stat_of(scene.client, offsetof(struct weft_stats, requests_queued)), 0);
    weft_future_unref(future);
    end(&scene);

    begin(&scene, "ACA", &config);
    future = ask(&scene, "GET", NULL);
    await_backoff(scene.client);
    end(&scene);
    assert_int_equal(weft_future_error(future)->code, WEFT_ERR_CLOSED);
    assert_int_equal(weft_future_error(future)->effect, WEFT_MAYBE_PROCESSED);
    weft_future_unref(future);
}

static void test_a_deadline_nearer_than_the_backoff_ends_at_once(void **state)
{
    (void)state;
    struct weft_config config = WEFT_CONFIG_INIT;
    config.retry_backoff_ms = 1000;
    struct scene scene;
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.deadline_ms = 450; /* the backoff is 500 at least */
    begin(&scene, "ACA", &config);
    struct weft_future *future = ask(&scene, "GET", &how);
    enum weft_code code = weft_future_wait(future, TEST_WAIT_MS);
    /* On a machine that is slow the deadline itself may come first. */
    assert_true(code == WEFT_ERR_CONNECTION_LOST || code == WEFT_ERR_DEADLINE);
    assert_int_equal(weft_future_tries(future), 1);
    weft_future_unref(future);
    end(&scene);
}

static void test_where_there_is_no_server_the_end_comes_soon(void **state)
{
    (void)state;
    struct raw_server none;
    raw_server_start(&none, play, NULL);
    raw_server_stop(&none);
    struct scene scene = {.server.port = none.port};
    scene.client = weft_client_new(NULL, NULL);
    struct weft_future *future = ask(&scene, "GET", NULL);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_CONNECT_REFUSED);
    assert_int_equal(weft_future_tries(future), 0);
    assert_int_equal(stat_of(scene.client, offsetof(struct weft_stats, connections_failed)), 3);
    weft_future_unref(future);
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.flags = WEFT_NO_RETRY;
    future = ask(&scene, "GET", &how);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_CONNECT_REFUSED);
    assert_int_equal(stat_of(scene.client, offsetof(struct weft_stats, connections_failed)), 4);
    weft_future_unref(future);
    assert_int_equal(weft_client_close(scene.client, 0), WEFT_OK);
    weft_client_unref(scene.client);
}

static void test_a_server_that_served_is_waited_for(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, "AC", NULL);
    uint16_t port = scene.server.port;
    /* Its last connection is cut with the request, and nobody listens any more. */
    (void)shutdown(scene.server.listen_fd, SHUT_RDWR);
    struct weft_future *sent = ask(&scene, "GET", NULL);
    while (stat_of(scene.client, offsetof(struct weft_stats, connections_failed)) < 5)
        (void)poll(NULL, 0, 1);
    struct weft_future *queued = ask(&scene, "POST", NULL);
    raw_server_stop(&scene.server);
    assert_int_equal(weft_future_wait(sent, 0), WEFT_ERR_TIMEOUT);
    scene.play.plan = "A";
    raw_server_start_at(&scene.server, "127.0.0.1", port, play, &scene.play);
    assert_int_equal(weft_future_wait(sent, TEST_WAIT_MS), WEFT_OK);
    assert_int_equal(weft_future_wait(queued, TEST_WAIT_MS), WEFT_OK);
    assert_int_equal(weft_future_tries(sent), 2);
    assert_int_equal(weft_future_tries(queued), 1);
    weft_future_unref(sent);
    weft_future_unref(queued);
    end(&scene);
}

static void test_waiting_for_a_server_ends_with_the_deadline_or_the_patience(void **state)
{
    (void)state;
    struct scene scene;
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    how.deadline_ms = 200;
    begin(&scene, "AC", NULL);
    (void)shutdown(scene.server.listen_fd, SHUT_RDWR);
    struct weft_future *future = ask(&scene, "GET", &how);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_DEADLINE);
    assert_int_equal(weft_future_error(future)->stage, WEFT_STAGE_CONNECT);
    assert_int_equal(weft_future_error(future)->effect, WEFT_MAYBE_PROCESSED);
    assert_non_null(strstr(weft_future_error(future)->text, "refused"));
    weft_future_unref(future);
    end(&scene);

    struct weft_config config = WEFT_CONFIG_INIT;
    config.connect_retry_ms = 100;
    begin(&scene, "AC", &config);
    (void)shutdown(scene.server.listen_fd, SHUT_RDWR);
    future = ask(&scene, "GET", NULL);
    assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_ERR_CONNECT_REFUSED);
    weft_future_unref(future);
    end(&scene);
}

static atomic_uint silent_taken;

/* Whoever is connected to first falls silent, and the other answers. */
static void first_is_silent(struct raw_server *server, int fd, unsigned round)
{
    if (silent_taken++ == 0) {
        (void)raw_send_settings(fd);
        raw_drain(fd);
        return;
    }
    play(server, fd, round);
}

static void test_a_healthy_address_takes_over_from_a_silent_one(void **state)
{
    (void)state;
    struct scene scene = {.play = {.plan = "A"}};
    struct raw_server other;
    silent_taken = 0;
    raw_server_start(&scene.server, first_is_silent, &scene.play);
    raw_server_start_at(&other, "::1", scene.server.port, first_is_silent, &scene.play);
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = true;
    config.ping_after_ms = 50;
    config.ping_timeout_ms = 100;
    scene.client = weft_client_new(&config, NULL);
    for (int i = 0; i < 3; i++) {
        char url[64];
        (void)snprintf(url, sizeof(url), "http://localhost:%u/", scene.server.port);
        struct weft_future *future = weft_get(scene.client, url);
        assert_int_equal(weft_future_wait(future, TEST_WAIT_MS), WEFT_OK);
        assert_int_equal(weft_future_tries(future), i == 0 ? 2 : 1);
        weft_future_unref(future);
    }
    assert_int_equal(scene.server.connections, 1);
    assert_int_equal(other.connections, 1);
    end(&scene);
    raw_server_stop(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_end_of_a_try_has_its_rule),
        cmocka_unit_test(test_one_try_is_all_when_the_configuration_says_so),
        cmocka_unit_test(test_a_goaway_of_a_server_that_serves_costs_no_try),
        cmocka_unit_test(test_the_budget_ends_what_may_have_been_processed),
        cmocka_unit_test(test_what_backs_off_can_be_cancelled_and_closed),
        cmocka_unit_test(test_a_deadline_nearer_than_the_backoff_ends_at_once),
        cmocka_unit_test(test_where_there_is_no_server_the_end_comes_soon),
        cmocka_unit_test(test_a_server_that_served_is_waited_for),
        cmocka_unit_test(test_waiting_for_a_server_ends_with_the_deadline_or_the_patience),
        cmocka_unit_test(test_a_healthy_address_takes_over_from_a_silent_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
