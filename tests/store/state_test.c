/* SPDX-License-Identifier: Apache-2.0 */
/* States through the store's actors: set, told, listed in pages, and what others may see. */
#include "tests/spec.h"
#include "tests/store/hand.h"
#include "tests/store/rig.h"

#include <errno.h>
#include <string.h>

static struct rig rig;

static struct ln_msg *
told(void)
{
    struct ln_msg *msg = NULL;
    int error = ln_receive(2000, &msg);
    return error == 0 ? msg : NULL;
}

/* Whether the next thing told is that what this one may see has changed. */
static bool
told_rules(uint64_t user, uint64_t watcher)
{
    struct ln_msg *msg = told();
    const struct store_rules_notice *notice =
        msg != NULL && msg->tag == STORE_RULES
            ? (const struct store_rules_notice *)(const void *)msg->data
            : NULL;
    bool right = notice != NULL && notice->user == user && notice->watcher == watcher;
    ln_msg_free(&msg);
    return right;
}

/* ---------------------------------------------------------------------------------------- pages */

enum { PAGED = 150 };

/* Reads all states in pages; returns how many, 0 when they are out of order or wrong. */
static unsigned
read_all(struct rig *r, uint64_t user, uint8_t kind, uint32_t states_max, uint32_t bytes_max)
{
    struct store_state_list list = {
        .user = user, .kind = kind, .states_max = states_max, .bytes_max = bytes_max};
    struct store_states states = {.more = true};
    unsigned count = 0;
    while (states.more) {
        struct ln_msg *answer = NULL;
        struct store_entry entry;
        size_t at = 0;
        uint64_t place = list.after;
        RIG_CHECK(r, hand_states(r->store, &list, &answer) == 0);
        if (answer == NULL || (list.after != 0 && answer->buffer == NULL)) {
            ln_msg_free(&answer);
            return 0;
        }
        memcpy(&states, answer->data, sizeof(states));
        while (answer->buffer != NULL && entry_next(ln_buffer_data(answer->buffer),
                                                    ln_buffer_bytes(answer->buffer), &at, &entry)) {
            uint64_t next = store_state_place(entry.state.kind, entry.peer);
            RIG_CHECK(r, entry.kind == STORE_ENTRY_STATE && entry.number == 0 && next > place);
            RIG_CHECK(r, kind == 0 || entry.state.kind == kind);
            place = next;
            count++;
        }
        RIG_CHECK(r, states.last == (place == list.after ? 0 : place));
        RIG_CHECK(r, states_max == 0 || states.count <= states_max);
        list.after = states.last;
        ln_msg_free(&answer);
    }
    return count;
}

static void
page_story(struct rig *r)
{
    uint64_t alice;
    struct store_stats stats;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, read_all(r, alice, 0, 0, 0) == 0);
    for (uint64_t i = 0; i < PAGED; i++) {
        RIG_CHECK(r, hand_state(r->store, alice, STORE_STATE_PINNED, 1000 - i, "p") == 0);
        RIG_CHECK(r, hand_state(r->store, alice, STORE_STATE_CONTACT, 1000 + i, "name") == 0);
    }
    for (uint64_t i = 0; i < PAGED; i += 2) {
        RIG_CHECK(r, hand_state(r->store, alice, STORE_STATE_PINNED, 1000 - i, NULL) == 0);
    }
    RIG_CHECK(r, read_all(r, alice, 0, 0, 0) == PAGED + PAGED / 2);
    RIG_CHECK(r, read_all(r, alice, 0, 7, 0) == PAGED + PAGED / 2);
    RIG_CHECK(r, read_all(r, alice, 0, 0, 1) == PAGED + PAGED / 2); /* one at least */
    RIG_CHECK(r, read_all(r, alice, STORE_STATE_CONTACT, 40, 0) == PAGED);
    RIG_CHECK(r, read_all(r, alice, STORE_STATE_BLOCKED, 40, 0) == 0);
    ln_sleep(30000); /* what nobody changes is folded, and leaves memory */
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.folds > 0 && stats.delta_entries < 10);
    RIG_CHECK(r, read_all(r, alice, 0, 7, 0) == PAGED + PAGED / 2);
    for (uint64_t i = 1; i < PAGED; i += 2) {
        RIG_CHECK(r, hand_state(r->store, alice, STORE_STATE_PINNED, 1000 - i, NULL) == 0);
    }
    RIG_CHECK(r, read_all(r, alice, 0, 7, 0) == PAGED); /* LMDB still has those that went */
    RIG_CHECK(r, hand_user_remove(r->store, alice) == 0);
    struct store_state_list list = {.user = alice};
    struct ln_msg *answer = NULL;
    RIG_CHECK(r, hand_states(r->store, &list, &answer) == -ENOENT);
}

