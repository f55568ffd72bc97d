/* HPACK encoder. Each field takes the shortest form that its policy allows: an index, or a literal
 * that enters the dynamic table, or one that does not because its value will hardly come again. */
#include "h2/hpack_encode.h"

#include "base/assert.h"
#include "h2/hpack_cache.h"
#include "h2/hpack_guess.h"
#include "h2/hpack_index.h"
#include "h2/hpack_int.h"
#include "h2/hpack_static.h"
#include "h2/huffman.h"
#include "h2/octets.h"

/* RFC 9113 section 6.5.2: SETTINGS_HEADER_TABLE_SIZE before anybody says otherwise. */
#define INITIAL_TABLE_SIZE 4096u
/* A short cookie can be guessed octet by octet from lengths if it is indexed (RFC 7541
 * section 7.1.3). */
#define SHORT_COOKIE 20u
/* What a field line may take beyond its name and value: index or two string lengths. */
#define FIELD_OVERHEAD (3 * WF_HPACK_INT_MAX_LEN)
/* Lengths of so many fields, of 32 bits each, add up in 64 bits. */
#define FIELDS_MAX   (1u << 30)
#define NAME_UNKNOWN UINT32_MAX

/* A name whose values were new this often in a row is taken to change all the time: its fields then
 * enter the table only when one comes twice running, and otherwise once in so many. Measured on the
 * public stories this makes blocks 1.7 percent smaller, and a field that differs in each request no
 * longer drives out the others, nor ends the cache's epoch, each time. */
#define MISSES_TOLERATED 4u
#define MISSES_PER_TRIAL 32u
#define HISTORY_SLOTS    64u

/* What became of the latest fields with a name of this hash. */
struct history {
    uint32_t last_pair; /* hash of the latest name and value that were not in the table */
    uint8_t misses;
};

struct wf_hpack_encoder {
    struct wf_hpack_dyntab table;
    struct wf_hpack_index index;
    struct wf_hpack_cache cache;
    struct history histories[HISTORY_SLOTS];
    struct wf_hpack_guess guesses[WF_HPACK_GUESSES];
    uint64_t epoch; /* changes with each change of the table */
    uint32_t table_cap;
    uint32_t size_wanted;   /* what the next block makes of table.max_size */
    uint32_t size_smallest; /* the smallest of table.max_size and what size_wanted was since */
};

enum policy {
    POLICY_INDEX,     /* enters the table */
    POLICY_LITERAL,   /* its values seldom come again */
    POLICY_SENSITIVE, /* never indexed, by anybody (RFC 7541 section 7.1.3) */
    POLICY_COOKIE     /* as sensitive as it is short */
};

/* By static table index of the name; others enter the table. */
static const uint8_t policies[WF_HPACK_STATIC_COUNT + 1] = {
    [4] = POLICY_LITERAL,    /* :path */
    [21] = POLICY_LITERAL,   /* age */
    [23] = POLICY_SENSITIVE, /* authorization */
    [28] = POLICY_LITERAL,   /* content-length */
    [32] = POLICY_COOKIE,    /* cookie */
    [34] = POLICY_LITERAL,   /* etag */
    [40] = POLICY_LITERAL,   /* if-modified-since */
    [41] = POLICY_LITERAL,   /* if-none-match */
    [46] = POLICY_LITERAL,   /* location */
    [49] = POLICY_SENSITIVE, /* proxy-authorization */
    [55] = POLICY_LITERAL,   /* set-cookie */
};

/* RFC 7541 section 5.2; Huffman code only where it is shorter. */
static inline uint8_t *write_string(uint8_t *o, struct wf_slice s)
{
    /* Where the octets go is known once the length is; guess that coding does not change how long
     * the length itself is, which is true of nearly all. */
    uint8_t *start = wf_hpack_int_write(o, 0, 7, (uint32_t)s.len);
    size_t len = wf_huffman_encode(s, start);
    if (len == 0) {
        if (s.len > 0)
            memcpy(start, s.ptr, s.len);
        return start + s.len;
    }
    uint8_t *real = wf_hpack_int_write(o, 0x80, 7, (uint32_t)len);
    if (WF_UNLIKELY(real != start))
        memmove(real, start, len);
    return real + len;
}

