/* HPACK decoder. Field lines are put together where they stay: a literal is decoded right behind
 * the lines before it, and what is indexed is copied there, name and value in one go. */
#include "h2/hpack_decode.h"

#include "base/assert.h"
#include "h2/field_octets.h"
#include "h2/hpack_dyntab.h"
#include "h2/hpack_int.h"
#include "h2/hpack_static.h"
#include "h2/huffman.h"
#include "h2/octets.h"

#define OCTETS_MIN_CAP 1024u
#define LINES_MIN_CAP  16u
#define REPEAT_MAX     512u

struct wf_hpack_decoder {
    struct wf_hpack_dyntab table;
    uint32_t table_limit;   /* acknowledged SETTINGS_HEADER_TABLE_SIZE */
    uint32_t update_needed; /* the next block begins with a size update to at most this */
    bool update_is_needed;
    uint32_t max_section_size;
    uint32_t max_fields;
    const char *reason;

    /* The section decoded last, or being decoded. */
    struct wf_field_section section;
    struct wf_field_line *lines;
    uint32_t lines_cap;
    uint8_t *octets; /* octets_cap and a slack for the copies that overshoot */
    size_t octets_cap;

    /* The block decoded last, if decoding it again would change nothing; else repeat_len is 0. */
    uint32_t repeat_len;
    uint8_t repeat[REPEAT_MAX];
};

/* One block while it is decoded. */
struct run {
    const uint8_t *p;
    const uint8_t *end;
    size_t size_left; /* of max_section_size, as RFC 9113 section 6.5.2 counts */
    size_t octets_len;
    uint32_t count;
    uint32_t count_max; /* lines that there is memory for, and that are allowed */
    bool changed;       /* the table is not what it was */
    bool too_large;     /* nothing is kept any more */
};

static enum wf_hpack_status fail(struct wf_hpack_decoder *d, const char *reason)
{
    d->reason = reason;
    return WF_HPACK_COMPRESSION_ERROR;
}

static enum wf_hpack_status no_memory(struct wf_hpack_decoder *d)
{
    d->reason = "out of memory";
    return WF_HPACK_NO_MEMORY;
}

static void drop_section(struct run *r)
{
    r->too_large = true;
    r->size_left = 0; /* no other line fits */
    r->count = 0;
    r->octets_len = 0;
}

/* Room for @len octets from @at on. What was there before @at stays. */
static bool grow_octets(struct wf_hpack_decoder *d, size_t at, size_t len)
{
    size_t cap = d->octets_cap == 0 ? OCTETS_MIN_CAP : d->octets_cap;
    while (cap <= at + len)
        cap *= 2;
    uint8_t *octets = wf_alloc(cap + WF_OCTETS_SLACK);
    if (octets == NULL)
        return false;
    if (at > 0)
        memcpy(octets, d->octets, at);
    wf_free(d->octets);
    d->octets = octets;
    d->octets_cap = cap;
    return true;
}

static inline bool reserve_octets(struct wf_hpack_decoder *d, size_t at, size_t len)
{
    /* Below, not at: no memory is no room, for no octets either. */
    return WF_LIKELY(at + len < d->octets_cap) || grow_octets(d, at, len);
}

static bool grow_lines(struct wf_hpack_decoder *d)
{
    uint32_t cap = d->lines_cap == 0 ? LINES_MIN_CAP : d->lines_cap * 2;
    struct wf_field_line *lines = wf_realloc(d->lines, cap * sizeof(*lines));
    if (lines == NULL)
        return false;
    d->lines = lines;
    d->lines_cap = cap;
    return true;
}

static void set_count_max(const struct wf_hpack_decoder *d, struct run *r)
{
    r->count_max = d->lines_cap < d->max_fields ? d->lines_cap : d->max_fields;
}

/* The line that wf_hpack_decode() has no room for as it is. */
WF_SELDOM static enum wf_hpack_status make_room(struct wf_hpack_decoder *d, struct run *r,
                                                size_t size)
{
    if (size > r->size_left || r->count == d->max_fields) {
        drop_section(r);
        return WF_HPACK_OK;
    }
    if (!grow_lines(d))
        return no_memory(d);
    set_count_max(d, r);
    return WF_HPACK_OK;
}

/* Counts a line of @len octets. False: it is not kept, and why is in @out_status. */
static inline bool count_line(struct wf_hpack_decoder *d, struct run *r, size_t len,
                              enum wf_hpack_status *out_status)
{
    size_t size = len + WF_HPACK_ENTRY_OVERHEAD;
    *out_status = WF_HPACK_OK;
    if (WF_UNLIKELY(size > r->size_left || r->count >= r->count_max)) {
        *out_status = make_room(d, r, size);
        if (*out_status != WF_HPACK_OK || r->too_large)
            return false;
    }
    r->size_left -= size;
    return true;
}