static void
pages(void **state)
{
    (void)state;
    rig_play_once(&rig, 31, page_story);
}

/* -------------------------------------------------------------------------------------- who may */

static bool
sees(struct rig *r, uint64_t subject, uint64_t watcher, enum store_sees what)
{
    bool yes = false;
    RIG_CHECK(r, hand_may_see(r->store, subject, watcher, what, &yes) == 0);
    return yes;
}

static void
see_story(struct rig *r)
{
    const enum store_sees what = STORE_SEES_LAST_SEEN;
    uint64_t alice;
    uint64_t bob;
    uint64_t carol;
    bool yes;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "carol", true, &carol) == 0);
    RIG_CHECK(r, sees(r, alice, bob, what) && sees(r, alice, carol, what));

    RIG_CHECK(r, hand_rule(r->store, alice, what, STORE_AUDIENCE_CONTACTS, 0) == 0);
    RIG_CHECK(r, !sees(r, alice, bob, what) && sees(r, alice, alice, what));
    RIG_CHECK(r, sees(r, alice, bob, STORE_SEES_ONLINE)); /* each has a rule of its own */
    RIG_CHECK(r, hand_state(r->store, bob, STORE_STATE_CONTACT, alice, "al") == 0);
    RIG_CHECK(r, !sees(r, alice, bob, what)); /* it is the subject's contacts that count */
    RIG_CHECK(r, hand_state(r->store, alice, STORE_STATE_CONTACT, bob, "bob") == 0);
    RIG_CHECK(r, sees(r, alice, bob, what) && !sees(r, alice, carol, what));
    RIG_CHECK(r, hand_rule(r->store, alice, what, STORE_AUDIENCE_CONTACTS, bob) == 0);
    RIG_CHECK(r, !sees(r, alice, bob, what));

    RIG_CHECK(r, hand_rule(r->store, alice, what, STORE_AUDIENCE_NOBODY, carol) == 0);
    RIG_CHECK(r, !sees(r, alice, bob, what) && sees(r, alice, carol, what));
    RIG_CHECK(r, hand_state(r->store, alice, STORE_STATE_BLOCKED, carol, "b") == 0);
    RIG_CHECK(r, !sees(r, alice, carol, what) && !sees(r, alice, carol, STORE_SEES_PROFILE));
    RIG_CHECK(r, sees(r, carol, alice, what)); /* a block hides one way */
    RIG_CHECK(r, hand_state(r->store, alice, STORE_STATE_BLOCKED, carol, NULL) == 0);
    RIG_CHECK(r, sees(r, alice, carol, what));
    RIG_CHECK(r, hand_state(r->store, alice, STORE_STATE_RULE + what, 0, NULL) == 0);
    RIG_CHECK(r, sees(r, alice, bob, what));

    RIG_CHECK(r, hand_may_see(r->store, alice + 256, bob, what, &yes) == -ENOENT);
    RIG_CHECK(r, hand_may_see(r->store, alice, bob, 0, &yes) == -EINVAL);
    RIG_CHECK(r, hand_may_see(r->store, alice, bob, STORE_SEES_KINDS, &yes) == -EINVAL);
    RIG_CHECK(r, hand_may_see(r->store, alice, 0, what, &yes) == -EINVAL);
    RIG_CHECK(r, hand_user_remove(r->store, alice) == 0);
    RIG_CHECK(r, hand_may_see(r->store, alice, bob, what, &yes) == -ENOENT);
}

static void
decides(void **state)
{
    (void)state;
    for (uint64_t seed = 32; seed < 34; seed++) {
        rig_open(&rig, seed);
        rig.schedulers = (unsigned)(seed - 31);
        rig_play(&rig, see_story);
        rig_close(&rig);
    }
}

/* The profile as the watcher is told it; "-": may not be seen. */
static bool
profile_is(struct rig *r, uint64_t subject, uint64_t watcher, const char *text)
{
    struct ln_msg *answer = NULL;
    if (hand_profile(r->store, subject, watcher, &answer) != 0) {
        return false;
    }
    const struct store_profile *profile = (const struct store_profile *)(const void *)answer->data;
    size_t bytes = answer->buffer != NULL ? ln_buffer_bytes(answer->buffer) : 0;
    bool right = profile->user == subject && profile->name.bytes == 5 &&
                 memcmp(profile->name.text, "alice", 5) == 0;
    if (strcmp(text, "-") == 0) {
        right = right && !profile->seen && bytes == 0;
    } else {
        right = right && profile->seen && bytes == strlen(text) &&
                (bytes == 0 || memcmp(ln_buffer_data(answer->buffer), text, bytes) == 0);
    }
    ln_msg_free(&answer);
    return right;
}

