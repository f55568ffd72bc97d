/* Making error values. Thread: any. */
#ifndef WF_MESSAGE_ERROR_H
#define WF_MESSAGE_ERROR_H

#include "weft/error.h"

/* Fills all of @error: the numbers of other layers (h2_code, sys_errno, tls_code) become 0, to be
 * set afterwards. The text is cut where it does not fit, ending in "..." then; octets that are not
 * printable ASCII become '?', so that it is one line whatever a peer has put into it. */
void wf_error_set(struct weft_error *error, enum weft_code code, enum weft_stage stage,
                  enum weft_effect effect, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* The general sentence for @code, for use where no memory is left for a better one. The stage is
 * where the code usually arises; the effect is what the code alone proves. Static storage; a number
 * that is no code gives that of WEFT_ERR_INTERNAL. */
const struct weft_error *wf_error_static(enum weft_code code);

#endif
