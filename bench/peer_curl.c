/* libcurl's multi interface: easy handles that are used again, one thread, curl_multi_poll(). */
#include "peer.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct slot {
    CURL *easy;
    uint64_t began_us;
    size_t sent; /* of the upload */
    struct peer_job *job;
};

static size_t drop(char *data, size_t size, size_t count, void *user)
{
    (void)data;
    (void)user;
    return size * count;
}

static size_t upload(char *to, size_t size, size_t count, void *user)
{
    struct slot *slot = user;
    size_t len = slot->job->upload_len - slot->sent;
    if (len > size * count)
        len = size * count;
    memcpy(to, slot->job->upload + slot->sent, len);
    slot->sent += len;
    return len;
}

static void set_up(struct slot *slot, struct peer_job *job)
{
    slot->job = job;
    slot->easy = curl_easy_init();
    if (slot->easy == NULL)
        exit(1);
    curl_easy_setopt(slot->easy, CURLOPT_URL, job->url);
    curl_easy_setopt(slot->easy, CURLOPT_PRIVATE, slot);
    curl_easy_setopt(slot->easy, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(slot->easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(slot->easy, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(slot->easy, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(slot->easy, CURLOPT_HTTP_VERSION,
                     job->tls ? (long)CURL_HTTP_VERSION_2TLS
                              : (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
    if (job->upload == NULL)
        return;
    curl_easy_setopt(slot->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)job->upload_len);
    curl_easy_setopt(slot->easy, CURLOPT_READFUNCTION, upload);
    curl_easy_setopt(slot->easy, CURLOPT_READDATA, slot);
    curl_easy_setopt(slot->easy, CURLOPT_UPLOAD_BUFFERSIZE, 524288L);
}

static void start(CURLM *multi, struct slot *slot)
{
    slot->job->started++;
    slot->sent = 0;
    slot->began_us = peer_now_us();
    curl_multi_add_handle(multi, slot->easy);
}

static void reap(CURLM *multi, struct peer_job *job)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
        char *user = NULL;
        long status = 0;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode result = message->data.result;
        CURL *easy = message->easy_handle;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &user);
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        struct slot *slot = (struct slot *)(void *)user;
        curl_multi_remove_handle(multi, easy);
        peer_job_done(job, result == CURLE_OK && status == 200, slot->began_us);
        if (job->started < job->requests)
            start(multi, slot);
    }
}

int main(int argc, char **argv)
{
    struct peer_job job;
    peer_job_parse(&job, argc, argv);
    curl_global_init(CURL_GLOBAL_ALL);
    CURLM *multi = curl_multi_init();
    size_t count = job.in_flight * job.connections;
    struct slot *slots = calloc(count, sizeof(*slots));
    if (multi == NULL || slots == NULL)
        return 1;
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)job.in_flight);
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)job.connections);
    for (size_t i = 0; i < count && job.started < job.requests; i++) {
        set_up(&slots[i], &job);
        start(multi, &slots[i]);
    }
    int running = 1;
    while (job.succeeded + job.failed < job.requests) {
        if (curl_multi_perform(multi, &running) != CURLM_OK)
            return 1;
        reap(multi, &job);
        if (job.succeeded + job.failed < job.requests)
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    for (size_t i = 0; i < count; i++)
        curl_easy_cleanup(slots[i].easy);
    curl_multi_cleanup(multi);
    curl_global_cleanup();
    free(slots);
    return peer_job_report(&job);
}