static void
profile_story(struct rig *r)
{
    uint64_t alice;
    uint64_t bob;
    struct ln_msg *answer = NULL;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    RIG_CHECK(r, profile_is(r, alice, bob, ""));
    RIG_CHECK(r, hand_state(r->store, alice, STORE_STATE_PROFILE, 0, "Alice, at sea") == 0);
    RIG_CHECK(r, profile_is(r, alice, bob, "Alice, at sea"));
    RIG_CHECK(r, hand_rule(r->store, alice, STORE_SEES_PROFILE, STORE_AUDIENCE_NOBODY, 0) == 0);
    RIG_CHECK(r, profile_is(r, alice, bob, "-"));
    RIG_CHECK(r, profile_is(r, alice, alice, "Alice, at sea"));
    RIG_CHECK(r, hand_state(r->store, alice, STORE_STATE_RULE + STORE_SEES_PROFILE, 0, NULL) == 0);
    RIG_CHECK(r, hand_state(r->store, alice, STORE_STATE_BLOCKED, bob, "b") == 0);
    RIG_CHECK(r, profile_is(r, alice, bob, "-"));
    RIG_CHECK(r, hand_profile(r->store, alice, 0, &answer) == -EINVAL);
    RIG_CHECK(r, hand_user_remove(r->store, alice) == 0);
    RIG_CHECK(r, hand_profile(r->store, alice, bob, &answer) == -ENOENT);
}

static void
shows_profiles(void **state)
{
    (void)state;
    rig_play_once(&rig, 34, profile_story);
}

/* -------------------------------------------------------------------------------------- notices */

static void
notice_story(struct rig *r)
{
    uint64_t alice;
    struct store_attached attached;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_attach(r->store, alice, 1, &attached) == 0);
    RIG_CHECK(r, hand_rule(r->store, alice, STORE_SEES_ONLINE, STORE_AUDIENCE_NOBODY, 0) == 0);
    RIG_CHECK(r, told_rules(alice, 0));
    RIG_CHECK(r, hand_state(r->store, alice, STORE_STATE_BLOCKED, 77, "b") == 0);
    RIG_CHECK(r, told_rules(alice, 77));
    RIG_CHECK(r, hand_state(r->store, alice, STORE_STATE_BLOCKED, 77, "b") == 0);
    RIG_CHECK(r, hand_state(r->store, alice, STORE_STATE_DRAFT, 77, "hello") == 0);
    RIG_CHECK(r, told() == NULL);
    RIG_CHECK(r, hand_state(r->store, alice, STORE_STATE_CONTACT, 77, "c") == 0);
    RIG_CHECK(r, told_rules(alice, 77));
}

static void
tells(void **state)
{
    (void)state;
    rig_play_once(&rig, 35, notice_story);
}

/* ------------------------------------------------------------------------------------- refusals */

static void
nonsense_story(struct rig *r)
{
    uint64_t alice;
    static char large[STORE_STATE_BYTES_MAX + 2];
    memset(large, 'x', STORE_STATE_BYTES_MAX + 1);
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_state(r->store, alice, 0, 7, "x") == -EINVAL);
    RIG_CHECK(r, hand_state(r->store, alice, STORE_STATE_KINDS, 7, "x") == -EINVAL);
    RIG_CHECK(r, hand_state(r->store, alice, STORE_STATE_DRAFT, 0, "x") == -EINVAL);
    RIG_CHECK(r, hand_state(r->store, alice, STORE_STATE_DRAFT, 7, large) == -EINVAL);
    RIG_CHECK(r,
              hand_state(r->store, alice, STORE_STATE_RULE + STORE_SEES_ONLINE, 0, "x") == -EINVAL);
    RIG_CHECK(r, hand_state(r->store, alice + 256, STORE_STATE_DRAFT, 7, "x") == -ENOENT);
    for (uint64_t i = 1; i <= 3; i++) {
        RIG_CHECK(r, hand_state(r->store, alice, STORE_STATE_DRAFT, i, "x") == 0);
    }
    RIG_CHECK(r, hand_state(r->store, alice, STORE_STATE_DRAFT, 4, "x") == -E2BIG);
    RIG_CHECK(r, read_all(r, alice, 0, 0, 0) == 3);
}

static void
refuses(void **state)
{
    (void)state;
    rig_open(&rig, 36);
    rig.options.states_max = 3;
    rig_play(&rig, nonsense_story);
    rig_close(&rig);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("states are read in pages, out of memory and out of LMDB, all or of one kind", pages),
        SPEC("who may see something is decided by blocks, contacts and rules", decides),
        SPEC("a profile is shown to those who may see it, a name to everyone", shows_profiles),
        SPEC("sessions are told when what others may see has changed", tells),
        SPEC("what makes no sense, and what is too much, is refused", refuses),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
