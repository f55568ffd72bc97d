/* A child process and its parent's client. */
#include "support/fixture.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_WAIT_S 30

struct parents {
    struct fixture f;
    struct weft_future *hanging; /* submitted in the parent, never answered */
    struct weft_future *done;
    struct weft_cq *cq;
};

static struct weft_config config_of(void)
{
    struct weft_config config = WEFT_CONFIG_INIT;
    config.http2_prior_knowledge = true;
    return config;
}

static void set_up(struct parents *p)
{
    struct weft_config config = config_of();
    memset(p, 0, sizeof(*p));
    p->f = fixture_with(NULL, &config);
    p->done = fixture_expect(&p->f, "/bytes/10", WEFT_OK, 0, 0);
    p->hanging = fixture_submit(&p->f, "/hang", NULL);
    p->cq = weft_cq_new();
    assert_non_null(p->cq);
    loop_server_await_requests(p->f.server, 2);
}

static void tear_down(struct parents *p)
{
    weft_future_unref(p->hanging);
    weft_future_unref(p->done);
    weft_cq_unref(p->cq);
    fixture_free(&p->f);
}

/* In a child: the number of what went wrong is its exit status; a hang ends in SIGALRM. */
static int in_child(int (*act)(struct parents *), struct parents *p)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)alarm(CHILD_WAIT_S);
        _exit(act(p));
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status))
        fail_msg("the child was ended by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

static void count_call(void *user, struct weft_future *future)
{
    *(int *)user += weft_future_error(future)->code == WEFT_ERR_FORKED ? 1 : 100;
}

static int submit_everything(struct parents *p)
{
    struct weft_future *future = weft_get(p->f.client, p->f.url);
    if (weft_future_wait(future, WEFT_FOREVER) != WEFT_ERR_FORKED)
        return 1;
    if (weft_future_error(future)->effect != WEFT_NOT_SENT || weft_future_body_len(future) != 0 ||
        weft_future_tries(future) != 0)
        return 2;
    weft_future_unref(future);

    struct weft_request *request = weft_request_new("GET", p->f.url);
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    int calls = 0;
    how.done = count_call;
    how.user = &calls;
    how.flags = WEFT_STREAM_BODY;
    weft_future_unref(weft_submit(p->f.client, request, &how));
    if (calls != 1)
        return 3;

    struct weft_event event;
    struct weft_cq *cq = weft_cq_new();
    how = (struct weft_delivery)WEFT_DELIVERY_INIT;
    how.cq = cq;
    future = weft_submit(p->f.client, request, &how);
    if (weft_cq_next(cq, &event, 1, WEFT_FOREVER) != 1 || event.future != future)
        return 4;
    weft_future_unref(future);
    weft_cq_unref(cq);

    how.cq = p->cq;
    weft_future_unref(weft_submit(p->f.client, request, &how));
    weft_request_unref(request);
    return weft_cq_next(p->cq, &event, 1, WEFT_FOREVER) == 0 ? 0 : 5;
}

static void test_a_child_that_submits_is_told(void **state)
{
    (void)state;
    struct parents p;
    set_up(&p);
    assert_int_equal(in_child(submit_everything, &p), 0);
    tear_down(&p);
}

static int wait_and_let_go(struct parents *p)
{
    char octet;
    size_t len;
    if (weft_future_wait(p->hanging, WEFT_FOREVER) != WEFT_ERR_FORKED)
        return 1;
    if (weft_future_wait_response(p->hanging, WEFT_FOREVER) != WEFT_ERR_FORKED)
        return 2;
    if (weft_future_read(p->hanging, &octet, 1, WEFT_FOREVER, &len) == WEFT_OK)
        return 3;
    if (weft_future_wait(p->done, WEFT_FOREVER) != WEFT_OK || weft_future_body(p->done).len != 10)
        return 4;
    weft_future_cancel(p->hanging);
    weft_future_unref(p->hanging);
    weft_future_unref(p->done);
    weft_cq_unref(p->cq);
    struct weft_stats stats = {.size = sizeof(stats)};
    weft_client_stats(p->f.client, &stats);
    if (stats.submitted != 2)
        return 5;
    if (weft_client_close(p->f.client, WEFT_FOREVER) != WEFT_ERR_FORKED)
        return 6;
    if (weft_preconnect(p->f.client, p->f.url) != WEFT_ERR_FORKED)
        return 7;
    weft_client_unref(p->f.client);
    return 0;
}

static void test_a_child_that_waits_or_closes_does_not_hang_nor_harm_its_parent(void **state)
{
    (void)state;
    struct parents p;
    set_up(&p);
    assert_int_equal(in_child(wait_and_let_go, &p), 0);
    assert_false(weft_future_is_done(p.hanging)); /* the child's cancel stayed with the child */
    weft_future_unref(fixture_expect(&p.f, "/bytes/10", WEFT_OK, 0, 0));
    assert_int_equal(loop_server_connections(p.f.server), 1);
    tear_down(&p);
}

static int use_own_client(struct parents *p)
{
    struct weft_config config = config_of();
    struct weft_error error;
    struct weft_client *client = weft_client_new(&config, &error);
    if (client == NULL)
        return 1;
    struct weft_future *future = weft_get(client, fixture_url(&p->f, "/bytes/5"));
    if (weft_future_wait(future, TEST_WAIT_MS) != WEFT_OK)
        return 2;
    if (weft_future_body(future).len != 5)
        return 3;
    weft_future_unref(future);
    if (weft_client_close(client, 0) != WEFT_OK)
        return 4;
    weft_client_unref(client);
    return 0;
}

static void test_a_child_may_make_a_client_of_its_own(void **state)
{
    (void)state;
#ifdef __SANITIZE_THREAD__
    print_message("ThreadSanitizer ends a forked process that starts threads\n");
    skip();
#endif
    struct parents p;
    set_up(&p);
    assert_int_equal(in_child(use_own_client, &p), 0);
    assert_int_equal(loop_server_connections(p.f.server), 2);
    weft_future_unref(fixture_expect(&p.f, "/bytes/10", WEFT_OK, 0, 0));
    tear_down(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_child_that_submits_is_told),
        cmocka_unit_test(test_a_child_that_waits_or_closes_does_not_hang_nor_harm_its_parent),
        cmocka_unit_test(test_a_child_may_make_a_client_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
