/* SPDX-License-Identifier: Apache-2.0 */
/* Groups in a whole store: what a partition's timers do. */
#include "store/change.h"
#include "store/group.h"

#include "runtime/linnet.h"
#include "store/store_priv.h"
#include "tests/spec.h"
#include "tests/store/company.h"
#include "tests/store/hand.h"
#include "tests/store/rig.h"
#include "tests/store/told.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STRANGERS = 1300, FORMER_KEPT = 1024, TIMEOUT_MS = COMPANY_TIMEOUT_MS };

static struct rig rig;

/* Of the owner and of many who are no users: they are found absent, and leave. */
static uint64_t
a_group_of_strangers(struct rig *r, uint64_t owner)
{
    struct store_group_create create = {.user = owner,
                                        .number = 1,
                                        .members = STRANGERS,
                                        .device = 1,
                                        .rights = STORE_GROUP_ALL_SEND};
    struct ln_msg *msg = ln_msg_new(STORE_GROUP_CREATE, LN_DURABLE, sizeof(create));
    struct ln_msg *answer = NULL;
    memcpy(msg->data, &create, sizeof(create));
    msg->buffer = ln_buffer_new(STRANGERS * sizeof(uint64_t));
    for (uint64_t i = 0; i < STRANGERS; i++) {
        uint64_t user = UINT64_C(1) << 40 | i;
        memcpy((unsigned char *)ln_buffer_data(msg->buffer) + i * sizeof(user), &user,
               sizeof(user));
    }
    RIG_CHECK(r, ln_call(store_user_pid(r->store, owner), &msg, TIMEOUT_MS, &answer) == 0);
    uint64_t group = ((struct store_group_id *)(void *)answer->data)->group;
    ln_msg_free(&answer);
    return group;
}

/* The rows of members, former ones too, in pages of so many (0: of as many as there may be). */
static unsigned
members_count(struct rig *r, const struct store_group_ask *of, uint32_t max)
{
    struct store_group_list list = {.group = of->group, .user = of->user, .max = max};
    unsigned count = 0;
    bool more = true;
    while (more) {
        struct ln_msg *msg = ln_msg_new(STORE_GROUP_MEMBERS, LN_DURABLE, sizeof(list));
        struct ln_msg *answer = NULL;
        memcpy(msg->data, &list, sizeof(list));
        RIG_CHECK(r, ln_call(store_user_pid(r->store, of->group), &msg, TIMEOUT_MS, &answer) == 0);
        const struct store_rows *rows = (const struct store_rows *)(const void *)answer->data;
        const struct store_member *members =
            rows->count > 0 ? ln_buffer_data(answer->buffer) : NULL;
        count += rows->count;
        more = rows->more && rows->count > 0;
        RIG_CHECK(r, more == rows->more); /* else nobody knows where it goes on */
        list.after = more ? members[rows->count - 1].user : 0;
        ln_msg_free(&answer);
    }
    return count;
}

/* A group that all but its owner have left. */
static struct store_group_ask
a_group_that_was_left(struct rig *r)
{
    struct store_group_ask ask = {0};
    struct store_group group = {0};
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &ask.user) == 0);
    ask.group = a_group_of_strangers(r, ask.user);
    for (unsigned s = 0; s < 60 && group.members != 1; s++) {
        struct ln_msg *msg = ln_msg_new(STORE_GROUP_GET, LN_DURABLE, sizeof(ask));
        struct ln_msg *answer = NULL;
        (void)ln_sleep(1000);
        memcpy(msg->data, &ask, sizeof(ask));
        RIG_CHECK(r, ln_call(store_user_pid(r->store, ask.group), &msg, TIMEOUT_MS, &answer) == 0);
        memcpy(&group, answer->data, sizeof(group));
        ln_msg_free(&answer);
    }
    RIG_CHECK(r, group.members == 1);
    return ask;
}

static void
forgetting_story(struct rig *r)
{
    struct store_group_ask ask = a_group_that_was_left(r);
    (void)ln_sleep(30000); /* some at a time, a few a second */
    RIG_CHECK(r, members_count(r, &ask, 0) == 1 + FORMER_KEPT);
}

static void
forgets_who_left_long_ago(void **state)
{
    (void)state;
    rig_open(&rig, 1);
    rig.options.group_members_max = 2000;
    rig_play(&rig, forgetting_story);
    rig_close(&rig);
}