static WF_APART uint8_t *write_name(uint8_t *o, struct wf_slice name)
{
    return write_string(o, name);
}

static bool is_sensitive(const struct wf_field *field, enum policy policy)
{
    return field->never_indexed || policy == POLICY_SENSITIVE ||
           (policy == POLICY_COOKIE && field->value.len < SHORT_COOKIE);
}

static struct history *history_of(struct wf_hpack_encoder *e, uint32_t name_hash)
{
    return &e->histories[name_hash % HISTORY_SLOTS];
}

/* Whether the field, which is not in the table, is likely to come again. */
static bool is_worth_inserting(struct wf_hpack_encoder *e, const struct wf_hpack_key *key)
{
    struct history *h = history_of(e, key->name_hash);
    bool worth = h->misses < MISSES_TOLERATED || h->misses % MISSES_PER_TRIAL == 0 ||
                 h->last_pair == key->pair_hash;
    h->last_pair = key->pair_hash;
    h->misses = h->misses < UINT8_MAX ? (uint8_t)(h->misses + 1u)
                                      : (uint8_t)(UINT8_MAX + 1u - MISSES_PER_TRIAL);
    return worth;
}

static bool prepare_insert(struct wf_hpack_encoder *e, const struct wf_hpack_key *key)
{
    size_t len = key->name.len + key->value.len;
    /* An entry of most of the table would drive out all that is of use. */
    return wf_hpack_dyntab_fits(&e->table, len + e->table.max_size / 4) &&
           wf_hpack_dyntab_reserve(&e->table, len) && wf_hpack_index_reserve(&e->index, &e->table);
}

static void insert(struct wf_hpack_encoder *e, const struct wf_hpack_key *key, unsigned static_name)
{
    struct wf_field_line line = {
        .name_len = (uint32_t)key->name.len,
        .value_len = (uint32_t)key->value.len,
        .static_name = (uint8_t)static_name,
    };
    uint8_t *octets = wf_hpack_dyntab_add(&e->table, &line);
    if (key->name.len > 0)
        memcpy(octets, key->name.ptr, key->name.len);
    if (key->value.len > 0)
        memcpy(octets + key->name.len, key->value.ptr, key->value.len);
    wf_hpack_index_add(&e->index, &e->table, key);
    e->epoch++;
}

static uint32_t name_index_of(const struct wf_hpack_encoder *e, const struct wf_hpack_key *key,
                              unsigned static_name, const struct wf_hpack_guess *guess)
{
    if (static_name != 0)
        return static_name;
    uint32_t age = e->table.next - 1 - guess->number;
    if (!key->name_is_guessed || !wf_hpack_index_is_newest(&e->index, key, guess->number))
        age = wf_hpack_index_find_name(&e->index, &e->table, key);
    return age == WF_HPACK_NOT_FOUND ? 0 : WF_HPACK_STATIC_COUNT + 1 + age;
}

/* The next field at this position is expected to be the one with @index, or to have its name, which
 * is @key's. Of a name that is in no table nothing is known. */
static void set_guess(const struct wf_hpack_encoder *e, struct wf_hpack_guess *guess,
                      const struct wf_hpack_key *key, uint32_t index)
{
    if (index == 0)
        return;
    guess->name_hash = key->name_hash;
    guess->static_index = index <= WF_HPACK_STATIC_COUNT ? index : 0;
    guess->number = e->table.next + WF_HPACK_STATIC_COUNT - index;
}

/* The index of the entry with name and value, or 0. */
static uint32_t pair_index_of(struct wf_hpack_encoder *e, struct wf_hpack_key *key,
                              unsigned static_name, enum policy policy)
{
    if (static_name != 0) {
        unsigned index = wf_hpack_static_find_value(static_name, key->value);
        if (index != 0 || policy == POLICY_LITERAL)
            return index;
    }
    uint64_t value_hash = wf_octets_hash(key->value.ptr, key->value.len);
    key->pair_hash = (uint32_t)(value_hash >> 24) ^ key->name_hash;
    uint32_t age = wf_hpack_index_find_pair(&e->index, &e->table, key);
    if (age == WF_HPACK_NOT_FOUND)
        return 0;
    history_of(e, key->name_hash)->misses = 0;
    return WF_HPACK_STATIC_COUNT + 1 + age;
}

