/* The URL that is asked for: the one of the command line with what options add. Thread: any. */
#ifndef WF_FETCH_REQUEST_URL_H
#define WF_FETCH_REQUEST_URL_H

/* @url with @query behind its query, before a fragment; NULL or empty: as it is. To be given to
 * free(). */
char *wf_fetch_url_with_query(const char *url, const char *query);

/* For -T: @url with the last part of @path where its own path ends in a slash or is missing. To be
 * given to free(). */
char *wf_fetch_url_with_name(const char *url, const char *path);

/* "Basic " and @user ("name:password") in base64, RFC 7617 section 2. To be given to free(). */
char *wf_fetch_basic_credentials(const char *user);

#endif
