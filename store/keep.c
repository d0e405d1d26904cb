/* SPDX-License-Identifier: Apache-2.0 */
#include "store/keep.h"

#include "store/record.h"

enum {
    /* The copy is not worth its time of fewer entries, nor where no more than one in so many would
     * go. */
    ENTRIES_MIN = 256,
    GOES_MIN = 4,
};

/* Not what there is one of for each message: whoever wants it reads a page of it, or, in an outbox,
 * never again. What a group remembers of each does: its members' cursors ask for it. */
static bool
stays(const struct store_key *key)
{
    switch (key->table) {
    case RECORD_INBOX:
    case RECORD_OUTBOX:
    case RECORD_HISTORY:
    case RECORD_HISTORY_BACK:
    case RECORD_HISTORY_AT:
    case RECORD_TOMBSTONE:
    case RECORD_EXPIRY:
        return false;
    default:
        return true;
    }
}

/* On to the next that stays. */
static bool
at_what_stays(const struct table *folded, struct table_cursor *at, struct table_entry *out)
{
    while (table_at(at, out)) {
        if (stays(&out->key)) {
            return true;
        }
        struct store_key next = {.partition = out->key.partition,
                                 .table = (uint8_t)(out->key.table + 1)};
        table_seek(folded, &next, at);
    }
    return false;
}

static uint64_t
count_of_what_stays(const struct table *folded)
{
    struct table_cursor at;
    struct table_entry entry;
    uint64_t count = 0;
    table_seek(folded, &(struct store_key){0}, &at);
    for (; at_what_stays(folded, &at, &entry); table_next(&at)) {
        count++;
    }
    return count;
}

struct table *
keep_new(const struct table *folded, uint64_t seed)
{
    struct table_cursor at;
    struct table_entry entry;
    if (table_entries(folded) < ENTRIES_MIN) {
        return NULL;
    }
    uint64_t goes = table_entries(folded) - count_of_what_stays(folded);
    if (goes * GOES_MIN <= table_entries(folded)) {
        return NULL;
    }
    struct table *kept = table_new(seed);
    table_seek(folded, &(struct store_key){0}, &at);
    for (; at_what_stays(folded, &at, &entry); table_next(&at)) {
        bool present = entry.state == TABLE_WRITTEN || entry.state == TABLE_FETCHED;
        table_put(kept, &entry.key, present ? TABLE_FETCHED : TABLE_MISSING, entry.value);
    }
    return kept;
}
