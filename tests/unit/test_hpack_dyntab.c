/* The dynamic table against a plain model: order, eviction, octets, growth, failing allocation. */
#include "h2/hpack_dyntab.h"
#include "h2/octets.h"

#include "support/cmocka.h"
#include "support/random.h"

static void add(struct wf_hpack_dyntab *table, const char *name, const char *value)
{
    struct wf_field_line line = {.name_len = (uint32_t)strlen(name),
                                 .value_len = (uint32_t)strlen(value)};
    assert_true(wf_hpack_dyntab_fits(table, strlen(name) + strlen(value)));
    assert_true(wf_hpack_dyntab_reserve(table, strlen(name) + strlen(value)));
    uint8_t *octets = wf_hpack_dyntab_add(table, &line);
    memcpy(octets, name, strlen(name));
    memcpy(octets + strlen(name), value, strlen(value));
}

static void assert_entry(const struct wf_hpack_dyntab *table, uint32_t age, const char *text)
{
    const struct wf_field_line *line = wf_hpack_dyntab_at(table, age);
    assert_true(age < table->count);
    assert_true(wf_slice_is(
        wf_slice(wf_hpack_dyntab_octets(table, line), line->name_len + line->value_len), text));
}

static void test_the_newest_entry_comes_first(void **state)
{
    (void)state;
    struct wf_hpack_dyntab table;
    wf_hpack_dyntab_init(&table, 4096);
    add(&table, "a", "1");
    add(&table, "b", "22");
    assert_int_equal(table.count, 2);
    assert_int_equal(table.size, 2 + 3 + 64);
    assert_entry(&table, 0, "b22");
    assert_entry(&table, 1, "a1");
    wf_hpack_dyntab_fini(&table);
}

static void test_the_oldest_entry_goes_when_room_is_needed(void **state)
{
    (void)state;
    struct wf_hpack_dyntab table;
    wf_hpack_dyntab_init(&table, 68);
    add(&table, "a", "1");
    add(&table, "b", "2");
    assert_int_equal(table.size, 68);
    add(&table, "c", "3");
    assert_int_equal(table.count, 2);
    assert_entry(&table, 0, "c3");
    assert_entry(&table, 1, "b2");
    add(&table, "dddddddddddddddddd", "444444444444444444");
    assert_int_equal(table.count, 1);
    assert_int_equal(table.size, 68);
    wf_hpack_dyntab_fini(&table);
}

static void test_an_entry_fits_up_to_the_size_less_its_overhead(void **state)
{
    (void)state;
    struct wf_hpack_dyntab table;
    wf_hpack_dyntab_init(&table, 40);
    assert_true(wf_hpack_dyntab_fits(&table, 8));
    assert_false(wf_hpack_dyntab_fits(&table, 9));
    wf_hpack_dyntab_resize(&table, 32);
    assert_true(wf_hpack_dyntab_fits(&table, 0));
    assert_false(wf_hpack_dyntab_fits(&table, 1));
    wf_hpack_dyntab_resize(&table, 31);
    assert_false(wf_hpack_dyntab_fits(&table, 0));
    wf_hpack_dyntab_resize(&table, 0);
    assert_false(wf_hpack_dyntab_fits(&table, 0));
    wf_hpack_dyntab_fini(&table);
}

static void test_a_smaller_size_evicts_and_a_larger_one_brings_nothing_back(void **state)
{
    (void)state;
    struct wf_hpack_dyntab table;
    wf_hpack_dyntab_init(&table, 4096);
    for (unsigned i = 0; i < 10; i++)
        add(&table, "name", i == 9 ? "newest" : "older");
    wf_hpack_dyntab_resize(&table, 100);
    assert_int_equal(table.count, 2);
    assert_entry(&table, 0, "namenewest");
    wf_hpack_dyntab_resize(&table, 0);
    assert_int_equal(table.count, 0);
    assert_int_equal(table.size, 0);
    wf_hpack_dyntab_resize(&table, 4096);
    assert_int_equal(table.count, 0);
    add(&table, "x", "y");
    assert_entry(&table, 0, "xy");
    wf_hpack_dyntab_fini(&table);
}

static void test_memory_stays_near_twice_the_size(void **state)
{
    (void)state;
    struct wf_hpack_dyntab table;
    char value[90];
    memset(value, 'v', sizeof(value));
    wf_hpack_dyntab_init(&table, 4096);
    for (unsigned i = 0; i < 10000; i++) {
        value[i % 89] = 0;
        add(&table, "n", value);
        value[i % 89] = 'v';
    }
    assert_true(table.octets_cap <= 8192);
    assert_true(table.ring_cap <= 128);
    wf_hpack_dyntab_fini(&table);
}

