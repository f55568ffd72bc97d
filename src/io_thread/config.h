/* The engine's own copy of what weft_client_new() was given. */
#ifndef WF_IO_THREAD_CONFIG_H
#define WF_IO_THREAD_CONFIG_H

#include "base/alloc.h"
#include "weft/config.h"
#include "weft/error.h"

#include <stdbool.h>

/* What the caller's version of the struct has, and the defaults for the rest; NULL: the defaults.
 * Strings are still the caller's. False: a value is out of its bounds, and @error says which. */
WF_MUST_USE bool wf_config_read(struct weft_config *config, const struct weft_config *given,
                                struct weft_error *error);

/* @to becomes @from with strings of its own, but for those that overrides.h keeps. False: out of
 * memory; @to can be ended all the same.
 */
WF_MUST_USE bool wf_config_copy(struct weft_config *to, const struct weft_config *from);
void wf_config_fini(struct weft_config *config);

#endif
