/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/world.h"

#include "store/checksum.h"
#include "store/inbox.h"
#include "store/page.h"
#include "store/record_state.h"
#include "store/request.h"

#include <stdlib.h>
#include <string.h>

/* Of partitions, with a stream each. */
enum { PAIRS = STORE_PARTITIONS * STORE_PARTITIONS };

struct logged {
    struct log_command head;
    unsigned char *body;
};

struct world {
    uint64_t seed;
    uint64_t now_ms;
    struct ledger_limits limits;
    struct ledger ledgers[STORE_PARTITIONS];
    struct table *lmdb;
    struct effects effects;
    struct logged *log;
    size_t log_count;
    size_t log_capacity;
    size_t marks[WORLD_CELLS]; /* folded: the log from here on is the cell's tail */
    size_t freezing[WORLD_CELLS];
    bool folding[WORLD_CELLS];
    unsigned char body[COMMAND_BYTES_MAX];
    struct rows rows;
};

/* ----------------------------------------------------------------------------------- log, apply */

static void
learn(void *context, const struct store_key *key)
{
    struct world *world = context;
    struct delta *delta = world->ledgers[key->partition].delta;
    struct store_value value;
    struct table_entry entry;
    if (delta_get(delta, key, &value) == DELTA_UNKNOWN) {
        bool found = table_get(world->lmdb, key, &entry);
        delta_learn(delta, key, found ? &entry.value : NULL);
    }
}

static void
apply(struct world *world, const struct log_command *logged, struct result *out)
{
    struct command command;
    struct ledger *ledger = &world->ledgers[logged->partition];
    int error = command_decode(logged, &command);
    ASSERT(error == 0);
    apply_needs(ledger, &command, learn, world);
    apply_command(ledger, &command, &world->effects, out);
}

struct result
world_apply(struct world *world, struct command *command)
{
    struct result result;
    command->time_ms = world->now_ms;
    if (command->kind == COMMAND_MESSAGE || command->kind == COMMAND_GROUP_MESSAGE) {
        command->message.message.time_ms = world->now_ms;
    } else if (command->kind == COMMAND_CHANGE || command->kind == COMMAND_GROUP_REVISE) {
        command->change.change.message.time_ms = world->now_ms;
    }
    size_t count = command_encode(command, world->body, sizeof(world->body));
    if (world->log_count == world->log_capacity) {
        world->log_capacity = world->log_capacity == 0 ? 256 : world->log_capacity * 2;
        world->log = realloc(world->log, world->log_capacity * sizeof(world->log[0]));
        ASSERT(world->log != NULL);
    }
    struct logged *logged = &world->log[world->log_count++];
    logged->body = malloc(count);
    ASSERT(logged->body != NULL);
    memcpy(logged->body, world->body, count);
    logged->head = (struct log_command){
        .partition = command->partition,
        .kind = (uint8_t)command->kind,
        .version = COMMAND_VERSION,
        .body = logged->body,
        .body_bytes = (uint32_t)count,
    };
    effects_clear(&world->effects);
    apply(world, &logged->head, &result);
    return result;
}

const struct effects *
world_effects(const struct world *world)
{
    return &world->effects;
}

/* ----------------------------------------------------------------------------------------- life */

static void
open_all(struct world *world)
{
    for (unsigned p = 0; p < STORE_PARTITIONS; p++) {
        struct command command = {
            .partition = (uint8_t)p,
            .kind = COMMAND_OPEN,
            .open = {.inbox_entries_max = world->limits.inbox_entries_max,
                     .inbox_bytes_max = world->limits.inbox_bytes_max,
                     .devices_max = world->limits.devices_max,
                     .history_ms = world->limits.history_ms},
        };
        (void)world_apply(world, &command);
    }
}

void
world_history(struct world *world, uint64_t history_ms)
{
    world->limits.history_ms = history_ms;
    open_all(world);
}

