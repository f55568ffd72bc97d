/* The public HPACK test data: what every other encoder wrote decodes to the last header, and what
 * ours writes decodes back. Skipped aloud where the data is not there; the environment's
 * WEFT_TEST_DATA says where else it is. */
#include "h2/hpack_decode.h"
#include "h2/hpack_encode.h"
#include "support/hpack_story.h"

#include "support/cmocka.h"

#include <dirent.h>

static const char *stories_folder(void)
{
    static char folder[1024];
    const char *data = getenv("WEFT_TEST_DATA");
    snprintf(folder, sizeof(folder), "%s/hpack-test-case", data != NULL ? data : WEFT_TEST_DATA);
    return folder;
}

static void assert_same_fields(const struct wf_field_section *section, const struct hpack_case *c)
{
    assert_int_equal(section->count, c->count);
    for (uint32_t i = 0; i < section->count; i++) {
        assert_true(wf_slice_equal(wf_section_name(section, i), c->fields[i].name));
        assert_true(wf_slice_equal(wf_section_value(section, i), c->fields[i].value));
    }
}

static uint32_t largest_table(const struct hpack_story *story)
{
    uint32_t size = 4096;
    for (size_t i = 0; i < story->count; i++) {
        if (story->cases[i].has_table_size && story->cases[i].table_size > size)
            size = story->cases[i].table_size;
    }
    return size;
}

static size_t decode_story(const struct hpack_story *story)
{
    struct wf_hpack_decoder *decoder = wf_hpack_decoder_new(4096, 1 << 20, 1000);
    size_t fields = 0;
    assert_non_null(decoder);
    for (size_t i = 0; i < story->count; i++) {
        const struct hpack_case *c = &story->cases[i];
        struct wf_field_section section;
        if (c->has_table_size)
            wf_hpack_decoder_set_max_table_size(decoder, c->table_size);
        enum wf_hpack_status status = wf_hpack_decode(decoder, c->wire, &section);
        if (status != WF_HPACK_OK)
            print_error("case %zu: %s\n", i, wf_hpack_decoder_reason(decoder));
        assert_int_equal(status, WF_HPACK_OK);
        assert_same_fields(&section, c);
        fields += section.count;
    }
    wf_hpack_decoder_free(decoder);
    return fields;
}

/* Encodes with the size changes of the story, and decodes. Each block twice: the second time from
 * the cache where it was kept. */
static size_t round_trip_story(const struct hpack_story *story)
{
    struct wf_hpack_decoder *decoder = wf_hpack_decoder_new(4096, 1 << 20, 1000);
    struct wf_hpack_encoder *encoder = wf_hpack_encoder_new(largest_table(story));
    struct wf_buf out;
    size_t fields = 0;
    assert_non_null(decoder);
    assert_non_null(encoder);
    wf_buf_init(&out);
    for (size_t i = 0; i < 2 * story->count; i++) {
        const struct hpack_case *c = &story->cases[i / 2];
        struct wf_field_section section;
        if (c->has_table_size && i % 2 == 0) {
            wf_hpack_encoder_set_max_table_size(encoder, c->table_size);
            wf_hpack_decoder_set_max_table_size(decoder, c->table_size);
        }
        assert_true(wf_hpack_encode(encoder, i / 2 + 1, c->fields, c->count, &out));
        assert_int_equal(wf_hpack_decode(decoder, wf_buf_slice(&out), &section), WF_HPACK_OK);
        assert_same_fields(&section, c);
        fields += section.count;
        wf_buf_consume(&out, wf_buf_len(&out));
    }
    wf_buf_fini(&out);
    wf_hpack_decoder_free(decoder);
    wf_hpack_encoder_free(encoder);
    return fields;
}

/* Calls @visit for each story of @folder and prints what it counted. */
static size_t visit_folder(const char *folder, size_t (*visit)(const struct hpack_story *))
{
    size_t stories = 0;
    size_t fields = 0;
    for (unsigned i = 0; i < 100; i++) {
        char path[2048];
        struct hpack_story story;
        snprintf(path, sizeof(path), "%s/%s/story_%02u.json", stories_folder(), folder, i);
        if (!hpack_story_load(&story, path))
            continue;
        fields += visit(&story);
        stories++;
        hpack_story_free(&story);
    }
    if (stories > 0)
        print_message("%s: %zu stories, %zu header fields\n", folder, stories, fields);
    return stories;
}

static void test_every_encoders_stories_decode_to_the_last_header(void **state)
{
    (void)state;
    DIR *dir = opendir(stories_folder());
    size_t stories = 0;
    if (dir == NULL) {
        print_message("skipped: no folder %s\n", stories_folder());
        skip();
    }
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        /* Raw data has no encoded form. */
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "raw-data") != 0)
            stories += visit_folder(entry->d_name, decode_story);
    }
    closedir(dir);
    assert_true(stories > 0);
}

static void test_what_we_encode_decodes_to_the_last_header(void **state)
{
    (void)state;
    if (visit_folder("raw-data", round_trip_story) == 0) {
        print_message("skipped: no stories in %s\n", stories_folder());
        skip();
    }
    assert_true(visit_folder("nghttp2-change-table-size", round_trip_story) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_encoders_stories_decode_to_the_last_header),
        cmocka_unit_test(test_what_we_encode_decodes_to_the_last_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
