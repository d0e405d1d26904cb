/* SPDX-License-Identifier: Apache-2.0 */
/* Histories, asked for as the messenger's actors do. */
#include "store/history.h"
#include "tests/spec.h"
#include "tests/store/hand.h"
#include "tests/store/rig.h"

#include <errno.h>
#include <string.h>

static struct rig rig;

/* The page's first letters. */
static int
history(struct rig *r, const struct store_history *asked, struct store_history_page *out_page,
        char *out_text)
{
    struct ln_msg *request = ln_msg_new(STORE_HISTORY, LN_DURABLE, sizeof(*asked));
    struct ln_msg *answer = NULL;
    size_t used = 0;
    memcpy(request->data, asked, sizeof(*asked));
    int error = ln_call(store_user_pid(r->store, asked->user), &request, 20000, &answer);
    if (error == 0) {
        memcpy(out_page, answer->data, sizeof(*out_page));
    }
    if (error == 0 && answer->buffer != NULL) {
        size_t at = 0;
        struct store_history_row row;
        while (store_history_next(ln_buffer_data(answer->buffer), ln_buffer_bytes(answer->buffer),
                                  &at, &row)) {
            out_text[used++] = (char)row.entry.message.body[0];
        }
    }
    out_text[used] = '\0';
    ln_msg_free(&answer);
    return error;
}

static void
say(struct rig *r, uint64_t from, uint64_t to, uint64_t number, char letter)
{
    struct store_sent sent;
    const char text[] = {letter, '\0'};
    struct hand_message message = {.from = from,
                                   .to = to,
                                   .number = number,
                                   .content_kind = (uint8_t)(number % 3),
                                   .text = text};
    RIG_CHECK(r, hand_message(r->store, &message, &sent) == 0);
}

/* Both write in turn, ten letters; the streams are through when the last one's tick is. */
static void
chat_of_two(struct rig *r, uint64_t *out_alice, uint64_t *out_bob)
{
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, out_alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, out_bob) == 0);
    for (uint64_t i = 0; i < 10; i++) {
        say(r, i % 2 == 0 ? *out_alice : *out_bob, i % 2 == 0 ? *out_bob : *out_alice, 1 + i,
            (char)('a' + i));
        (void)ln_sleep(1000);
    }
}

static void
pages_story(struct rig *r)
{
    uint64_t alice;
    uint64_t bob;
    char text[64];
    struct store_history_page page;
    chat_of_two(r, &alice, &bob);
    struct store_history asked = {.user = bob, .chat = alice, .max = 4};
    RIG_CHECK(r, history(r, &asked, &page, text) == 0);
    RIG_CHECK(r, strcmp(text, "jihg") == 0 && page.more && page.count == 4);
    asked.number = page.reached;
    RIG_CHECK(r, history(r, &asked, &page, text) == 0 && strcmp(text, "fedc") == 0);
    asked.number = page.reached;
    RIG_CHECK(r, history(r, &asked, &page, text) == 0 && strcmp(text, "ba") == 0 && !page.more);
    asked.number = 0;
    asked.forward = true;
    asked.max = 6;
    RIG_CHECK(r, history(r, &asked, &page, text) == 0 && strcmp(text, "abcdef") == 0 && page.more);
    asked.number = page.reached;
    RIG_CHECK(r, history(r, &asked, &page, text) == 0 && strcmp(text, "ghij") == 0 && !page.more);
    asked = (struct store_history){.user = alice, .chat = bob, .sender = bob};
    RIG_CHECK(r, history(r, &asked, &page, text) == 0 && strcmp(text, "jhfdb") == 0);
    asked = (struct store_history){.user = bob, .chat = alice, .content_kind = 2};
    RIG_CHECK(r, history(r, &asked, &page, text) == 0 && strcmp(text, "heb") == 0);
    asked = (struct store_history){.user = bob, .forward = true, .whole = true, .max = 6};
    RIG_CHECK(r, history(r, &asked, &page, text) == 0 && strcmp(text, "abcdef") == 0 && page.more);
    asked.chat = page.chat;
    asked.number = page.reached;
    RIG_CHECK(r, history(r, &asked, &page, text) == 0 && strcmp(text, "ghij") == 0 && !page.more);
    asked = (struct store_history){.user = alice, .chat = alice + 1};
    RIG_CHECK(r, history(r, &asked, &page, text) == 0 && page.count == 0 && !page.more);
    asked.user = alice + 256;
    RIG_CHECK(r, history(r, &asked, &page, text) == -ENOENT || text[0] == '\0');
    asked = (struct store_history){.user = alice};
    RIG_CHECK(r, history(r, &asked, &page, text) == -EINVAL);
}

static void
pages_both_ways(void **state)
{
    (void)state;
    rig_open(&rig, 21);
    rig.options.history_ms = STORE_HISTORY_FOREVER;
    rig_play(&rig, pages_story);
    rig_close(&rig);
}

static uint64_t kept_alice, kept_bob;