/* Positions in the store are 32 bits wide and go round. */
static void test_positions_may_pass_the_end_of_their_range(void **state)
{
    (void)state;
    struct wf_hpack_dyntab table;
    wf_hpack_dyntab_init(&table, 200);
    table.base = table.end = UINT32_MAX - 20;
    table.next = UINT32_MAX - 5;
    for (unsigned i = 0; i < 50; i++) {
        const char value[] = {(char)('0' + i), 'v', 'a', 'l', 'u', 'e', 0};
        const char text[] = {'n', (char)('0' + i), 'v', 'a', 'l', 'u', 'e', 0};
        add(&table, "n", value);
        assert_entry(&table, 0, text);
        if (i >= 4) {
            const char older[] = {'n', (char)('0' + i - 4), 'v', 'a', 'l', 'u', 'e', 0};
            assert_int_equal(table.count, 5);
            assert_entry(&table, 4, older);
        }
    }
    wf_hpack_dyntab_fini(&table);
}

#define MODEL_MAX 4096u

struct model {
    struct {
        uint8_t octets[300];
        uint32_t name_len;
        uint32_t value_len;
    } entries[MODEL_MAX];
    uint32_t first;
    uint32_t end;
    uint32_t size;
};

static void model_evict(struct model *m, uint32_t size)
{
    while (m->size > size) {
        m->size -= m->entries[m->first].name_len + m->entries[m->first].value_len + 32;
        m->first++;
    }
}

static void assert_same(const struct wf_hpack_dyntab *table, const struct model *m)
{
    assert_int_equal(table->count, m->end - m->first);
    assert_int_equal(table->size, m->size);
    for (uint32_t age = 0; age < table->count; age++) {
        const struct wf_field_line *line = wf_hpack_dyntab_at(table, age);
        uint32_t i = m->end - 1 - age;
        assert_int_equal(line->name_len, m->entries[i].name_len);
        assert_int_equal(line->value_len, m->entries[i].value_len);
        assert_memory_equal(wf_hpack_dyntab_octets(table, line), m->entries[i].octets,
                            line->name_len + line->value_len);
    }
}

static void test_random_insertions_and_sizes_agree_with_a_model(void **state)
{
    (void)state;
    struct test_random random = test_random_start("dyntab");
    struct model *m = calloc(1, sizeof(*m));
    struct wf_hpack_dyntab table;
    wf_hpack_dyntab_init(&table, 4096);
    while (m->end < MODEL_MAX) {
        if (test_random_below(&random, 40) == 0) {
            uint32_t size = (uint32_t)test_random_below(&random, 5000);
            wf_hpack_dyntab_resize(&table, size);
            model_evict(m, size);
        }
        uint32_t name_len = (uint32_t)test_random_below(&random, 100);
        uint32_t value_len = (uint32_t)test_random_below(&random, 200);
        if (!wf_hpack_dyntab_fits(&table, name_len + value_len)) {
            wf_hpack_dyntab_clear(&table);
            model_evict(m, 0);
            wf_hpack_dyntab_resize(&table, 4096);
            continue;
        }
        model_evict(m, table.max_size - name_len - value_len - 32);
        for (uint32_t k = 0; k < name_len + value_len; k++)
            m->entries[m->end].octets[k] = (uint8_t)test_random_next(&random);
        m->entries[m->end].name_len = name_len;
        m->entries[m->end].value_len = value_len;
        struct wf_field_line line = {.name_len = name_len, .value_len = value_len};
        assert_true(wf_hpack_dyntab_reserve(&table, name_len + value_len));
        uint8_t *octets = wf_hpack_dyntab_add(&table, &line);
        memcpy(octets, m->entries[m->end++].octets, name_len + value_len);
        m->size += name_len + value_len + 32;
        assert_same(&table, m);
    }
    wf_hpack_dyntab_fini(&table);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_newest_entry_comes_first),
        cmocka_unit_test(test_the_oldest_entry_goes_when_room_is_needed),
        cmocka_unit_test(test_an_entry_fits_up_to_the_size_less_its_overhead),
        cmocka_unit_test(test_a_smaller_size_evicts_and_a_larger_one_brings_nothing_back),
        cmocka_unit_test(test_memory_stays_near_twice_the_size),
        cmocka_unit_test(test_positions_may_pass_the_end_of_their_range),
        cmocka_unit_test(test_random_insertions_and_sizes_agree_with_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
