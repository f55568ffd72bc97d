#include "io_thread/informational.h"

#include "base/alloc.h"

void wf_informational_init(struct wf_informational_list *list)
{
    atomic_init(&list->count, 0);
    list->first = NULL;
    list->last = NULL;
}

void wf_informational_fini(struct wf_informational_list *list, struct wf_pool *pool)
{
    struct wf_informational *one = list->first;
    while (one != NULL) {
        struct wf_informational *next = one->next;
        wf_response_fini(&one->response, pool);
        wf_free(one);
        one = next;
    }
    wf_informational_init(list);
}

bool wf_informational_append(struct wf_informational_list *list, struct wf_pool *pool,
                             uint16_t status, const struct wf_field_section *section)
{
    struct wf_informational *one = wf_alloc(sizeof(*one));
    if (one == NULL)
        return false;
    one->next = NULL;
    wf_response_init(&one->response);
    if (!wf_response_set_head(&one->response, pool, status, section)) {
        wf_free(one);
        return false;
    }
    if (list->last == NULL)
        list->first = one;
    else
        list->last->next = one;
    list->last = one;
    /* R18: publishes the element and the link to it; pairs with A18. */
    atomic_fetch_add_explicit(&list->count, 1, memory_order_release);
    return true;
}

const struct wf_response *wf_informational_at(struct wf_informational_list *list, size_t index)
{
    /* A18 with R18: of the links only those before the last published element are followed. */
    if (index >= atomic_load_explicit(&list->count, memory_order_acquire))
        return NULL;
    const struct wf_informational *one = list->first;
    while (index-- > 0)
        one = one->next;
    return &one->response;
}
