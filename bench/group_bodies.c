/* SPDX-License-Identifier: Apache-2.0 */
/* What it costs at rest that a group's message stands in the inbox of each of its members, beside a
 * body for each partition that is counted back: docs/architecture.md, Groups.
 *
 *     bench_group_bodies FOLDER [MEMBERS BODY]...
 *         an empty folder on the disk that is meant; sizes of groups, and bytes of bodies (10, 50,
 *         150 and 1,000 members, each with 128 and 1,000 bytes)
 *
 * For each size some two thousand people are in groups of so many. Each group says 32 messages,
 * which no member fetches, in four folds of eight; then each inbox is read three times; then all is
 * acknowledged, inbox by inbox in random order, in four folds. Both ways take each of these steps
 * in turns, and begin in turns.
 *
 * Lines of JSON, one for each way and one for what the shared way has of the other's. Bytes and
 * pages do not depend on who else uses the machine; times do, and so only their ratios are worth
 * something there. `bytes` is what the databases have grown by for one message to a group,
 * `bytes_left` what is left of that when all is acknowledged; `put_ns`, `fold_ns`, `drain_ns` and
 * `ack_ns` are of an inbox's entry, pages what is handed to the disk for it. Reading is the median
 * of all inboxes; the others are sums. */
#include "bench/bodies.h"
#include "bench/chance.h"
#include "runtime/io/uring.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PEOPLE = 2000,
    GROUPS_MIN = 2,
    MESSAGES = 32, /* of a group */
    FOLDS = 4,     /* that carry them, and that carry their acknowledgements */
    READS = 3,
    PAGE_BYTES = 4096,
    SEED = 20261129,
};
static const uint64_t number_first = UINT64_C(7) << 32; /* of an inbox: an epoch, and a counter */

static const char *const way_names[BODIES_WAYS] = {"each", "shared"};

struct town {
    struct io_driver *driver;
    uint32_t members_each, body_bytes;
    uint32_t groups_count, members_count;
    struct bodies_group *groups;
    struct bodies_member *members; /* group after group */
    uint64_t numbers[STORE_PARTITIONS];
    uint64_t chance;
    uint32_t turns; /* steps so far: who begins */
    struct bodies bodies[BODIES_WAYS];
};

struct found {
    double bytes, bytes_left;         /* of a message */
    double put_ns, fold_ns, drain_ns; /* of an entry */
    double ack_ns;
    double fold_pages, ack_pages;
};

static void
fail(const char *what)
{
    (void)fprintf(stderr, "bench_group_bodies: %s\n", what);
    _Exit(1);
}

static uint64_t
now_ns(const struct town *town)
{
    return io_now_ns(io_of(town->driver, 0));
}

/* Which way goes first changes from step to step. */
static enum bodies_way
way_of(const struct town *town, unsigned i)
{
    return (town->turns + i) % BODIES_WAYS;
}

static double
entries(const struct town *town)
{
    return (double)town->members_count * MESSAGES;
}

/* --------------------------------------------------------------------------------------- people */

static void
member_init(struct town *town, struct bodies_member *member)
{
    member->user = chance_next(&town->chance) >> 11; /* below 2^53, as ids are */
    member->partition = key_partition_of_id(SEED, member->user);
    member->head = (struct record_head){
        .device_next = 2, .devices = 1, .cursors = {{.device = 1, .state = RECORD_CURSOR_HOLDS}}};
}

static void
town_init(struct town *town, struct io_driver *driver, uint32_t members_each, uint32_t body_bytes)
{
    uint32_t groups = PEOPLE / members_each;
    groups = groups < GROUPS_MIN ? GROUPS_MIN : groups;
    *town = (struct town){.driver = driver,
                          .members_each = members_each,
                          .body_bytes = body_bytes,
                          .groups_count = groups,
                          .members_count = groups * members_each,
                          .chance = SEED};
    town->groups = calloc(groups, sizeof *town->groups);
    town->members = calloc(town->members_count, sizeof *town->members);
    ASSERT(town->groups != NULL && town->members != NULL);
    for (uint32_t g = 0; g < groups; g++) {
        struct bodies_group *group = &town->groups[g];
        group->id = chance_next(&town->chance) >> 11;
        group->members = &town->members[(size_t)g * members_each];
        group->count = members_each;
        for (uint32_t m = 0; m < members_each; m++) {
            member_init(town, &group->members[m]);
            group->shares[group->members[m].partition]++;
        }
    }
}