struct world *
world_new(uint64_t seed, const struct ledger_limits *limits)
{
    struct world *world = calloc(1, sizeof(*world));
    ASSERT(world != NULL);
    world->seed = checksum_bytes(seed, "world", 5);
    world->now_ms = LEDGER_EPOCH_MS + UINT64_C(200000000000);
    world->limits = *limits;
    world->lmdb = table_new(1);
    effects_init(&world->effects);
    for (unsigned p = 0; p < STORE_PARTITIONS; p++) {
        ledger_init(&world->ledgers[p], (uint8_t)p, world->seed);
    }
    open_all(world);
    return world;
}

void
world_free(struct world **world_in)
{
    struct world *world = *world_in;
    for (unsigned p = 0; p < STORE_PARTITIONS; p++) {
        ledger_fini(&world->ledgers[p]);
    }
    for (size_t i = 0; i < world->log_count; i++) {
        free(world->log[i].body);
    }
    free(world->log);
    table_free(&world->lmdb);
    effects_fini(&world->effects);
    rows_fini(&world->rows);
    free(world);
    *world_in = NULL;
}

uint64_t
world_now_ms(const struct world *world)
{
    return world->now_ms;
}

void
world_pass(struct world *world, uint64_t ms)
{
    world->now_ms += ms;
}

uint64_t
world_seed(const struct world *world)
{
    return world->seed;
}

uint8_t
world_partition(const struct world *world, uint64_t user)
{
    return key_partition_of_id(world->seed, user);
}

struct ledger *
world_ledger(struct world *world, uint8_t partition)
{
    return &world->ledgers[partition];
}

/* -------------------------------------------------------------------------------------- streams */

/* Records of a stream that go together; in memory until the next. */
struct cargo {
    uint8_t source;
    uint8_t destination;
    uint64_t first;
    uint32_t count;
    uint64_t bytes;
    struct rows records;
};

/* The stream's record of that number, which must be there. */
static struct store_value
record_of(struct world *world, const struct cargo *cargo, uint64_t number)
{
    struct ledger *from = &world->ledgers[cargo->source];
    struct store_key key = record_key_outbox(cargo->source, cargo->destination, number);
    struct store_value value;
    learn(world, &key);
    bool present = ledger_get(from, &key, &value);
    ASSERT(present);
    return value;
}

/* One record, or as many as a group said. */
static void
load(struct world *world, struct cargo *cargo, bool round)
{
    const struct ledger *from = &world->ledgers[cargo->source];
    uint64_t group = payload_group(record_of(world, cargo, cargo->first));
    uint64_t last = round && group != 0 ? from->streams[cargo->destination].out_last : cargo->first;
    while (cargo->first + cargo->count <= last && cargo->count < COMMAND_ROUND_MAX) {
        struct store_value record = record_of(world, cargo, cargo->first + cargo->count);
        if (payload_group(record) != group) {
            break;
        }
        payload_pack(record, rows_room(&cargo->records, PAYLOAD_LENGTH_BYTES + record.count));
        cargo->bytes += record.count;
        cargo->count++;
    }
}

static void
deliver(struct world *world, const struct cargo *cargo)
{
    struct store_value records = {.bytes = cargo->records.bytes, .count = cargo->records.count};
    struct command stream = {.partition = cargo->destination, .kind = COMMAND_STREAM};
    if (cargo->count > 1) {
        stream.kind = COMMAND_STREAM_ROUND;
        stream.stream_round = (struct command_stream_round){.source = cargo->source,
                                                            .first = cargo->first,
                                                            .count = cargo->count,
                                                            .records = records};
    } else {
        size_t at = 0;
        stream.stream.source = cargo->source;
        stream.stream.number = cargo->first;
        bool any = payload_next(records, &at, &stream.stream.payload);
        ASSERT(any);
    }
    (void)world_apply(world, &stream);
}