/* A field that is not what its position had the last time. @static_name: of the guess, when the
 * name is the same, or NAME_UNKNOWN. Apart, so that the fields that are repeated have the registers
 * to themselves. */
static WF_APART uint8_t *encode_other(struct wf_hpack_encoder *e, const struct wf_field *field,
                                      unsigned static_name, struct wf_hpack_guess *guess,
                                      uint8_t *o)
{
    struct wf_hpack_key key = {.name = field->name, .value = field->value};
    if (WF_LIKELY(static_name != NAME_UNKNOWN)) {
        key.name_hash = guess->name_hash;
        key.name_is_guessed = true;
    } else {
        uint64_t name_hash = wf_octets_hash(field->name.ptr, field->name.len);
        static_name = wf_hpack_static_find_name(field->name, name_hash);
        key.name_hash = (uint32_t)(name_hash >> 32);
    }
    enum policy policy = policies[static_name];
    bool sensitive = is_sensitive(field, policy);
    if (!sensitive) {
        uint32_t index = pair_index_of(e, &key, static_name, policy);
        if (index != 0) {
            set_guess(e, guess, &key, index);
            return wf_hpack_int_write(o, 0x80, 7, index);
        }
    }
    /* The name's index counts from before the insertion. */
    uint32_t name_index = name_index_of(e, &key, static_name, guess);
    set_guess(e, guess, &key, name_index);
    if (sensitive) {
        o = wf_hpack_int_write(o, 0x10, 4, name_index);
    } else if (policy == POLICY_LITERAL || !is_worth_inserting(e, &key) ||
               !prepare_insert(e, &key)) {
        o = wf_hpack_int_write(o, 0, 4, name_index);
    } else {
        insert(e, &key, static_name);
        set_guess(e, guess, &key, WF_HPACK_STATIC_COUNT + 1);
        o = wf_hpack_int_write(o, 0x40, 6, name_index);
    }
    return write_string(name_index == 0 ? write_name(o, field->name) : o, field->value);
}

/* Whether a field that has the name of the guessed entry goes out as its index. What is in the
 * dynamic table was not sensitive when it came. */
static inline bool is_repeated(const struct wf_field *field, const struct wf_hpack_guessed *was)
{
    return !field->never_indexed && wf_hpack_guessed_has_value(was, field->value) &&
           (was->index > WF_HPACK_STATIC_COUNT ||
            !is_sensitive(field, policies[was->line->static_name]));
}

static inline uint8_t *encode_field(struct wf_hpack_encoder *e, const struct wf_field *field,
                                    struct wf_hpack_guess *guess, uint8_t *o)
{
    struct wf_hpack_guessed was;
    if (WF_UNLIKELY(!wf_hpack_guess_find(guess, &e->table, &was) ||
                    !wf_hpack_guessed_has_name(&was, field->name)))
        return encode_other(e, field, NAME_UNKNOWN, guess, o);
    if (!is_repeated(field, &was))
        return encode_other(e, field, was.line->static_name, guess, o);
    if (was.index > WF_HPACK_STATIC_COUNT)
        history_of(e, guess->name_hash)->misses = 0;
    return wf_hpack_int_write(o, 0x80, 7, was.index);
}

static WF_APART uint8_t *encode_fields(struct wf_hpack_encoder *e, const struct wf_field *fields,
                                       size_t count, uint8_t *o)
{
    struct wf_hpack_guess *guess = e->guesses;
    for (const struct wf_field *end = fields + count; fields < end; fields++) {
        o = encode_field(e, fields, guess++, o);
        if (WF_UNLIKELY(guess == e->guesses + WF_HPACK_GUESSES))
            guess = e->guesses;
    }
    return o;
}