/* Adds @line, of @len octets, which was counted; they lie behind the last line's. */
static inline void push_line(struct wf_hpack_decoder *d, struct run *r,
                             const struct wf_field_line *line, size_t len)
{
    struct wf_field_line *to = &d->lines[r->count++];
    *to = *line;
    to->offset = (uint32_t)r->octets_len;
    r->octets_len += len;
}

/* The entry at @index of both tables, and where its octets are. NULL: there is none. */
static inline const struct wf_field_line *find_entry(const struct wf_hpack_decoder *d,
                                                     uint32_t index, const uint8_t **out_octets)
{
    const struct wf_field_line *line;
    if (index <= WF_HPACK_STATIC_COUNT) {
        if (index == 0)
            return NULL;
        line = &wf_hpack_static_lines[index];
        *out_octets = wf_hpack_static_octets + line->offset;
        return line;
    }
    uint32_t age = index - WF_HPACK_STATIC_COUNT - 1;
    if (age >= d->table.count)
        return NULL;
    line = wf_hpack_dyntab_at(&d->table, age);
    *out_octets = wf_hpack_dyntab_octets(&d->table, line);
    return line;
}

/* RFC 7541 section 6.1. */
static inline enum wf_hpack_status decode_indexed(struct wf_hpack_decoder *d, struct run *r)
{
    enum wf_hpack_status status;
    uint32_t index;
    const uint8_t *octets;
    if (!wf_hpack_int_read(&r->p, r->end, 7, &index))
        return fail(d, "index is cut off or too long");
    const struct wf_field_line *line = find_entry(d, index, &octets);
    if (line == NULL)
        return fail(d, "index of no entry");
    size_t len = (size_t)line->name_len + line->value_len;
    if (!count_line(d, r, len, &status))
        return status;
    if (!reserve_octets(d, r->octets_len, len))
        return no_memory(d);
    wf_octets_copy(d->octets + r->octets_len, octets, len);
    push_line(d, r, line, len);
    return WF_HPACK_OK;
}

/* A string literal (RFC 7541 section 5.2) as it is announced. */
struct literal {
    struct wf_slice coded;
    bool huffman;
};

static bool read_literal(struct run *r, struct literal *out)
{
    uint32_t len;
    if (r->p == r->end)
        return false;
    out->huffman = (*r->p & 0x80) != 0;
    if (!wf_hpack_int_read(&r->p, r->end, 7, &len) || len > (size_t)(r->end - r->p))
        return false;
    out->coded = wf_slice(r->p, len);
    r->p += len;
    return true;
}

/* A string where it was decoded to. */
struct string {
    uint32_t len;
    bool valid; /* as a name, or as a value */
    bool fits;  /* false: it is larger than any section or table entry may be; no more is known */
};

static enum wf_hpack_status decode_huffman(struct wf_hpack_decoder *d, struct wf_slice coded,
                                           size_t room, size_t at, bool is_name, struct string *out)
{
    size_t most = wf_huffman_decoded_max(coded.len);
    size_t cap = most < room ? most : room;
    if (!reserve_octets(d, at, cap))
        return no_memory(d);
    uint8_t *octets = d->octets + at;
    size_t len;
    bool value_ok;
    enum wf_huffman_status status = wf_huffman_decode(coded, octets, cap, &len, &value_ok);
    if (WF_UNLIKELY(status != WF_HUFFMAN_OK)) {
        if (status == WF_HUFFMAN_INVALID)
            return fail(d, "Huffman code is not valid");
        out->fits = false;
        return WF_HPACK_OK;
    }
    out->len = (uint32_t)len;
    out->valid =
        is_name ? wf_octets_are_name(octets, len) : value_ok && wf_octets_end_as_value(octets, len);
    return WF_HPACK_OK;
}

/* Decodes @literal to octets[@at]. Whether it fits is mostly known from the announced length,
 * before anything is decoded. */
static inline enum wf_hpack_status decode_string(struct wf_hpack_decoder *d,
                                                 const struct literal *literal, size_t at,
                                                 bool is_name, struct string *out)
{
    size_t len = literal->coded.len;
    size_t room = d->max_section_size > d->table.max_size ? d->max_section_size : d->table.max_size;
    /* Huffman code may be longer than what it stands for. */
    out->fits = len <= room || (literal->huffman && wf_huffman_decoded_min(len) <= room);
    if (WF_UNLIKELY(!out->fits))
        return WF_HPACK_OK;
    if (literal->huffman)
        return decode_huffman(d, literal->coded, room, at, is_name, out);
    if (!reserve_octets(d, at, len))
        return no_memory(d);
    uint8_t *octets = d->octets + at;
    if (len > 0)
        memcpy(octets, literal->coded.ptr, len);
    out->len = (uint32_t)len;
    out->valid = is_name ? wf_octets_are_name(octets, len) : wf_octets_are_value(octets, len);
    return WF_HPACK_OK;
}

