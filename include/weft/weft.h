/* weft: an HTTP/2 client engine for programs that make many calls from many threads.
 *
 *     struct weft_client *client = weft_client_new(NULL, NULL);
 *     struct weft_future *future = weft_get(client, "https://localhost:8443/");
 *     if (weft_future_wait(future, WEFT_FOREVER) == WEFT_OK)
 *         printf("%d\n", weft_future_status(future));
 *     else
 *         puts(weft_future_error(future)->text);
 *     weft_future_unref(future);
 *     weft_client_close(client, 1000);
 *     weft_client_unref(client);
 *
 * Each header says, call by call, who owns what and which thread may call. */
#ifndef WEFT_WEFT_H
#define WEFT_WEFT_H

#include "weft/client.h"
#include "weft/config.h"
#include "weft/cq.h"
#include "weft/error.h"
#include "weft/future.h"
#include "weft/request.h"
#include "weft/stats.h"

#define WEFT_VERSION "0.1.0"

#endif