/* RFC 7541 section 4.2. */
static uint8_t *write_size_updates(struct wf_hpack_encoder *e, uint8_t *o)
{
    const uint32_t sizes[2] = {e->size_smallest, e->size_wanted};
    wf_assert(e->size_smallest <= e->table.max_size);
    for (unsigned i = 0; i < 2; i++) {
        if (sizes[i] == e->table.max_size)
            continue;
        o = wf_hpack_int_write(o, 0x20, 5, sizes[i]);
        wf_hpack_dyntab_resize(&e->table, sizes[i]);
        e->epoch++;
    }
    e->size_smallest = e->size_wanted;
    return o;
}

static bool update_is_pending(const struct wf_hpack_encoder *e)
{
    return e->size_smallest != e->table.max_size || e->size_wanted != e->table.max_size;
}

/* The most that the block can take. False: more than memory has. */
static bool most_octets(const struct wf_field *fields, size_t count, size_t *out_len)
{
    uint64_t len = 0;
    uint64_t bits = 0;
    if (count > FIELDS_MAX)
        return false;
    for (const struct wf_field *field = fields, *end = fields + count; field < end; field++) {
        bits |= field->name.len;
        bits |= field->value.len;
        len += field->name.len;
        len += field->value.len;
    }
    len += 2 * WF_HPACK_INT_MAX_LEN + (uint64_t)count * FIELD_OVERHEAD + WF_HUFFMAN_SLACK;
    *out_len = (size_t)len;
    return bits <= UINT32_MAX && len <= SIZE_MAX;
}

bool wf_hpack_encode(struct wf_hpack_encoder *e, uint64_t cache_key, const struct wf_field *fields,
                     size_t count, struct wf_buf *out)
{
    bool resize = update_is_pending(e);
    if (cache_key != 0 && !resize) {
        struct wf_slice cached = wf_hpack_cache_find(&e->cache, cache_key, e->epoch);
        if (cached.len > 0)
            return wf_buf_append(out, cached.ptr, cached.len);
    }
    size_t most;
    if (!most_octets(fields, count, &most) || !wf_buf_reserve(out, most))
        return false;
    uint64_t epoch = e->epoch;
    uint8_t *start = wf_buf_tail(out);
    uint8_t *o = resize ? write_size_updates(e, start) : start;
    o = encode_fields(e, fields, count, o);
    size_t len = (size_t)(o - start);
    wf_buf_commit(out, len);
    if (cache_key != 0 && epoch == e->epoch)
        wf_hpack_cache_keep(&e->cache, cache_key, epoch, wf_slice(start, len));
    return true;
}

void wf_hpack_encoder_set_max_table_size(struct wf_hpack_encoder *e, uint32_t size)
{
    e->size_wanted = size < e->table_cap ? size : e->table_cap;
    if (e->size_wanted < e->size_smallest)
        e->size_smallest = e->size_wanted;
}

struct wf_hpack_encoder *wf_hpack_encoder_new(uint32_t table_cap)
{
    struct wf_hpack_encoder *e = wf_calloc(1, sizeof(*e));
    if (e == NULL)
        return NULL;
    /* Until we say so, the peer takes the table for 4096 octets large. */
    wf_hpack_dyntab_init(&e->table, INITIAL_TABLE_SIZE);
    wf_hpack_index_init(&e->index);
    for (size_t i = 0; i < WF_HPACK_GUESSES; i++)
        e->guesses[i] = WF_HPACK_NO_GUESS;
    e->table_cap = table_cap;
    e->size_wanted = INITIAL_TABLE_SIZE;
    e->size_smallest = INITIAL_TABLE_SIZE;
    wf_hpack_encoder_set_max_table_size(e, INITIAL_TABLE_SIZE);
    return e;
}

void wf_hpack_encoder_free(struct wf_hpack_encoder *e)
{
    if (e == NULL)
        return;
    wf_hpack_dyntab_fini(&e->table);
    wf_hpack_index_fini(&e->index);
    wf_hpack_cache_fini(&e->cache);
    wf_free(e);
}

const struct wf_hpack_dyntab *wf_hpack_encoder_table(const struct wf_hpack_encoder *e)
{
    return &e->table;
}
