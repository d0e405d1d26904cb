/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/group.h"

#include "runtime/scheduler.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

#include <stdio.h>

enum tag { JOIN = 1, LEAVE, CRASH, STOP, CHAT, RELAY };
enum { MEMBERS = 6, LISTED_MAX = 16 };

struct heard {
    ln_pid by, from;
    const void *payload;
    char text[8];
};

/* Does what it is told and tells its parent, who is the first to speak to it, what it heard. */
static void
member_handle(void *state, struct ln_msg **msg)
{
    ln_pid *parent = state;
    const char *name = (const char *)(*msg)->data;
    switch ((enum tag)(*msg)->tag) {
    case JOIN:
        *parent = (*msg)->from;
        if (ln_group_join(name) != 0) {
            ln_reply_error(ln_caller(*msg), -EEXIST);
            return;
        }
        ln_reply(ln_caller(*msg), msg);
        return;
    case LEAVE:
        ln_reply_error(ln_caller(*msg), ln_group_leave(name) == 0 ? -ECANCELED : -ENOENT);
        return;
    case CRASH:
        ln_exit(LN_EXIT_ERROR, "told to");
    case STOP:
        ln_stop(LN_EXIT_NORMAL, "told to");
        return;
    case CHAT:
    case RELAY: {
        struct ln_msg *told = ln_msg_new((*msg)->tag, LN_DURABLE, sizeof(struct heard));
        struct heard *heard = (struct heard *)(void *)told->data;
        heard->by = ln_self();
        heard->from = (*msg)->from;
        heard->payload = (*msg)->buffer;
        memcpy(heard->text, (*msg)->data, (*msg)->bytes);
        ln_send(*parent, &told);
        return;
    }
    }
}
static const struct ln_behaviour member = {
    .name = "member", .state_bytes = sizeof(ln_pid), .handle = member_handle};

static struct ln_msg *
say(enum tag tag, const char *text)
{
    struct ln_msg *msg = ln_msg_new(tag, LN_DURABLE, strlen(text) + 1);
    memcpy(msg->data, text, strlen(text));
    return msg;
}

static int
order(ln_pid who, enum tag tag, const char *group)
{
    struct ln_msg *msg = say(tag, group);
    return ln_call(who, &msg, LN_FOREVER, NULL);
}

static ln_pid
spawn_member(int scheduler, const char *group)
{
    ln_pid pid = 0;
    struct ln_spawn_options options = {.elsewhere = true, .scheduler = scheduler};
    EXPECT(ln_spawn(&member, NULL, 0, &options, &pid) == 0);
    EXPECT(order(pid, JOIN, group) == 0);
    return pid;
}

/* Members of "room", in the order in which they are listed. */
static void
spawn_members(ln_pid *pids)
{
    for (int i = 0; i < MEMBERS; i++) {
        pids[i] = spawn_member(i * STAGE_LOOPS / MEMBERS, "room");
    }
}

static void
expect_members(const char *group, int scheduler, const ln_pid *expected, uint32_t count)
{
    ln_pid listed[LISTED_MAX];
    uint32_t listed_count = 0;
    EXPECT(ln_group_members(group, scheduler, listed, LISTED_MAX, &listed_count) == 0);
    EXPECT(listed_count == count);
    EXPECT(count == 0 || memcmp(listed, expected, count * sizeof *listed) == 0);
}

static struct heard
hear(enum tag tag)
{
    struct heard heard;
    stage_expect(tag, &heard, sizeof heard);
    return heard;
}

/* -------------------------------------------------------------------------------------- sending */

