/* SPDX-License-Identifier: Apache-2.0 */
/* judge.h - the promises of docs/guarantees.md as checks on what people are told. Each message's
 * text says who wrote it to whom and as which of theirs, so that loss, repetition and order can be
 * seen by the receiver alone:
 *
 *     alice>bob#17
 *
 * Broken promises are noted in the world, once.
 */
#pragma once

#include "runtime/check.h"
#include "tests/sim/world.h"

void judge_broken(struct world *world, const char *format, ...) PRINTF_LIKE(2, 3);
void judge_text(const struct person *from, const struct person *to, uint32_t n,
                char out[WORLD_TEXT_BYTES]);

/* NULL: nobody here. */
struct person *judge_person(struct world *world, uint64_t user);

void judge_message(struct person *person, const Linnet__V1__NewMessage *message);
/* Somebody's message became another, or nothing. */
void judge_change(struct person *person, const Linnet__V1__MessageChanged *changed);
void judge_receipts(struct person *person, const Linnet__V1__Receipts *receipts);
/* The person's own n-th message to `to` is durable. */
void judge_sent(struct person *person, uint64_t ref, const Linnet__V1__Sent *sent);
/* It was refused for now: what was said after it may come before it. */
void judge_said_again(struct person *person, uint64_t ref);
/* The connection is lost. Where a disk may be full, what is unanswered may have been refused, and
 * the refusal went with the connection. */
void judge_unanswered(struct person *person);
/* When all is quiet: what was sent has been heard, ticked and read. */
void judge_rest(struct world *world);

/* The highest number in the chat of what I was told is sent. */
uint64_t judge_last_chat(const struct acquaintance *with);
/* A message's ref in its command: to whom, and which. */
uint64_t judge_ref(const struct person *to, uint32_t n);

/* judge_change.c: changes of messages. */
/* The ref of a change: WORLD_DELETED, or which edit it is. */
uint64_t judge_change_ref(const struct person *to, uint32_t n, uint8_t version);
/* An edit's text. */
void judge_change_text(const struct person *from, const struct person *to, uint32_t n,
                       uint8_t version, char out[WORLD_TEXT_BYTES]);
/* True: the ref was a change's, and it has been noted. */
bool judge_change_sent(struct person *person, uint64_t ref);
/* A message came that its sender had taken back before: as which of theirs; 0 and broken: it was
 * not. */
uint32_t judge_deleted(struct person *person, const struct person *from,
                       const Linnet__V1__NewMessage *message);
/* Whether all that was changed was shown so. */
bool judge_changes_seen(const struct person *from, const struct person *to);
