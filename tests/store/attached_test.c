/* SPDX-License-Identifier: Apache-2.0 */
#include "store/attached.h"
#include "tests/spec.h"
#include "tests/store/chance.h"

#include <string.h>

static void
replaces_and_removes(void **state)
{
    (void)state;
    struct attached attached;
    attached_init(&attached);
    assert_null(attached_find(&attached, 7, 1));
    attached_remove(&attached, 7, 1, 1);
    assert_int_equal(attached_set(&attached, 7, 1, 100), 0);
    attached_find(&attached, 7, 1)->behind = true;
    assert_int_equal(attached_set(&attached, 7, 1, 200), 100);
    assert_int_equal(attached.count, 1);
    assert_int_equal(attached_find(&attached, 7, 1)->pid, 200);
    assert_false(attached_find(&attached, 7, 1)->behind);
    attached_remove(&attached, 7, 1, 100); /* the one before: it is late */
    assert_non_null(attached_find(&attached, 7, 1));
    attached_remove(&attached, 7, 1, 200);
    assert_null(attached_find(&attached, 7, 1));
    assert_int_equal(attached.count, 0);
    attached_fini(&attached);
}

static void
lists_the_devices_of_a_user(void **state)
{
    (void)state;
    struct attached attached;
    unsigned seen = 0;
    attached_init(&attached);
    for (uint16_t device = 1; device <= 5; device++) {
        for (uint64_t user = 1; user <= 30; user++) {
            assert_int_equal(attached_set(&attached, user, device, 100 * user + device), 0);
        }
    }
    assert_int_equal(attached.count, 150);
    assert_int_equal(attached.users, 30);
    attached_remove(&attached, 17, 3, 1703);
    const struct attached_session *session = attached_next(&attached, 17, NULL);
    for (; session != NULL; session = attached_next(&attached, 17, session)) {
        assert_int_equal(session->pid, 1700 + session->device);
        seen |= 1u << session->device;
    }
    assert_int_equal(seen, 1u << 1 | 1u << 2 | 1u << 4 | 1u << 5);
    assert_int_equal(attached.users, 30);
    attached_fini(&attached);
}

static void
agrees_with_an_array(void **state)
{
    (void)state;
    enum { USERS = 200, DEVICES = 3 };
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct chance chance = {.state = seed};
        struct attached attached;
        ln_pid truth[USERS][DEVICES] = {{0}};
        unsigned count = 0;
        uint64_t stride = 1 + chance_below(&chance, 1 << 20);
        attached_init(&attached);
        for (unsigned i = 0; i < 4000; i++) {
            unsigned user = (unsigned)chance_below(&chance, USERS);
            uint16_t device = (uint16_t)chance_below(&chance, DEVICES);
            uint64_t id = (user + 1) * stride;
            ln_pid *true_pid = &truth[user][device];
            ln_pid pid = 1 + chance_below(&chance, 3);
            if (chance_below(&chance, 2) == 0) {
                count += *true_pid == 0;
                assert_int_equal(attached_set(&attached, id, device, pid), *true_pid);
                *true_pid = pid;
            } else {
                count -= *true_pid == pid;
                *true_pid = *true_pid == pid ? 0 : *true_pid;
                attached_remove(&attached, id, device, pid);
            }
            assert_int_equal(attached.count, count);
        }
        unsigned users = 0;
        for (unsigned user = 0; user < USERS; user++) {
            bool online = false;
            for (unsigned device = 0; device < DEVICES; device++) {
                const struct attached_session *session =
                    attached_find(&attached, (user + 1) * stride, (uint16_t)device);
                assert_int_equal(session != NULL ? session->pid : 0, truth[user][device]);
                online = online || session != NULL;
            }
            users += online;
        }
        assert_int_equal(attached.users, users);
        attached_fini(&attached);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a device's newest session counts, and only it can remove itself",
             replaces_and_removes),
        SPEC("a user's devices are found one after the other", lists_the_devices_of_a_user),
        SPEC("the table agrees with an array, whatever comes and goes", agrees_with_an_array),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