static void
broadcast_story(void)
{
    ln_pid pids[MEMBERS];
    spawn_members(pids);
    struct ln_msg *msg = say(CHAT, "hello");
    struct ln_buffer *payload = ln_buffer_new(1000);
    const void *shared = payload;
    msg->buffer = payload;
    ln_group_send("room", &msg);
    EXPECT(msg == NULL);
    uint32_t heard_by[MEMBERS] = {0};
    for (unsigned i = 0; i < MEMBERS; i++) {
        struct heard heard = hear(CHAT);
        EXPECT(strcmp(heard.text, "hello") == 0 && heard.payload == shared);
        EXPECT(heard.from == ln_self());
        for (unsigned j = 0; j < MEMBERS; j++) {
            heard_by[j] += heard.by == pids[j];
        }
    }
    for (unsigned j = 0; j < MEMBERS; j++) {
        EXPECT(heard_by[j] == 1);
    }
    msg = say(CHAT, "");
    ln_group_send("another room", &msg);
    stage_expect_silence(10);
}

static void
reaches_each_once(void **state)
{
    (void)state;
    stage_play(broadcast_story);
    stage_play_threads(broadcast_story, STAGE_LOOPS);
}

static void
sender_story(void)
{
    EXPECT(ln_group_join("room") == 0);
    struct ln_msg *msg = say(CHAT, "echo");
    ln_group_send("room", &msg);
    stage_expect(CHAT, NULL, 0);
    EXPECT(ln_group_leave("room") == 0);
    msg = say(CHAT, "echo");
    ln_group_send("room", &msg);
    stage_expect_silence(10);
}

static void
reaches_its_sender(void **state)
{
    (void)state;
    stage_play(sender_story);
}

static void
order_story(void)
{
    ln_pid pids[MEMBERS];
    spawn_members(pids);
    for (unsigned round = 0; round < 20; round++) {
        struct ln_msg *msg = say(CHAT, "all");
        ln_group_send("room", &msg);
        msg = say(RELAY, "you");
        ln_send(pids[round % MEMBERS], &msg);
        msg = say(CHAT, "all");
        ln_group_send("room", &msg);
        unsigned of_one = 0;
        for (unsigned i = 0; i < 2 * MEMBERS + 1; i++) {
            struct ln_msg *told = stage_next();
            const struct heard *heard = (const struct heard *)(const void *)told->data;
            if (heard->by == pids[round % MEMBERS]) {
                EXPECT((told->tag == RELAY) == (of_one == 1)); /* between the two */
                of_one++;
            }
            ln_msg_free(&told);
        }
        EXPECT(of_one == 3);
    }
}

static void
keeps_the_order(void **state)
{
    (void)state;
    stage_play(order_story);
}

static void
full_run(void *state)
{
    (void)state;
    EXPECT(ln_group_join("full") == 0);
    (void)ln_sleep(LN_FOREVER);
}
static const struct ln_behaviour full = {.name = "full", .run = full_run, .durable_max = 1};

static void
refused_story(void)
{
    ln_pid pids[2];
    for (int i = 0; i < 2; i++) {
        struct ln_spawn_options options = {.elsewhere = true, .scheduler = i};
        EXPECT(ln_spawn(&full, NULL, 0, &options, &pids[i]) == 0);
    }
    stage_settle();
    struct ln_msg *msg = say(CHAT, "");
    ln_group_send("full", &msg);
    stage_expect_silence(10);
    msg = say(CHAT, "");
    ln_group_send("full", &msg);
    for (unsigned i = 0; i < 2; i++) {
        struct ln_msg *back = stage_next();
        EXPECT(back->tag == CHAT && (back->flags & LN_MSG_REFUSED) != 0);
        EXPECT(back->from == pids[0] || back->from == pids[1]);
        ln_msg_free(&back);
    }
}

static void
comes_back_from_the_full(void **state)
{
    (void)state;
    stage_play(refused_story);
}

/* ----------------------------------------------------------------------------------- membership */

static void
list_story(void)
{
    ln_pid pids[MEMBERS];
    spawn_members(pids);
    expect_members("room", LN_ANYWHERE, pids, MEMBERS);
    expect_members("room", LN_HERE, pids, MEMBERS / 2);
    expect_members("room", 1, pids + MEMBERS / 2, MEMBERS / 2);
    expect_members("another room", LN_ANYWHERE, NULL, 0);
    ln_pid first[2];
    uint32_t count = 0;
    EXPECT(ln_group_members("room", LN_ANYWHERE, first, 2, &count) == 0);
    EXPECT(count == MEMBERS && memcmp(first, pids, sizeof first) == 0);
}

