/* SPDX-License-Identifier: Apache-2.0 */
/* An acknowledgement acknowledges all up to its number, by the real partition: that may be a
 * mark's, which takes no room, with a message right before it. And it takes along what was read. */
#include "store/group.h"
#include "store/store_priv.h"

#include "tests/spec.h"
#include "tests/store/hand.h"
#include "tests/store/rig.h"

#include <string.h>

enum { TIMEOUT_MS = 5000 };

static struct rig rig;
static uint64_t alice, bob;

/* Both are there, and Bob has written to Alice. */
static void
begin(struct rig *r)
{
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    struct hand_message hello = {.from = bob, .to = alice, .number = 1, .text = "hello"};
    RIG_CHECK(r, hand_message(r->store, &hello, NULL) == 0);
}

static void
alice_writes(struct rig *r, uint64_t number, uint64_t ttl_ms)
{
    struct hand_message message = {
        .from = alice, .to = bob, .number = number, .ttl_ms = ttl_ms, .text = "hi"};
    RIG_CHECK(r, hand_message(r->store, &message, NULL) == 0);
}

/* All at once; that has an effect on others soon. */
static void
takes_in(struct rig *r, uint64_t user)
{
    struct store_attached attached;
    RIG_CHECK(r, hand_attach(r->store, user, 1, &attached) == 0);
    RIG_CHECK(r, attached.last > attached.acked);
    RIG_CHECK(r, hand_ack(r->store, user, 1, attached.last) == 0);
    (void)ln_sleep(200);
}

/* Bob's inbox is a message of that kind and the mark of Alice's tick, which he acknowledges. */
static void
bob_takes_in_a_mark(struct rig *r, enum store_entry_kind before)
{
    takes_in(r, alice);
    struct store_attached attached;
    struct ln_msg *answer = NULL;
    enum store_entry_kind kinds[2] = {0};
    struct store_entry entry;
    unsigned count = 0;
    size_t at = 0;
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    struct store_inbox waiting = {.user = bob, .after = attached.acked};
    RIG_CHECK(r, hand_inbox(r->store, &waiting, &answer) == 0);
    while (
        entry_next(ln_buffer_data(answer->buffer), ln_buffer_bytes(answer->buffer), &at, &entry)) {
        kinds[count++ % 2] = entry.kind;
    }
    ln_msg_free(&answer);
    RIG_CHECK(r, count == 2 && kinds[0] == before && kinds[1] == STORE_ENTRY_CURSORS);
    takes_in(r, bob);
}

static struct store_chat
alices_chat(struct rig *r)
{
    struct store_chat chat = {0};
    struct store_rows rows;
    RIG_CHECK(r, hand_chats(r->store, alice, 0, 1, &chat, &rows) == 0 && rows.count == 1);
    return chat;
}

/* ----------------------------------------------------------------------------- in a chat of two */

static void
message_story(struct rig *r)
{
    begin(r);
    alice_writes(r, 1, 0);
    bob_takes_in_a_mark(r, STORE_ENTRY_MESSAGE);
    RIG_CHECK(r, alices_chat(r).peer_delivered == 1);
}

static void
tells_the_sender(void **state)
{
    (void)state;
    rig_play_once(&rig, 1, message_story);
}

/* The partition's own look comes later. */
static void
expired_story(struct rig *r)
{
    begin(r);
    alice_writes(r, 1, 500);
    takes_in(r, alice);
    (void)ln_sleep(500);
    takes_in(r, bob);
    struct store_chat chat = alices_chat(r);
    RIG_CHECK(r, chat.peer_delivered == 0 && expired_of(&chat.peer_expired, 1) == EXPIRED_GONE);
    alice_writes(r, 2, 0);
    takes_in(r, bob);
    chat = alices_chat(r);
    RIG_CHECK(r, chat.peer_delivered == 2 && expired_of(&chat.peer_expired, 1) == EXPIRED_GONE);
    RIG_CHECK(r, expired_of(&chat.peer_expired, 2) == EXPIRED_NOT);
}

static void
tells_what_had_expired(void **state)
{
    (void)state;
    rig_play_once(&rig, 2, expired_story);
}

/* -------------------------------------------------------------------------- with what was read */

/* That were logged. */
static uint64_t
commands_of(const struct rig *r)
{
    uint64_t commands = 0;
    for (unsigned i = 0; i < r->store->journals_count; i++) {
        commands += counter_get(&r->store->journals[i].commands);
    }
    return commands;
}

/* The error of either; *out_moved is untouched then. */
static int
bob_takes_and_reads(struct rig *r, uint64_t number, uint64_t chat_number, bool *out_moved)
{
    struct store_ack ack = {
        .user = bob, .number = number, .peer = alice, .chat_number = chat_number, .device = 1};
    struct store_marked marked = {0};
    int error = hand_ack_read(r->store, &ack, &marked);
    error = error != 0 ? error : marked.error;
    *out_moved = error == 0 ? marked.moved : *out_moved;
    (void)ln_sleep(200);
    return error;
}

