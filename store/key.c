/* SPDX-License-Identifier: Apache-2.0 */
#include "store/key.h"

#include "store/checksum.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "key_put_u64 and key_get_u64 swap bytes");

int
key_compare(const struct store_key *x, const struct store_key *y)
{
    if (key_less(x, y)) {
        return -1;
    }
    return key_equal(x, y) ? 0 : 1;
}

void
key_encode(const struct store_key *key, unsigned char out[STORE_KEY_BYTES])
{
    out[0] = key->partition;
    out[1] = key->table;
    key_put_u64(out + 2, key->owner);
    key_put_u64(out + 10, key->a);
    key_put_u64(out + 18, key->b);
}

int
key_decode(const void *bytes, size_t count, struct store_key *out)
{
    const unsigned char *in = bytes;
    if (count != STORE_KEY_BYTES) {
        return -EBADMSG;
    }
    *out = (struct store_key){
        .partition = in[0],
        .table = in[1],
        .owner = key_get_u64(in + 2),
        .a = key_get_u64(in + 10),
        .b = key_get_u64(in + 18),
    };
    return 0;
}

struct store_range
key_range_partition(uint8_t partition)
{
    return (struct store_range){
        .low = {.partition = partition},
        .high = {partition, UINT8_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
    };
}

struct store_range
key_range_table(uint8_t partition, uint8_t table)
{
    return (struct store_range){
        .low = {.partition = partition, .table = table},
        .high = {partition, table, UINT64_MAX, UINT64_MAX, UINT64_MAX},
    };
}

struct store_range
key_range_owner(uint8_t partition, uint8_t table, uint64_t owner)
{
    return (struct store_range){
        .low = {.partition = partition, .table = table, .owner = owner},
        .high = {partition, table, owner, UINT64_MAX, UINT64_MAX},
    };
}

/* The top byte of a sum: as good as any other of XXH3's. */
static uint8_t
partition_of_sum(uint64_t sum)
{
    return (uint8_t)(sum >> 56);
}

uint8_t
key_partition_of_id(uint64_t seed, uint64_t id)
{
    unsigned char bytes[sizeof(id)];
    key_put_u64(bytes, id);
    return partition_of_sum(checksum_bytes(seed, bytes, sizeof(bytes)));
}

uint8_t
key_partition_of_name(uint64_t seed, const void *name, size_t count)
{
    return partition_of_sum(checksum_bytes(seed, name, count));
}
