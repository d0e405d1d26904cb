/* SPDX-License-Identifier: Apache-2.0 */
/* What a message's edits say is given to nobody any more when the message is taken back. So where
 * they stand in an inbox is kept where the tombstone will be, as long as it may be taken back. */
#include "store/apply_priv.h"
#include "store/expiry.h"
#include "store/inbox.h"

#include <string.h>

/* Of so many the last ones; those before them go, since each is what the next one replaces. */
enum { EDITS_MAX = 32, EDITS_BYTES_MAX = RECORD_HEADER_BYTES + EDITS_MAX * 8 };

struct edits {
    uint32_t count;
    uint64_t numbers[EDITS_MAX]; /* rising */
};

static struct store_key
key_of(const struct ledger *ledger, const struct apply_edited *edited)
{
    return tombstone_key(ledger->partition, edited->user, edited->by, edited->chat_number);
}

/* Those above `low`. False: none was ever noted. */
static bool
edits_get(const struct ledger *ledger, const struct apply_edited *edited, uint64_t low,
          struct edits *out)
{
    struct store_key key = key_of(ledger, edited);
    struct store_value value;
    struct cursor_in in;
    out->count = 0;
    if (!ledger_get(ledger, &key, &value)) {
        return false;
    }
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_TOMBSTONE);
    while (cursor_in_left(&in) > 0) {
        ASSERT(out->count < EDITS_MAX);
        uint64_t number = cursor_get_u64(&in);
        if (number > low) {
            out->numbers[out->count++] = number;
        }
    }
    ASSERT(!in.failed);
    return true;
}

static void
edits_put(struct ledger *ledger, const struct apply_edited *edited, const struct edits *edits)
{
    struct store_key key = key_of(ledger, edited);
    struct cursor_out out;
    unsigned char record[EDITS_BYTES_MAX];
    cursor_out_init(&out, record, sizeof(record));
    record_begin(&out, RECORD_TOMBSTONE);
    for (uint32_t i = 0; i < edits->count; i++) {
        cursor_put_u64(&out, edits->numbers[i]);
    }
    ledger_put(ledger, &key, record, cursor_out_end(&out));
}

void
apply_edits_need(const struct needs *needs, const struct apply_edited *edited)
{
    struct store_key key = key_of(needs->ledger, edited);
    need_key(needs, &key);
}

void
apply_edits_note(const struct apply *apply, const struct apply_edited *edited, uint64_t low,
                 uint64_t number, uint64_t kept_until_ms)
{
    struct ledger *ledger = apply->ledger;
    struct edits edits;
    if (!edits_get(ledger, edited, low, &edits)) {
        struct expiry expiry = {.kind = EXPIRY_TOMBSTONE,
                                .user = edited->user,
                                .a = edited->by,
                                .b = edited->chat_number};
        expiry_put(ledger, apply->effects, kept_until_ms, ledger_number_next(ledger), &expiry);
    }
    if (edits.count == EDITS_MAX) {
        inbox_take_out(ledger, edited->user, edits.numbers[0]);
        edits.count--;
        memmove(edits.numbers, edits.numbers + 1, edits.count * sizeof(edits.numbers[0]));
    }
    edits.numbers[edits.count++] = number;
    edits_put(ledger, edited, &edits);
}

void
apply_edits_take_out(const struct apply *apply, const struct apply_edited *edited, uint64_t low)
{
    struct store_key key = key_of(apply->ledger, edited);
    struct edits edits;
    if (!edits_get(apply->ledger, edited, low, &edits)) {
        return;
    }
    for (uint32_t i = 0; i < edits.count; i++) {
        inbox_take_out(apply->ledger, edited->user, edits.numbers[i]);
    }
    ledger_delete(apply->ledger, &key);
}
