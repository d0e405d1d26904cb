/* SPDX-License-Identifier: Apache-2.0 */
/* inbox.h - a user's inbox: one row of entries, and a cursor into it for each device.
 *
 *       gone          kept
 *     . . . . . | e  e  e  e  e  e  e          low: the least of the cursors
 *              low    ^        ^     last
 *                 device 2   device 1
 *
 * What every device has acknowledged is gone. An entry that comes and goes between two folds is
 * dropped from memory and never reaches LMDB; for the others low itself, written with the head,
 * tells the next fold what to delete. A user without a device keeps what comes for the first one.
 *
 * Limits concern a device. One that has no room left loses its place, as long as another device can
 * take the entry: low passes it by, and when it attaches again it learns that it has a hole. When
 * none can take it the sender is refused instead, so an accepted message always waits in some
 * device's inbox. What the user's own devices did is done: where none can take that, a mark says
 * that something is missing. Messages and news of devices count, marks and states do not: there is
 * one per chat, one per state, and of counts some more where messages of one's own expired in a
 * group (apply_group_counts.c).
 *
 * The head is read, changed by these functions, and written back by whoever read it. Part of apply:
 * never yields.
 */
#pragma once

#include "store/effects.h"
#include "store/entry.h"
#include "store/ledger.h"
#include "store/record_inbox.h"

/* False: there is no such user, or not any more, or not yet. */
bool inbox_head_get(const struct ledger *ledger, uint64_t user, struct record_head *out);
/* The same, and true for one who is not there yet (hold.h). */
bool inbox_head_find(const struct ledger *ledger, uint64_t user, struct record_head *out);
void inbox_head_put(struct ledger *ledger, uint64_t user, const struct record_head *head);

/* The device's cursor, or NULL. */
struct record_cursor *inbox_cursor(struct record_head *head, uint16_t device);
/* Whether the user has a device beside that one, which may be gone already. */
bool inbox_has_others(const struct record_head *head, uint16_t device);
/* Whether a device is to be told what that one changed of a message that the user wrote: another
 * one, or one that is linked while copies of such messages wait. */
bool inbox_owes_changes(const struct record_head *head, uint16_t device);
/* What waits for a cursor. */
uint64_t inbox_entries_above(const struct record_head *head, const struct record_place *place);
uint64_t inbox_bytes_above(const struct record_head *head, const struct record_place *place);

/* Adds a device at the inbox's low end. There must be room in the head. */
struct record_cursor *inbox_device_add(struct record_head *head, uint16_t device);
/* Lets a lost cursor hold entries again: from its own place if those above it are all still there,
 * else from the low end, and then as RESUMED. */
void inbox_cursor_resume(const struct record_head *head, struct record_cursor *cursor);
/* Removes it. When only lost cursors are left they resume, so that what comes is kept for
 * somebody. */
void inbox_device_remove(struct ledger *ledger, uint64_t user, struct record_head *head,
                         uint16_t device);

/* Whether the inbox takes a message of so many bytes. If so, devices without room have lost their
 * place (and are told by effects) unless they are the only ones. */
bool inbox_make_room(struct ledger *ledger, struct effects *effects, uint64_t user,
                     struct record_head *head, size_t bytes);

/* Appends the entry (number and totals are given here) and tells the session of it. */
void inbox_append(struct ledger *ledger, struct effects *effects, uint64_t user,
                  struct record_head *head, struct store_entry *entry);

/* Appends a mark of what found no room (STORE_ENTRY_MISSED), which takes the one before it out. It
 * names the device whose doing all of it is, if that is one; 0: it is not. */
void inbox_miss(struct ledger *ledger, struct effects *effects, uint64_t user,
                struct record_head *head, uint16_t device);
/* Appends what nobody is refused for, or where no device has room the mark. False: the mark. */
bool inbox_append_or_miss(struct ledger *ledger, struct effects *effects, uint64_t user,
                          struct record_head *head, struct store_entry *entry);

/* Takes one entry out of the middle. */
void inbox_take_out(struct ledger *ledger, uint64_t user, uint64_t number);

/* Everything up to `place` has grown too old: devices that had not taken it in have a hole, and are
 * told by effects. */
void inbox_expire(struct ledger *ledger, struct effects *effects, uint64_t user,
                  struct record_head *head, const struct record_place *place);

/* After cursors have moved: what lies below the least of them is gone. */
void inbox_trim(struct ledger *ledger, uint64_t user, struct record_head *head);
/* Everything is gone. */
void inbox_empty(struct ledger *ledger, uint64_t user, struct record_head *head);
