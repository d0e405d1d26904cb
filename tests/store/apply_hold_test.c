/* SPDX-License-Identifier: Apache-2.0 */
/* What is written to a name that nobody has (hold.h). */
#include "store/hold.h"
#include "tests/store/world_spec.h"

#include <errno.h>
#include <string.h>

enum { HOLD_MAX = 3, RECIPIENTS_MAX = 2 };

static struct world_plan plan = {
    .seed = 5, .limits = {.inbox_entries_max = 100, .inbox_bytes_max = 1 << 20, .devices_max = 3}};

static struct store_entry entries[WORLD_PAGE_MAX];

static struct result
promise(struct world *world, const char *text)
{
    struct command command = {.kind = COMMAND_NAME_HOLD};
    command.name_hold.bytes = (uint8_t)strlen(text);
    memcpy(command.name_hold.text, text, strlen(text));
    command.partition = record_key_name(world_ledger(world, 0)->seed, &command.name_hold).partition;
    return world_apply(world, &command);
}

static struct result
count(struct world *world, uint64_t sender, uint64_t recipient)
{
    struct command command = {
        .kind = COMMAND_HOLD,
        .partition = world_partition(world, sender),
        .hold = {.user = sender, .recipient = recipient, .recipients_max = RECIPIENTS_MAX},
    };
    return world_apply(world, &command);
}

static struct result
count_until(struct world *world, uint64_t sender, uint64_t recipient, uint64_t until_ms)
{
    struct command command = {
        .kind = COMMAND_HOLD,
        .partition = world_partition(world, sender),
        .hold = {.user = sender,
                 .recipient = recipient,
                 .recipients_max = RECIPIENTS_MAX,
                 .until_ms = until_ms},
    };
    return world_apply(world, &command);
}

static unsigned
counted(struct world *world, uint64_t sender)
{
    struct record_head head;
    assert_true(world_head(world, sender, &head));
    return head.holds;
}

static struct result
write_held(struct world *world, uint64_t sender, uint64_t number, uint64_t recipient)
{
    struct command command = {
        .kind = COMMAND_MESSAGE,
        .partition = world_partition(world, recipient),
        .message =
            {
                .recipient = recipient,
                .begins = true,
                .hold_max = HOLD_MAX,
                .message = {.sender = sender,
                            .sender_device = 1,
                            .sender_number = number,
                            .body_kind = 1,
                            .body = (const unsigned char *)"held",
                            .body_bytes = 4},
            },
    };
    return world_apply(world, &command);
}

static void
promises_one_id(void **state)
{
    struct world *world = *state;
    uint64_t found = 0;
    struct result first = promise(world, "carol");
    struct result again = promise(world, "carol");
    assert_int_equal(first.error, 0);
    assert_true(first.waits && again.waits);
    assert_int_equal(again.user, first.user);
    assert_int_not_equal(promise(world, "dave").user, first.user);
    uint64_t carol = world_user(world, "carol", 1);
    assert_int_equal(carol, first.user);
    assert_true(world_name(world, "carol", &found));
    struct result taken = promise(world, "carol");
    assert_int_equal(taken.user, carol);
    assert_false(taken.waits);
    assert_int_equal(world_claim(world, "carol").error, -EEXIST);
}

static void
is_nobody_until_he_comes(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t carol = promise(world, "carol").user;
    assert_int_equal(world_send(world, alice, 1, 1, carol, "no").error, -ENOENT);
    assert_int_equal(write_held(world, alice, 2, carol).error, 0);
    assert_int_equal(world_device_add(world, carol, "phone").error, -ENOENT);
    assert_int_equal(world_remove(world, carol).error, -ENOENT);
    assert_int_equal(world_read(world, carol, alice, 1).error, -ENOENT);
    assert_int_equal(world_send(world, alice, 1, 3, carol, "no").error, -ENOENT);
}

