/* SPDX-License-Identifier: Apache-2.0 */
/* world.h - all partitions of a store in one thread, without files: the pure part of the store, to
 * be tried out.
 *
 * Commands go through their encoding into a log in memory, and are applied at once. What the
 * ledgers fold goes into one ordered table that stands for LMDB, so a restart can load from it and
 * apply the log's tail. Streams are carried when the test says so.
 *
 *     struct world *world = world_new(seed, &limits);
 *     uint64_t alice = world_user(world, "alice", 1);
 *     world_send(world, alice, 1, 7, bob, "hello");
 *     world_settle(world);
 *     world_fold(world, cell);
 *     world_restart(world);
 */
#pragma once

#include "store/apply.h"
#include "store/record_account.h"
#include "store/record_chat.h"
#include "store/record_inbox.h"

enum {
    WORLD_CELLS = 8,
    WORLD_PAGE_MAX = 4096,
    WORLD_STATES_MAX = 8,
    WORLD_STATE_MAX = 64, /* bytes of all of a user's states */
};

struct page;
struct world;

struct world *world_new(uint64_t seed, const struct ledger_limits *limits);
void world_free(struct world **world);

/* The clock of commands; it stands still until moved. */
uint64_t world_now_ms(const struct world *world);
void world_pass(struct world *world, uint64_t ms);

/* What hashes are keyed with. */
uint64_t world_seed(const struct world *world);
uint8_t world_partition(const struct world *world, uint64_t user);
struct ledger *world_ledger(struct world *world, uint8_t partition);

/* Logs and applies; returns the result. Effects are in world_effects until the next command. */
struct result world_apply(struct world *world, struct command *command);
const struct effects *world_effects(const struct world *world);

/* From now on histories are kept so long. */
void world_history(struct world *world, uint64_t history_ms);

/* Commands, made of what a request would bring: about users (world_user.c). */
/* Settled, with an empty inbox; 0: refused. */
uint64_t world_user(struct world *world, const char *name, unsigned devices);
/* All devices have taken in what there is. */
void world_drain(struct world *world, uint64_t user);
struct result world_claim(struct world *world, const char *name);
struct result world_remove(struct world *world, uint64_t user);
/* From these groups, too. */
struct result world_remove_from(struct world *world, uint64_t user, const uint64_t *groups,
                                uint32_t count);
struct result world_device_add(struct world *world, uint64_t user, const char *name);
struct result world_device_attach(struct world *world, uint64_t user, uint16_t device);
struct result world_device_revoke(struct world *world, uint64_t user, uint16_t device);
struct result world_device_rename(struct world *world, uint64_t user, uint16_t device,
                                  const char *name);
/* The same by a command of the first device that has a number. */
struct result world_device_rename_as(struct world *world, uint64_t user, uint64_t number,
                                     uint16_t device, const char *name);
/* A code is told by its first byte, here. */
struct result world_link_create(struct world *world, uint64_t user, unsigned char code,
                                uint32_t lifetime_ms, uint8_t tries);
struct result world_link_redeem(struct world *world, uint64_t user, unsigned char code);
/* What a round would find of the device, which it saw last at `seen_at_ms`. */
struct result world_device_unseen(struct world *world, uint64_t user, uint16_t device,
                                  uint64_t seen_at_ms, enum command_unseen_verdict verdict);
/* Sets one of the user's states, or removes it (NULL), within WORLD_STATES_MAX and
 * WORLD_STATE_MAX. */
struct result world_state(struct world *world, uint64_t user, uint8_t kind, uint64_t subject,
                          const char *value);
/* The same by a command of the first device that has a number. */
struct result world_state_as(struct world *world, uint64_t user, uint64_t number, uint8_t kind,
                             uint64_t subject, const char *value);

/* And about messages (world_message.c). */
struct result world_send(struct world *world, uint64_t sender, uint16_t device, uint64_t number,
                         uint64_t recipient, const char *text);
struct result world_send_copied(struct world *world, uint64_t sender, uint16_t device,
                                uint64_t number, uint64_t recipient, const char *text);
