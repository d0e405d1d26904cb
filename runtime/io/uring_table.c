/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets that take no descriptor: further rings, each with a table of open sockets that the kernel
 * knows by their slot ("direct descriptors").
 *
 *     ring      wake, files, listeners, sockets that have a descriptor; the loop sleeps in it
 *      ^ bell_fd
 *     table 0   [socket][socket][      ][socket]...     a ring each, opened when it is first needed
 *     table 1   [socket][      ][      ][      ]...
 *
 * Two limits make them. A process may have only so many descriptors, which nobody may be able to
 * raise; a table holds as many again, and there may be many tables. And to cancel a poll the kernel
 * looks through a hash of 256 lists of all that a ring waits for: 5 us with 5,000 polls in a ring,
 * 20 us with 20,000, 250 us with 500,000. So what is idle by the hundred thousand is better spread
 * over many rings, whoever may have how many descriptors.
 *
 * A table is used as long as it has room, then the next; slots that became free are used first. A
 * ring with nothing to submit and nothing to deliver is never entered, so a node without tables
 * pays nothing, and idle ones cost a look at a flag per turn.
 *
 * The bell. A ring under DEFER_TASKRUN can't be polled for what it has to work off (in a trial
 * 299 of 300 wake-ups were lost), but it writes an eventfd that is registered with it. All tables
 * share one, under a poll in the loop's first ring. That poll is armed only when the loop goes to
 * sleep, after the eventfd has been emptied and before the tables are looked at for the last time:
 * what the kernel has announced before the emptying shows in a ring's flags, what it announces
 * later ends the poll. While the loop is awake nobody waits for the eventfd, and a ring that writes
 * it adds to a counter. The poll is one for a single event: on a multishot one, kernels until 2026
 * lose all that follows after the first wake-up that comes from a ring.
 *
 * Closing is an entry like others, behind what was submitted for the socket before; its slot is
 * free when that has completed. Until Linux 6.13 a table's sockets were really closed only when all
 * operations had ended that were begun before it, on whatever socket, and a poll on an idle
 * connection never ends: there are no tables then. */
#include "runtime/io/uring_table.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    /* A settled socket: URING_SETTLED, its table, its slot. */
    SLOT_BITS = 20,
    SLOT_MASK = (1 << SLOT_BITS) - 1,
    TABLES_MAX = URING_SETTLED >> SLOT_BITS,
    WORD_BITS = 64,
    /* Of Linux 6.8 and 6.7; liburing 2.3 does not know them. */
    OP_FIXED_FD_INSTALL = 54,
    COMMAND_SETSOCKOPT = 3,
};

struct uring_table {
    struct uring_ring ring;
    unsigned slots, free;
    unsigned full_words; /* so many words of `used` from the first on have no free slot */
    uint64_t used[];     /* a bit a slot */
};

/* ------------------------------------------------------------------------ slots */

static unsigned
table_words(unsigned slots)
{
    return (slots + WORD_BITS - 1) / WORD_BITS;
}

/* The lowest free slot, which there must be. */
static unsigned
slot_find(struct uring_table *table)
{
    ASSERT(table->free > 0);
    while (table->used[table->full_words] == UINT64_MAX) {
        table->full_words++;
    }
    unsigned bit = (unsigned)__builtin_ctzll(~table->used[table->full_words]);
    unsigned slot = table->full_words * WORD_BITS + bit;
    ASSERT(slot < table->slots);
    return slot;
}

static void
slot_take(struct uring_table *table, unsigned slot)
{
    table->used[slot / WORD_BITS] |= UINT64_C(1) << slot % WORD_BITS;
    table->free--;
}

static void
slot_put(struct uring_table *table, unsigned slot)
{
    unsigned word = slot / WORD_BITS;
    uint64_t bit = UINT64_C(1) << slot % WORD_BITS;
    ASSERT(slot < table->slots && (table->used[word] & bit) != 0);
    table->used[word] &= ~bit;
    table->free++;
    if (table->full_words > word) {
        table->full_words = word;
    }
}