static void
carry(struct world *world, uint8_t source, uint8_t destination, bool round)
{
    struct cargo cargo = {
        .source = source,
        .destination = destination,
        .first = world->ledgers[source].streams[destination].out_acked + 1,
    };
    struct payload payload;
    rows_init(&cargo.records);
    load(world, &cargo, round);
    int error = payload_decode(record_of(world, &cargo, cargo.first), &payload);
    ASSERT(error == 0);
    uint64_t reader = payload_is_receipt(&payload) ? payload.receipt.reader : 0;
    uint64_t peer = payload_is_receipt(&payload) ? payload.receipt.peer : 0;
    deliver(world, &cargo);
    rows_fini(&cargo.records);

    unsigned char pair[COMMAND_PAIR_BYTES];
    struct command ack = {
        .partition = source,
        .kind = COMMAND_STREAM_ACK,
        .stream_ack = {.destination = destination,
                       .number = cargo.first + cargo.count - 1,
                       .bytes = cargo.bytes,
                       .receipts = {.bytes = pair}},
    };
    if (reader != 0) {
        command_pair_put(pair, 0, reader, peer);
        ack.stream_ack.receipts.count = 1;
    }
    (void)world_apply(world, &ack);
}

static bool
step(struct world *world, uint64_t pick, bool round)
{
    unsigned start = (unsigned)(pick % PAIRS);
    for (unsigned i = 0; i < PAIRS; i++) {
        unsigned pair = (start + i) % PAIRS;
        uint8_t source = (uint8_t)(pair / STORE_PARTITIONS);
        uint8_t destination = (uint8_t)(pair % STORE_PARTITIONS);
        const struct ledger_stream *stream = &world->ledgers[source].streams[destination];
        if (stream->out_acked < stream->out_last) {
            carry(world, source, destination, round);
            return true;
        }
    }
    return false;
}

bool
world_step(struct world *world, uint64_t pick)
{
    return step(world, pick, pick % 3 != 1);
}

void
world_settle(struct world *world)
{
    while (step(world, 0, true)) {
    }
}

void
world_settle_singly(struct world *world)
{
    while (step(world, 0, false)) {
    }
}

/* ------------------------------------------------------------------------------ folds, restarts */

static unsigned
cell_of(unsigned partition)
{
    return partition % WORLD_CELLS;
}

void
world_freeze(struct world *world, unsigned cell)
{
    for (unsigned p = cell; p < STORE_PARTITIONS; p += WORLD_CELLS) {
        (void)ledger_freeze(&world->ledgers[p]);
    }
    world->freezing[cell] = world->log_count;
    world->folding[cell] = true;
}

static void
delete_range(struct table *table, const struct store_range *range)
{
    struct table_cursor at;
    struct table_entry entry;
    for (table_seek(table, &range->low, &at);
         table_at(&at, &entry) && !key_less(&range->high, &entry.key);
         table_seek(table, &range->low, &at)) {
        (void)table_remove(table, &entry.key);
    }
}

struct ranges {
    struct store_range *at;
    size_t count;
};

/* What the entry implies beside what LMDB has of it. */
static void
add_implied(struct ranges *ranges, struct table *lmdb, const struct table_entry *entry)
{
    struct table_entry was;
    struct store_range range;
    struct store_value before = {0};
    if (table_get(lmdb, &entry->key, &was)) {
        before = was.value;
    }
    for (unsigned i = 0; record_implies(entry, &before, i, &range); i++) {
        ranges->at = realloc(ranges->at, (ranges->count + 1) * sizeof(ranges->at[0]));
        ASSERT(ranges->at != NULL);
        ranges->at[ranges->count++] = range;
    }
}

/* What fold.c does to LMDB. */
static void
fold(struct table *lmdb, const struct table *frozen)
{
    struct table_cursor at;
    struct table_entry entry;
    struct ranges ranges = {0};
    struct store_key lowest = {0};
    for (table_seek(frozen, &lowest, &at); table_at(&at, &entry); table_next(&at)) {
        if (entry.state == TABLE_WRITTEN) {
            add_implied(&ranges, lmdb, &entry);
        }
    }
    for (table_seek(frozen, &lowest, &at); table_at(&at, &entry); table_next(&at)) {
        if (entry.state == TABLE_WRITTEN) {
            table_put(lmdb, &entry.key, TABLE_FETCHED, entry.value);
        } else if (entry.state == TABLE_DELETED) {
            (void)table_remove(lmdb, &entry.key);
        }
    }
    for (size_t i = 0; i < ranges.count; i++) {
        delete_range(lmdb, &ranges.at[i]);
    }
    free(ranges.at);
}