/* Everybody has an inbox, in which nothing is. */
static void
town_open(struct town *town, const char *folder)
{
    for (unsigned way = 0; way < BODIES_WAYS; way++) {
        char path[BODIES_PATH_BYTES];
        struct bodies *bodies = &town->bodies[way];
        (void)snprintf(path, sizeof path, "%s/%s", folder, way_names[way]);
        bodies_open(bodies, (enum bodies_way)way, town->driver, path);
        for (uint32_t m = 0; m < town->members_count; m++) {
            bodies_put_head(bodies, &town->members[m]);
        }
        bodies_fold(bodies);
        bodies->folds = (struct bodies_folds){0};
    }
}

static void
town_close(struct town *town)
{
    for (unsigned way = 0; way < BODIES_WAYS; way++) {
        bodies_close(&town->bodies[way]);
    }
    free(town->groups);
    free(town->members);
}

/* -------------------------------------------------------------------------------------- writing */

static void
heads_move(struct town *town, const struct bodies_group *group)
{
    enum { AROUND_BYTES = 104 }; /* of an entry, besides its body */
    for (uint32_t m = 0; m < group->count; m++) {
        struct bodies_member *member = &group->members[m];
        struct record_place *last = &member->head.last;
        last->number = number_first + ++town->numbers[member->partition];
        last->entries++;
        last->bytes += AROUND_BYTES + town->body_bytes;
    }
}

static void
message_put(struct bodies *bodies, const struct bodies_group *group,
            const struct bodies_message *message)
{
    for (uint32_t m = 0; m < group->count; m++) {
        bodies_put_entry(bodies, group, &group->members[m], message);
        bodies_put_head(bodies, &group->members[m]);
    }
}

static void
say(struct town *town, const struct bodies_group *group, uint64_t chat_number,
    struct found found[BODIES_WAYS])
{
    static unsigned char body[BODIES_BYTES_MAX];
    struct bodies_message message = {chat_number, body, town->body_bytes};
    memset(body, (int)(chat_number % 251) + 1, town->body_bytes);
    heads_move(town, group);
    for (unsigned i = 0; i < BODIES_WAYS; i++) {
        enum bodies_way way = way_of(town, i);
        uint64_t start_ns = now_ns(town);
        message_put(&town->bodies[way], group, &message);
        found[way].put_ns += (double)(now_ns(town) - start_ns) / entries(town);
    }
    town->turns++;
}

static void
fold(struct town *town)
{
    for (unsigned i = 0; i < BODIES_WAYS; i++) {
        bodies_fold(&town->bodies[way_of(town, i)]);
    }
    town->turns++;
}

static void
write_all(struct town *town, struct found found[BODIES_WAYS])
{
    struct bodies_size before[BODIES_WAYS];
    for (unsigned way = 0; way < BODIES_WAYS; way++) {
        bodies_size(&town->bodies[way], &before[way]);
    }
    for (uint64_t number = 1; number <= MESSAGES; number++) {
        for (uint32_t g = 0; g < town->groups_count; g++) {
            say(town, &town->groups[g], number, found);
        }
        if (number % (MESSAGES / FOLDS) == 0) {
            fold(town);
        }
    }
    for (unsigned way = 0; way < BODIES_WAYS; way++) {
        struct bodies_size after;
        struct bodies_folds *folds = &town->bodies[way].folds;
        bodies_size(&town->bodies[way], &after);
        found[way].bytes = (double)(after.data_bytes - before[way].data_bytes) /
                           ((double)town->groups_count * MESSAGES);
        found[way].bytes_left = -(double)before[way].data_bytes;
        found[way].fold_ns = (double)folds->ns / entries(town);
        found[way].fold_pages = (double)folds->written_bytes / PAGE_BYTES / entries(town);
    }
}