/* LMDB has them all, while one after the other is forgotten. */
static void
listing_story(struct rig *r)
{
    struct store_group_ask ask = a_group_that_was_left(r);
    for (unsigned i = 0; i < 6; i++) {
        (void)ln_sleep(500);
        RIG_CHECK(r, members_count(r, &ask, 1) >= 1 + FORMER_KEPT);
    }
}

static void
lists_those_behind_who_was_forgotten(void **state)
{
    (void)state;
    rig_open(&rig, 1);
    rig.options.group_members_max = 2000;
    rig.options.replay_commands_max = 100;
    rig_play(&rig, listing_story);
    rig_close(&rig);
}

/* ------------------------------------------------------------------------------- amplification */

enum { BIG_BYTES = 30000, BIG_MESSAGES = 40, CROWD = 40 };

static int
send_big(struct rig *r, uint64_t owner, uint64_t group, uint64_t number)
{
    return company_answer(company_say(r, owner, group, number, BIG_BYTES));
}

/* Sent again when it was told to wait; counts how often that was. */
static unsigned
refusals_until_sent(struct rig *r, uint64_t owner, uint64_t group, uint64_t number)
{
    unsigned refused = 0;
    int error = send_big(r, owner, group, number);
    for (; error == -EAGAIN && refused < 1000; refused++) {
        (void)ln_sleep(1);
        error = send_big(r, owner, group, number);
    }
    RIG_CHECK(r, error == 0);
    return refused;
}

static void
amplification_story(struct rig *r)
{
    uint64_t owner;
    uint64_t ids[CROWD];
    unsigned refused = 0;
    company_create(r, &owner, ids, CROWD);
    uint64_t group = company_group(r, owner, 1, ids, CROWD);
    for (uint64_t number = 2; number < 2 + BIG_MESSAGES; number++) {
        refused += refusals_until_sent(r, owner, group, number);
    }
    RIG_CHECK(r, refused > 0);
    (void)ln_sleep(5000);
    uint8_t partition = key_partition_of_id(r->store->partitions[0].ledger.seed, group);
    RIG_CHECK(r, r->store->partitions[partition].ledger.outbox == 0);
    RIG_CHECK(r, r->store->partitions[partition].ledger.outbox_bytes == 0);
}

static void
large_messages_wait_for_each_other(void **state)
{
    (void)state;
    rig_open(&rig, 2);
    rig.options.outbox_bytes_max = UINT64_C(4) * BIG_BYTES;
    rig_play(&rig, amplification_story);
    rig_close(&rig);
}

/* Both live in the same partition. The loud one says all that it may, and the other says a word. */
static void
loud_story(struct rig *r)
{
    uint64_t owner;
    uint64_t ids[CROWD];
    uint64_t seed = r->store->partitions[0].ledger.seed;
    company_create(r, &owner, ids, CROWD);
    uint64_t loud = company_group(r, owner, 1, ids, CROWD);
    uint64_t quiet = 0;
    uint64_t number = 2;
    unsigned refused = 0;
    while (key_partition_of_id(seed, loud) != key_partition_of_id(seed, quiet)) {
        quiet = company_group(r, owner, number++, NULL, 0);
    }
    RIG_CHECK(r, send_big(r, owner, quiet, number++) == 0); /* it is known that there are others */
    for (unsigned i = 0; i < BIG_MESSAGES; i++) {
        int error = send_big(r, owner, loud, number);
        number += error == 0;
        refused += error == -EAGAIN;
        RIG_CHECK(r, error != -EAGAIN || send_big(r, owner, quiet, number++) == 0);
    }
    RIG_CHECK(r, refused > 0);
}

static void
a_loud_group_leaves_room(void **state)
{
    (void)state;
    rig_open(&rig, 2);
    rig.options.outbox_bytes_max = UINT64_C(4) * CROWD * BIG_BYTES;
    rig_play(&rig, loud_story);
    rig_close(&rig);
}

/* -------------------------------------------------------------------------------- in one breath */

enum { NEWCOMERS = 12 };

static uint64_t
ask_to_add(struct rig *r, uint64_t owner, uint64_t group, uint64_t number, uint64_t newcomer)
{
    struct store_group_change change = {.group = group,
                                        .user = owner,
                                        .number = number,
                                        .subjects = 1,
                                        .device = 1,
                                        .kind = STORE_GROUP_ADD};
    struct ln_msg *msg = ln_msg_new(STORE_GROUP_CHANGE, LN_DURABLE, sizeof(change));
    memcpy(msg->data, &change, sizeof(change));
    msg->buffer = ln_buffer_new(sizeof(newcomer));
    memcpy(ln_buffer_data(msg->buffer), &newcomer, sizeof(newcomer));
    return ln_request(store_user_pid(r->store, group), &msg);
}