static struct store_attached
bobs_inbox(struct rig *r)
{
    struct store_attached attached;
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    return attached;
}

static void
read_story(struct rig *r)
{
    bool moved = false;
    begin(r);
    alice_writes(r, 1, 0);
    uint64_t last = bobs_inbox(r).last;
    uint64_t commands = commands_of(r);
    RIG_CHECK(r, bob_takes_and_reads(r, last, 1, &moved) == 0 && moved);
    RIG_CHECK(r, commands_of(r) == commands + 3); /* its, and the receipt's */
    struct store_chat chat = alices_chat(r);
    RIG_CHECK(r, chat.peer_delivered == 1 && chat.peer_read == 1);
    commands = commands_of(r);
    RIG_CHECK(r, bob_takes_and_reads(r, last, 1, &moved) == 0 && !moved);
    RIG_CHECK(r, commands_of(r) == commands);
    RIG_CHECK(r, bobs_inbox(r).acked == last);
    alice_writes(r, 2, 0);
    takes_in(r, bob); /* so the read alone is news */
    RIG_CHECK(r, bob_takes_and_reads(r, bobs_inbox(r).acked, 2, &moved) == 0 && moved);
    RIG_CHECK(r, alices_chat(r).peer_read == 2);
    alice_writes(r, 3, 0); /* and the acknowledgement alone */
    RIG_CHECK(r, bob_takes_and_reads(r, bobs_inbox(r).last, 2, &moved) == 0 && !moved);
    RIG_CHECK(r, bobs_inbox(r).acked == bobs_inbox(r).last);
    chat = alices_chat(r);
    RIG_CHECK(r, chat.peer_delivered == 3 && chat.peer_read == 2);
}

static void
takes_along_what_was_read(void **state)
{
    (void)state;
    rig_play_once(&rig, 4, read_story);
}

static void
refused_story(struct rig *r)
{
    bool moved = false;
    begin(r);
    alice_writes(r, 1, 0);
    uint64_t last = bobs_inbox(r).last;
    RIG_CHECK(r, bob_takes_and_reads(r, last + 1, 1, &moved) == -ERANGE);
    RIG_CHECK(r, bobs_inbox(r).acked < last);
    struct store_ack none = {.user = bob, .number = last, .peer = alice, .device = 1};
    struct store_marked marked;
    RIG_CHECK(r, hand_ack_read(r->store, &none, &marked) == -EINVAL);
    none = (struct store_ack){
        .user = bob, .number = last, .peer = alice, .chat_number = 1, .device = 9};
    RIG_CHECK(r, hand_ack_read(r->store, &none, &marked) == -ENOENT);
    struct store_chat chat = alices_chat(r);
    RIG_CHECK(r, chat.peer_delivered == 0 && chat.peer_read == 0);
    RIG_CHECK(r, bob_takes_and_reads(r, last, 2, &moved) == -ERANGE);
    RIG_CHECK(r, bobs_inbox(r).acked == last);
    RIG_CHECK(r, bob_takes_and_reads(r, last, 2, &moved) == -ERANGE); /* none of them is news */
    chat = alices_chat(r);
    RIG_CHECK(r, chat.peer_delivered == 1 && chat.peer_read == 0);
}

static void
is_done_where_the_read_is_refused(void **state)
{
    (void)state;
    rig_play_once(&rig, 5, refused_story);
}

/* One command holds no more than a thousand chats, or entries; what was read goes with the last. */
static void
long_story(struct rig *r)
{
    enum { MANY = 1100 };
    bool moved = false;
    begin(r);
    for (uint64_t i = 1; i <= MANY; i++) {
        alice_writes(r, i, 0);
    }
    uint64_t last = bobs_inbox(r).last;
    uint64_t commands = commands_of(r);
    RIG_CHECK(r, bob_takes_and_reads(r, last, MANY, &moved) == 0 && moved);
    RIG_CHECK(r, commands_of(r) == commands + 6); /* two, and the two receipts' */
    RIG_CHECK(r, bobs_inbox(r).acked == last);
    struct store_chat chat = alices_chat(r);
    RIG_CHECK(r, chat.peer_delivered == MANY && chat.peer_read == MANY);
}

static void
takes_it_along_at_the_end_of_many(void **state)
{
    (void)state;
    rig_play_once(&rig, 7, long_story);
}

/* Both pass over it: the read, which sweeps it, and the acknowledgement. */
static void
read_beyond_story(struct rig *r)
{
    bool moved = false;
    begin(r);
    alice_writes(r, 1, 500);
    takes_in(r, alice);
    alice_writes(r, 2, 0);
    (void)ln_sleep(500);
    RIG_CHECK(r, bob_takes_and_reads(r, bobs_inbox(r).last, 2, &moved) == 0 && moved);
    struct store_chat chat = alices_chat(r);
    RIG_CHECK(r, chat.peer_delivered == 2 && chat.peer_read == 2);
    RIG_CHECK(r, expired_of(&chat.peer_expired, 1) == EXPIRED_GONE);
    RIG_CHECK(r, expired_of(&chat.peer_expired, 2) == EXPIRED_NOT);
    RIG_CHECK(r, bobs_inbox(r).acked == bobs_inbox(r).last);
}