/* The same, disappearing. */
struct result world_send_for(struct world *world, uint64_t sender, uint64_t number,
                             uint64_t recipient, const char *text, uint64_t ttl_ms);
/* By the sender's first device; `text` is an edit's. */
struct world_change {
    enum store_change_kind kind;
    uint64_t sender, number;
    uint64_t recipient;
    uint64_t chat_number;
    uint64_t until_ms; /* 0: never too late */
    uint64_t original;
    uint64_t ttl_ms;
    uint64_t expires_at_ms; /* the message's own end */
    bool in_group;          /* HIDE: the recipient is a group */
    const char *text;
};
struct result world_change(struct world *world, const struct world_change *change);
/* What is due is swept in all partitions. Returns how many there were. */
size_t world_sweep(struct world *world);
/* Gathers as a partition would; the result of the last command it took. */
struct result world_ack(struct world *world, uint64_t user, uint16_t device, uint64_t number);
/* peer 0: the same. */
struct result world_ack_read(struct world *world, uint64_t user, uint16_t device, uint64_t number,
                             uint64_t peer, uint64_t chat_number);
/* What is as old as `age_ms` or older goes, as a round would find it; false: nothing is. */
bool world_expire(struct world *world, uint64_t user, uint64_t age_ms);
struct result world_read(struct world *world, uint64_t user, uint64_t peer, uint64_t chat_number);

/* Carries what waits in the outboxes until all is acknowledged. */
void world_settle(struct world *world);
/* The same, where no messages of a group lie together. */
void world_settle_singly(struct world *world);
/* Carries one record of one stream, or the messages of a group that lie there together, and their
 * acknowledgement; false when nothing waits. Which follows from `pick`. */
bool world_step(struct world *world, uint64_t pick);

/* Freezes and folds one cell. In two steps, with commands between them. */
void world_freeze(struct world *world, unsigned cell);
void world_folded(struct world *world, unsigned cell);
/* Whichever of the two is next. */
void world_fold_on(struct world *world, unsigned cell);
void world_fold(struct world *world, unsigned cell);
void world_fold_all(struct world *world);
/* Folds everything, and again, by which what the first left in memory goes: all is read from what
 * stands for LMDB. */
void world_fold_out(struct world *world);
/* Forgets the memory, loads what was folded, applies the tail, opens. */
void world_restart(struct world *world);

/* Reads what is visible. False: there is none. */
bool world_head(struct world *world, uint64_t user, struct record_head *out);
bool world_chat(struct world *world, uint64_t user, uint64_t peer, struct record_chat *out);
/* What has expired in the chat, as text: "2-3 7-7", and "?1" behind it where nothing is known up to
 * 1. Of what the peer wrote; of what the user wrote, as told. Until the next call. */
const char *world_expired_here(struct world *world, uint64_t user, uint64_t peer);
const char *world_expired_there(struct world *world, uint64_t user, uint64_t peer);
const char *world_expired_text(const struct expired *expired);
/* Copied, and ended with a 0, into `out`. */
bool world_state_get(struct world *world, uint64_t user, uint8_t kind, uint64_t subject,
                     char out[WORLD_STATE_MAX]);
bool world_device(struct world *world, uint64_t user, uint16_t device, struct record_device *out);
bool world_name(struct world *world, const char *name, uint64_t *out_user);
/* Borrowed until the next call. */
bool world_get(struct world *world, const struct store_key *key, struct store_value *out);
/* The entries above `after`; their bytes live until the next call. */
size_t world_inbox(struct world *world, uint64_t user, uint64_t after,
                   struct store_entry out[WORLD_PAGE_MAX]);
/* Begins to read a range of one partition, through delta and fold alike; until the next call. */
void world_page(struct world *world, const struct store_range *range, struct page *out);
/* What stands for LMDB. */
const struct table *world_folded_table(const struct world *world);
/* A sum over everything visible in a partition, through delta and fold alike. */
uint64_t world_sum(struct world *world, uint8_t partition);
uint64_t world_log_commands(const struct world *world);
