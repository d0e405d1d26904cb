/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record.h"

#include "store/checksum.h"
#include "store/record_account.h"
#include "store/record_group.h"
#include "store/record_inbox.h"

#include <string.h>

/* A name's two hashes come from two functions, so that nobody can look for a collision in both at
 * once. */
static const uint64_t NAME_SEED_OWNER = UINT64_C(0x9e3779b97f4a7c15);
static const uint64_t NAME_SEED_A = UINT64_C(0xc2b2ae3d27d4eb4f);

struct store_key
record_key_name(uint64_t seed, const struct store_name *name)
{
    struct store_key key = {
        .partition = key_partition_of_name(seed, name->text, name->bytes),
        .table = RECORD_NAME,
        .owner = checksum_bytes(seed ^ NAME_SEED_OWNER, name->text, name->bytes),
        .a = checksum_bytes(seed ^ NAME_SEED_A, name->text, name->bytes),
    };
    return key;
}

struct store_range
record_range_inbox(uint8_t partition, uint64_t user, uint64_t after, uint64_t to)
{
    struct store_range range = {
        .low = record_key(partition, RECORD_INBOX, user, after + 1),
        .high = record_key(partition, RECORD_INBOX, user, to),
    };
    range.high.b = UINT64_MAX;
    return range;
}

/* What goes with its owner. */
static const enum record_table owned[] = {RECORD_CHAT,       RECORD_STATE,   RECORD_STATE_SUM,
                                          RECORD_MEMBERSHIP, RECORD_HISTORY, RECORD_HISTORY_BACK,
                                          RECORD_HISTORY_AT};

/* From where it was before up to where it is now; but what came behind the last of then, and went,
 * no fold has ever seen. */
static bool
low_implies(const struct table_entry *entry, const struct store_value *before,
            struct store_range *out)
{
    struct record_head head;
    uint64_t from = 0;
    uint64_t last = before != NULL && before->count == 0 ? 0 : UINT64_MAX;
    if (before != NULL && record_head_decode(*before, &head) == 0) {
        from = head.low.number;
        last = head.last.number;
    }
    if (record_head_decode(entry->value, &head) != 0) {
        return false;
    }
    uint64_t to = head.low.number < last ? head.low.number : last;
    *out = record_range_inbox(entry->key.partition, entry->key.owner, from, to);
    return from < to;
}

bool
record_implies(const struct table_entry *entry, const struct store_value *before, unsigned index,
               struct store_range *out)
{
    if (entry->key.table == RECORD_HEAD && index == 0) {
        return low_implies(entry, before, out);
    }
    if (entry->key.table == RECORD_USER && index < sizeof(owned) / sizeof(owned[0])) {
        struct record_user user;
        if (record_user_decode(entry->value, &user) != 0 || !user.removed) {
            return false;
        }
        *out = key_range_owner(entry->key.partition, (uint8_t)owned[index], entry->key.owner);
        return true;
    }
    return record_group_implies(entry, index, out);
}

void
record_put_name(struct cursor_out *out, const struct store_name *name)
{
    ASSERT(name->bytes <= STORE_NAME_BYTES_MAX);
    cursor_put_u8(out, name->bytes);
    cursor_put_bytes(out, name->text, name->bytes);
}

void
record_get_name(struct cursor_in *in, struct store_name *name)
{
    uint8_t bytes = cursor_get_u8(in);
    if (bytes > STORE_NAME_BYTES_MAX) {
        cursor_in_fail(in);
        bytes = 0;
    }
    memset(name, 0, sizeof(*name));
    name->bytes = bytes;
    cursor_get_copy(in, name->text, bytes);
}

bool
record_names_equal(const struct store_name *x, const struct store_name *y)
{
    return x->bytes == y->bytes && memcmp(x->text, y->text, x->bytes) == 0;
}

bool
record_hashes_equal(const unsigned char *x, const unsigned char *y)
{
    unsigned difference = 0;
    for (unsigned i = 0; i < STORE_TOKEN_HASH_BYTES; i++) {
        difference |= (unsigned)(x[i] ^ y[i]);
    }
    return difference == 0;
}