static void
finds_it_all(void **state)
{
    struct world *world = *state;
    struct record_chat chat;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t carol = promise(world, "carol").user;
    assert_int_equal(count(world, alice, carol).error, 0);
    for (uint64_t i = 1; i <= 3; i++) {
        assert_int_equal(write_held(world, alice, i, carol).chat_number, i);
    }
    assert_true(write_held(world, alice, 2, carol).duplicate);
    world_fold_all(world);
    world_restart(world);
    (void)world_claim(world, "carol");
    world_settle(world);
    assert_int_equal(world_inbox(world, carol, 0, entries), 3);
    assert_int_equal(world_device_add(world, carol, "phone").device, 1);
    size_t waiting = world_inbox(world, carol, 0, entries);
    assert_int_equal(waiting, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(entries[i].message.sender_number, i + 1);
        assert_int_equal(entries[i].message.chat_number, i + 1);
    }
    assert_true(world_send(world, alice, 1, 3, carol, "again").duplicate);
    assert_int_equal(world_send(world, alice, 1, 4, carol, "hello").chat_number, 4);
    (void)world_ack(world, carol, 1, entries[2].number);
    world_settle(world);
    assert_true(world_chat(world, alice, carol, &chat));
    assert_int_equal(chat.peer_delivered, 3);
    assert_false(chat.held);
}

static void
bounds_what_waits(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    uint64_t carol = promise(world, "carol").user;
    for (uint64_t i = 1; i <= HOLD_MAX; i++) {
        assert_int_equal(write_held(world, i % 2 == 0 ? alice : bob, i, carol).error, 0);
    }
    assert_int_equal(write_held(world, alice, 9, carol).error, -EDQUOT);
    (void)world_claim(world, "carol");
    world_settle(world);
    assert_int_equal(write_held(world, alice, 9, carol).error, 0); /* he is there: as to anybody */
}

static void
bounds_whom_one_waits_for(void **state)
{
    struct world *world = *state;
    struct record_head head;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t ids[RECIPIENTS_MAX + 1];
    static const char *const names[] = {"carol", "dave", "erin"};
    for (unsigned i = 0; i <= RECIPIENTS_MAX; i++) {
        ids[i] = promise(world, names[i]).user;
        assert_int_equal(count(world, alice, ids[i]).error, i < RECIPIENTS_MAX ? 0 : -EMFILE);
    }
    assert_int_equal(count(world, alice, ids[0]).error, 0); /* he is counted once */
    assert_true(world_head(world, alice, &head));
    assert_int_equal(head.holds, RECIPIENTS_MAX);
    assert_int_equal(write_held(world, alice, 1, ids[0]).error, 0);
    (void)world_claim(world, "carol");
    world_settle(world);
    (void)world_device_add(world, ids[0], "phone");
    world_drain(world, ids[0]);
    world_settle(world);
    assert_true(world_head(world, alice, &head));
    assert_int_equal(head.holds, RECIPIENTS_MAX - 1);
    assert_int_equal(count(world, alice, ids[2]).error, 0);
}

static struct result
give_back(struct world *world, uint64_t sender, uint64_t recipient)
{
    struct command command = {.kind = COMMAND_HOLD,
                              .partition = world_partition(world, sender),
                              .hold = {.user = sender, .recipient = recipient, .back = true}};
    return world_apply(world, &command);
}

static void
gives_back(void **state)
{
    struct world *world = *state;
    struct record_head head;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t carol = promise(world, "carol").user;
    assert_true(count(world, alice, carol).waits);
    assert_false(count(world, alice, carol).waits); /* on account of another message */
    assert_int_equal(give_back(world, alice, carol).error, 0);
    assert_int_equal(give_back(world, alice, carol).error, 0); /* once */
    assert_true(world_head(world, alice, &head));
    assert_int_equal(head.holds, 0);
    assert_true(count(world, alice, carol).waits);
    assert_true(world_head(world, alice, &head));
    assert_int_equal(head.holds, 1);
}

