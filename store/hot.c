/* SPDX-License-Identifier: Apache-2.0 */
#include "store/hot.h"

#include <string.h>

enum { TAG_SHIFT = 56, WORD_BYTES = 8 };
#define EACH_BYTE UINT64_C(0x0101010101010101)
#define EACH_HIGH_BIT (EACH_BYTE << 7)

static uint8_t
tag_of(uint64_t key)
{
    return (uint8_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> TAG_SHIFT);
}

/* Those that have nothing left make room. After long silence nothing is left at all. */
static void
halve(struct hot *hot, uint64_t now_ns)
{
    uint64_t minutes = (now_ns - hot->halved_at_ns) / HOT_HALVING_NS;
    unsigned shift = minutes < 31 ? (unsigned)minutes : 31;
    uint32_t kept = 0;
    hot->least = 0;
    hot->halved_at_ns += minutes * HOT_HALVING_NS;
    hot->total >>= shift;
    for (uint32_t i = 0; i < hot->count; i++) {
        struct hot_entry entry = hot->entries[i];
        entry.count >>= shift;
        entry.error >>= shift;
        if (entry.count > 0) {
            hot->tags[kept] = tag_of(entry.key);
            hot->entries[kept++] = entry;
        }
    }
    hot->count = kept;
}

/* Eight tags at a time: a byte that is zero borrows from its highest bit, and from that of the next
 * one at most, which the key then tells. */
static struct hot_entry *
entry_find(struct hot *hot, uint64_t key)
{
    uint64_t wanted = EACH_BYTE * tag_of(key);
    for (uint32_t at = 0; at < hot->count; at += WORD_BYTES) {
        uint64_t word;
        memcpy(&word, &hot->tags[at], sizeof(word));
        word ^= wanted;
        uint64_t found = (word - EACH_BYTE) & ~word & EACH_HIGH_BIT;
        for (; found != 0; found &= found - 1) {
            uint32_t index = at + (uint32_t)__builtin_ctzll(found) / WORD_BYTES;
            if (index < hot->count && hot->entries[index].key == key) {
                return &hot->entries[index];
            }
        }
    }
    return NULL;
}

/* The hand goes round once at most; then no count is the least any more, which has risen. */
static uint32_t
least_find(struct hot *hot)
{
    for (uint32_t i = 0; i < HOT_MAX; i++) {
        uint32_t index = (hot->hand + i) % HOT_MAX;
        if (hot->entries[index].count == hot->least) {
            hot->hand = index;
            return index;
        }
    }
    uint32_t index = 0;
    for (uint32_t i = 1; i < HOT_MAX; i++) {
        index = hot->entries[i].count < hot->entries[index].count ? i : index;
    }
    hot->least = hot->entries[index].count;
    hot->hand = index;
    return index;
}

static struct hot_entry *
entry_of(struct hot *hot, uint64_t key)
{
    struct hot_entry *entry = entry_find(hot, key);
    if (entry != NULL) {
        return entry;
    }
    uint32_t index = hot->count;
    uint32_t inherited = 0;
    if (hot->count < HOT_MAX) {
        hot->count++;
    } else {
        index = least_find(hot);
        inherited = hot->entries[index].count;
    }
    entry = &hot->entries[index];
    *entry = (struct hot_entry){.key = key, .count = inherited, .error = inherited};
    hot->tags[index] = tag_of(key);
    return entry;
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