static uint64_t
ask_to_revise(struct rig *r, uint64_t owner, uint64_t group, uint64_t number, uint64_t chat_number)
{
    struct store_change change = {
        .message = {.recipient = group, .sender = owner, .number = number, .sender_device = 1},
        .peer = group,
        .author = owner,
        .chat_number = chat_number,
        .until_ms = TIMEOUT_MS,
        .kind = STORE_CHANGE_EDIT};
    if (number % 2 != 0) {
        change.kind = STORE_CHANGE_DELETE;
    }
    struct ln_msg *msg = ln_msg_new(STORE_GROUP_REVISE, LN_DURABLE, sizeof(change));
    memcpy(msg->data, &change, sizeof(change));
    return ln_request(store_user_pid(r->store, group), &msg);
}

/* The streams carry a join and what is done to a message before anybody has applied either. */
static void
breath_story(struct rig *r)
{
    uint64_t owner;
    uint64_t newcomer;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &owner) == 0);
    uint64_t group = company_group(r, owner, 1, NULL, 0);
    for (uint64_t i = 0; i < NEWCOMERS; i++) {
        uint64_t number = 10 + 3 * i;
        char name[16];
        (void)snprintf(name, sizeof(name), "member%u", (unsigned)i);
        RIG_CHECK(r, hand_user_create(r->store, name, true, &newcomer) == 0);
        RIG_CHECK(r, send_big(r, owner, group, number) == 0);
        uint64_t added = ask_to_add(r, owner, group, number + 1, newcomer);
        uint64_t revised = ask_to_revise(r, owner, group, number + 2, i + 1);
        company_done(r, added);
        company_done(r, revised);
    }
    (void)ln_sleep(5000);
}

static void
joins_and_changes_in_one_breath(void **state)
{
    (void)state;
    for (uint64_t seed = 3; seed < 6; seed++) {
        rig_play_once(&rig, seed, breath_story);
    }
}

/* ------------------------------------------------------------------------------------ in rounds */

enum { SAID = 40 };

/* What a session was pushed, each push going on where the one before it ended: how many entries
 * came in each, and all of them. */
struct heard {
    unsigned pushes;
    unsigned most;
    unsigned entries;
    uint64_t first; /* its number */
    struct store_entry last;
};

static void
hear(struct rig *r, struct heard *out)
{
    struct ln_msg *msg;
    uint64_t number = 0;
    *out = (struct heard){0};
    while ((msg = told()) != NULL) {
        unsigned count = 0;
        size_t at = 0;
        RIG_CHECK(r, msg->tag == STORE_PUSH);
        const struct store_push *push = (const struct store_push *)(const void *)msg->data;
        RIG_CHECK(r, number == 0 || push->previous == number);
        while (entry_next(ln_buffer_data(msg->buffer), ln_buffer_bytes(msg->buffer), &at,
                          &out->last)) {
            RIG_CHECK(r, out->last.number > push->previous && out->last.number > number);
            number = out->last.number;
            out->first = out->first == 0 ? number : out->first;
            count++;
        }
        RIG_CHECK(r, count > 0 && push->number == number);
        out->pushes++;
        out->entries += count;
        out->most = count > out->most ? count : out->most;
        ln_msg_free(&msg);
    }
}

static uint64_t
group_of_two(struct rig *r, uint64_t *out_owner, uint64_t *out_member)
{
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, out_owner) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, out_member) == 0);
    uint64_t group = company_group(r, *out_owner, 1, out_member, 1);
    (void)ln_sleep(1000);
    return group;
}

/* So many messages before an answer is waited for; `refs` has room for them. */
static void
say_many(struct rig *r, uint64_t owner, uint64_t group, uint64_t *refs, unsigned count,
         uint32_t bytes)
{
    for (unsigned i = 0; i < count; i++) {
        refs[i] = company_say(r, owner, group, 2 + i, bytes);
    }
    for (unsigned i = 0; i < count; i++) {
        company_done(r, refs[i]);
    }
}

/* All that is said reaches the member's partition before the first of it is applied there. Returns
 * the group. */
static uint64_t
say_at_once(struct rig *r, uint32_t bytes, struct heard *out)
{
    struct store_attached attached;
    uint64_t refs[SAID];
    uint64_t owner;
    uint64_t member;
    uint64_t group = group_of_two(r, &owner, &member);
    RIG_CHECK(r, hand_attach(r->store, member, 1, &attached) == 0);
    RIG_CHECK(r, hand_ack(r->store, member, 1, attached.last) == 0);
    say_many(r, owner, group, refs, SAID, bytes);
    hear(r, out);
    return group;
}

