/* SPDX-License-Identifier: Apache-2.0 */
/* One handler does everything: it is kicked when something has been appended, and goes on until
 * nothing is left that may begin now. While it waits for the disk partitions append to the open
 * batch; they kick it again only when it rests.
 *
 *     rest --kick--> seal --> write, sync --> apply all --> flush --> cells --> more? --> rest
 *      ^                                                                         |
 *      +----- LINGER_MS after the last batch began <----- nothing urgent yet ----+
 */
#include "store/journal.h"

#include "runtime/file.h"
#include "store/apply.h"
#include "store/gather.h"
#include "store/store_priv.h"
#include "store/tag.h"
#include "store/turn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Others run between so many applies, some microseconds each; io waits no longer than that. */
    APPLIES_AT_ONCE = 128,
    /* What is not urgent waits so long for company, counted from when the last batch began. Less
     * than anybody sees of a tick, and at 5,000 messages a second it saves two of three batches. */
    LINGER_MS = 1,
};
static const uint64_t LINGER_NS = UINT64_C(1000000) * LINGER_MS;
static const uint64_t MS_NS = 1000000;
/* Between two looks at the cells of a journal that does not rest, and of one that rests and has one
 * whose turn would be. */
static const uint64_t LOOK_NS = UINT64_C(1000000);
static const uint64_t TURN_NS = UINT64_C(10000000);

/* The actor's state. */
struct journal_actor {
    struct journal *journal;
};

void
journal_init(struct journal *journal, struct store *store, unsigned index)
{
    memset(journal, 0, sizeof(*journal));
    journal->store = store;
    journal->index = index;
    ask_queue_init(&journal->open);
    ask_queue_init(&journal->flight);
    effects_init(&journal->effects);
    fetch_init(&journal->fetch);
    rows_init(&journal->rows);
    journal->share_bytes = UINT32_MAX;
    journal->body = malloc(COMMAND_BYTES_MAX);
    journal->pairs = malloc(GATHER_PAIRS_BYTES);
    ASSERT(journal->body != NULL && journal->pairs != NULL);
}

void
journal_fini(struct journal *journal)
{
    ask_queue_fini(&journal->open);
    ask_queue_fini(&journal->flight);
    if (journal->log != NULL && log_in_flight(journal->log)) {
        log_written(
            journal->log); /* the node is down; whether it was is for the next start to see */
    }
    log_close(&journal->log);
    effects_fini(&journal->effects);
    fetch_fini(&journal->fetch);
    rows_fini(&journal->rows);
    free(journal->body);
    free(journal->pairs);
}

/* ------------------------------------------------------------------------------------ appending */

/* Whether nobody notices if the command is durable a millisecond later. */
static bool
may_linger(enum command_kind kind)
{
    return kind == COMMAND_ACK || kind == COMMAND_READ || kind == COMMAND_ACK_READ ||
           kind == COMMAND_STREAM || kind == COMMAND_STREAM_ACK || kind == COMMAND_STREAM_ROUND ||
           kind == COMMAND_SEEN || kind == COMMAND_WAKE_DONE || kind == COMMAND_DEVICE_UNSEEN ||
           kind == COMMAND_INBOX_EXPIRE || kind == COMMAND_DEVICE_ATTACH;
}

/* Whether a timer will see to the open batch. One whose actor has ended, or is ending, will not. */
static bool
lingers(const struct journal *journal)
{
    return journal->lingerer != 0 && journal->lingerer == store_pid_get(&journal->pid);
}

void
journal_kick(struct journal *journal)
{
    if (!journal->kicked) {
        struct ln_msg *msg = ln_msg_new(ASK_KICK, LN_REPLY, 0);
        journal->kicked = true;
        ln_send(store_pid_get(&journal->pid), &msg);
    }
}

/* Of a batch that is begun while partitions stall each gets as much as any of those could. Else
 * those whose turn comes just after a batch was begun would fill one after the other, and the rest
 * wait. */
