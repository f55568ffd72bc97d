#include "io_thread/bad_addresses.h"

#include "base/assert.h"

#include <string.h>

static bool same(const struct wf_address *a, const struct wf_address *b)
{
    return a->len == b->len && memcmp(&a->storage, &b->storage, a->len) == 0;
}

static size_t find(const struct wf_bad_addresses *bad, const struct wf_address *address)
{
    size_t i = 0;
    while (i < bad->count && !same(&bad->list[i].address, address))
        i++;
    return i;
}

static void remove_at(struct wf_bad_addresses *bad, size_t i)
{
    bad->count--;
    memmove(&bad->list[i], &bad->list[i + 1], (bad->count - i) * sizeof(bad->list[0]));
}

void wf_bad_addresses_note(struct wf_bad_addresses *bad, const struct wf_address *address,
                           uint64_t now_ms)
{
    if (address->len == 0)
        return;
    size_t known = find(bad, address);
    if (known < bad->count)
        remove_at(bad, known);
    if (bad->count == WF_BAD_ADDRESSES_MAX)
        remove_at(bad, 0);
    bad->list[bad->count].address = *address;
    bad->list[bad->count].until_ms = now_ms + WF_BAD_ADDRESS_MS;
    bad->count++;
}

bool wf_bad_addresses_has(const struct wf_bad_addresses *bad, const struct wf_address *address,
                          uint64_t now_ms)
{
    size_t i = find(bad, address);
    return i < bad->count && bad->list[i].until_ms > now_ms;
}

void wf_bad_addresses_sort(const struct wf_bad_addresses *bad, struct wf_address *addresses,
                           size_t count, uint64_t now_ms)
{
    struct wf_address behind[WF_ADDRESSES_MAX];
    size_t behind_count = 0;
    size_t kept = 0;
    wf_assert(count <= WF_ADDRESSES_MAX);
    if (bad->count == 0)
        return;
    for (size_t i = 0; i < count; i++) {
        if (wf_bad_addresses_has(bad, &addresses[i], now_ms))
            behind[behind_count++] = addresses[i];
        else
            addresses[kept++] = addresses[i];
    }
    memcpy(&addresses[kept], behind, behind_count * sizeof(behind[0]));
}