/* More than may be under way in a stream at once, to one who is nobody's session. */
enum { MANY = PARTITION_STREAM_WINDOW * 5 / 2 };

static void
long_stream_story(struct rig *r)
{
    static uint64_t refs[MANY];
    struct store_user user;
    uint64_t owner;
    uint64_t member;
    uint64_t group = group_of_two(r, &owner, &member);
    RIG_CHECK(r, hand_user_get(r->store, member, &user) == 0);
    uint64_t before = user.inbox_last;
    say_many(r, owner, group, refs, MANY, 10);
    (void)ln_sleep(500); /* less than a tick, which would send again */
    RIG_CHECK(r, hand_user_get(r->store, member, &user) == 0);
    RIG_CHECK(r, user.inbox_last == before + MANY);
}

static void
longer_than_a_window(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        rig_open(&rig, seed);
        rig.options.inbox_entries_max = 10000;
        rig_play(&rig, long_stream_story);
        rig_close(&rig);
    }
}

static void
rounds_story(struct rig *r)
{
    struct heard heard;
    (void)say_at_once(r, 10, &heard);
    RIG_CHECK(r, heard.entries == SAID && heard.last.message.chat_number == SAID);
    RIG_CHECK(r, heard.most == COMMAND_ROUND_MAX && heard.pushes <= 3);
}

static void
in_rounds_of_some(void **state)
{
    (void)state;
    rig_play_once(&rig, 4, rounds_story);
}

static const struct cell *
cell_of(const struct rig *r, uint64_t id)
{
    return &r->store->cells[store_cell_of(r->store, store_user_partition(r->store, id))];
}

/* In a cell that has none of them but the member. */
static void
weight_story(struct rig *r)
{
    uint64_t alice;
    uint64_t bob;
    struct heard heard;
    uint64_t group = say_at_once(r, 10, &heard);
    RIG_CHECK(r, hand_name_find(r->store, "alice", &alice) == 0);
    RIG_CHECK(r, hand_name_find(r->store, "bob", &bob) == 0);
    const struct cell *cell = cell_of(r, bob);
    RIG_CHECK(r, cell != cell_of(r, group) && cell != cell_of(r, alice));
    RIG_CHECK(r, cell->commands >= SAID);
}

static void
weight_again_story(struct rig *r)
{
    uint64_t bob;
    RIG_CHECK(r, hand_name_find(r->store, "bob", &bob) == 0);
    RIG_CHECK(r, cell_of(r, bob)->commands >= SAID);
}

/* When it comes, and when it is applied again. */
static void
in_rounds_that_weigh(void **state)
{
    (void)state;
    rig_open(&rig, 5);
    rig_play(&rig, weight_story);
    rig_play(&rig, weight_again_story);
    rig_close(&rig);
}

/* Four fit into a command beside what else they say. */
static void
long_rounds_story(struct rig *r)
{
    struct heard heard;
    (void)say_at_once(r, COMMAND_ROUND_BYTES_MAX / 5, &heard);
    RIG_CHECK(r, heard.entries == SAID && heard.last.message.chat_number == SAID);
    RIG_CHECK(r, heard.most == 4);
}

static void
in_rounds_of_so_many_bytes(void **state)
{
    (void)state;
    rig_play_once(&rig, 4, long_rounds_story);
}

/* He has room for some. Of each round's marks he hears the last. */
static void
full_story(struct rig *r)
{
    struct heard heard;
    (void)say_at_once(r, 10, &heard);
    RIG_CHECK(r, heard.entries > 20 && heard.entries <= 20 + heard.pushes);
    RIG_CHECK(r, heard.last.kind == STORE_ENTRY_GROUP_CURSORS);
    RIG_CHECK(r, heard.last.group_cursors.gap_from == 21);
    RIG_CHECK(r, heard.last.group_cursors.gap_to == SAID);
}

static void
in_rounds_beyond_his_room(void **state)
{
    (void)state;
    rig_open(&rig, 4);
    rig.options.inbox_entries_max = 20;
    rig_play(&rig, full_story);
    rig_close(&rig);
}

enum {
    OWN_BYTES_MAX = 12000,
    OWN_FILLER = 11300,
    OWN_LITTLE = 400,
    OWN_FIT = 300,
    OWN_LONG = 10000
};

/* Alice has two devices, the first of which took in a message more: it has room for OWN_FIT bytes,
 * the other has not. Returns the number of her newest entry. */
