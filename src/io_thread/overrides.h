/* What the configuration says in place of names and name servers: config.resolve,
 * config.connect_to and config.unix_socket. Immutable once made; shared by all I/O threads. */
#ifndef WF_IO_THREAD_OVERRIDES_H
#define WF_IO_THREAD_OVERRIDES_H

#include "base/alloc.h"
#include "io_thread/address.h"
#include "weft/config.h"
#include "weft/error.h"

#include <stdbool.h>
#include <stdint.h>

struct wf_overrides;

/* NULL: *out_error says which entry is malformed, or that memory is short. */
WF_MUST_USE struct wf_overrides *wf_overrides_new(const struct weft_config *config,
                                                  struct weft_error *out_error);
/* NULL is a no-op. */
void wf_overrides_free(struct wf_overrides *overrides);

/* Where to connect in place of @host and @port, by the first entry of config.connect_to that fits;
 * unchanged when none does. *out_host lives as long as @host and @overrides do. */
void wf_overrides_connect_to(const struct wf_overrides *overrides, const char *host, uint16_t port,
                             const char **out_host, uint16_t *out_port);

/* The addresses of @host and @port that need no name server: the Unix socket's, else those of
 * config.resolve. The last entry for a host and port counts, and "*" after all others. 0: none. */
size_t wf_overrides_resolve(const struct wf_overrides *overrides, const char *host, uint16_t port,
                            struct wf_address out[WF_ADDRESSES_MAX]);

#endif