/* Nobody took in what had waited for her, and now nobody will. */
static void
comes_and_goes(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    uint64_t carol = promise(world, "carol").user;
    (void)count(world, alice, carol);
    (void)write_held(world, alice, 1, carol);
    (void)world_claim(world, "carol");
    world_settle(world);
    (void)world_send(world, bob, 1, 1, carol, "hello");
    struct command command = {
        .partition = world_partition(world, carol),
        .kind = COMMAND_USER_REMOVE,
        .user_remove = {
            .user = carol,
            .waiting = {.count = 2, .bytes = (const unsigned char *)(uint64_t[]){alice, bob}}}};
    assert_int_equal(world_apply(world, &command).error, 0);
    world_settle(world);
    assert_int_equal(counted(world, alice), 0);
    assert_int_equal(world_inbox(world, alice, 0, entries), 0); /* there is nothing to be told */
}

/* The connection that had him counted went before it wrote to him. */
static void
ends_by_itself(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t carol = promise(world, "carol").user;
    uint64_t dave = promise(world, "dave").user;
    uint64_t now_ms = world_now_ms(world);
    assert_true(count_until(world, alice, carol, now_ms + 5000).waits);
    assert_true(count_until(world, alice, dave, now_ms + 5000).waits);
    assert_false(count_until(world, alice, dave, now_ms + 9000).waits); /* was written to again */
    world_pass(world, 5000);
    assert_true(world_sweep(world));
    assert_int_equal(counted(world, alice), 1);
    world_fold_all(world);
    world_restart(world);
    world_pass(world, 4000);
    assert_true(world_sweep(world));
    assert_int_equal(counted(world, alice), 0);
}

static void
expires(void **state)
{
    struct world *world = *state;
    struct record_chat chat;
    struct record_head head;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t carol = promise(world, "carol").user;
    (void)count(world, alice, carol);
    (void)write_held(world, alice, 1, carol);
    (void)write_held(world, alice, 2, carol);
    world_pass(world, 10000);
    assert_true(world_expire(world, carol, 5000));
    world_settle(world);
    assert_true(world_chat(world, alice, carol, &chat));
    assert_string_equal(world_expired_there(world, alice, carol), "1-2");
    assert_int_equal(chat.peer_delivered, 0);
    assert_true(world_head(world, alice, &head));
    assert_int_equal(head.holds, 0);
    (void)world_claim(world, "carol");
    world_settle(world);
    (void)world_device_add(world, carol, "phone");
    assert_int_equal(world_inbox(world, carol, 0, entries), 0);
    assert_int_equal(write_held(world, alice, 3, carol).chat_number, 3);
}

static void
changes(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t carol = promise(world, "carol").user;
    struct result sent = write_held(world, alice, 1, carol);
    struct world_change deletion = {.kind = STORE_CHANGE_DELETE,
                                    .sender = alice,
                                    .number = 2,
                                    .recipient = carol,
                                    .chat_number = 1,
                                    .original = sent.entry,
                                    .text = ""};
    assert_int_equal(world_change(world, &deletion).error, 0);
    (void)world_claim(world, "carol");
    world_settle(world);
    assert_int_equal(world_inbox(world, carol, 0, entries), 2);
    assert_true(entries[0].message.deleted);
    assert_int_equal(entries[0].message.body_bytes, 0);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        IN_A_WORLD("a name that nobody has is promised one id, which its user gets",
                   promises_one_id),
        IN_A_WORLD("until then there is no such user", is_nobody_until_he_comes),
        IN_A_WORLD("what was written to it is in the inbox of whoever takes it, in order and once",
                   finds_it_all),
        IN_A_WORLD("so many messages wait for one name", bounds_what_waits),
        IN_A_WORLD("so many names wait for one sender, until one has come",
                   bounds_whom_one_waits_for),
        IN_A_WORLD("who was counted for a message that was refused counts no more", gives_back),
        IN_A_WORLD("who comes and is removed before he took anything in counts no more",
                   comes_and_goes),
        IN_A_WORLD("a count to which nothing was written ends by itself", ends_by_itself),
        IN_A_WORLD("what waited for too long is gone, and its sender is told", expires),
        IN_A_WORLD("what waits can be taken back", changes),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
