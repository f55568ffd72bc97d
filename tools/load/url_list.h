/* The URLs of -i FILE. Thread: owner. */
#ifndef WF_LOAD_URL_LIST_H
#define WF_LOAD_URL_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct wf_load_url_list {
    char **urls; /* to be given to free(), each and all */
    size_t count;
};

/* Adds one URL. One that begins with a slash is a path at the first URL's origin.
 * False: there is no first URL that it could belong to. */
bool wf_load_url_list_add(struct wf_load_url_list *list, const char *url, size_t len);
/* Adds each line of @text that is not empty. False: as above. */
bool wf_load_url_list_add_lines(struct wf_load_url_list *list, const char *text, size_t len);
void wf_load_url_list_fini(struct wf_load_url_list *list);

#endif