/* What every device has acknowledged is gone, whichever fold wrote it and whichever deleted it. */
static void
check_gone(const struct table *lmdb, uint8_t partition)
{
    struct table_cursor at;
    struct table_entry entry;
    struct table_entry head_entry;
    struct record_head head;
    struct store_range inboxes = key_range_table(partition, RECORD_INBOX);
    table_seek(lmdb, &inboxes.low, &at);
    for (; table_at(&at, &entry) && !key_less(&inboxes.high, &entry.key); table_next(&at)) {
        struct store_key key = record_key(partition, RECORD_HEAD, entry.key.owner, 0);
        bool found = table_get(lmdb, &key, &head_entry);
        ASSERT(found && record_head_decode(head_entry.value, &head) == 0);
        ASSERT(entry.key.a > head.low.number);
    }
}

void
world_folded(struct world *world, unsigned cell)
{
    for (unsigned p = cell; p < STORE_PARTITIONS; p += WORLD_CELLS) {
        struct delta *delta = world->ledgers[p].delta;
        fold(world->lmdb, delta_folding(delta));
        check_gone(world->lmdb, (uint8_t)p);
        delta_folded(delta, NULL);
        struct table *retired = delta_retire(delta);
        table_free(&retired);
    }
    world->marks[cell] = world->freezing[cell];
    world->folding[cell] = false;
}

void
world_fold_on(struct world *world, unsigned cell)
{
    if (world->folding[cell]) {
        world_folded(world, cell);
    } else {
        world_freeze(world, cell);
    }
}

void
world_fold(struct world *world, unsigned cell)
{
    world_freeze(world, cell);
    world_folded(world, cell);
}

void
world_fold_all(struct world *world)
{
    for (unsigned cell = 0; cell < WORLD_CELLS; cell++) {
        world_fold(world, cell);
    }
}

void
world_fold_out(struct world *world)
{
    world_fold_all(world);
    world_fold_all(world);
}

void
world_restart(struct world *world)
{
    for (unsigned p = 0; p < STORE_PARTITIONS; p++) {
        struct store_key key = record_key((uint8_t)p, RECORD_PARTITION, 0, 0);
        struct table_entry entry;
        ledger_fini(&world->ledgers[p]);
        ledger_init(&world->ledgers[p], (uint8_t)p, world->seed);
        if (table_get(world->lmdb, &key, &entry)) {
            int error = ledger_load(&world->ledgers[p], entry.value);
            ASSERT(error == 0);
        }
        for (uint32_t page = 1; page <= world->ledgers[p].due_pages; page++) {
            key = ledger_key((uint8_t)p, page);
            bool found = table_get(world->lmdb, &key, &entry);
            ASSERT(found);
            int error = ledger_load_due(&world->ledgers[p], entry.value);
            ASSERT(error == 0);
        }
    }
    for (size_t i = 0; i < world->log_count; i++) {
        struct result result;
        if (i >= world->marks[cell_of(world->log[i].head.partition)]) {
            apply(world, &world->log[i].head, &result);
        }
    }
    memset(world->folding, 0, sizeof(world->folding));
    effects_clear(&world->effects);
    open_all(world);
}

/* -------------------------------------------------------------------------------------- reading */

bool
world_head(struct world *world, uint64_t user, struct record_head *out)
{
    struct store_key key = record_key(world_partition(world, user), RECORD_HEAD, user, 0);
    learn(world, &key);
    return inbox_head_find(&world->ledgers[key.partition], user, out);
}

bool
world_get(struct world *world, const struct store_key *key, struct store_value *out)
{
    learn(world, key);
    return ledger_get(&world->ledgers[key->partition], key, out);
}

bool
world_chat(struct world *world, uint64_t user, uint64_t peer, struct record_chat *out)
{
    struct store_key key = record_key(world_partition(world, user), RECORD_CHAT, user, peer);
    struct store_value value;
    if (!world_get(world, &key, &value)) {
        return false;
    }
    int error = record_chat_decode(value, out);
    ASSERT(error == 0);
    return true;
}