static bool
has_its_share(const struct journal *journal, struct partition *partition)
{
    if (partition->share_batch != journal->begun) {
        partition->share_batch = journal->begun;
        partition->share_bytes = 0;
    }
    return partition->share_bytes >= journal->share_bytes;
}

static int
stall(struct journal *journal, struct partition *partition)
{
    journal->urgent = true;
    journal_kick(journal);
    stalled_add(&journal->stalled, partition);
    return -EAGAIN;
}

int
journal_append(struct journal *journal, struct ask *ask, const struct command *command)
{
    size_t room;
    if (has_its_share(journal, ask->partition)) {
        return stall(journal, ask->partition);
    }
    unsigned char *body = log_body_room(journal->log, &room);
    if (room < COMMAND_BYTES_MAX) {
        body = journal->body; /* it may be too long for this batch */
    }
    struct log_command logged = {
        .partition = command->partition,
        .kind = (uint8_t)command->kind,
        .version = COMMAND_VERSION,
        .body = body,
    };
    logged.body_bytes = (uint32_t)command_encode(command, body, COMMAND_BYTES_MAX);
    int error = log_append(journal->log, &logged);
    if (error != 0) {
        ASSERT(error == -EAGAIN);
        return stall(journal, ask->partition);
    }
    journal->urgent = journal->urgent || !may_linger(command->kind);
    if (journal->urgent || !lingers(journal)) {
        journal_kick(journal);
    }
    ask->partition->share_bytes += LOG_COMMAND_HEADER_BYTES + logged.body_bytes;
    ask->logged = true;
    counter_add(&journal->commands, 1);
    counter_add(&journal->command_bytes, logged.body_bytes);
    ask_queue_push(&journal->open, ask);
    return 0;
}

void
journal_pass(struct journal *journal, struct ask *ask)
{
    ask->logged = false;
    ask_queue_push(&journal->open, ask);
    journal->urgent = true;
    journal_kick(journal);
}

void
journal_touch(struct journal *journal, struct partition *partition)
{
    if (!partition->touched) {
        partition->touched = true;
        partition->touched_next = journal->touched;
        journal->touched = partition;
    }
}

/* -------------------------------------------------------------------------------------- a batch */

/* Makes the open batch the one in flight. False: it must wait for a segment. */
static bool
seal(struct journal *journal)
{
    if (log_open_commands(journal->log) > 0) {
        int error = log_seal(journal->log, &journal->batch, &journal->write);
        if (error != 0) {
            ASSERT(error == -EAGAIN);
            return false;
        }
    } else {
        journal->batch = (struct log_batch){0};
        journal->write = (struct log_write){.file = -1};
    }
    ask_queue_move(&journal->open, &journal->flight);
    journal->writing = true;
    journal->urgent = false;
    journal->began_at_ns = io_now_ns(ln_io());
    journal->begun++;
    journal->share_bytes = log_body_bytes_max(journal->log) /
                           (journal->stalled.count > 0 ? journal->stalled.count : 1);
    stalled_wake(&journal->stalled);
    return true;
}

static void
write_batch(struct journal *journal)
{
    const struct log_write *write = &journal->write;
    if (write->file < 0) {
        return; /* nothing but asks without a command */
    }
    uint64_t start = io_now_ns(ln_io());
    int error = ln_file_write_sync(write->file, &write->piece, 1, write->offset);
    if (error != 0) {
        char what[256];
        (void)snprintf(what, sizeof(what),
                       "the log could not be written (%s): what the disk holds is unknown, so the "
                       "node ends; it recovers when it is started again",
                       strerrorname_np(-error));
        check_failed(what, __FILE__, __LINE__);
    }
    uint64_t took = io_now_ns(ln_io()) - start;
    counter_add(&journal->batches, 1);
    counter_add(&journal->batch_ns, took);
    counter_max(&journal->batch_ns_max, took);
    counter_max(&journal->batch_commands_max, journal->batch.commands);
}

