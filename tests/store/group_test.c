/* SPDX-License-Identifier: Apache-2.0 */
/* Groups in a whole store: what a partition's timers do. */
#include "store/group.h"

#include "runtime/linnet.h"
#include "store/store_priv.h"
#include "tests/spec.h"
#include "tests/store/hand.h"
#include "tests/store/rig.h"

#include <string.h>

enum { STRANGERS = 1300, FORMER_KEPT = 1024, TIMEOUT_MS = 30000 };

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

/* The rows of members, former ones too. */
static unsigned
members_count(struct rig *r, uint64_t group, uint64_t owner)
{
    struct store_group_list list = {.group = group, .user = owner};
    unsigned count = 0;
    bool more = true;
    while (more) {
        struct ln_msg *msg = ln_msg_new(STORE_GROUP_MEMBERS, LN_DURABLE, sizeof(list));
        struct ln_msg *answer = NULL;
        memcpy(msg->data, &list, sizeof(list));
        RIG_CHECK(r, ln_call(store_user_pid(r->store, group), &msg, TIMEOUT_MS, &answer) == 0);
        const struct store_rows *rows = (const struct store_rows *)(const void *)answer->data;
        const struct store_member *members =
            rows->count > 0 ? ln_buffer_data(answer->buffer) : NULL;
        count += rows->count;
        more = rows->more && rows->count > 0;
        list.after = more ? members[rows->count - 1].user : 0;
        ln_msg_free(&answer);
    }
    return count;
}

static void
forgetting_story(struct rig *r)
{
    uint64_t owner;
    struct store_group_ask ask;
    struct store_group group = {0};
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &owner) == 0);
    ask.group = a_group_of_strangers(r, owner);
    ask.user = owner;
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
    (void)ln_sleep(30000); /* some at a time, a few a second */
    RIG_CHECK(r, members_count(r, ask.group, owner) == 1 + FORMER_KEPT);
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

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("of many who left a group remembers some", forgets_who_left_long_ago),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