static void
lists_in_order(void **state)
{
    (void)state;
    stage_play(list_story);
}

static void
leave_story(void)
{
    ln_pid pids[MEMBERS];
    spawn_members(pids);
    EXPECT(order(pids[0], LEAVE, "room") == -ECANCELED);
    EXPECT(order(pids[0], LEAVE, "room") == -ENOENT);
    stage_say(pids[1], STOP);
    ln_kill(pids[3], LN_EXIT_KILLED);
    stage_say(pids[4], CRASH);
    stage_settle();
    ln_pid left[] = {pids[2], pids[5]};
    expect_members("room", LN_ANYWHERE, left, 2);
    EXPECT(order(pids[0], JOIN, "room") == 0);
    ln_pid again[] = {pids[2], pids[0], pids[5]}; /* behind those who stayed */
    expect_members("room", LN_ANYWHERE, again, 3);
}

static void
leaves_at_its_end(void **state)
{
    (void)state;
    stage_play(leave_story);
}

static void
twice_story(void)
{
    char name[LN_NAME_BYTES_MAX + 2];
    memset(name, 'x', sizeof name);
    name[LN_NAME_BYTES_MAX + 1] = '\0';
    EXPECT(ln_group_join("room") == 0);
    EXPECT(ln_group_join("room") == -EEXIST);
    EXPECT(ln_group_join("hall") == 0);
    ln_pid self = ln_self();
    expect_members("room", LN_ANYWHERE, &self, 1);
    expect_members("hall", LN_ANYWHERE, &self, 1);
    EXPECT(ln_group_leave("room") == 0);
    expect_members("room", LN_ANYWHERE, NULL, 0);
    EXPECT(ln_group_join("") == -EINVAL && ln_group_join(name) == -EINVAL);
    uint64_t monitor = 0;
    EXPECT(ln_group_monitor(name, &monitor) == -EINVAL && monitor == 0);
    expect_members(name, LN_ANYWHERE, NULL, 0);
    name[LN_NAME_BYTES_MAX] = '\0';
    EXPECT(ln_group_join(name) == 0);
    expect_members(name, LN_ANYWHERE, &self, 1);
}

static void
joins_once(void **state)
{
    (void)state;
    stage_play(twice_story);
}

static void
many_story(void)
{
    enum { GROUPS = 1000 };
    char name[16];
    ln_pid self = ln_self();
    for (unsigned i = 0; i < GROUPS; i++) {
        (void)snprintf(name, sizeof name, "group %u", i);
        EXPECT(ln_group_join(name) == 0);
    }
    for (unsigned i = 0; i < GROUPS; i += 2) {
        (void)snprintf(name, sizeof name, "group %u", i);
        EXPECT(ln_group_leave(name) == 0);
    }
    for (unsigned i = 0; i < GROUPS; i++) {
        (void)snprintf(name, sizeof name, "group %u", i);
        expect_members(name, LN_HERE, &self, i % 2);
    }
}

static void
many_groups(void **state)
{
    (void)state;
    stage_play(many_story);
}

/* ------------------------------------------------------------------------------------- watching */

static ln_pid
expect_event(uint32_t tag, uint64_t monitor)
{
    struct ln_msg *msg = stage_next();
    EXPECT(msg->tag == tag && msg->ref == monitor);
    ln_pid member_pid = msg->from;
    ln_msg_free(&msg);
    return member_pid;
}

