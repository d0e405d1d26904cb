/* SPDX-License-Identifier: Apache-2.0 */
/* partition_priv.h - partition.h's parts: requests that change, a file per noun, over
 * partition_log.c, and requests that read (partition_read.c, partition_list.c), what is told after
 * an apply (partition_tell.c), what is noted of messages' ways (partition_trace.c), streams
 * (partition_stream.c), who is woken (partition_wake.c). The table of all kinds of requests stands
 * in partition_kind.c. */
#pragma once

#include "store/journal.h"
#include "store/partition.h"

/* How far an ask has come. `act`: nothing before it waits, so it may be answered or logged now. */
enum ask_outcome {
    ASK_MISSING, /* it needs records, which are in the fetch now, or an apply, which will wake it */
    ASK_READY,   /* all is known, but it may not act */
    ASK_STALLED, /* it could not be logged for want of room; somebody will wake the partition */
    ASK_DONE,    /* answered: the ask is the caller's to free */
    ASK_TAKEN,   /* logged: the ask is the journal's */
};
typedef enum ask_outcome ask_run(struct partition *partition, struct ask *ask, bool act);

/* Under overload what may wait is refused while what may not still finds room. */
enum { ASK_YIELDS_RECEIPT = 1, ASK_YIELDS_PRESENCE = 2 };

/* What is known of a kind of request. */
struct ask_kind {
    uint32_t bytes;   /* of its data */
    bool needs_space; /* refused when the disk is full; waits where memory is (room.h) */
    uint8_t yields;   /* of four quarters of the queue, so many it leaves to others */
    bool (*valid)(const struct ask *ask);
    ask_run *run;
    /* Answers when its command has been applied and was not refused. NULL: an empty answer. */
    void (*answer)(struct ask *ask, const struct result *result);
    /* Its turn has come, of one that only takes it (journal_pass). NULL: it never does. In the
     * journal's actor. */
    void (*passed)(struct partition *partition, struct ask *ask);
};
/* NULL: no such request. */
const struct ask_kind *partition_kind(uint32_t tag);

/* partition_user.c */
extern const struct ask_kind ask_user_create, ask_password_set;
/* partition_message.c */
extern const struct ask_kind ask_message, ask_change;
/* partition_cursor.c */
extern const struct ask_kind ask_ack, ask_read;
/* partition_read.c */
extern const struct ask_kind ask_name_find, ask_user_get, ask_password_get, ask_device_check,
    ask_device_list, ask_inbox;
/* partition_device.c */
extern const struct ask_kind ask_device_add, ask_device_revoke, ask_attach, ask_detach,
    ask_device_rename, ask_link_create, ask_link_redeem;
/* partition_list.c */
extern const struct ask_kind ask_chats, ask_user_list;
/* partition_presence.c */
extern const struct ask_kind ask_seen, ask_seen_get, ask_strangers;
/* partition_wake.c */
extern const struct ask_kind ask_wake_set, ask_wake_clear, ask_wake_get, ask_wake_done,
    ask_wake_list;
/* partition_state.c */
extern const struct ask_kind ask_state_set, ask_state_remove, ask_state_list, ask_may_see,
    ask_profile;
/* partition_stream.c */
extern const struct ask_kind ask_of_stream, ask_of_stream_ack;
/* partition_history.c, partition_history_sweep.c */
extern const struct ask_kind ask_history, ask_of_history_look;
/* Begins to look for what has grown too old, after a start of the actor; and goes on with it. */
void partition_history_watch(struct partition *partition);
void partition_history_tick(struct partition *partition);
/* partition_hold.c */
extern const struct ask_kind ask_name_hold, ask_hold;
/* partition_group.c */
extern const struct ask_kind ask_group_create, ask_group_change, ask_group_message, ask_group_get,
    ask_group_members, ask_group_read, ask_group_chats, ask_group_typing, ask_group_list,
    ask_group_revise;
/* partition_group_tell.c */
extern const struct ask_kind ask_of_group_report, ask_of_group_tell;
/* partition_leave.c */
extern const struct ask_kind ask_user_remove;
/* partition_ttl.c */
extern const struct ask_kind ask_chat_ttl;
/* partition_sweep.c */
extern const struct ask_kind ask_sweep;
/* partition_call.c, partition_call_signal.c */
extern const struct ask_kind ask_call_look, ask_call_offer, ask_call_answer, ask_call_end,
    ask_call_list, ask_of_call_check, ask_call_signal, ask_of_call_relay;