/* Returns its weight. */
static uint32_t
apply_logged(struct journal *journal, struct ask *ask)
{
    struct log_command logged;
    struct command command;
    struct result result;
    uint64_t position;
    int more = log_batch_next(&journal->batch, &logged, &position);
    ASSERT(more == 1 && logged.partition == ask->partition->ledger.partition);
    int error = command_decode(&logged, &command);
    ASSERT(error == 0);
    effects_clear(&journal->effects);
    apply_command(&ask->partition->ledger, &command, &journal->effects, &result);
    uint32_t weight = command_weight(&command);
    ask->partition->cell->commands += weight;
    partition_trace(ask->partition, &command, &result, &journal->effects);
    partition_applied(ask->partition, ask, &result, &journal->effects);
    return weight;
}

static void
apply_batch(struct journal *journal)
{
    uint32_t applied = 0;
    uint64_t start = io_now_ns(ln_io());
    struct ask *ask;
    while ((ask = ask_queue_pop(&journal->flight)) != NULL) {
        struct partition *partition = ask->partition;
        journal_touch(journal, partition);
        if (ask->logged) {
            applied += apply_logged(journal, ask);
        } else {
            partition_passed(partition, ask);
            applied++;
        }
        if (applied >= APPLIES_AT_ONCE) {
            applied = 0;
            ln_yield();
        }
    }
    counter_max(&journal->apply_ns_max, io_now_ns(ln_io()) - start);
}

static void
flush_touched(struct journal *journal)
{
    while (journal->touched != NULL) {
        struct partition *partition = journal->touched;
        journal->touched = partition->touched_next;
        partition->touched = false;
        partition_measure(partition);
        partition_flush(partition);
    }
}

/* A kick no later than then. One timer is set, for the first of the times. */
static void
kick_at(struct journal *journal, uint64_t at_ns)
{
    uint64_t now_ns = journal->looked_at_ns;
    if (at_ns < journal->timer_at_ns) {
        struct ln_msg *msg = ln_msg_new(ASK_KICK, LN_REPLY, 0);
        uint64_t ms = at_ns > now_ns ? (at_ns - now_ns + MS_NS - 1) / MS_NS : 0;
        journal->timer_at_ns = at_ns;
        (void)ln_send_after(ms, ln_self(), &msg);
    }
}

static void
freeze(struct journal *journal, struct cell *cell)
{
    uint64_t start = io_now_ns(ln_io());
    cell_freeze(cell);
    counter_max(&journal->freeze_ns_max, io_now_ns(ln_io()) - start);
    whole_look(journal); /* others see at once that it is being folded */
}

static void
look_after_cells(struct journal *journal)
{
    bool waits;
    journal->looked_at_ns = io_now_ns(ln_io());
    if (journal->timer_at_ns <= journal->looked_at_ns + MS_NS) { /* it has rung, or will at once */
        journal->timer_at_ns = UINT64_MAX;
    }
    whole_look(journal);
    kick_at(journal, room_look(journal));
    struct cell *cell = turn_next(journal, &waits);
    if (cell != NULL) {
        freeze(journal, cell);
    }
    if (waits) { /* for folds of others, who don't tell */
        kick_at(journal, journal->looked_at_ns + TURN_NS);
    }
}

static void
call_keeper(struct journal *journal)
{
    struct ln_msg *msg = ln_msg_new(ASK_SEGMENT, LN_REPLY, 0);
    ln_send(store_pid_get(&journal->keeper), &msg);
}

void
journal_trim(struct journal *journal)
{
    call_keeper(journal);
}

static void
look_after_segments(struct journal *journal)
{
    uint32_t number;
    uint32_t recycle;
    if (log_segment_wanted(journal->log, &number, &recycle)) {
        ASSERT(!journal->segment_wanted);
        journal->segment_wanted = true;
        journal->segment_number = number;
        journal->segment_recycle = recycle;
        call_keeper(journal);
    }
}