static void
watch_story(void)
{
    uint64_t monitor;
    for (int scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        ln_pid first = spawn_member(scheduler, "room");
        EXPECT(ln_group_monitor("room", &monitor) == 0);
        EXPECT(expect_event(LN_TAG_JOINED, monitor) == first); /* who is there */
        ln_pid second = spawn_member(scheduler, "room");
        EXPECT(expect_event(LN_TAG_JOINED, monitor) == second); /* who comes */
        EXPECT(order(first, LEAVE, "room") == -ECANCELED);
        EXPECT(expect_event(LN_TAG_LEFT, monitor) == first); /* who goes */
        struct ln_msg *last = say(CHAT, "bye");
        ln_send(second, &last);
        stage_say(second, CRASH);
        EXPECT(hear(CHAT).by == second); /* its last words, then its leave */
        EXPECT(expect_event(LN_TAG_LEFT, monitor) == second);
        ln_group_demonitor(monitor);
        ln_kill(first, LN_EXIT_KILLED);
    }
    EXPECT(ln_group_monitor("room", &monitor) == 0); /* left to the actor's end */
}

static void
tells_who_comes_and_goes(void **state)
{
    (void)state;
    stage_play(watch_story);
    stage_play_threads(watch_story, STAGE_LOOPS);
}

static void
demonitor_story(void)
{
    ln_pid pids[MEMBERS];
    uint64_t monitor, kept;
    spawn_members(pids);
    EXPECT(ln_group_monitor("room", &monitor) == 0);
    ln_group_demonitor(monitor); /* here they wait already, elsewhere they are on their way */
    ln_group_demonitor(monitor); /* twice: nothing */
    stage_expect_silence(10);
    EXPECT(ln_group_monitor("room", &monitor) == 0);
    EXPECT(ln_group_monitor("room", &kept) == 0 && kept != monitor);
    stage_settle();
    ln_group_demonitor(monitor); /* all wait in the mailbox */
    for (unsigned i = 0; i < MEMBERS; i++) {
        (void)expect_event(LN_TAG_JOINED, kept);
    }
    stage_expect_silence(10);
}

static void
is_silent_after_demonitor(void **state)
{
    (void)state;
    stage_play(demonitor_story);
}

/* Watches, joins and leaves until it is killed. */
static void
restless_run(void *state)
{
    (void)state;
    uint64_t monitor = 0;
    for (unsigned i = 0;; i++) {
        EXPECT(ln_group_join(i % 2 == 0 ? "room" : "hall") == 0);
        EXPECT(ln_group_monitor(i % 3 == 0 ? "room" : "hall", &monitor) == 0);
        struct ln_msg *msg = say(CHAT, "x");
        ln_group_send("hall", &msg);
        while (ln_receive(0, &msg) == 0) {
            ln_msg_free(&msg);
        }
        (void)ln_sleep(1 + i % 3);
        (void)ln_group_leave(i % 2 == 0 ? "hall" : "room");
        if (i % 4 != 0) {
            ln_group_demonitor(monitor);
        }
    }
}
static const struct ln_behaviour restless = {.name = "restless", .run = restless_run};

static void
end_story(void)
{
    for (int i = 0; i < 10; i++) {
        ln_pid pid;
        struct ln_spawn_options options = {.elsewhere = true, .scheduler = i % STAGE_LOOPS};
        EXPECT(ln_spawn(&restless, NULL, 0, &options, &pid) == 0);
    }
    (void)ln_sleep(30); /* the node ends in the midst of it */
}

static void
ends_amid_it(void **state)
{
    (void)state;
    stage_play(end_story);
    stage_play_threads(end_story, STAGE_LOOPS);
    for (uint64_t event = 50; event < 1000; event += 150) {
        (void)stage_play_until(end_story, event, event);
    }
}

/* ------------------------------------------------------------------------------- large groups */

enum { CROWD = LN_CHANNEL_SLOTS, LETTERS = 10, SLACK = 100 };

/* What the crowd's scheduler had delivered when its newest turn was first seen, and the most that
 * one turn added. */
static uint64_t crowd_turn, crowd_messages, crowd_most, crowd_heard;

static int
crowd_init(void *state, const void *argument)
{
    (void)state;
    (void)argument;
    return ln_group_join("crowd");
}