/* ------------------------------------------------------------------------ tables */

static void
table_free(struct uring_table *table)
{
    uring_ring_close(&table->ring);
    free(table);
}

static int
table_open(const struct uring *uring, struct uring_table **out)
{
    const struct uring_driver *driver = (const struct uring_driver *)uring->io.driver;
    unsigned slots = driver->table_slots;
    size_t used_bytes = table_words(slots) * sizeof(uint64_t);
    struct uring_table *table = calloc(1, sizeof(*table) + used_bytes);
    if (table == NULL) {
        return -ENOMEM;
    }
    int error = uring_ring_open(&table->ring, driver->table_entries, driver->table_completions,
                                driver->level);
    if (error < 0) {
        free(table);
        return error;
    }
    table->ring.counters = uring->ring.counters;
    table->slots = slots;
    table->free = slots;
    uring_ring_enable(&table->ring);
    error = io_uring_register_files_sparse(&table->ring.queues, slots);
    if (error == 0) {
        error = io_uring_register_eventfd(&table->ring.queues, uring->bell_fd);
    }
    if (error < 0) {
        table_free(table);
        return error;
    }
    *out = table;
    return 0;
}

/* A table with a free slot, in *out_index. 0 or a negative errno. */
static int
table_find(struct uring *uring, unsigned *out_index)
{
    struct uring_table *table = NULL;
    for (unsigned i = 0; i < uring->tables_count; i++) {
        if (uring->tables[i]->free > 0) {
            *out_index = i;
            return 0;
        }
    }
    if (uring->tables_count == TABLES_MAX) {
        return -ENFILE;
    }
    struct uring_table **tables =
        realloc(uring->tables, (uring->tables_count + 1) * sizeof(struct uring_table *));
    if (tables == NULL) {
        return -ENOMEM;
    }
    uring->tables = tables;
    int error = table_open(uring, &table);
    if (error < 0) {
        return error;
    }
    *out_index = uring->tables_count;
    tables[uring->tables_count++] = table;
    return 0;
}

void
uring_tables_close(struct uring *uring)
{
    for (unsigned i = 0; i < uring->tables_count; i++) {
        table_free(uring->tables[i]);
    }
    free(uring->tables);
    uring->tables = NULL;
    uring->tables_count = 0;
}

/* ------------------------------------------------------------------------ sockets */

struct uring_ring *
uring_table_ring(struct uring *uring, unsigned index)
{
    ASSERT(index < uring->tables_count);
    return &uring->tables[index]->ring;
}

struct uring_place
uring_settled_place(struct uring *uring, io_socket socket)
{
    unsigned index = (unsigned)(socket & ~URING_SETTLED) >> SLOT_BITS;
    return (struct uring_place){.ring = uring_table_ring(uring, index),
                                .fd = socket & SLOT_MASK,
                                .entry_flags = IOSQE_FIXED_FILE};
}

static int
settle(struct uring *uring, io_socket socket, io_socket *out)
{
    const struct uring_driver *driver = (const struct uring_driver *)uring->io.driver;
    unsigned index = 0;
    if (driver->table_slots == 0) {
        return -EOPNOTSUPP;
    }
    int result = table_find(uring, &index);
    if (result < 0) {
        return result;
    }
    struct uring_table *table = uring->tables[index];
    unsigned slot = slot_find(table);
    result = io_uring_register_files_update(&table->ring.queues, slot, &socket, 1);
    if (result < 0) {
        return result;
    }
    slot_take(table, slot);
    *out = (io_socket)(URING_SETTLED | index << SLOT_BITS | slot);
    return 0;
}

int
uring_settle(struct io *io, io_socket socket, io_socket *out)
{
    struct uring *uring = uring_of(io);
    ASSERT(!uring_settled(socket));
    int error = settle(uring, socket, out);
    if (error < 0) {
        uring_count(&uring->counters.settles_failed, 1);
        return error;
    }
    uring_count(&uring->counters.settled, 1);
    (void)close(socket); /* the table holds it */
    return 0;
}

