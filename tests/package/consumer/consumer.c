/* A program of somebody else: it starts a client, and sees one error come back. */
#include <stdio.h>
#include <weft/weft.h>

int main(void)
{
    struct weft_error error;
    struct weft_client *client = weft_client_new(NULL, &error);
    if (!client) {
        fprintf(stderr, "no client: %s\n", error.text);
        return 1;
    }
    struct weft_future *future = weft_get(client, "no url at all");
    enum weft_code code = future ? weft_future_wait(future, WEFT_FOREVER) : WEFT_ERR_NO_MEMORY;
    printf("%s\n", weft_code_name(code));
    weft_future_unref(future);
    enum weft_code closed = weft_client_close(client, 0);
    weft_client_unref(client);
    return code == WEFT_ERR_INVALID_URL && closed == WEFT_OK ? 0 : 1;
}