bool
world_state_get(struct world *world, uint64_t user, uint8_t kind, uint64_t subject,
                char out[WORLD_STATE_MAX])
{
    struct store_key key = record_key_state(world_partition(world, user), user, kind, subject);
    struct record_state record;
    struct store_value value;
    if (!world_get(world, &key, &value)) {
        return false;
    }
    int error = record_state_decode(value, &record);
    ASSERT(error == 0 && record.value.count < WORLD_STATE_MAX);
    memcpy(out, record.value.bytes, record.value.count);
    out[record.value.count] = '\0';
    return true;
}

bool
world_device(struct world *world, uint64_t user, uint16_t device, struct record_device *out)
{
    struct store_key key = record_key(world_partition(world, user), RECORD_DEVICE, user, device);
    struct store_value value;
    if (!world_get(world, &key, &value)) {
        return false;
    }
    int error = record_device_decode(value, out);
    ASSERT(error == 0);
    return true;
}

void
world_page(struct world *world, const struct store_range *range, struct page *out)
{
    struct table_cursor at;
    struct table_entry entry;
    world->rows.count = 0;
    for (table_seek(world->lmdb, &range->low, &at);
         table_at(&at, &entry) && !key_less(&range->high, &entry.key); table_next(&at)) {
        rows_add(&world->rows, &entry.key, &entry.value);
    }
    struct page_rows rows = {.bytes = world->rows.bytes, .count = world->rows.count};
    page_start(out, world->ledgers[range->low.partition].delta, range, &rows);
}

size_t
world_inbox(struct world *world, uint64_t user, uint64_t after,
            struct store_entry out[WORLD_PAGE_MAX])
{
    struct record_head head;
    struct page page;
    struct store_key key;
    struct store_value value;
    size_t count = 0;
    uint8_t partition = world_partition(world, user);
    if (!world_head(world, user, &head)) {
        return 0;
    }
    uint64_t from = after > head.low.number ? after : head.low.number;
    struct store_range range = record_range_inbox(partition, user, from, head.last.number);
    world_page(world, &range, &page);
    while (page_next(&page, &key, &value)) {
        ASSERT(count < WORLD_PAGE_MAX);
        int error = entry_decode(key.a, value.bytes, value.count, &out[count++]);
        ASSERT(error == 0);
    }
    return count;
}

const struct table *
world_folded_table(const struct world *world)
{
    return world->lmdb;
}

/* What is below a user's low, and the chats and states of one who is gone, are invisible: whether
 * they are still there depends on when folds ran. */
static bool
visible(struct world *world, const struct store_key *key)
{
    struct record_head head;
    bool inbox = key->table == RECORD_INBOX;
    if (inbox || key->table == RECORD_CHAT || key->table == RECORD_STATE ||
        key->table == RECORD_STATE_SUM) {
        return world_head(world, key->owner, &head) && (!inbox || key->a > head.low.number);
    }
    return key->table != RECORD_PARTITION;
}

uint64_t
world_sum(struct world *world, uint8_t partition)
{
    struct store_range range = key_range_partition(partition);
    const struct ledger *ledger = &world->ledgers[partition];
    struct page page;
    struct store_key key;
    struct store_value value;
    struct rows all;
    struct rows sum;
    size_t at = 0;
    bool present;
    rows_init(&all);
    rows_init(&sum);
    world_page(world, &range, &page);
    while (page_next(&page, &key, &value)) {
        rows_add(&all, &key, &value);
    }
    while (rows_next(all.bytes, all.count, &at, &key, &present, &value)) {
        if (visible(world, &key)) {
            rows_add(&sum, &key, &value);
        }
    }
    uint64_t counters[] = {ledger->last_number, ledger->last_user, ledger->last_time_ms};
    uint64_t result = checksum_bytes(0, counters, sizeof(counters));
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        const struct ledger_stream *stream = &ledger->streams[i];
        uint64_t ends[] = {stream->out_last, stream->out_acked, stream->in};
        result = checksum_bytes(result, ends, sizeof(ends));
    }
    result = checksum_bytes(result, sum.bytes, sum.count);
    rows_fini(&all);
    rows_fini(&sum);
    return result;
}

uint64_t
world_log_commands(const struct world *world)
{
    return world->log_count;
}