static enum wf_hpack_status decode_literal_name(struct wf_hpack_decoder *d, struct run *r,
                                                size_t at, struct wf_field_line *line,
                                                bool *out_fits)
{
    struct literal name;
    struct string string;
    if (!read_literal(r, &name))
        return fail(d, "name is cut off");
    enum wf_hpack_status status = decode_string(d, &name, at, true, &string);
    *out_fits = string.fits;
    if (status != WF_HPACK_OK || !string.fits)
        return status;
    line->name_len = string.len;
    if (!string.valid)
        line->flags |= WF_FIELD_INVALID | WF_FIELD_INVALID_NAME;
    struct wf_slice octets = wf_slice(d->octets + at, string.len);
    line->static_name =
        (uint8_t)wf_hpack_static_find_name(octets, wf_octets_hash(octets.ptr, octets.len));
    return WF_HPACK_OK;
}

/* Puts the name at octets[@at]: by index, or a literal. */
static inline enum wf_hpack_status decode_name(struct wf_hpack_decoder *d, struct run *r,
                                               unsigned prefix, size_t at,
                                               struct wf_field_line *line, bool *out_fits)
{
    uint32_t index;
    if (!wf_hpack_int_read(&r->p, r->end, prefix, &index))
        return fail(d, "name index is cut off or too long");
    if (index == 0)
        return decode_literal_name(d, r, at, line, out_fits);
    const uint8_t *octets;
    const struct wf_field_line *entry = find_entry(d, index, &octets);
    if (entry == NULL)
        return fail(d, "name index of no entry");
    /* Copied at once: the insertion may evict the very entry. */
    if (!reserve_octets(d, at, entry->name_len))
        return no_memory(d);
    wf_octets_copy(d->octets + at, octets, entry->name_len);
    line->name_len = entry->name_len;
    line->static_name = entry->static_name;
    if (WF_UNLIKELY((entry->flags & WF_FIELD_INVALID_NAME) != 0))
        line->flags |= WF_FIELD_INVALID | WF_FIELD_INVALID_NAME;
    return WF_HPACK_OK;
}

static enum wf_hpack_status insert(struct wf_hpack_decoder *d, struct run *r,
                                   const struct wf_field_line *line, size_t len)
{
    r->changed = true;
    if (!wf_hpack_dyntab_fits(&d->table, len)) {
        /* RFC 7541 4.4: not an error; it leaves an empty table. */
        wf_hpack_dyntab_clear(&d->table);
        return WF_HPACK_OK;
    }
    if (!wf_hpack_dyntab_reserve(&d->table, len))
        return no_memory(d);
    wf_octets_copy(wf_hpack_dyntab_add(&d->table, line), d->octets + r->octets_len, len);
    return WF_HPACK_OK;
}

/* RFC 7541 section 6.2: a literal with or without indexing. */
static enum wf_hpack_status decode_literal(struct wf_hpack_decoder *d, struct run *r,
                                           unsigned prefix, bool indexing, uint8_t flags)
{
    struct wf_field_line line = {.flags = flags};
    bool fits = true;
    enum wf_hpack_status status = decode_name(d, r, prefix, r->octets_len, &line, &fits);
    if (status != WF_HPACK_OK)
        return status;
    struct literal value;
    if (!read_literal(r, &value))
        return fail(d, "value is cut off");
    if (WF_LIKELY(fits)) {
        struct string string;
        status = decode_string(d, &value, r->octets_len + line.name_len, false, &string);
        if (status != WF_HPACK_OK)
            return status;
        fits = string.fits;
        if (WF_LIKELY(fits)) {
            line.value_len = string.len;
            line.flags |= string.valid ? 0 : WF_FIELD_INVALID;
        }
    }
    if (WF_UNLIKELY(!fits)) {
        drop_section(r);
        r->changed |= indexing;
        if (indexing)
            wf_hpack_dyntab_clear(&d->table);
        return WF_HPACK_OK;
    }
    size_t len = (size_t)line.name_len + line.value_len;
    if (indexing) {
        status = insert(d, r, &line, len);
        if (status != WF_HPACK_OK)
            return status;
    }
    if (count_line(d, r, len, &status))
        push_line(d, r, &line, len);
    return status;
}

