/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/bodies.h"

#include "bench/file_text.h"
#include "store/entry.h"
#include "store/fold.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TABLE_BODY = 60, /* none of record.h's */
    COUNT_BYTES = 4,
    BODY_HEAD_BYTES = RECORD_HEADER_BYTES + COUNT_BYTES,
    SENDER = 17,
    TIME_MS = 1000,
};
static const uint64_t map_bytes = UINT64_C(4) << 30;

static void
check(int result, const char *what)
{
    if (result < 0) {
        (void)fprintf(stderr, "bench_group_bodies: %s: %s\n", what, strerrordesc_np(-result));
        _Exit(1);
    }
}

/* -------------------------------------------------------------------------------------- opening */

static void
folder_make(struct io_driver *driver, const char *path)
{
    int result = io_make_directory(driver, path);
    check(result == -EEXIST ? 0 : result, path);
}

void
bodies_open(struct bodies *bodies, enum bodies_way way, struct io_driver *driver,
            const char *folder)
{
    *bodies = (struct bodies){.way = way, .driver = driver};
    folder_make(driver, folder);
    for (uint32_t i = 0; i < BODIES_CELLS; i++) {
        char path[BODIES_PATH_BYTES];
        char why[ENVIRONMENT_WHY_BYTES] = "";
        struct environment_options options = {
            .driver = driver,
            .path = path,
            .map_bytes = map_bytes,
            .cell = i,
            .grows = RECORD_INBOX,
        };
        int count = snprintf(path, sizeof path, "%s/%u", folder, i);
        check(count < (int)sizeof path ? 0 : -ENAMETOOLONG, folder);
        folder_make(driver, path);
        check(environment_create(&options, why), path);
        check(environment_open(&options, &bodies->cells[i], why), path);
    }
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        bodies->tables[i] = table_new(1);
    }
}

void
bodies_close(struct bodies *bodies)
{
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        table_free(&bodies->tables[i]);
    }
    for (unsigned i = 0; i < BODIES_CELLS; i++) {
        environment_close(&bodies->cells[i]);
    }
}

static struct environment *
cell_of(const struct bodies *bodies, uint8_t partition)
{
    return bodies->cells[partition % BODIES_CELLS];
}

/* -------------------------------------------------------------------------------------- putting */

static void
put(struct bodies *bodies, const struct store_key *key, const unsigned char *bytes, size_t count)
{
    table_put(bodies->tables[key->partition], key, TABLE_WRITTEN,
              (struct store_value){bytes, count});
}

void
bodies_put_head(struct bodies *bodies, const struct bodies_member *member)
{
    unsigned char value[RECORD_BYTES_MAX];
    struct store_key key = record_key(member->partition, RECORD_HEAD, member->user, 0);
    size_t bytes = record_head_encode(&member->head, value);
    put(bodies, &key, value, bytes);
}

static struct store_key
body_key(const struct bodies_group *group, uint8_t partition, uint64_t chat_number)
{
    return (struct store_key){
        .partition = partition, .table = TABLE_BODY, .owner = group->id, .a = chat_number};
}

static void
put_body(struct bodies *bodies, const struct store_key *key, uint32_t count,
         const struct bodies_message *message)
{
    static unsigned char value[BODY_HEAD_BYTES + BODIES_BYTES_MAX];
    struct cursor_out out;
    cursor_out_init(&out, value, sizeof value);
    cursor_put_u8(&out, TABLE_BODY);
    cursor_put_u8(&out, RECORD_VERSION);
    cursor_put_u32(&out, count);
    cursor_put_bytes(&out, message->body, message->body_bytes);
    ASSERT(!out.failed);
    put(bodies, key, value, BODY_HEAD_BYTES + message->body_bytes);
}

void
bodies_put_entry(struct bodies *bodies, const struct bodies_group *group,
                 const struct bodies_member *member, const struct bodies_message *message)
{
    static unsigned char value[RECORD_BYTES_MAX + BODIES_BYTES_MAX];
    static const char sender_name[] = "alexandra";
    bool shared = bodies->way == BODIES_SHARED;
    struct store_entry entry = {
        .number = member->head.last.number,
        .peer = group->id,
        .total_entries = member->head.last.entries,
        .total_bytes = member->head.last.bytes,
        .kind = STORE_ENTRY_GROUP_MESSAGE,
        .message = {.sender = SENDER,
                    .sender_number = message->chat_number,
                    .chat_number = message->chat_number,
                    .time_ms = TIME_MS,
                    .sender_device = 1,
                    .body_kind = 1,
                    .sender_name = sender_name,
                    .sender_name_bytes = sizeof sender_name - 1,
                    .body = message->body,
                    .body_bytes = shared ? 0 : message->body_bytes},
    };
    struct store_key key =
        record_key(member->partition, RECORD_INBOX, member->user, member->head.last.number);
    size_t bytes = entry_bytes(&entry);
    ASSERT(bytes <= sizeof value);
    entry_encode(&entry, value);
    put(bodies, &key, value, bytes);
    key = body_key(group, member->partition, message->chat_number);
    struct table_entry found;
    if (shared && !table_get(bodies->tables[member->partition], &key, &found)) {
        put_body(bodies, &key, group->shares[member->partition], message);
    }
}

/* ----------------------------------------------------------------------------- acknowledgements */

struct body {
    uint32_t count;
    struct bodies_message message; /* borrowed */
};

static void
body_read(struct store_value value, struct body *out)
{
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    uint8_t table = cursor_get_u8(&in);
    uint8_t version = cursor_get_u8(&in);
    ASSERT(table == TABLE_BODY && version == RECORD_VERSION);
    out->count = cursor_get_u32(&in);
    out->message.body_bytes = (uint32_t)(value.count - BODY_HEAD_BYTES);
    out->message.body = cursor_get_bytes(&in, out->message.body_bytes);
    ASSERT(cursor_in_end(&in) == 0);
}

