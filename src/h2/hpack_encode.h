/* HPACK encoder (RFC 7541) of one connection. Thread: owner. */
#ifndef WF_H2_HPACK_ENCODE_H
#define WF_H2_HPACK_ENCODE_H

#include "base/alloc.h"
#include "base/buf.h"
#include "base/field.h"

struct wf_hpack_encoder;
struct wf_hpack_dyntab;

/* @table_cap: the most we are willing to use for the dynamic table, in octets, at most
 * WF_HPACK_TABLE_LIMIT (hpack_dyntab.h); the table starts with the smaller of it and 4096, the
 * protocol's initial value. */
WF_MUST_USE struct wf_hpack_encoder *wf_hpack_encoder_new(uint32_t table_cap);
void wf_hpack_encoder_free(struct wf_hpack_encoder *encoder);

/* The peer's SETTINGS_HEADER_TABLE_SIZE. The next block begins with the size updates that RFC 7541
 * section 4.2 asks for (the smallest size since the last block, then the final one). */
void wf_hpack_encoder_set_max_table_size(struct wf_hpack_encoder *encoder, uint32_t size);

/* Appends the field block of @fields to @out. Names must be lower case (the caller checked).
 * @cache_key: 0, or a number that stands for exactly these fields (the id of a frozen request): the
 * block is kept, when it inserted nothing, and copied as long as the dynamic table has not changed.
 * False: out of memory; nothing was appended and the table is as before. */
WF_MUST_USE bool wf_hpack_encode(struct wf_hpack_encoder *encoder, uint64_t cache_key,
                                 const struct wf_field *fields, size_t count, struct wf_buf *out);

/* The dynamic table, to look at. */
const struct wf_hpack_dyntab *wf_hpack_encoder_table(const struct wf_hpack_encoder *encoder);

#endif
