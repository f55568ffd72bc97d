/* A reader that stops stops its sender and nobody else: a hundred bodies on one connection, all
 * read, and beside one that is not. */
#include "support/fixture.h"
#include "workers/park.h"

#include <stdlib.h>

#define READERS      100u
#define BODY_LEN     500000u
#define STOPPED_LEN  6000000u
#define STOPPED_ROOM (4u << 20)
/* Times are those of a machine that others use, too; a connection that stood still would not come
 * to its end at all. */
#define ROUNDS 4

struct reader {
    struct weft_future *future;
    size_t got;
};

static struct weft_future *get(struct fixture *f, unsigned len)
{
    struct weft_delivery how = WEFT_DELIVERY_INIT;
    char path[32];
    how.flags = WEFT_STREAM_BODY;
    (void)snprintf(path, sizeof(path), "/bytes/%u", len);
    return fixture_submit(f, path, &how);
}

/* Octets that came, or 0: nothing did in @wait_ms. */
static size_t read_some(struct reader *reader, void *buf, size_t cap, int64_t wait_ms)
{
    size_t len;
    enum weft_code code = weft_future_read(reader->future, buf, cap, wait_ms, &len);
    if (code != WEFT_OK && code != WEFT_ERR_TIMEOUT)
        print_error("%s\n", weft_future_error(reader->future)->text);
    assert_true(code == WEFT_OK || code == WEFT_ERR_TIMEOUT);
    reader->got += len;
    return len;
}

/* One read for each that has not all. Returns octets. */
static size_t read_in_turn(struct reader *readers, unsigned count)
{
    static uint8_t buf[65536];
    size_t total = 0;
    for (unsigned i = 0; i < count; i++) {
        if (readers[i].got < BODY_LEN)
            total += read_some(&readers[i], buf, sizeof(buf), 0);
    }
    for (unsigned i = 0; i < count && total == 0; i++) {
        if (readers[i].got < BODY_LEN)
            total += read_some(&readers[i], buf, sizeof(buf), 2);
    }
    return total;
}

/* Until all have all. Returns octets a second of each. */
static double read_all(struct reader *readers, unsigned count)
{
    uint64_t from_ns = wf_now_ns();
    uint64_t last_ns = from_ns; /* when octets came */
    size_t left = (size_t)count * BODY_LEN;
    while (left > 0) {
        size_t len = read_in_turn(readers, count);
        uint64_t now_ns = wf_now_ns();
        assert_true(now_ns - last_ns < TEST_WAIT_MS * UINT64_C(1000000));
        if (len > 0)
            last_ns = now_ns;
        left -= len;
    }
    return BODY_LEN / ((double)(wf_now_ns() - from_ns) / 1e9);
}

/* What waits for the reader that stopped, which is what its window let in, and the rest. */
static void read_stopped(struct reader *reader, const struct weft_config *config)
{
    uint8_t *buf = malloc(STOPPED_ROOM);
    assert_non_null(buf);
    assert_in_range(read_some(reader, buf, STOPPED_ROOM, TEST_WAIT_MS), 1, config->stream_window);
    while (reader->got < STOPPED_LEN)
        assert_true(read_some(reader, buf, STOPPED_ROOM, TEST_WAIT_MS) > 0);
    assert_int_equal(reader->got, STOPPED_LEN);
    free(buf);
}

/* Of 99 bodies, beside one more that is read as they are, or that is not read. */
static double rate_of_99(const struct weft_config *config, bool stops)
{
    struct fixture f = fixture_with(NULL, config);
    struct reader readers[READERS] = {{NULL, 0}};
    for (unsigned i = 0; i < READERS; i++)
        readers[i].future = get(&f, i == 0 && stops ? STOPPED_LEN : BODY_LEN);
    unsigned first = stops ? 1 : 0;
    double rate = read_all(readers + first, READERS - first);
    if (stops)
        read_stopped(&readers[0], config);
    assert_int_equal(loop_server_connections(f.server), 1);
    for (unsigned i = 0; i < READERS; i++)
        weft_future_unref(readers[i].future);
    fixture_free(&f);
    return rate;
}

static void compare_rates(const struct weft_config *config)
{
    double alone = 0;
    double beside = 0;
    for (int i = 0; i < ROUNDS && (i == 0 || beside < alone * 0.8); i++) {
        double rate = rate_of_99(config, false);
        alone = rate > alone ? rate : alone;
        rate = rate_of_99(config, true);
        beside = rate > beside ? rate : beside;
    }
    printf("each of 100: %.2f MB/s; each of 99 beside one that stopped: %.2f MB/s\n", alone / 1e6,
           beside / 1e6);
    assert_true(beside > alone * 0.6);
}

static struct weft_config one_connection(void)
{
    struct weft_config config = WEFT_CONFIG_INIT;
    config.max_connections_per_origin = 1;
    config.deadline_ms = WEFT_FOREVER;
    config.ping_after_ms = WEFT_FOREVER; /* a busy machine may be silent, too */
    return config;
}

static void test_a_reader_that_stops_does_not_slow_99_others(void **state)
{
    (void)state;
    struct weft_config config = one_connection();
    compare_rates(&config);
}

/* Were the connection's credit held back until its octets are read, one reader would hold all. */
static void test_a_reader_that_stops_does_not_hold_the_connections_window(void **state)
{
    (void)state;
    struct weft_config config = one_connection();
    config.connection_window = config.stream_window;
    config.max_connection_window = 0;
    compare_rates(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_reader_that_stops_does_not_slow_99_others),
        cmocka_unit_test(test_a_reader_that_stops_does_not_hold_the_connections_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
