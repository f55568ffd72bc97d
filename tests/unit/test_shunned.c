#include "io_thread/shunned.h"

#include "support/cmocka.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static struct wf_address address_of(unsigned last_octet)
{
    struct wf_address address = {.len = sizeof(struct sockaddr_in)};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(443)};
    in.sin_addr.s_addr = htonl(0x7f000000u + last_octet);
    memcpy(&address.storage, &in, sizeof(in));
    return address;
}

/* The last octets of the addresses in the order in which they would be dialled. */
static const char *order_at(const struct wf_shunned *shunned, uint64_t now_ms)
{
    static char order[8];
    struct wf_address in[3] = {address_of(1), address_of(2), address_of(3)};
    struct wf_address out[WF_ADDRESSES_MAX];
    size_t count = wf_shunned_last(shunned, in, 3, now_ms, out);
    for (size_t i = 0; i < count; i++) {
        const struct sockaddr_in *one = (const struct sockaddr_in *)&out[i].storage;
        order[i] = (char)('0' + (ntohl(one->sin_addr.s_addr) & 0xff));
    }
    order[count] = '\0';
    return order;
}

static void test_a_shunned_address_goes_last_for_a_while(void **state)
{
    (void)state;
    struct wf_shunned shunned = {0};
    struct wf_address first = address_of(1);
    assert_string_equal(order_at(&shunned, 100), "123");
    wf_shun(&shunned, &first, 100);
    assert_string_equal(order_at(&shunned, 100), "231");
    assert_string_equal(order_at(&shunned, 99 + WF_SHUN_MS), "231");
    assert_string_equal(order_at(&shunned, 100 + WF_SHUN_MS), "123");
}

static void test_all_shunned_keep_their_order(void **state)
{
    (void)state;
    struct wf_shunned shunned = {0};
    for (unsigned i = 3; i > 0; i--) {
        struct wf_address address = address_of(i);
        wf_shun(&shunned, &address, 0);
    }
    assert_string_equal(order_at(&shunned, 1), "123");
}

static void test_the_oldest_is_forgotten_for_the_next(void **state)
{
    (void)state;
    struct wf_shunned shunned = {0};
    struct wf_address none = {0};
    wf_shun(&shunned, &none, 0);
    for (unsigned i = 0; i < WF_SHUNNED_MAX; i++) {
        struct wf_address address = address_of(i + 1);
        wf_shun(&shunned, &address, 0);
    }
    assert_string_equal(order_at(&shunned, 1), "123");
    struct wf_address again = address_of(2); /* has its place already */
    wf_shun(&shunned, &again, 1);
    struct wf_address more = address_of(200);
    wf_shun(&shunned, &more, 1);
    /* All three are still among the last but the one that made room. */
    assert_string_equal(order_at(&shunned, 2), "123");
    wf_shun(&shunned, &more, 2);
    struct wf_address another = address_of(201);
    wf_shun(&shunned, &another, 2);
    assert_string_equal(order_at(&shunned, 3), "123");
    assert_int_equal(shunned.next, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_shunned_address_goes_last_for_a_while),
        cmocka_unit_test(test_all_shunned_keep_their_order),
        cmocka_unit_test(test_the_oldest_is_forgotten_for_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
