#include "io_thread/preconnect.h"

#include "io_thread/demand.h"
#include "io_thread/io_thread.h"
#include "io_thread/origin.h"
#include "io_thread/protocol.h"

struct preconnect {
    struct wf_item item;
    struct weft_request *request; /* for its URL */
};

enum weft_code wf_preconnect_new(const char *url, struct wf_item **out_item)
{
    struct weft_request *request = weft_request_new("GET", url);
    if (request == NULL)
        return WEFT_ERR_NO_MEMORY;
    enum weft_code code = WEFT_ERR_NO_MEMORY;
    struct preconnect *message = NULL;
    if (wf_request_is_failed(request)) {
        struct weft_error error;
        wf_request_error(request, &error);
        code = error.code;
        goto fail;
    }
    message = wf_alloc(sizeof(*message));
    if (message == NULL)
        goto fail;
    message->item.kind = WF_ITEM_PRECONNECT;
    message->request = request;
    *out_item = &message->item;
    return WEFT_OK;
fail:
    weft_request_unref(request);
    return code;
}

void wf_preconnect_run(struct wf_io_thread *io, struct wf_item *item)
{
    struct preconnect *message = wf_container_of(item, struct preconnect, item);
    const struct wf_url *url = wf_request_url(message->request);
    bool is_spoken = url->https || wf_protocol_expected(&io->engine->config, false) != NULL;
    if (!io->closing && is_spoken) {
        struct wf_origin *origin = wf_origin_get(io, message->request);
        /* No memory: the first request finds that out for itself. */
        if (origin != NULL)
            wf_demand_preconnect(origin);
    }
    wf_preconnect_free(item);
}

void wf_preconnect_free(struct wf_item *item)
{
    struct preconnect *message = wf_container_of(item, struct preconnect, item);
    weft_request_unref(message->request);
    wf_free(message);
}
