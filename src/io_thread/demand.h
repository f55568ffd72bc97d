/* How many connections an origin has.
 *
 * - None before something asks for one.
 * - One, a probe, while its protocol is not known; then connections_per_origin (HTTP/1.1: one).
 * - More while requests wait that the usable ones have no room for: as many as these need, by what
 *   a connection to this origin may carry at once, up to max_connections_per_origin. While it is
 *   not known what that is (before the peer's first SETTINGS), no more.
 * - None for a while after one could not be had, as long as there are others.
 * - Those that drain do not count, up to as many again; so a server cannot make us have more than
 *   twice the limit by telling all to go away. Thread: I/O, all of it. */
#ifndef WF_IO_THREAD_DEMAND_H
#define WF_IO_THREAD_DEMAND_H

#include "base/alloc.h"

#include <stdbool.h>
#include <stdint.h>

struct wf_conn;
struct wf_origin;

void wf_demand_init(struct wf_origin *origin);
void wf_demand_fini(struct wf_origin *origin);

/* Opens connections where some are missing. False: there are none and none can be had. */
WF_MUST_USE bool wf_demand_open(struct wf_origin *origin);
/* The origin is to have its connections although nothing waits. */
void wf_demand_preconnect(struct wf_origin *origin);

/* @conn may carry requests from now on: its protocol is the origin's. If it replaces an old one,
 * that one takes no more. */
void wf_demand_up(struct wf_conn *conn);
/* A connection ended before it could carry requests. */
void wf_demand_failed(struct wf_origin *origin);
/* A connection to the origin carries up to @limit requests at once. */
void wf_demand_learn_limit(struct wf_origin *origin, uint32_t limit);
/* @conn has reached its age: ends it when it is idle, or opens the one that takes over. */
void wf_demand_replace(struct wf_conn *conn);

#endif