/* The read alone passes over it. */
static void
read_further_story(struct rig *r)
{
    bool moved = false;
    begin(r);
    alice_writes(r, 1, 0);
    uint64_t first = bobs_inbox(r).last;
    alice_writes(r, 2, 500);
    alice_writes(r, 3, 0);
    (void)ln_sleep(500);
    RIG_CHECK(r, bob_takes_and_reads(r, first, 3, &moved) == 0 && moved);
    struct store_chat chat = alices_chat(r);
    RIG_CHECK(r, chat.peer_delivered == 3 && chat.peer_read == 3);
    RIG_CHECK(r, expired_of(&chat.peer_expired, 2) == EXPIRED_GONE);
    RIG_CHECK(r, expired_of(&chat.peer_expired, 3) == EXPIRED_NOT);
    RIG_CHECK(r, bobs_inbox(r).acked == first);
}

static void
sweeps_what_is_read_over(void **state)
{
    (void)state;
    rig_play_once(&rig, 6, read_beyond_story);
    rig_play_once(&rig, 8, read_further_story);
}

/* ----------------------------------------------------------------------------------- in a group */

static struct ln_msg *
asked(struct rig *r, uint64_t owner, struct ln_msg *msg)
{
    struct ln_msg *answer = NULL;
    RIG_CHECK(r, ln_call(store_user_pid(r->store, owner), &msg, TIMEOUT_MS, &answer) == 0);
    return answer;
}

static uint64_t
group_of_both(struct rig *r)
{
    struct store_group_create create = {
        .user = alice, .number = 1, .members = 1, .device = 1, .rights = STORE_GROUP_ALL_SEND};
    struct ln_msg *msg = ln_msg_new(STORE_GROUP_CREATE, LN_DURABLE, sizeof(create));
    memcpy(msg->data, &create, sizeof(create));
    msg->buffer = ln_buffer_new(sizeof(bob));
    memcpy(ln_buffer_data(msg->buffer), &bob, sizeof(bob));
    struct ln_msg *answer = asked(r, alice, msg);
    uint64_t group = ((struct store_group_id *)(void *)answer->data)->group;
    ln_msg_free(&answer);
    return group;
}

static void
alice_tells(struct rig *r, uint64_t group)
{
    struct store_message message = {.recipient = group,
                                    .sender = alice,
                                    .number = 2,
                                    .sender_device = 1,
                                    .body_kind = 1,
                                    .body_bytes = 2};
    struct ln_msg *msg = ln_msg_new(STORE_GROUP_MESSAGE, LN_DURABLE, sizeof(message));
    memcpy(msg->data, &message, sizeof(message));
    msg->buffer = ln_buffer_new(2);
    memcpy(ln_buffer_data(msg->buffer), "hi", 2);
    struct ln_msg *answer = asked(r, group, msg);
    ln_msg_free(&answer);
    (void)ln_sleep(200);
}

/* As the group knows it, and tells whoever wrote. */
static uint64_t
delivered_to_bob(struct rig *r, uint64_t group)
{
    struct store_group_list list = {.group = group, .user = alice, .max = 2};
    struct ln_msg *msg = ln_msg_new(STORE_GROUP_MEMBERS, LN_DURABLE, sizeof(list));
    memcpy(msg->data, &list, sizeof(list));
    struct ln_msg *answer = asked(r, group, msg);
    const struct store_rows *rows = (const struct store_rows *)(const void *)answer->data;
    const struct store_member *members = ln_buffer_data(answer->buffer);
    uint64_t delivered = 0;
    for (uint32_t i = 0; i < rows->count; i++) {
        delivered = members[i].user == bob ? members[i].delivered : delivered;
    }
    ln_msg_free(&answer);
    return delivered;
}

static void
group_story(struct rig *r)
{
    begin(r);
    uint64_t group = group_of_both(r);
    (void)ln_sleep(200);
    takes_in(r, bob);
    alice_tells(r, group);
    bob_takes_in_a_mark(r, STORE_ENTRY_GROUP_MESSAGE);
    (void)ln_sleep(5000); /* groups are told now and then */
    RIG_CHECK(r, delivered_to_bob(r, group) == 1);
}

static void
tells_the_group(void **state)
{
    (void)state;
    rig_play_once(&rig, 3, group_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("who acknowledges a mark has the message before it, and its sender is told",
             tells_the_sender),
        SPEC("a group is told as well", tells_the_group),
        SPEC("what was read goes with an acknowledgement, as one command of the log",
             takes_along_what_was_read),
        SPEC("an acknowledgement is done where the read is refused, and takes it along where it is",
             is_done_where_the_read_is_refused),
        SPEC("what was read goes with the last command of a long acknowledgement",
             takes_it_along_at_the_end_of_many),
        SPEC("what had expired before what is read and acknowledged is told as expired",
             sweeps_what_is_read_over),
        SPEC("that a message before the mark had expired is told, and goes on to be true",
             tells_what_had_expired),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