uint64_t
uring_settled_max(const struct io_driver *base, uint32_t *out_each)
{
    const struct uring_driver *driver = (const struct uring_driver *)base;
    *out_each = driver->table_slots;
    return (uint64_t)driver->table_slots * TABLES_MAX * base->loops;
}

/* An entry for the socket that is not an op's. */
static struct io_uring_sqe *
settled_entry(struct uring *uring, io_socket socket, uint8_t opcode, uint64_t user_data)
{
    struct uring_place place = uring_place(uring, socket);
    struct io_uring_sqe *sqe = uring_sqe(place.ring, user_data);
    io_uring_prep_rw(opcode, sqe, place.fd, NULL, 0, 0);
    sqe->flags |= place.entry_flags;
    return sqe;
}

/* The kernel's own entry for it (IORING_OP_SHUTDOWN) goes to a thread, which looks the slot up when
 * it comes to run: by then it may be another's. A descriptor that the kernel lends for a moment is
 * looked up here and now. Should there be none left, our side ends with the close. */
void
uring_settled_shutdown(struct uring *uring, io_socket socket)
{
    (void)settled_entry(uring, socket, OP_FIXED_FD_INSTALL, URING_TAG_LENT);
}

void
uring_lent(int32_t result)
{
    if (result >= 0) {
        (void)shutdown(result, SHUT_WR);
        (void)close(result);
    }
}

void
uring_settled_close(struct uring *uring, io_socket socket, bool abort)
{
    static const struct linger now = {.l_onoff = 1, .l_linger = 0};
    if (abort) {
        struct io_uring_sqe *sqe =
            settled_entry(uring, socket, IORING_OP_URING_CMD, URING_TAG_NOTHING);
        sqe->cmd_op = COMMAND_SETSOCKOPT;
        /* level and optname, in that order, where others have an address; optlen; optval */
        sqe->addr = (uint64_t)SO_LINGER << 32 | SOL_SOCKET;
        sqe->file_index = sizeof(now);
        sqe->addr3 = (uint64_t)(uintptr_t)&now;
        sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    }
    struct uring_place place = uring_place(uring, socket);
    uint64_t slot = (unsigned)place.fd;
    struct io_uring_sqe *sqe = uring_sqe(place.ring, slot << URING_TAG_BITS | URING_TAG_CLOSED);
    io_uring_prep_close_direct(sqe, (unsigned)place.fd);
}

void
uring_slot_closed(struct uring *uring, unsigned table, uint64_t slot, int32_t result)
{
    ASSERT(result == 0); /* else it was not open: a bug of ours */
    slot_put(uring->tables[table], (unsigned)slot);
    uring_uncount(&uring->counters.settled, 1);
}

/* ------------------------------------------------------------------------ rings */

void
uring_tables_submit(struct uring *uring)
{
    for (unsigned i = 0; i < uring->tables_count; i++) {
        uring_submit(&uring->tables[i]->ring);
    }
}

bool
uring_tables_ready(const struct uring *uring)
{
    for (unsigned i = 0; i < uring->tables_count; i++) {
        const struct uring_ring *ring = &uring->tables[i]->ring;
        if (uring_ready(ring) > 0 || ring->dropped.head != NULL) {
            return true;
        }
    }
    return false;
}

bool
uring_tables_pending(const struct uring *uring)
{
    for (unsigned i = 0; i < uring->tables_count; i++) {
        if (uring_pending(&uring->tables[i]->ring)) {
            return true;
        }
    }
    return false;
}

void
uring_bell_arm(struct uring *uring)
{
    if (uring->tables_count == 0 || uring->bell_armed) {
        return;
    }
    eventfd_t rung;
    (void)eventfd_read(uring->bell_fd, &rung); /* EAGAIN: it was not */
    io_uring_prep_poll_add(uring_sqe(&uring->ring, URING_TAG_BELL), uring->bell_fd, POLLIN);
    uring->bell_armed = true;
}
