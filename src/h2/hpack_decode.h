/* HPACK decoder (RFC 7541) of one connection. Thread: owner.
 * Owns its dynamic table and the memory of the section it decoded last. */
#ifndef WF_H2_HPACK_DECODE_H
#define WF_H2_HPACK_DECODE_H

#include "base/alloc.h"
#include "base/field.h"

struct wf_hpack_decoder;
struct wf_hpack_dyntab;

enum wf_hpack_status {
    WF_HPACK_OK,
    WF_HPACK_COMPRESSION_ERROR, /* RFC 7541: the block cannot be decoded; the connection must end */
    WF_HPACK_SECTION_TOO_LARGE, /* a limit was passed; decoded to its end, so the table is in step
                                 */
    WF_HPACK_NO_MEMORY          /* the table may be out of step; the connection must end */
};

/* @max_table_size: SETTINGS_HEADER_TABLE_SIZE as in force before anything is announced (4096), at
 * most WF_HPACK_TABLE_LIMIT (hpack_dyntab.h). @max_section_size: octets as RFC 9113 section 6.5.2
 * counts them. @max_fields: field lines. */
WF_MUST_USE struct wf_hpack_decoder *
wf_hpack_decoder_new(uint32_t max_table_size, uint32_t max_section_size, uint32_t max_fields);
void wf_hpack_decoder_free(struct wf_hpack_decoder *decoder);

/* Our SETTINGS_HEADER_TABLE_SIZE was acknowledged; the limit on @size is the same. RFC 7541 section
 * 4.2: when it is below the size in use, the next block must begin with a size update to at most
 * it, else it is an error. */
void wf_hpack_decoder_set_max_table_size(struct wf_hpack_decoder *decoder, uint32_t size);

/* Decodes one whole field block. @out_section borrows memory of the decoder until the next call.
 * On WF_HPACK_SECTION_TOO_LARGE, and on every error, it is empty. A block that repeats the one
 * before, with no change of the table since, gives the same section with the same serial and costs
 * a comparison. After COMPRESSION_ERROR or NO_MEMORY the decoder must not be used for another
 * block. */
enum wf_hpack_status wf_hpack_decode(struct wf_hpack_decoder *decoder, struct wf_slice block,
                                     struct wf_field_section *out_section);

/* What went wrong in the last call that did not return WF_HPACK_OK, in words; static storage. */
const char *wf_hpack_decoder_reason(const struct wf_hpack_decoder *decoder);

/* The dynamic table, to look at. */
const struct wf_hpack_dyntab *wf_hpack_decoder_table(const struct wf_hpack_decoder *decoder);

#endif
