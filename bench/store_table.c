/* SPDX-License-Identifier: Apache-2.0 */
/* What a table costs: nanoseconds per put, get and step of an iteration, and bytes per entry, over
 * random keys with values of 150 bytes. One line of JSON for each size.
 *
 *     bench_store_table            1,000, 100,000 and 1,000,000 entries
 *     bench_store_table 5000       so many
 *
 * `chase_ns` is what one random access to as much memory costs on this machine, for comparison: a
 * lookup in a large table waits for memory two or three times. */
#include "bench/chance.h"
#include "runtime/io/uring.h"
#include "store/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    VALUE_BYTES = 150,
    WORK = 1000000, /* entries put in all, so that small tables are measured long enough */
    CHASES = 1000000,
};

static struct io *clock_io; /* of a driver that is opened for its clock */

static uint64_t
now_ns(void)
{
    return io_now_ns(clock_io);
}

struct times {
    uint64_t put, put_max, get, iterate, values, free_ns, bytes;
};

static void
shuffle(struct store_key *keys, size_t count, uint64_t *chance)
{
    for (size_t i = count - 1; i > 0; i--) {
        size_t j = (size_t)chance_below(chance, i + 1);
        struct store_key key = keys[i];
        keys[i] = keys[j];
        keys[j] = key;
    }
}

/* Keys as a partition has them: a few tables, many owners, a few numbers each. */
static void
keys_fill(struct store_key *keys, size_t count, uint64_t *chance)
{
    for (size_t i = 0; i < count; i++) {
        keys[i] = (struct store_key){
            .partition = 7,
            .table = (uint8_t)chance_below(chance, 4),
            .owner = chance_next(chance),
            .a = chance_below(chance, 64),
        };
    }
}

/* Walks all entries; reads a byte of each value when `values`. */
static uint64_t
walk(const struct table *table, bool values, uint64_t *seen)
{
    uint64_t start = now_ns();
    struct table_cursor at;
    struct table_entry entry;
    for (table_seek(table, &(struct store_key){0}, &at); table_at(&at, &entry); table_next(&at)) {
        *seen += values ? entry.value.bytes[0] : entry.key.a;
    }
    return now_ns() - start;
}

/* The longest of many puts: one that makes the index anew. */
static uint64_t
longest_put(const struct store_key *keys, size_t count)
{
    static const unsigned char body[VALUE_BYTES] = {1};
    struct table *table = table_new(1);
    uint64_t longest = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t start = now_ns();
        table_put(table, &keys[i], TABLE_WRITTEN, (struct store_value){body, sizeof(body)});
        uint64_t took = now_ns() - start;
        longest = took > longest ? took : longest;
    }
    table_free(&table);
    return longest;
}

static void
round_once(struct store_key *keys, size_t count, uint64_t *chance, struct times *times,
           uint64_t *seen)
{
    static const unsigned char body[VALUE_BYTES] = {1};
    struct table *table = table_new(1);
    struct table_entry entry;
    keys_fill(keys, count, chance);
    uint64_t start = now_ns();
    for (size_t i = 0; i < count; i++) {
        table_put(table, &keys[i], TABLE_WRITTEN, (struct store_value){body, sizeof(body)});
    }
    times->put += now_ns() - start;
    times->bytes = table_bytes(table);
    shuffle(keys, count, chance);
    start = now_ns();
    for (size_t i = 0; i < count; i++) {
        *seen += table_get(table, &keys[i], &entry) ? entry.value.count : 0;
    }
    times->get += now_ns() - start;
    times->iterate += walk(table, false, seen);
    times->values += walk(table, true, seen);
    start = now_ns();
    table_free(&table);
    times->free_ns += now_ns() - start;
}

/* Follows a random ring through so many bytes, a cache line at each step. */
static double
chase(size_t bytes, uint64_t *chance)
{
    enum { LINE = 64 };
    size_t count = bytes / LINE + 1;
    uint32_t *order = malloc(count * sizeof(*order));
    char *memory = calloc(count, LINE);
    if (order == NULL || memory == NULL) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        order[i] = (uint32_t)i;
    }
    for (size_t i = count - 1; i > 0; i--) {
        size_t j = (size_t)chance_below(chance, i);
        uint32_t other = order[i];
        order[i] = order[j];
        order[j] = other;
    }
    for (size_t i = 0; i < count; i++) {
        *(void **)(void *)(memory + (size_t)order[i] * LINE) =
            memory + (size_t)order[(i + 1) % count] * LINE;
    }
    void *at = memory;
    uint64_t start = now_ns();
    for (size_t i = 0; i < CHASES; i++) {
        at = *(void **)at;
    }
    uint64_t end = now_ns();
    double ns = (double)(end - start) / CHASES + (at == NULL ? 1 : 0);
    free(order);
    free(memory);
    return ns;
}

static void
measure(size_t count)
{
    uint64_t chance = count;
    struct times times = {0};
    uint64_t seen = 0;
    size_t rounds = count < WORK ? WORK / count : 1;
    struct store_key *keys = malloc(count * sizeof(*keys));
    if (keys == NULL) {
        abort();
    }
    for (size_t i = 0; i < rounds; i++) {
        round_once(keys, count, &chance, &times, &seen);
    }
    times.put_max = longest_put(keys, count);
    free(keys);
    double all = (double)count * (double)rounds;
    (void)printf(
        "{\"bench\":\"store_table\",\"entries\":%zu,\"put_ns\":%.0f,\"put_ns_max\":%" PRIu64
        ",\"get_ns\":%.0f,"
        "\"iterate_ns\":%.1f,\"iterate_values_ns\":%.1f,\"free_ns\":%.1f,"
        "\"bytes_per_entry\":%.0f,\"value_bytes\":%d,\"chase_ns\":%.0f,\"seen\":%" PRIu64 "}\n",
        count, (double)times.put / all, times.put_max, (double)times.get / all,
        (double)times.iterate / all, (double)times.values / all, (double)times.free_ns / all,
        (double)times.bytes / (double)count, VALUE_BYTES, chase(times.bytes, &chance), seen);
}

int
main(int argc, char **argv)
{
    static const size_t sizes[] = {1000, 100000, 1000000};
    struct uring_options options = {.loops = 1};
    struct io_driver *driver = NULL;
    char why[256];
    if (uring_open(&options, &driver, why, sizeof(why)) < 0) {
        (void)fprintf(stderr, "bench_store_table: %s\n", why);
        return 1;
    }
    clock_io = io_of(driver, 0);
    for (size_t i = 0; argc == 1 && i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        measure(sizes[i]);
    }
    if (argc > 1) {
        measure((size_t)strtoull(argv[1], NULL, 10));
    }
    io_driver_close(driver);
    return 0;
}
