/* SPDX-License-Identifier: Apache-2.0 */
#include "store/key.h"
#include "tests/spec.h"
#include "tests/store/chance.h"

#include <errno.h>
#include <string.h>

static int
sign(int value)
{
    return (value > 0) - (value < 0);
}

/* Few values per field, so that equal fields are common. */
static struct store_key
some_key(struct chance *chance)
{
    static const uint64_t numbers[] = {0, 1, 255, 256, UINT64_MAX - 1, UINT64_MAX};
    return (struct store_key){
        .partition = (uint8_t)chance_below(chance, 3),
        .table = (uint8_t)(254 + chance_below(chance, 2)),
        .owner = numbers[chance_below(chance, 6)],
        .a = numbers[chance_below(chance, 6)],
        .b = numbers[chance_below(chance, 6)],
    };
}

static void
encoded_order_is_key_order(void **state)
{
    (void)state;
    struct chance chance = {1};
    for (unsigned i = 0; i < 100000; i++) {
        struct store_key x = some_key(&chance);
        struct store_key y = some_key(&chance);
        unsigned char x_bytes[STORE_KEY_BYTES];
        unsigned char y_bytes[STORE_KEY_BYTES];
        key_encode(&x, x_bytes);
        key_encode(&y, y_bytes);
        int bytes = sign(memcmp(x_bytes, y_bytes, STORE_KEY_BYTES));
        assert_int_equal(sign(key_compare(&x, &y)), bytes);
        assert_int_equal(key_less(&x, &y), bytes < 0);
        assert_int_equal(key_equal(&x, &y), bytes == 0);
    }
}

static void
decodes_what_was_encoded(void **state)
{
    (void)state;
    struct store_key key = {7, 9, 0x0102030405060708, 0x1112131415161718, 0x2122232425262728};
    static const unsigned char expected[STORE_KEY_BYTES] = {
        0x07, 0x09, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x11, 0x12, 0x13,
        0x14, 0x15, 0x16, 0x17, 0x18, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28,
    };
    unsigned char bytes[STORE_KEY_BYTES];
    key_encode(&key, bytes);
    assert_memory_equal(bytes, expected, sizeof(bytes));
    struct store_key back;
    assert_int_equal(key_decode(bytes, sizeof(bytes), &back), 0);
    assert_true(key_equal(&key, &back));
}

static void
refuses_other_lengths(void **state)
{
    (void)state;
    unsigned char bytes[STORE_KEY_BYTES + 1] = {0};
    struct store_key key = {.owner = 5};
    assert_int_equal(key_decode(bytes, STORE_KEY_BYTES - 1, &key), -EBADMSG);
    assert_int_equal(key_decode(bytes, STORE_KEY_BYTES + 1, &key), -EBADMSG);
    assert_int_equal(key_decode(bytes, 0, &key), -EBADMSG);
    assert_int_equal(key.owner, 5);
}

static bool
within(const struct store_range *range, const struct store_key *key)
{
    return !key_less(key, &range->low) && !key_less(&range->high, key);
}

static void
ranges_hold_just_what_they_name(void **state)
{
    (void)state;
    struct chance chance = {2};
    for (unsigned i = 0; i < 100000; i++) {
        struct store_key key = some_key(&chance);
        struct store_key name = some_key(&chance);
        struct store_range partition = key_range_partition(name.partition);
        struct store_range table = key_range_table(name.partition, name.table);
        struct store_range owner = key_range_owner(name.partition, name.table, name.owner);
        bool same = key.partition == name.partition;
        assert_int_equal(within(&partition, &key), same);
        same = same && key.table == name.table;
        assert_int_equal(within(&table, &key), same);
        same = same && key.owner == name.owner;
        assert_int_equal(within(&owner, &key), same);
    }
}

static void
ids_spread_evenly(void **state)
{
    (void)state;
    static unsigned counts[STORE_PARTITIONS];
    for (uint64_t id = 1; id <= 256000; id++) {
        counts[key_partition_of_id(42, id)]++;
    }
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        assert_in_range(counts[i], 800, 1200); /* 1,000 expected, its deviation 32 */
    }
}

static void
placement_is_fixed(void **state)
{
    (void)state;
    /* Part of the format on disk: these never change. */
    assert_int_equal(key_partition_of_id(0x1234, 1), 171);
    assert_int_equal(key_partition_of_id(0x1234, UINT64_MAX), 139);
    assert_int_equal(key_partition_of_name(0x1234, "alice", 5), 6);
    assert_int_not_equal(key_partition_of_id(0x1235, 1), 171);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("encoded keys are ordered by memcmp as keys are by their fields",
             encoded_order_is_key_order),
        SPEC("a key encodes to 26 bytes, big-endian, and back", decodes_what_was_encoded),
        SPEC("a key of any other length is refused and nothing is changed", refuses_other_lengths),
        SPEC("a range holds all of its partition, table or owner and nothing else",
             ranges_hold_just_what_they_name),
        SPEC("ids in a row spread evenly over the partitions", ids_spread_evenly),
        SPEC("where ids and names live follows from the seed and never changes",
             placement_is_fixed),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