/* RFC 7541 section 4.2: at most two updates, before the first field line only. */
static enum wf_hpack_status decode_size_updates(struct wf_hpack_decoder *d, struct run *r)
{
    for (unsigned count = 0; r->p < r->end && (*r->p & 0xe0) == 0x20; count++) {
        uint32_t size;
        if (count == 2)
            return fail(d, "more than two table size updates");
        if (!wf_hpack_int_read(&r->p, r->end, 5, &size))
            return fail(d, "table size is cut off or too long");
        if (size > d->table_limit)
            return fail(d, "table size is above what was announced");
        if (d->update_is_needed && size > d->update_needed)
            return fail(d, "table size is not below the announced reduction");
        d->update_is_needed = false;
        wf_hpack_dyntab_resize(&d->table, size);
        r->changed = true;
    }
    if (d->update_is_needed)
        return fail(d, "no table size update after it was reduced");
    return WF_HPACK_OK;
}

static enum wf_hpack_status decode_fields(struct wf_hpack_decoder *d, struct run *r)
{
    enum wf_hpack_status status = decode_size_updates(d, r);
    while (status == WF_HPACK_OK && r->p < r->end) {
        unsigned octet = *r->p;
        if (octet & 0x80)
            status = decode_indexed(d, r);
        else if (octet & 0x40)
            status = decode_literal(d, r, 6, true, 0);
        else if (octet & 0x20)
            status = fail(d, "table size update behind a field line");
        else
            status = decode_literal(d, r, 4, false, octet & 0x10 ? WF_FIELD_NEVER_INDEXED : 0);
    }
    if (status == WF_HPACK_OK && r->too_large) {
        d->reason = "field section is larger than allowed";
        return WF_HPACK_SECTION_TOO_LARGE;
    }
    return status;
}

enum wf_hpack_status wf_hpack_decode(struct wf_hpack_decoder *d, struct wf_slice block,
                                     struct wf_field_section *out_section)
{
    if (block.len == d->repeat_len && block.len > 0 &&
        memcmp(block.ptr, d->repeat, block.len) == 0) {
        *out_section = d->section;
        return WF_HPACK_OK;
    }
    struct run r = {.p = block.ptr,
                    .end = wf_octets_at(block.ptr, block.len),
                    .size_left = d->max_section_size};
    set_count_max(d, &r);
    d->repeat_len = 0;
    enum wf_hpack_status status = decode_fields(d, &r);
    d->section.serial++;
    if (status != WF_HPACK_OK) {
        *out_section = (struct wf_field_section){.serial = d->section.serial};
        return status;
    }
    d->section.lines = d->lines;
    d->section.octets = d->octets;
    d->section.count = r.count;
    d->section.octets_len = (uint32_t)r.octets_len;
    d->section.size = d->max_section_size - (uint32_t)r.size_left;
    if (!r.changed && block.len > 0 && block.len <= REPEAT_MAX) {
        memcpy(d->repeat, block.ptr, block.len);
        d->repeat_len = (uint32_t)block.len;
    }
    *out_section = d->section;
    return WF_HPACK_OK;
}

void wf_hpack_decoder_set_max_table_size(struct wf_hpack_decoder *d, uint32_t size)
{
    wf_assert(size <= WF_HPACK_TABLE_LIMIT);
    d->table_limit = size;
    if (size < d->table.max_size && (!d->update_is_needed || size < d->update_needed)) {
        d->update_is_needed = true;
        d->update_needed = size;
        d->repeat_len = 0;
    }
}

struct wf_hpack_decoder *wf_hpack_decoder_new(uint32_t max_table_size, uint32_t max_section_size,
                                              uint32_t max_fields)
{
    struct wf_hpack_decoder *d = wf_calloc(1, sizeof(*d));
    if (d == NULL)
        return NULL;
    wf_hpack_dyntab_init(&d->table, max_table_size);
    d->table_limit = max_table_size;
    d->max_section_size = max_section_size;
    d->max_fields = max_fields;
    d->reason = "";
    return d;
}

void wf_hpack_decoder_free(struct wf_hpack_decoder *d)
{
    if (d == NULL)
        return;
    wf_hpack_dyntab_fini(&d->table);
    wf_free(d->lines);
    wf_free(d->octets);
    wf_free(d);
}

const char *wf_hpack_decoder_reason(const struct wf_hpack_decoder *d)
{
    return d->reason;
}

const struct wf_hpack_dyntab *wf_hpack_decoder_table(const struct wf_hpack_decoder *d)
{
    return &d->table;
}
