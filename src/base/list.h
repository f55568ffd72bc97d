/* Intrusive doubly linked list. A node lives in its object and names its list; a node that is in no
 * list points at itself, so that leaving twice is harmless. Thread: owner of the list. */
#ifndef WF_BASE_LIST_H
#define WF_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct wf_node {
    struct wf_node *prev;
    struct wf_node *next;
};

static inline void wf_list_init(struct wf_node *list)
{
    list->prev = list;
    list->next = list;
}

static inline bool wf_list_is_empty(const struct wf_node *list)
{
    return list->next == list;
}

static inline bool wf_node_is_linked(const struct wf_node *node)
{
    return node->next != node;
}

static inline void wf_list_insert_before(struct wf_node *at, struct wf_node *node)
{
    node->prev = at->prev;
    node->next = at;
    at->prev->next = node;
    at->prev = node;
}

static inline void wf_list_push_back(struct wf_node *list, struct wf_node *node)
{
    wf_list_insert_before(list, node);
}

static inline void wf_list_push_front(struct wf_node *list, struct wf_node *node)
{
    wf_list_insert_before(list->next, node);
}

/* Takes @node out of whatever list it is in. */
static inline void wf_list_remove(struct wf_node *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    wf_list_init(node);
}

/* NULL when empty. */
static inline struct wf_node *wf_list_first(const struct wf_node *list)
{
    return list->next == list ? NULL : list->next;
}

static inline struct wf_node *wf_list_pop_front(struct wf_node *list)
{
    struct wf_node *node = wf_list_first(list);
    if (node != NULL)
        wf_list_remove(node);
    return node;
}

#endif
