#include "io_thread/shunned.h"

#include <stdbool.h>
#include <string.h>

static bool is_same(const struct wf_address *a, const struct wf_address *b)
{
    return a->len == b->len && memcmp(&a->storage, &b->storage, a->len) == 0;
}

static bool is_shunned(const struct wf_shunned *shunned, const struct wf_address *address,
                       uint64_t now_ms)
{
    for (unsigned i = 0; i < WF_SHUNNED_MAX; i++) {
        const struct wf_shunned_address *one = &shunned->addresses[i];
        if (now_ms < one->until_ms && is_same(&one->address, address))
            return true;
    }
    return false;
}

void wf_shun(struct wf_shunned *shunned, const struct wf_address *address, uint64_t now_ms)
{
    if (address->len == 0)
        return;
    unsigned at = 0;
    while (at < WF_SHUNNED_MAX && !is_same(&shunned->addresses[at].address, address))
        at++;
    if (at == WF_SHUNNED_MAX) {
        at = shunned->next;
        shunned->next = (shunned->next + 1) % WF_SHUNNED_MAX;
    }
    shunned->addresses[at].address = *address;
    shunned->addresses[at].until_ms = now_ms + WF_SHUN_MS;
}

size_t wf_shunned_last(const struct wf_shunned *shunned, const struct wf_address *addresses,
                       size_t count, uint64_t now_ms, struct wf_address *out_addresses)
{
    count = count < WF_ADDRESSES_MAX ? count : WF_ADDRESSES_MAX;
    size_t copied = 0;
    for (int last = 0; last < 2; last++) {
        for (size_t i = 0; i < count; i++) {
            if (is_shunned(shunned, &addresses[i], now_ms) == (last == 1))
                out_addresses[copied++] = addresses[i];
        }
    }
    return copied;
}