static uint64_t
fill(struct rig *r, uint64_t alice, uint64_t bob)
{
    static char text[OWN_FILLER + 1];
    struct hand_message message = {.from = bob, .to = alice, .number = 1, .text = text};
    struct store_attached attached;
    struct store_sent sent;
    struct heard heard;
    uint16_t second;
    RIG_CHECK(r, hand_device_add(r->store, alice, 2, &second) == 0);
    RIG_CHECK(r, hand_attach(r->store, alice, 1, &attached) == 0);
    RIG_CHECK(r, hand_ack(r->store, alice, 1, attached.last) == 0);
    RIG_CHECK(r, hand_ack(r->store, alice, second, attached.last) == 0);
    memset(text, 'x', OWN_LITTLE);
    RIG_CHECK(r, hand_message(r->store, &message, &sent) == 0);
    memset(text, 'x', OWN_FILLER);
    message.number++;
    RIG_CHECK(r, hand_message(r->store, &message, &sent) == 0);
    hear(r, &heard);
    RIG_CHECK(r, heard.entries == 2);
    RIG_CHECK(r, hand_ack(r->store, alice, 1, heard.first) == 0);
    return heard.last.number;
}

/* The next push, which goes on from there. */
static void
expect_short_and_mark(struct rig *r, uint64_t number)
{
    struct store_entry first = {0};
    struct store_entry last = {0};
    size_t at = 0;
    struct ln_msg *msg = told();
    RIG_CHECK(r, msg != NULL && msg->tag == STORE_PUSH);
    if (msg == NULL || msg->buffer == NULL) {
        return;
    }
    const struct store_push *push = (const struct store_push *)(const void *)msg->data;
    const unsigned char *bytes = ln_buffer_data(msg->buffer);
    RIG_CHECK(r, entry_next(bytes, ln_buffer_bytes(msg->buffer), &at, &first));
    RIG_CHECK(r, first.kind == STORE_ENTRY_GROUP_MESSAGE);
    RIG_CHECK(r, first.message.body_bytes == OWN_FIT);
    RIG_CHECK(r, entry_next(bytes, ln_buffer_bytes(msg->buffer), &at, &last));
    RIG_CHECK(r, last.kind == STORE_ENTRY_MISSED && at == ln_buffer_bytes(msg->buffer));
    RIG_CHECK(r, push->previous == number && push->number == last.number);
    ln_msg_free(&msg);
}

/* The first has room for neither of the long ones; for the short one the second loses its place:
 * that is told between the two marks, of which the earlier one makes way. */
static void
own_story(struct rig *r)
{
    static const uint32_t bytes[] = {OWN_LONG, OWN_FIT, OWN_LONG};
    uint64_t refs[3];
    uint64_t alice;
    uint64_t bob;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    uint64_t group = company_group(r, alice, 1, &bob, 1);
    (void)ln_sleep(1000);
    uint64_t newest = fill(r, alice, bob);
    for (unsigned i = 0; i < 3; i++) {
        refs[i] = company_say(r, alice, group, 2 + i, bytes[i]);
    }
    for (unsigned i = 0; i < 3; i++) {
        company_done(r, refs[i]);
    }
    expect_short_and_mark(r, newest);
}

static void
in_rounds_of_own_messages(void **state)
{
    (void)state;
    rig_open(&rig, 4);
    rig.options.inbox_bytes_max = OWN_BYTES_MAX;
    rig_play(&rig, own_story);
    rig_close(&rig);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("of many who left a group remembers some", forgets_who_left_long_ago),
        SPEC("a list of members goes on behind those who were forgotten since they were folded",
             lists_those_behind_who_was_forgotten),
        SPEC("messages that many members have not been told of yet are waited for, by their bytes",
             large_messages_wait_for_each_other),
        SPEC("a group that floods its partition leaves others there room to speak",
             a_loud_group_leaves_room),
        SPEC("somebody joins and a message is changed in one breath: the change waits for the join",
             joins_and_changes_in_one_breath),
        SPEC("more than may be under way to a partition at once all gets there",
             longer_than_a_window),
        SPEC("messages said at once reach a session together, so many at most", in_rounds_of_some),
        SPEC("and so many bytes at most", in_rounds_of_so_many_bytes),
        SPEC("and count as so many commands where a fold is due", in_rounds_that_weigh),
        SPEC("who has no room for all of a round is pushed what he has, and the last mark",
             in_rounds_beyond_his_room),
        SPEC("a device that loses its place within a round leaves no gap in what another is pushed",
             in_rounds_of_own_messages),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
