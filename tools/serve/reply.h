/* Answers whose field section is the same each time, prepared once: status, date, content-type,
 * content-length. A prepared section has a key of its own, so that the encoder can copy what it
 * encoded before. Thread: owner, the worker's. */
#ifndef SERVE_REPLY_H
#define SERVE_REPLY_H

#include "base/field.h"

#include <stdbool.h>

#define SERVE_REPLIES        64u
#define SERVE_REPLY_FIELDS   6u
#define SERVE_LENGTH_UNKNOWN (-1)
#define SERVE_DATE_LEN       29u /* RFC 9110 section 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT" */

enum serve_type { SERVE_TYPE_NONE, SERVE_TYPE_TEXT, SERVE_TYPE_OCTETS };

/* What an answer says of itself. A plain value. */
struct serve_spec {
    uint16_t status;
    enum serve_type type;
    int64_t length;    /* of the content; SERVE_LENGTH_UNKNOWN: no content-length */
    const char *allow; /* static storage; NULL: no such field */
};

struct serve_reply {
    struct serve_spec spec;
    uint64_t second; /* the date that is in it */
    uint64_t key;    /* unique in its worker; 0: never prepared */
    struct wf_field fields[SERVE_REPLY_FIELDS];
    size_t count;
    char status[4];
    char length[24];
};

struct serve_replies {
    struct serve_reply table[SERVE_REPLIES];
    uint64_t last_key;
    uint64_t second;
    char date[SERVE_DATE_LEN + 1];
};

void serve_replies_init(struct serve_replies *replies, uint64_t second);
/* @second: since 1970. Answers carry its date from now on. */
void serve_replies_set_time(struct serve_replies *replies, uint64_t second);
/* The prepared section; until the next call of any function here. */
const struct serve_reply *serve_replies_get(struct serve_replies *replies,
                                            const struct serve_spec *spec);

#endif
