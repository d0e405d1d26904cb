/* SPDX-License-Identifier: Apache-2.0 */
#include "store/hot.h"

/* Those that have nothing left make room. After long silence nothing is left at all. */
static void
halve(struct hot *hot, uint64_t now_ns)
{
    uint64_t minutes = (now_ns - hot->halved_at_ns) / HOT_HALVING_NS;
    unsigned shift = minutes < 31 ? (unsigned)minutes : 31;
    uint32_t kept = 0;
    hot->halved_at_ns += minutes * HOT_HALVING_NS;
    hot->total >>= shift;
    for (uint32_t i = 0; i < hot->count; i++) {
        struct hot_entry entry = hot->entries[i];
        entry.count >>= shift;
        entry.error >>= shift;
        if (entry.count > 0) {
            hot->entries[kept++] = entry;
        }
    }
    hot->count = kept;
}

static struct hot_entry *
entry_of(struct hot *hot, uint64_t key)
{
    struct hot_entry *least = &hot->entries[0];
    for (uint32_t i = 0; i < hot->count; i++) {
        if (hot->entries[i].key == key) {
            return &hot->entries[i];
        }
        least = hot->entries[i].count < least->count ? &hot->entries[i] : least;
    }
    if (hot->count < HOT_MAX) {
        least = &hot->entries[hot->count++];
        *least = (struct hot_entry){.key = key};
    } else {
        *least = (struct hot_entry){.key = key, .count = least->count, .error = least->count};
    }
    return least;
}

void
hot_count(struct hot *hot, uint64_t key, uint32_t amount, uint64_t now_ns)
{
    if (now_ns - hot->halved_at_ns >= HOT_HALVING_NS) {
        halve(hot, now_ns);
    }
    struct hot_entry *entry = entry_of(hot, key);
    entry->count += amount < UINT32_MAX - entry->count ? amount : UINT32_MAX - entry->count;
    hot->total += amount;
}

bool
hot_has_most(const struct hot *hot, uint64_t key)
{
    for (uint32_t i = 0; i < hot->count; i++) {
        const struct hot_entry *entry = &hot->entries[i];
        if (entry->key == key) {
            return 2 * (uint64_t)(entry->count - entry->error) > hot->total;
        }
    }
    return false;
}