/* -------------------------------------------------------------------------------------- reading */

static void
shuffle(struct town *town, uint32_t *order)
{
    for (uint32_t i = 0; i < town->members_count; i++) {
        order[i] = i;
    }
    for (uint32_t i = town->members_count - 1; i > 0; i--) {
        uint32_t j = (uint32_t)chance_below(&town->chance, i + 1);
        uint32_t moved = order[i];
        order[i] = order[j];
        order[j] = moved;
    }
}

/* Of one inbox, both ways; what is read has to be the same. */
static void
drain(struct town *town, const struct bodies_member *member, struct histogram times[BODIES_WAYS])
{
    static unsigned char rooms[BODIES_WAYS][MESSAGES * BODIES_BYTES_MAX];
    size_t bytes[BODIES_WAYS];
    for (unsigned i = 0; i < BODIES_WAYS; i++) {
        enum bodies_way way = way_of(town, i);
        uint64_t start_ns = now_ns(town);
        bytes[way] = bodies_drain(&town->bodies[way], member, rooms[way], sizeof rooms[way]);
        histogram_record(&times[way], now_ns(town) - start_ns);
    }
    town->turns++;
    if (bytes[0] != (size_t)MESSAGES * town->body_bytes || bytes[1] != bytes[0] ||
        memcmp(rooms[0], rooms[1], bytes[0]) != 0) {
        fail("an inbox does not have what was put into it");
    }
}

static void
read_all(struct town *town, uint32_t *order, struct found found[BODIES_WAYS])
{
    static struct histogram times[BODIES_WAYS];
    memset(times, 0, sizeof times);
    for (unsigned read = 0; read < READS; read++) {
        shuffle(town, order);
        for (uint32_t i = 0; i < town->members_count; i++) {
            drain(town, &town->members[order[i]], times);
        }
    }
    for (unsigned way = 0; way < BODIES_WAYS; way++) {
        found[way].drain_ns = (double)histogram_percentile(&times[way], 50) / MESSAGES;
    }
}

/* ----------------------------------------------------------------------------- acknowledgements */

static void
acknowledge(struct town *town, struct bodies_member *member, struct found found[BODIES_WAYS])
{
    const struct bodies_group *group =
        &town->groups[(uint32_t)(member - town->members) / town->members_each];
    member->head.low = member->head.last;
    member->head.cursors[0].acked = member->head.last;
    for (unsigned i = 0; i < BODIES_WAYS; i++) {
        enum bodies_way way = way_of(town, i);
        struct bodies *bodies = &town->bodies[way];
        uint64_t start_ns = now_ns(town);
        bodies_count_back(bodies, group, member, 1, MESSAGES);
        bodies_put_head(bodies, member);
        found[way].ack_ns += (double)(now_ns(town) - start_ns) / entries(town);
    }
    town->turns++;
}

static void
acknowledge_all(struct town *town, uint32_t *order, struct found found[BODIES_WAYS])
{
    shuffle(town, order);
    for (unsigned way = 0; way < BODIES_WAYS; way++) {
        town->bodies[way].folds = (struct bodies_folds){0};
    }
    for (uint32_t part = 0; part < FOLDS; part++) {
        uint32_t from = town->members_count * part / FOLDS;
        uint32_t until = town->members_count * (part + 1) / FOLDS;
        for (uint32_t i = from; i < until; i++) {
            acknowledge(town, &town->members[order[i]], found);
        }
        fold(town);
    }
    for (unsigned way = 0; way < BODIES_WAYS; way++) {
        struct bodies_size after;
        const struct bodies_folds *folds = &town->bodies[way].folds;
        bodies_size(&town->bodies[way], &after);
        if (after.records != town->members_count) {
            fail("what all have acknowledged is not gone");
        }
        found[way].bytes_left = (found[way].bytes_left + (double)after.data_bytes) /
                                ((double)town->groups_count * MESSAGES);
        found[way].ack_ns += (double)folds->ns / entries(town);
        found[way].ack_pages = (double)folds->written_bytes / PAGE_BYTES / entries(town);
    }
}

