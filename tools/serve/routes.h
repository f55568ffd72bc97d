/* What the server answers to which path. Thread: owner, the worker's. */
#ifndef SERVE_ROUTES_H
#define SERVE_ROUTES_H

#include "connection.h"
#include "exchange.h"

typedef void serve_handler_fn(struct serve_connection *c, const struct serve_request *request);

/* Answers the request of a HEADERS event. */
void serve_route(struct serve_connection *c, const struct wf_h2_event *event);

/* Takes "/<number>" from the front of @arguments. False: there is none, or it is above @max. */
bool serve_argument(struct wf_slice *arguments, uint64_t max, uint64_t *out_value);
void serve_not_found(struct serve_connection *c, const struct serve_request *request);
/* An empty slice when there is no such field. */
struct wf_slice serve_request_field(const struct serve_request *request, const char *name);

/* routes_body.c */
serve_handler_fn serve_index, serve_bytes, serve_delay, serve_status, serve_drip, serve_trailers,
    serve_informational;
/* routes_upload.c */
serve_handler_fn serve_echo, serve_upload, serve_headers, serve_early;
/* routes_fault.c */
serve_handler_fn serve_reset, serve_goaway, serve_cut;
/* routes_files.c */
serve_handler_fn serve_files;

#endif
