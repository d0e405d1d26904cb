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
    assert_null(attached_find(&attached, 7));
    attached_remove(&attached, 7, 1);
    attached_set(&attached, 7, 100);
    attached_find(&attached, 7)->behind = true;
    attached_set(&attached, 7, 200);
    assert_int_equal(attached.count, 1);
    assert_int_equal(attached_find(&attached, 7)->pid, 200);
    assert_false(attached_find(&attached, 7)->behind);
    attached_remove(&attached, 7, 100); /* the one before: it is late */
    assert_non_null(attached_find(&attached, 7));
    attached_remove(&attached, 7, 200);
    assert_null(attached_find(&attached, 7));
    assert_int_equal(attached.count, 0);
    attached_fini(&attached);
}

static void
agrees_with_an_array(void **state)
{
    (void)state;
    enum { USERS = 400 };
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct chance chance = {.state = seed};
        struct attached attached;
        ln_pid truth[USERS] = {0};
        unsigned count = 0;
        uint64_t stride = 1 + chance_below(&chance, 1 << 20);
        attached_init(&attached);
        for (unsigned i = 0; i < 4000; i++) {
            unsigned user = (unsigned)chance_below(&chance, USERS);
            uint64_t id = (user + 1) * stride;
            if (chance_below(&chance, 2) == 0) {
                count += truth[user] == 0;
                truth[user] = 1 + chance_below(&chance, 3);
                attached_set(&attached, id, truth[user]);
            } else {
                ln_pid pid = 1 + chance_below(&chance, 3);
                count -= truth[user] == pid;
                truth[user] = truth[user] == pid ? 0 : truth[user];
                attached_remove(&attached, id, pid);
            }
            assert_int_equal(attached.count, count);
        }
        for (unsigned user = 0; user < USERS; user++) {
            const struct attached_session *session = attached_find(&attached, (user + 1) * stride);
            assert_int_equal(session != NULL ? session->pid : 0, truth[user]);
        }
        attached_fini(&attached);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a user's newest session counts, and only it can remove itself", replaces_and_removes),
        SPEC("the table agrees with an array, whatever comes and goes", agrees_with_an_array),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