static void
crowd_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)msg;
    const struct scheduler_stats *stats = &scheduler_current()->stats;
    uint64_t added = stats->messages - crowd_messages;
    if (stats->turns == crowd_turn + 1 && added > crowd_most) {
        crowd_most = added;
    }
    crowd_turn = stats->turns;
    crowd_messages = stats->messages;
    crowd_heard++;
}
static const struct ln_behaviour in_crowd = {
    .name = "in crowd", .init = crowd_init, .handle = crowd_handle};

static void
gather(int scheduler)
{
    struct ln_spawn_options there = {.elsewhere = true, .scheduler = scheduler};
    for (unsigned i = 0; i < CROWD; i++) {
        ln_pid pid;
        EXPECT(ln_start(&in_crowd, NULL, 0, &there, &pid) == 0);
    }
    crowd_turn = crowd_messages = crowd_most = crowd_heard = 0;
}

static void
flood_story(void)
{
    ln_pid pid;
    struct ln_spawn_options there = {.elsewhere = true, .scheduler = 1};
    gather(1);
    EXPECT(ln_spawn(&member, NULL, 0, &there, &pid) == 0);
    struct ln_msg *request = say(JOIN, "another");
    (void)ln_request(pid, &request);
    for (unsigned i = 0; i < LETTERS; i++) {
        struct ln_msg *msg = say(CHAT, "all");
        ln_group_send("crowd", &msg);
        if (i == 0) {
            stage_expect(JOIN, NULL, 0); /* the rest comes amid the turns of the first */
        }
    }
    EXPECT(ln_sleep(1000) == 0);
    EXPECT(crowd_heard == (uint64_t)CROWD * LETTERS);
    EXPECT(crowd_most <= CROWD + SLACK);
}

static void
a_turn_is_not_flooded(void **state)
{
    (void)state;
    stage_play(flood_story);
}

static void
crier_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    struct ln_msg *all = say(CHAT, "all");
    ln_group_send("crowd", &all);
    (void)msg;
}
static const struct ln_behaviour crier = {.name = "crier", .handle = crier_handle};

static void
crier_story(void)
{
    ln_pid pid;
    gather(0);
    EXPECT(ln_spawn(&crier, NULL, 0, NULL, &pid) == 0);
    stage_settle();
    uint64_t before = scheduler_current()->stats.turns_cut;
    for (unsigned i = 0; i < LETTERS; i++) {
        stage_say(pid, CHAT);
    }
    EXPECT(ln_sleep(1000) == 0);
    EXPECT(scheduler_current()->stats.turns_cut - before == LETTERS);
    EXPECT(crowd_heard == (uint64_t)CROWD * LETTERS);
}

static void
ends_the_senders_turn(void **state)
{
    (void)state;
    stage_play(crier_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a message to a group reaches each member once, its payload shared by all",
             reaches_each_once),
        SPEC("it reaches its sender too, while that is a member", reaches_its_sender),
        SPEC("what one actor sends to a group and to a member of it arrives in order",
             keeps_the_order),
        SPEC("a member without room sends the message back", comes_back_from_the_full),
        SPEC("members are listed by scheduler, then in the order of joining", lists_in_order),
        SPEC("a member is one until it leaves or ends, however it ends", leaves_at_its_end),
        SPEC("an actor joins a group once, and as many groups as it likes", joins_once),
        SPEC("a thousand groups come and go", many_groups),
        SPEC("a watcher learns who is there, then who comes and goes, after their last words",
             tells_who_comes_and_goes),
        SPEC("nothing of a watch is heard after its end, wherever it was by then",
             is_silent_after_demonitor),
        SPEC("of letters to a large group from elsewhere a turn brings no more than fits",
             a_turn_is_not_flooded),
        SPEC("who sends to a large group of his own scheduler has had his turn",
             ends_the_senders_turn),
        SPEC("a node that ends amid groups loses no memory", ends_amid_it),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