/* Something to count, or to look at. */
void partition_call_tell(struct partition *partition, const struct effect *effect);
/* ASK_CALL_RELAY: in the partition's own actor. */
void partition_call_relayed(struct partition *partition, struct ln_msg *msg);
/* partition_round.c */
extern const struct ask_kind ask_of_round, ask_of_unseen, ask_of_expire;

/* partition_user.c */
/* The data begins with an id that lives in this partition. */
bool partition_valid_user(const struct ask *ask);
/* It may be empty. */
bool partition_valid_name(const struct store_name *name);
/* It is one, and is the ask's partition's to look up. */
bool partition_owns_name(const struct ask *ask, const struct store_name *name);
/* partition_cursor.c: of store_read, of a user's or a group's chat. */
bool partition_valid_read(const struct ask *ask);
/* partition_message.c: of store_message, to a user or a group. */
bool partition_valid_message(const struct ask *ask);
void partition_message_command(const struct ask *ask, enum command_kind kind, struct command *out);
/* The same of store_change. */
bool partition_valid_change(const struct ask *ask);
void partition_change_command(const struct ask *ask, enum command_kind kind, struct command *out);
/* As store_sent. */
void partition_answer_sent(struct ask *ask, const struct result *result);
void partition_answer_marked(struct ask *ask, const struct result *result);

/* Serves the queue as far as it goes; fetches what is missing. In the partition's own actor. */
void partition_pump(struct partition *partition);

/* Whether the delta knows the key; if not, it is in the fetch now. */
bool partition_knows(struct partition *partition, const struct store_key *key);
bool partition_knows_record(struct partition *partition, enum record_table table, uint64_t owner,
                            uint64_t a);
/* Whether the range has been read from LMDB; if not, it is in the fetch now. */
bool partition_has_read(struct ask_range *range, struct partition *partition,
                        const struct fetch_range *wanted);
/* The ask wants the range anew. */
void partition_read_again(struct ask_range *range);

/* The head of a user who exists; false: answered with -ENOENT. */
bool partition_head(struct partition *partition, struct ask *ask, uint64_t user,
                    struct record_head *out);

/* partition_log.c */
/* Whether all is known that the command's apply will look up; what is not is in the fetch now. */
bool partition_knows_needs(struct partition *partition, const struct command *command);
/* Hands the ask's command to the journal: all that its apply will look up is known. */
enum ask_outcome partition_log_known(struct partition *partition, struct ask *ask,
                                     struct command *command);
/* The same when it is. */
enum ask_outcome partition_log(struct partition *partition, struct ask *ask,
                               struct command *command, bool act);
/* The same for a command about a user, who must have existed once. */
enum ask_outcome partition_log_for_user(struct partition *partition, struct ask *ask,
                                        struct command *command, uint64_t user, bool act);

/* partition_passed.c */
struct gather;
/* Logs the sweep of what has expired of what was gathered, which is gathered anew behind it: the
 * scratch is used. `range` has what was read for it. ASK_TAKEN, or ASK_READY where it is not to
 * act. */
enum ask_outcome partition_log_passed(struct partition *partition, const struct ask_range *range,
                                      const struct gather *gather, bool act);
/* The same of what no device has acknowledged, as much as one command holds, for a user who has
 * read further; `range` is the ask's, and used for that alone. ASK_READY: there was nothing, or it
 * is not to act. */
enum ask_outcome partition_log_unseen(struct partition *partition, struct ask_range *range,
                                      uint64_t user, bool act);

/* Answers with an error. */
enum ask_outcome partition_refuse(struct ask *ask, int error);

/* partition_list.c */
/* An owner's rows of one table, above a number. */
struct partition_owned {
    enum record_table table;
    uint64_t owner;
    uint64_t after;
    uint32_t max; /* 0: STORE_ROWS_MAX */
    void (*add)(struct rows *out, uint64_t number, struct store_value value);
};
/* False: they are in the fetch now. */
bool partition_owned_read(struct partition *partition, struct ask *ask,
                          const struct partition_owned *owned);
/* Both, for a store_list whose user is the owner: -ENOENT when there is no such user. */
enum ask_outcome
partition_owned_of_user(struct partition *partition, struct ask *ask, enum record_table table,
                        void (*add)(struct rows *out, uint64_t number, struct store_value value),
                        bool act);
