#include "io_thread/tls_sessions.h"

#include "base/assert.h"

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

struct entry {
    struct wf_node node; /* sessions.entries */
    WOLFSSL_SESSION *session;
    struct wf_tls_identity *identity;
    size_t key_len;
    uint8_t key[];
};

void wf_tls_sessions_init(struct wf_tls_sessions *sessions, size_t max)
{
    wf_list_init(&sessions->entries);
    sessions->count = 0;
    sessions->max = max;
    memset(sessions->offered, 0, sizeof(sessions->offered));
    sessions->next_offered = 0;
}

static struct entry *entry_of(struct wf_node *node)
{
    return wf_container_of(node, struct entry, node);
}

static void drop(struct wf_tls_sessions *sessions, struct entry *entry)
{
    wf_list_remove(&entry->node);
    sessions->count--;
    if (entry->session != NULL)
        wolfSSL_SESSION_free(entry->session);
    wf_free(entry->identity);
    wf_free(entry);
}

void wf_tls_sessions_fini(struct wf_tls_sessions *sessions)
{
    struct wf_node *node;
    while ((node = wf_list_first(&sessions->entries)) != NULL)
        drop(sessions, entry_of(node));
    wf_assert(sessions->count == 0);
}

struct wf_tls_identity *wf_tls_identity_new(struct wf_slice leaf)
{
    if (leaf.len > WF_TLS_LEAF_MAX)
        return NULL;
    struct wf_tls_identity *identity = wf_calloc(1, sizeof(*identity) + leaf.len);
    if (identity == NULL)
        return NULL;
    identity->leaf_len = leaf.len;
    memcpy(identity->leaf, leaf.ptr, leaf.len);
    return identity;
}

static bool is_for(const struct entry *entry, struct wf_slice key)
{
    return wf_slice_equal(wf_slice(entry->key, entry->key_len), key);
}

static void drop_session(struct wf_tls_sessions *sessions, const WOLFSSL_SESSION *session)
{
    for (struct wf_node *node = sessions->entries.next; node != &sessions->entries;
         node = node->next) {
        if (entry_of(node)->session == session) {
            drop(sessions, entry_of(node));
            return;
        }
    }
}

/* Of this server the oldest beyond its share goes, and of all the oldest beyond the bound. */
static void make_room(struct wf_tls_sessions *sessions, struct wf_slice key)
{
    size_t same = 0;
    struct entry *oldest_same = NULL;
    for (struct wf_node *node = sessions->entries.next; node != &sessions->entries;
         node = node->next) {
        if (is_for(entry_of(node), key)) {
            oldest_same = entry_of(node);
            same++;
        }
    }
    if (same >= WF_TLS_SESSIONS_PER_KEY)
        drop(sessions, oldest_same);
    if (sessions->count >= sessions->max)
        drop(sessions, entry_of(sessions->entries.prev));
}

void wf_tls_sessions_put(struct wf_tls_sessions *sessions, struct wf_slice key,
                         WOLFSSL_SESSION *session, struct wf_tls_identity *identity, int64_t now)
{
    struct entry *entry = NULL;
    if (sessions->max > 0 && now < identity->verified + WF_TLS_SESSION_LIFETIME_S)
        entry = wf_calloc(1, sizeof(*entry) + key.len);
    if (entry == NULL) {
        wolfSSL_SESSION_free(session);
        wf_free(identity);
        return;
    }
    drop_session(sessions, session);
    make_room(sessions, key);
    wf_list_init(&entry->node);
    entry->session = session;
    entry->identity = identity;
    entry->key_len = key.len;
    memcpy(entry->key, key.ptr, key.len);
    wf_list_push_front(&sessions->entries, &entry->node);
    sessions->count++;
}

WOLFSSL_SESSION *wf_tls_sessions_take(struct wf_tls_sessions *sessions, struct wf_slice key,
                                      int64_t now, struct wf_tls_identity **out_identity)
{
    struct wf_node *node = sessions->entries.next;
    while (node != &sessions->entries) {
        struct entry *entry = entry_of(node);
        node = node->next;
        if (!is_for(entry, key))
            continue;
        WOLFSSL_SESSION *session = NULL;
        if (now >= entry->identity->verified &&
            now < entry->identity->verified + WF_TLS_SESSION_LIFETIME_S) {
            session = entry->session;
            *out_identity = entry->identity;
            entry->session = NULL;
            entry->identity = NULL;
        }
        drop(sessions, entry);
        if (session != NULL)
            return session;
    }
    return NULL;
}

void wf_tls_sessions_forget(struct wf_tls_sessions *sessions, struct wf_slice key)
{
    struct wf_node *node = sessions->entries.next;
    while (node != &sessions->entries) {
        struct entry *entry = entry_of(node);
        node = node->next;
        if (is_for(entry, key))
            drop(sessions, entry);
    }
}

void wf_tls_sessions_note_offered(struct wf_tls_sessions *sessions, uint64_t ticket)
{
    sessions->offered[sessions->next_offered] = ticket;
    sessions->next_offered = (sessions->next_offered + 1) % WF_TLS_TICKETS_NOTED;
}

bool wf_tls_sessions_was_offered(const struct wf_tls_sessions *sessions, uint64_t ticket)
{
    for (unsigned i = 0; i < WF_TLS_TICKETS_NOTED; i++) {
        if (sessions->offered[i] == ticket)
            return true;
    }
    return false;
}
