/* SPDX-License-Identifier: Apache-2.0 */
/* What a device's session is told, and until when. */
#include "tests/spec.h"
#include "tests/store/hand.h"
#include "tests/store/rig.h"
#include "tests/store/told.h"

#include <errno.h>

static struct rig rig;

static void
notice_story(struct rig *r)
{
    uint64_t bob;
    uint16_t device;
    struct store_attached attached;
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    RIG_CHECK(r, hand_device_add(r->store, bob, 2, &device) == 0);
    RIG_CHECK(r, noticed(STORE_DEVICES, 0, 2));
    RIG_CHECK(r, told_change(STORE_DEVICE_LINKED, 2));
    RIG_CHECK(r, hand_attach(r->store, bob, 2, &attached) == 0);
    RIG_CHECK(r, hand_device_revoke(r->store, bob, 2) == 0);
    RIG_CHECK(r, noticed(STORE_REVOKED, 2, 0)); /* that session alone */
    RIG_CHECK(r, noticed(STORE_DEVICES, 0, 1)); /* and both */
    RIG_CHECK(r, noticed(STORE_DEVICES, 0, 1));
    RIG_CHECK(r, told_change(STORE_DEVICE_REVOKED, 2));
    RIG_CHECK(r, told_change(STORE_DEVICE_REVOKED, 2));
    RIG_CHECK(r, hand_detach(r->store, bob, 2) == 0);
    RIG_CHECK(r, hand_user_remove(r->store, bob) == 0);
    RIG_CHECK(r, noticed(STORE_REVOKED, 0, 0));
    RIG_CHECK(r, hand_detach(r->store, bob, 1) == 0);
}

static void
tells_sessions(void **state)
{
    (void)state;
    rig_play_once(&rig, 7, notice_story);
}

static void
replace_story(struct rig *r)
{
    const ln_pid other = UINT64_C(1) << 40; /* nobody, elsewhere */
    uint64_t bob;
    struct store_attached attached;
    struct store_stats stats;
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    RIG_CHECK(r, told() == NULL); /* it is itself that came again */
    RIG_CHECK(r, hand_attach_for(r->store, bob, 1, other, &attached) == 0);
    RIG_CHECK(r, noticed(STORE_REPLACED, 1, 0));
    RIG_CHECK(r, hand_attach_again(r->store, bob, 1, &attached) == -EBUSY); /* it was too late */
    RIG_CHECK(r, told() == NULL);
    RIG_CHECK(r, hand_detach(r->store, bob, 1) == 0); /* late: the place is the other's */
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.sessions_attached == 1 && stats.users_online == 1);
}

static void
replaces_sessions(void **state)
{
    (void)state;
    rig_play_once(&rig, 7, replace_story);
}

/* Both devices' sessions are the caller. */
static void
many_devices_story(struct rig *r)
{
    uint64_t alice;
    uint64_t bob;
    uint16_t device;
    struct store_attached attached;
    struct store_device devices[2];
    uint32_t count = 0;
    struct store_stats stats;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    RIG_CHECK(r, hand_device_add(r->store, bob, 2, &device) == 0);
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    RIG_CHECK(r, hand_device_list(r->store, bob, devices, 2, &count) == 0 && count == 2);
    RIG_CHECK(r, devices[0].session == ln_self() && devices[1].session == 0);
    RIG_CHECK(r, hand_attach(r->store, bob, device, &attached) == 0);
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.sessions_attached == 2 && stats.users_online == 1);
    struct hand_message hello = {.from = alice, .to = bob, .number = 1, .text = "hello"};
    RIG_CHECK(r, hand_message(r->store, &hello, NULL) == 0);
    for (unsigned i = 0; i < 2; i++) {
        struct store_entry entry;
        struct ln_msg *push = told();
        RIG_CHECK(r, push != NULL && push->tag == STORE_PUSH && entry_of(push, &entry));
        RIG_CHECK(r, entry.message.body_bytes == 5);
        ln_msg_free(&push);
    }
    RIG_CHECK(r, told() == NULL);
}

static void
pushes_to_each_device(void **state)
{
    (void)state;
    rig_play_once(&rig, 9, many_devices_story);
}

static void
detach_story(struct rig *r)
{
    uint64_t alice;
    uint64_t bob;
    struct store_attached attached;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    RIG_CHECK(r, hand_detach(r->store, bob, 1) == 0);
    struct hand_message hello = {.from = alice, .to = bob, .number = 1, .text = "hello"};
    RIG_CHECK(r, hand_message(r->store, &hello, NULL) == 0);
    RIG_CHECK(r, told() == NULL);
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    RIG_CHECK(r, attached.last > attached.acked);
    struct store_stats stats;
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.sessions_attached == 1);
}

static void
detaches_in_order(void **state)
{
    (void)state;
    rig_play_once(&rig, 8, detach_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a session is told of devices that come and go, and of its user's end",
             tells_sessions),
        SPEC("a device's new session replaces the one before, which is told so and does not come "
             "back",
             replaces_sessions),
        SPEC("a message is pushed to each of its reader's devices that is online",
             pushes_to_each_device),
        SPEC("a session that has detached is told nothing more", detaches_in_order),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