/* One less waits for it; a body that nobody waits for is gone. */
static void
count_back(struct bodies *bodies, struct environment_read *read, const struct store_key *key)
{
    struct table *table = bodies->tables[key->partition];
    static unsigned char room[BODIES_BYTES_MAX];
    struct table_entry entry;
    struct store_value value;
    struct body body = {0};
    if (table_get(table, key, &entry)) {
        ASSERT(entry.state == TABLE_WRITTEN);
        value = entry.value;
    } else {
        check(environment_get(read, key, &value), "a body is missing");
    }
    body_read(value, &body);
    ASSERT(body.count > 0);
    if (body.count == 1) {
        table_put(table, key, TABLE_DELETED, (struct store_value){0});
        return;
    }
    /* What it is borrowed from may move. */
    memcpy(room, body.message.body, body.message.body_bytes);
    body.message.body = room;
    put_body(bodies, key, body.count - 1, &body.message);
}

void
bodies_count_back(struct bodies *bodies, const struct bodies_group *group,
                  const struct bodies_member *member, uint64_t first, uint64_t last)
{
    struct environment_read read;
    if (bodies->way != BODIES_SHARED) {
        return;
    }
    check(environment_read_begin(cell_of(bodies, member->partition), &read), "read");
    for (uint64_t number = first; number <= last; number++) {
        struct store_key key = body_key(group, member->partition, number);
        count_back(bodies, &read, &key);
    }
    environment_read_end(&read);
}

/* -------------------------------------------------------------------------------------- folding */

/* What this process has handed to write(2) and its like, from the beginning on. */
static uint64_t
written_bytes(struct io_driver *driver)
{
    static const char name[] = "wchar: ";
    char text[1024];
    check(file_text(driver, "/proc/self/io", text, sizeof text), "/proc/self/io");
    const char *found = strstr(text, name);
    ASSERT(found != NULL);
    return strtoull(found + sizeof name - 1, NULL, 10);
}

static void
fold_cell(struct bodies *bodies, unsigned cell)
{
    const struct table *tables[STORE_PARTITIONS / BODIES_CELLS];
    struct fold fold = {.environment = bodies->cells[cell],
                        .tables = tables,
                        .mark = {1, bodies->folded},
                        .implies = record_implies};
    for (unsigned i = cell; i < STORE_PARTITIONS; i += BODIES_CELLS) {
        tables[fold.tables_count++] = bodies->tables[i];
    }
    uint64_t written = written_bytes(bodies->driver);
    uint64_t start_ns = io_now_ns(io_of(bodies->driver, 0));
    uint64_t merged;
    check(fold_run(&fold), "fold");
    check(environment_merge(bodies->cells[cell], UINT64_MAX, &merged), "merge");
    uint64_t ns = io_now_ns(io_of(bodies->driver, 0)) - start_ns;
    histogram_record(&bodies->folds.cell_ns, ns);
    bodies->folds.ns += ns;
    bodies->folds.written_bytes += written_bytes(bodies->driver) - written;
    bodies->folds.records += fold.stats.written + fold.stats.deleted + fold.stats.ranges_deleted;
}

void
bodies_fold(struct bodies *bodies)
{
    bodies->folded++;
    for (unsigned i = 0; i < BODIES_CELLS; i++) {
        fold_cell(bodies, i);
    }
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        table_free(&bodies->tables[i]);
        bodies->tables[i] = table_new(1);
    }
}

/* -------------------------------------------------------------------------------------- reading */

struct drain {
    struct environment_read *read;
    unsigned char *out;
    size_t bytes, bytes_max;
};

static int
take(void *context, const struct store_key *key, struct store_value value)
{
    struct drain *drain = context;
    struct store_entry entry;
    struct body body = {0};
    check(entry_decode(key->a, value.bytes, value.count, &entry), "an entry is damaged");
    body.message.body = entry.message.body;
    body.message.body_bytes = entry.message.body_bytes;
    if (entry.message.body_bytes == 0) {
        const struct bodies_group group = {.id = entry.peer};
        struct store_key shared = body_key(&group, key->partition, entry.message.chat_number);
        check(environment_get(drain->read, &shared, &value), "a body is missing");
        body_read(value, &body);
    }
    ASSERT(drain->bytes + body.message.body_bytes <= drain->bytes_max);
    memcpy(drain->out + drain->bytes, body.message.body, body.message.body_bytes);
    drain->bytes += body.message.body_bytes;
    return 0;
}

size_t
bodies_drain(struct bodies *bodies, const struct bodies_member *member, unsigned char *out,
             size_t bytes_max)
{
    struct environment_read read;
    struct drain drain = {.read = &read, .out = out, .bytes_max = bytes_max};
    struct store_range range =
        record_range_inbox(member->partition, member->user, member->head.low.number, UINT64_MAX);
    check(environment_read_begin(cell_of(bodies, member->partition), &read), "read");
    check(environment_range(&read, &range, ENVIRONMENT_FORWARDS, take, &drain), "range");
    environment_read_end(&read);
    return drain.bytes;
}

void
bodies_size(struct bodies *bodies, struct bodies_size *out)
{
    *out = (struct bodies_size){0};
    for (unsigned i = 0; i < BODIES_CELLS; i++) {
        struct environment_facts facts;
        check(environment_facts(bodies->cells[i], &facts), "facts");
        out->data_bytes += facts.data_bytes;
        out->records += facts.records;
    }
}
