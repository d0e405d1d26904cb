/* SPDX-License-Identifier: Apache-2.0 */
/* Who may become a device's session. */
#include "runtime/linnet.h"
#include "tests/spec.h"
#include "tests/store/hand.h"
#include "tests/store/rig.h"

#include <errno.h>
#include <string.h>

static struct rig rig;
static uint64_t alice;
static uint16_t phone;

static struct store_stats
stats(struct rig *r)
{
    struct store_stats read;
    store_stats_read(r->store, &read);
    return read;
}

/* -------------------------------------------------------------------------------- with a token */

static void
made_story(struct rig *r)
{
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_device_add(r->store, alice, 7, &phone) == 0);
}

/* In a life that begins with nothing in memory. */
static void
proving_story(struct rig *r)
{
    struct store_attached attached = {0};
    RIG_CHECK(r, hand_attach_proving(r->store, alice, phone, 7, &attached) == 0);
    RIG_CHECK(r, attached.name.bytes == 5 && memcmp(attached.name.text, "alice", 5) == 0);
    RIG_CHECK(r, attached.devices == 2 && stats(r).sessions_attached == 1);
}

static void
the_devices_token_attaches_and_names_its_user(void **state)
{
    (void)state;
    rig_open(&rig, 1);
    rig_play(&rig, made_story);
    rig_play(&rig, proving_story);
    rig_close(&rig);
}

static void
refused_story(struct rig *r)
{
    struct store_attached attached;
    uint64_t before = stats(r).commands;
    RIG_CHECK(r, hand_attach_proving(r->store, alice, phone, 8, &attached) == -EACCES);
    RIG_CHECK(r, hand_attach_proving(r->store, alice, 9, 7, &attached) == -ENOENT);
    RIG_CHECK(r, hand_attach_proving(r->store, alice + 256, phone, 7, &attached) == -ENOENT);
    RIG_CHECK(r, stats(r).commands == before && stats(r).sessions_attached == 0);
}

static void
another_token_is_refused_and_nothing_is_written(void **state)
{
    (void)state;
    rig_open(&rig, 2);
    rig_play(&rig, made_story);
    rig_play(&rig, refused_story);
    rig_close(&rig);
}

static void
revoked_story(struct rig *r)
{
    struct store_attached attached;
    made_story(r);
    RIG_CHECK(r, hand_attach_proving(r->store, alice, phone, 7, &attached) == 0);
    RIG_CHECK(r, hand_device_revoke(r->store, alice, phone) == 0);
    RIG_CHECK(r, hand_attach_proving(r->store, alice, phone, 7, &attached) == -ENOENT);
}

static void
a_revoked_devices_token_is_refused(void **state)
{
    (void)state;
    rig_open(&rig, 3);
    rig_play(&rig, revoked_story);
    rig_close(&rig);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("the device's token attaches, and the answer names its user",
             the_devices_token_attaches_and_names_its_user),
        SPEC("another token is refused, and nothing is written for it",
             another_token_is_refused_and_nothing_is_written),
        SPEC("a revoked device's token is refused", a_revoked_devices_token_is_refused),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