static void
write_story(struct rig *r)
{
    chat_of_two(r, &kept_alice, &kept_bob);
}

static void
read_again_story(struct rig *r)
{
    char text[64];
    struct store_history_page page;
    struct store_history asked = {.user = kept_bob, .chat = kept_alice};
    RIG_CHECK(r, history(r, &asked, &page, text) == 0 && strcmp(text, "jihgfedcba") == 0);
    asked.forward = true;
    RIG_CHECK(r, history(r, &asked, &page, text) == 0 && strcmp(text, "abcdefghij") == 0);
}

static void
outlives_a_restart(void **state)
{
    (void)state;
    rig_open(&rig, 22);
    rig.options.history_ms = STORE_HISTORY_FOREVER;
    rig_play(&rig, write_story);
    rig_play(&rig, read_again_story);
    rig_close(&rig);
}

static void
ages_story(struct rig *r)
{
    uint64_t alice;
    uint64_t bob;
    char text[64];
    struct store_history_page page;
    chat_of_two(r, &alice, &bob);
    struct store_history asked = {.user = bob, .chat = alice, .forward = true};
    /* Ten seconds have passed, and a message lives for fifteen. */
    (void)ln_sleep(9500);
    RIG_CHECK(r, history(r, &asked, &page, text) == 0);
    RIG_CHECK(r, strlen(text) > 0 && strlen(text) < 10 && text[strlen(text) - 1] == 'j');
    (void)ln_sleep(120000);
    RIG_CHECK(r, history(r, &asked, &page, text) == 0 && text[0] == '\0');
}

static void
ages(void **state)
{
    (void)state;
    rig_open(&rig, 23);
    rig.options.history_ms = 15000;
    rig_play(&rig, ages_story);
    rig_close(&rig);
}

/* Each reads what the other has written, but for the last two. */
static void
until_read_story(struct rig *r)
{
    uint64_t alice;
    uint64_t bob;
    char text[64];
    struct store_history_page page;
    chat_of_two(r, &alice, &bob);
    struct store_history of_bob = {.user = bob, .chat = alice, .forward = true};
    struct store_history of_alice = {.user = alice, .chat = bob};
    struct store_history all_of_bob = {.user = bob, .forward = true, .whole = true};
    RIG_CHECK(r, history(r, &of_bob, &page, text) == 0 && strcmp(text, "abcdefghij") == 0);
    RIG_CHECK(r, hand_read(r->store, bob, alice, 4) == 0);
    RIG_CHECK(r, history(r, &of_bob, &page, text) == 0 && strcmp(text, "bdfhij") == 0);
    RIG_CHECK(r, history(r, &all_of_bob, &page, text) == 0 && strcmp(text, "bdfhij") == 0);
    RIG_CHECK(r, hand_read(r->store, alice, bob, 4) == 0);
    (void)ln_sleep(5000); /* the ticks are through */
    RIG_CHECK(r, history(r, &of_bob, &page, text) == 0 && strcmp(text, "ij") == 0);
    RIG_CHECK(r, history(r, &of_alice, &page, text) == 0 && strcmp(text, "ji") == 0);
    RIG_CHECK(r, history(r, &all_of_bob, &page, text) == 0 && strcmp(text, "ij") == 0);
    (void)ln_sleep(120000);
    RIG_CHECK(r, history(r, &of_bob, &page, text) == 0 && strcmp(text, "ij") == 0);
    kept_alice = alice;
    kept_bob = bob;
}

/* No longer only until they are read: all that there is left is told. */
static void
swept_story(struct rig *r)
{
    char text[64];
    struct store_history_page page;
    struct store_history asked = {.user = kept_bob, .chat = kept_alice};
    RIG_CHECK(r, history(r, &asked, &page, text) == 0 && strcmp(text, "ji") == 0);
}

static void
goes_when_read(void **state)
{
    (void)state;
    rig_open(&rig, 24);
    rig.options.history_ms = STORE_HISTORY_FOREVER;
    rig.options.history_until_read = true;
    rig_play(&rig, until_read_story);
    rig.options.history_until_read = false;
    rig_play(&rig, swept_story);
    rig_close(&rig);
}

static bool
is_first(const struct expired *expired)
{
    const struct holes *holes = &expired->holes;
    return holes->count == 1 && holes->at[0].after == 0 && holes->at[0].to == 1;
}

