/* The file name that -O takes from a URL. Thread: any. */
#ifndef WF_FETCH_REMOTE_NAME_H
#define WF_FETCH_REMOTE_NAME_H

/* The last segment of @url's path, without query and fragment, to be given to free().
 * NULL: there is none, or it is "." or "..". */
char *wf_fetch_remote_name(const char *url);

#endif