/* As store_rows, with what `add` made of each: of one at least where there are more, since rows
 * that have gone since they were read are passed over. */
enum ask_outcome partition_owned_answer(struct partition *partition, struct ask *ask,
                                        const struct partition_owned *owned);

/* partition_read.c */
/* A user as told outside; false: he was removed. */
bool partition_user_row(uint64_t id, struct store_value user, struct store_value head,
                        struct store_user *out);
/* Whether a device's record is known, with its user's. */
bool partition_knows_device(struct partition *partition, uint64_t user, uint16_t device);
/* Whether the token is the device's, whose record is known: 0, with its user; -ENOENT, -EACCES. */
MUST_CHECK int partition_device_check(struct partition *partition,
                                      const struct store_device_check *check,
                                      struct store_user *out);
/* What the rows hold, or NULL when that is nothing. */
struct ln_buffer *partition_buffer(const struct rows *rows);
/* A count as asked for: 0 stands for the limit. */
static inline uint32_t
partition_at_most(uint32_t asked, uint32_t limit)
{
    return asked == 0 || asked > limit ? limit : asked;
}

/* partition_audit.c */
extern const struct ask_kind ask_audit;
/* In an actor that was started again: the sessions that are no more are told of (LN_TAG_DOWN). */
void partition_watch_sessions(struct partition *partition);
void partition_session_ended(struct partition *partition, ln_pid pid);

/* partition_tell.c */
void partition_detach(struct partition *partition, const struct store_detach *detach);
/* STORE_DETACH has its turn. */
void partition_detached(struct partition *partition, struct ask *ask);
void partition_answer_attach(struct ask *ask, const struct result *result);

/* partition_wake.c */
/* Tells the waker, if there is one. In the journal's actor. */
void partition_tell_waker(struct partition *partition, const struct effect *effect);
/* partition_fan.c */
/* Begins a round if its time has come; else has the partition's actor wait for it. */
void partition_fan_flush(struct partition *partition);
/* In the partition's own actor: sets the timer, and what it is for. */
void partition_fan_watch(const struct partition *partition);
void partition_fan_tick(struct partition *partition);
/* After a start of the actor: all streams are due then. */
void partition_fan_resume(struct partition *partition);
/* partition_group_tell.c */
/* After a batch, and after a start of the actor: what is due is said in a moment. */
void partition_groups_flush(struct partition *partition);
void partition_groups_resume(struct partition *partition);
/* Sets the timer of the calling partition; and what it is for. */
void partition_groups_watch(void);
void partition_groups_tick(struct partition *partition);
/* partition_sweep.c */
/* A start of the actor: what is due is not known any more. In the partition's own actor. */
void partition_sweep_begin(struct partition *partition);
/* Something that has been applied is due at that time; awaited: somebody waits for it. In any actor
 * of the scheduler. */
void partition_expiry(struct partition *partition, uint64_t at_ms, bool awaited);
/* ASK_EXPIRY, ASK_ALARM: in the partition's own actor. */
void partition_expiry_told(struct partition *partition);
void partition_alarmed(struct partition *partition);

/* partition_state.c */
struct store_may_see;
/* Whether all is known that the next decides by; what is not is in the fetch now. */
bool partition_knows_rules(struct partition *partition, const struct store_may_see *asked,
                           uint8_t what);
/* Whether the watcher may see it; asked->what is not looked at. */
bool partition_may_see(const struct partition *partition, const struct store_may_see *asked,
                       uint8_t what);

/* partition_stream.c */
void partition_stream_arrived(struct partition *partition, struct ln_msg *msg);
void partition_stream_acked(struct partition *partition, const struct ask_stream_ack *ack);
/* After a start of the actor: what was under way is sent again, in both directions. */
void partition_streams_resume(struct partition *partition);
/* Another was started. True: there is something to send to it. */
bool partition_stream_again(struct partition *partition, const struct ask_started *started);
/* Sends what is due and in memory; what is not is put into the fetch, if there is one. */
void partition_streams_send(struct partition *partition, bool may_fetch);
/* Some of what was under way there has arrived. */
void partition_stream_acknowledged(struct partition *partition, uint8_t other);
/* Sets the timer of the calling partition. */
void partition_watch(void);
void partition_tick(struct partition *partition);

/* partition_round.c */
/* Sets the first timer of the calling partition. */
void partition_round_start(struct partition *partition);
/* It is over: a page is to be looked at. */
void partition_round_due(struct partition *partition);