/* The first message is too old for Bob's device when it comes, and he reads the second one. */
static void
expires_unread_story(struct rig *r)
{
    uint64_t alice;
    uint64_t bob;
    char text[64];
    struct store_history_page page;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    struct store_history of_alice = {.user = alice, .chat = bob};
    struct store_history of_bob = {.user = bob, .chat = alice, .forward = true};
    struct store_history all_of_alice = {.user = alice, .forward = true, .whole = true};
    say(r, alice, bob, 1, 'a');
    (void)ln_sleep(10000);
    say(r, alice, bob, 2, 'b');
    RIG_CHECK(r, hand_read(r->store, bob, alice, 2) == 0);
    (void)ln_sleep(1000);
    for (unsigned looks = 0; looks < 2; looks++) {
        RIG_CHECK(r, history(r, &of_alice, &page, text) == 0 && strcmp(text, "a") == 0);
        RIG_CHECK(r, page.peer_read == 2 && page.peer_delivered == 2);
        RIG_CHECK(r, is_first(&page.peer_expired) && expired_is_none(&page.expired));
        RIG_CHECK(r, history(r, &of_bob, &page, text) == 0 && strcmp(text, "a") == 0);
        RIG_CHECK(r, page.read == 2 && page.delivered == 2);
        RIG_CHECK(r, is_first(&page.expired) && expired_is_none(&page.peer_expired));
        RIG_CHECK(r, history(r, &all_of_alice, &page, text) == 0 && strcmp(text, "a") == 0);
        (void)ln_sleep(60000); /* and it is swept */
    }
}

static void
keeps_what_expired_unread(void **state)
{
    (void)state;
    rig_open(&rig, 27);
    rig.options.history_ms = STORE_HISTORY_FOREVER;
    rig.options.history_until_read = true;
    rig.options.inbox_age_ms = 5000;
    rig_play(&rig, expires_unread_story);
    rig_close(&rig);
}

/* Off, nothing is told, and what there was goes. */
static void
off_story(struct rig *r)
{
    char text[64];
    struct store_history_page page;
    struct store_history asked = {.user = kept_bob, .chat = kept_alice};
    RIG_CHECK(r, history(r, &asked, &page, text) == 0 && text[0] == '\0');
    (void)ln_sleep(15000);
}

static void
on_again_story(struct rig *r)
{
    char text[64];
    struct store_history_page page;
    struct store_history asked = {.user = kept_bob, .chat = kept_alice};
    RIG_CHECK(r, history(r, &asked, &page, text) == 0 && text[0] == '\0');
    asked = (struct store_history){.user = kept_alice, .chat = kept_bob};
    RIG_CHECK(r, history(r, &asked, &page, text) == 0 && text[0] == '\0');
    say(r, kept_alice, kept_bob, 100, 'n');
    asked = (struct store_history){.user = kept_bob, .chat = kept_alice};
    RIG_CHECK(r, history(r, &asked, &page, text) == 0 && strcmp(text, "n") == 0);
}

static void
goes_when_switched_off(void **state)
{
    (void)state;
    rig_open(&rig, 25);
    rig.options.history_ms = STORE_HISTORY_FOREVER;
    rig_play(&rig, write_story);
    rig.options.history_ms = STORE_HISTORY_OFF;
    rig_play(&rig, off_story);
    rig.options.history_ms = STORE_HISTORY_FOREVER;
    rig_play(&rig, on_again_story);
    rig_close(&rig);
}

/* By the time at which it disappears, whenever the sweep comes round. */
static void
disappears_story(struct rig *r)
{
    uint64_t alice;
    uint64_t bob;
    char text[64];
    struct store_sent sent;
    struct store_history_page page;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    (void)ln_sleep(12000); /* a round has just been */
    struct hand_message message = {
        .from = alice, .to = bob, .number = 1, .ttl_ms = 2000, .text = "s"};
    RIG_CHECK(r, hand_message(r->store, &message, &sent) == 0);
    say(r, alice, bob, 2, 'b');
    (void)ln_sleep(1000);
    for (unsigned i = 0; i < 2; i++) {
        struct store_history asked = {.user = i == 0 ? bob : alice, .chat = i == 0 ? alice : bob};
        RIG_CHECK(r, history(r, &asked, &page, text) == 0 && strcmp(text, "bs") == 0);
    }
    (void)ln_sleep(1500);
    for (unsigned i = 0; i < 4; i++) {
        struct store_history asked = {.user = i % 2 == 0 ? bob : alice,
                                      .chat = i % 2 == 0 ? alice : bob,
                                      .forward = i / 2 == 0,
                                      .whole = i == 0};
        if (asked.whole) {
            asked.chat = 0;
        }
        RIG_CHECK(r, history(r, &asked, &page, text) == 0 && strcmp(text, "b") == 0);
    }
}

static void
disappears_in_time(void **state)
{
    (void)state;
    rig_open(&rig, 26);
    rig.options.history_ms = STORE_HISTORY_FOREVER;
    rig_play(&rig, disappears_story);
    rig_close(&rig);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a chat is told in pages, backwards and forwards, of one sender or kind or of all",
             pages_both_ways),
        SPEC("a history outlives the node", outlives_a_restart),
        SPEC("where it is kept until it is read, it is told, exported and kept no longer",
             goes_when_read),
        SPEC(
            "what expired nobody has read: it stays, and the page tells what its cursors pass over",
            keeps_what_expired_unread),
        SPEC("what is too old is not told, and swept away", ages),
        SPEC("what has disappeared is told by no history and no export", disappears_in_time),
        SPEC("what was kept is told no more and goes where history is switched off",
             goes_when_switched_off),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