/* Whether a batch is to be worked on now. False also when the open one may wait for company; then
 * a kick is on its way that comes when it has waited long enough. */
static bool
batch_due(struct journal *journal)
{
    if (journal->writing || journal->open.first == NULL) {
        return journal->writing;
    }
    if (journal->urgent || io_now_ns(ln_io()) - journal->began_at_ns >= LINGER_NS) {
        return true;
    }
    if (!lingers(journal)) {
        struct ln_msg *msg = ln_msg_new(ASK_LINGERED, LN_REPLY, 0);
        journal->lingerer = ln_self();
        (void)ln_send_after(LINGER_MS, ln_self(), &msg);
    }
    return false;
}

/* A batch that is in flight already was left by an actor that was killed: it is written, perhaps
 * again, to the same place, and applied from where that stopped. */
static void
journal_work(struct journal *journal)
{
    journal->kicked = false;
    uint64_t begun = journal->begun;
    journal->busy_since_ns = io_now_ns(ln_io());
    while (batch_due(journal)) {
        if (journal->begun > begun && io_now_ns(ln_io()) - journal->looked_at_ns >= LOOK_NS) {
            look_after_cells(journal);
        }
        if (!journal->writing && !seal(journal)) {
            look_after_segments(journal);
            break;
        }
        if (!journal->store->options.plant_answer_before_sync) {
            write_batch(journal);
            apply_batch(journal);
        } else {
            apply_batch(journal);
            write_batch(journal);
        }
        if (journal->write.file >= 0) {
            log_written(journal->log);
        }
        journal->writing = false;
        flush_touched(journal);
        look_after_segments(journal);
    }
    look_after_cells(journal); /* folders and timers kick for that alone */
}

/* ------------------------------------------------------------------------------------ the actor */

static int
journal_start(void *state, const void *argument)
{
    struct journal_actor *actor = state;
    actor->journal = *(struct journal *const *)argument;
    store_pid_set(&actor->journal->pid, ln_self());
    actor->journal->kicked = false;
    journal_kick(actor->journal);
    return 0;
}

/* The journal is this actor's. Timers of the one before it are gone. */
static bool
take_over(struct journal *journal)
{
    bool another = journal->post.holder != ln_self();
    if (!post_take(&journal->post)) {
        return false;
    }
    journal->timer_at_ns = another ? UINT64_MAX : journal->timer_at_ns;
    return true;
}

static void
journal_handle(void *state, struct ln_msg **msg)
{
    struct journal *journal = ((struct journal_actor *)state)->journal;
    if (((*msg)->flags & LN_MSG_REFUSED) != 0 && (*msg)->tag == STORE_PUSH) {
        const struct store_push *push = (const struct store_push *)(const void *)(*msg)->data;
        uint8_t index = key_partition_of_id(journal->store->seed, push->user);
        partition_push_refused(&journal->store->partitions[index], push->user, (*msg)->from);
    } else if ((*msg)->tag == ASK_KICK && take_over(journal)) {
        journal_work(journal);
    } else if ((*msg)->tag == ASK_LINGERED && take_over(journal)) {
        journal->lingerer = 0;
        journal_work(journal);
    } else if ((*msg)->tag == LN_TAG_STOP && take_over(journal)) {
        journal->urgent = true;
        journal_work(journal);
        ln_stop(LN_EXIT_SHUTDOWN, "the node is going down");
    }
}

static void
journal_terminate(void *state, const struct ln_reason *reason)
{
    struct journal *journal = ((struct journal_actor *)state)->journal;
    (void)reason;
    if (store_pid_get(&journal->pid) == ln_self()) {
        store_pid_set(&journal->pid, 0);
    }
}

const struct ln_behaviour journal_behaviour = {
    .name = "journal",
    .tag_name = store_tag_name,
    .state_bytes = sizeof(struct journal_actor),
    .init = journal_start,
    .handle = journal_handle,
    .terminate = journal_terminate,
    .trap_exit = true,
};