/* ------------------------------------------------------------------------------------- the rows */

static double
partitions_each(const struct town *town)
{
    uint32_t count = 0;
    for (uint32_t g = 0; g < town->groups_count; g++) {
        for (unsigned p = 0; p < STORE_PARTITIONS; p++) {
            count += town->groups[g].shares[p] > 0;
        }
    }
    return (double)count / town->groups_count;
}

static void
row_begin(const struct town *town, const char *way)
{
    printf("{\"members\": %u, \"body\": %u, \"way\": \"%s\", \"groups\": %u, \"messages\": %d, "
           "\"partitions\": %.1f",
           town->members_each, town->body_bytes, way, town->groups_count, MESSAGES,
           partitions_each(town));
}

static void
rows_print(const struct town *town, const struct found found[BODIES_WAYS])
{
    for (unsigned way = 0; way < BODIES_WAYS; way++) {
        const struct found *f = &found[way];
        row_begin(town, way_names[way]);
        printf(", \"bytes\": %.0f, \"bytes_left\": %.0f, \"put_ns\": %.0f, \"fold_ns\": %.0f, "
               "\"fold_pages\": %.4f, \"drain_ns\": %.0f, \"ack_ns\": %.0f, \"ack_pages\": %.4f}\n",
               f->bytes, f->bytes_left, f->put_ns, f->fold_ns, f->fold_pages, f->drain_ns,
               f->ack_ns, f->ack_pages);
    }
    const struct found *each = &found[BODIES_EACH];
    const struct found *shared = &found[BODIES_SHARED];
    row_begin(town, "shared / each");
    printf(", \"bytes\": %.3f, \"put\": %.3f, \"fold\": %.3f, \"fold_pages\": %.3f, "
           "\"drain\": %.3f, \"ack\": %.3f, \"ack_pages\": %.3f}\n",
           shared->bytes / each->bytes, shared->put_ns / each->put_ns,
           shared->fold_ns / each->fold_ns, shared->fold_pages / each->fold_pages,
           shared->drain_ns / each->drain_ns, shared->ack_ns / each->ack_ns,
           shared->ack_pages / each->ack_pages);
}

static void
measure(struct io_driver *driver, const char *folder, uint32_t members, uint32_t body_bytes)
{
    static struct town town;
    struct found found[BODIES_WAYS] = {{0}};
    town_init(&town, driver, members, body_bytes);
    uint32_t *order = calloc(town.members_count, sizeof *order);
    ASSERT(order != NULL);
    town_open(&town, folder);
    write_all(&town, found);
    read_all(&town, order, found);
    acknowledge_all(&town, order, found);
    rows_print(&town, found);
    town_close(&town);
    free(order);
}

int
main(int argc, char **argv)
{
    static const uint32_t sizes[] = {10, 50, 150, 1000};
    static const uint32_t bodies[] = {128, 1000};
    char why[256] = "";
    struct io_driver *driver = NULL;
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 2 || argc % 2 != 0) {
        fail("usage: bench_group_bodies FOLDER [MEMBERS BODY]...");
    }
    if (uring_open(&(struct uring_options){.loops = 1, .workers = 1}, &driver, why, sizeof why) <
        0) {
        fail(why);
    }
    for (int i = 2; i < argc; i += 2) {
        unsigned long members = strtoul(argv[i], NULL, 10);
        unsigned long bytes = strtoul(argv[i + 1], NULL, 10);
        if (members < 1 || members > PEOPLE || bytes < 1 || bytes > BODIES_BYTES_MAX) {
            fail("from 1 to 2000 members, and from 1 to 16384 bytes");
        }
        measure(driver, argv[1], (uint32_t)members, (uint32_t)bytes);
    }
    for (unsigned i = 0; argc == 2 && i < sizeof sizes / sizeof sizes[0]; i++) {
        for (unsigned b = 0; b < sizeof bodies / sizeof bodies[0]; b++) {
            measure(driver, argv[1], sizes[i], bodies[b]);
        }
    }
    io_driver_close(driver);
    return 0;
}
