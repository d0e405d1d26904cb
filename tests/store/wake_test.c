/* SPDX-License-Identifier: Apache-2.0 */
/* Who is to be woken, as the store's actors tell it on a simulated machine. */
#include "tests/spec.h"
#include "tests/store/hand.h"
#include "tests/store/rig.h"

#include <errno.h>
#include <string.h>

enum { ROWS = 32 };

static struct rig rig;
static uint64_t alice;
static uint64_t bob;

static void
send_one(struct rig *r, uint64_t number)
{
    struct hand_message message = {.from = alice, .to = bob, .number = number, .text = "hi"};
    struct store_sent sent;
    RIG_CHECK(r, hand_message(r->store, &message, &sent) == 0);
}

/* --------------------------------------------------------------------------------- subscription */

static void
subscribe_story(struct rig *r)
{
    struct store_wake_state state;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    RIG_CHECK(r, hand_wake_get(r->store, bob, 1, &state) == -ENODATA);
    RIG_CHECK(r, hand_wake_get(r->store, bob, 2, &state) == -ENOENT);
    RIG_CHECK(r, hand_wake_set(r->store, bob, 2) == -ENOENT);
    RIG_CHECK(r, hand_wake_set(r->store, bob, 1) == 0);
    RIG_CHECK(r, hand_wake_get(r->store, bob, 1, &state) == 0);
    RIG_CHECK(r, state.set.kind == STORE_WAKE_WEBPUSH && state.set.endpoint_bytes == 10 &&
                     state.set.app_bytes == 3 && state.id != 0 && !state.due && !state.online);
    send_one(r, 1);
    RIG_CHECK(r, hand_wake_get(r->store, bob, 1, &state) == 0 && state.due);
    RIG_CHECK(r, state.due_for == state.newest && state.newest > state.acked);
    RIG_CHECK(r, hand_wake_done(r->store, &state) == 0);
    RIG_CHECK(r, hand_wake_get(r->store, bob, 1, &state) == 0 && !state.due);
    RIG_CHECK(r, hand_wake_clear(r->store, bob, 1, state.id) == 0);
    RIG_CHECK(r, hand_wake_get(r->store, bob, 1, &state) == -ENODATA);
}

static void
keeps_subscriptions(void **state)
{
    (void)state;
    rig_play_once(&rig, 1, subscribe_story);
}

/* A request that no client of the store would make. */
static int
set_badly(struct rig *r, const struct store_wake_set *set, size_t buffer_bytes)
{
    struct ln_msg *msg = ln_msg_new(STORE_WAKE_SET, LN_DURABLE, sizeof(*set));
    memcpy(msg->data, set, sizeof(*set));
    msg->buffer = ln_buffer_new(buffer_bytes);
    memset(ln_buffer_data(msg->buffer), 'x', buffer_bytes);
    return ln_call(store_user_pid(r->store, set->user), &msg, 1000, NULL);
}

static void
refusal_story(struct rig *r)
{
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    struct store_wake_set good = {
        .user = bob, .device = 1, .kind = STORE_WAKE_WEBHOOK, .endpoint_bytes = 4};
    struct store_wake_set bad = good;
    RIG_CHECK(r, set_badly(r, &good, 4) == 0);
    RIG_CHECK(r, set_badly(r, &good, 5) == -EINVAL);
    bad.kind = 3;
    RIG_CHECK(r, set_badly(r, &bad, 4) == -EINVAL);
    bad = good;
    bad.endpoint_bytes = STORE_WAKE_ENDPOINT_BYTES_MAX + 1;
    RIG_CHECK(r, set_badly(r, &bad, bad.endpoint_bytes) == -EINVAL);
    bad = good;
    bad.app_bytes = STORE_WAKE_APP_BYTES_MAX + 1;
    RIG_CHECK(r, set_badly(r, &bad, 4U + bad.app_bytes) == -EINVAL);
    bad = good;
    bad.app_bytes = STORE_WAKE_APP_BYTES_MAX;
    bad.endpoint_bytes = STORE_WAKE_ENDPOINT_BYTES_MAX;
    RIG_CHECK(r, set_badly(r, &bad, 2048) == 0);
    bad = good;
    bad.user = bob + 256;
    RIG_CHECK(r, set_badly(r, &bad, 4) == -ENOENT);
}

static void
refuses(void **state)
{
    (void)state;
    rig_play_once(&rig, 2, refusal_story);
}

/* ---------------------------------------------------------------------------------------- waker */

static void
waker_story(struct rig *r)
{
    struct ln_msg *msg = NULL;
    struct store_attached attached;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    RIG_CHECK(r, hand_wake_set(r->store, bob, 1) == 0);
    send_one(r, 1); /* nobody is told yet */
    store_waker_set(r->store, store_user_home(r->store, bob), ln_self());
    RIG_CHECK(r, hand_attach_for(r->store, bob, 1, 0x1234, &attached) == 0);
    RIG_CHECK(r, hand_ack(r->store, bob, 1, attached.last) == 0);
    send_one(r, 2);
    RIG_CHECK(r, ln_receive(1000, &msg) == 0 && msg->tag == STORE_WAKE_DUE);
    if (msg == NULL) {
        return;
    }
    const struct store_wake_due *due = (const struct store_wake_due *)(const void *)msg->data;
    struct store_wake_state state;
    RIG_CHECK(r, due->user == bob && due->device == 1 && due->due_for > attached.last);
    RIG_CHECK(r, hand_wake_get(r->store, bob, 1, &state) == 0 && state.due && state.online);
    RIG_CHECK(r, state.due_for == due->due_for);
    ln_msg_free(&msg);
    send_one(r, 3); /* it is due already */
    RIG_CHECK(r, ln_receive(1000, &msg) == -ETIMEDOUT);
    store_waker_set(r->store, 0, 0);
}

static void
tells_the_waker(void **state)
{
    (void)state;
    rig_play_once(&rig, 3, waker_story);
}

/* ------------------------------------------------------------------------------------- the list */

/* Everybody due in all partitions, page by page. */
static unsigned
count_due(struct rig *r, uint32_t page_max)
{
    struct store_wake_due rows[ROWS];
    unsigned count = 0;
    for (unsigned partition = 0; partition < 256; partition++) {
        struct store_wake_page page = {.more = true};
        while (page.more) {
            struct store_wake_list list = {
                .user = page.user, .device = page.device, .max = page_max};
            struct ln_msg *answer = NULL;
            struct ln_msg *msg = ln_msg_new(STORE_WAKE_LIST, LN_DURABLE, sizeof(list));
            memcpy(msg->data, &list, sizeof(list));
            int error =
                ln_call(store_partition_pid(r->store, (uint8_t)partition), &msg, 5000, &answer);
            if (error != 0) {
                rig_wrong(r, "the list failed");
                return 0;
            }
            memcpy(&page, answer->data, sizeof(page));
            RIG_CHECK(r, page.count <= page_max);
            if (page.count > 0) {
                memcpy(rows, ln_buffer_data(answer->buffer), page.count * sizeof(rows[0]));
                RIG_CHECK(r, rows[page.count - 1].user == page.user || page.more);
            }
            count += page.count;
            ln_msg_free(&answer);
        }
    }
    return count;
}

static void
crowd_story(struct rig *r)
{
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    for (unsigned i = 0; i < 10; i++) {
        char name[16];
        struct store_wake_state state;
        uint16_t device;
        (void)snprintf(name, sizeof name, "bob%u", i);
        RIG_CHECK(r, hand_user_create(r->store, name, true, &bob) == 0);
        RIG_CHECK(r, hand_device_add(r->store, bob, 7, &device) == 0);
        RIG_CHECK(r, hand_wake_set(r->store, bob, 1) == 0);
        RIG_CHECK(r, hand_wake_set(r->store, bob, 2) == 0);
        send_one(r, i + 1);
        if (i % 2 == 0) {
            RIG_CHECK(r, hand_wake_get(r->store, bob, 1, &state) == 0);
            RIG_CHECK(r, hand_wake_done(r->store, &state) == 0);
        }
    }
    RIG_CHECK(r, count_due(r, 1) == 15);
    RIG_CHECK(r, count_due(r, ROWS) == 15);
}

/* Enough passes for cells to be folded, as nobody changes them. */
static void
wait_story(struct rig *r)
{
    RIG_CHECK(r, count_due(r, 1) == 15);
    (void)ln_sleep(30000);
    RIG_CHECK(r, count_due(r, 1) == 15);
    struct store_wake_state state;
    RIG_CHECK(r, hand_wake_get(r->store, bob, 1, &state) == 0 && state.due);
    RIG_CHECK(r, hand_wake_done(r->store, &state) == 0);
    RIG_CHECK(r, hand_wake_get(r->store, bob, 2, &state) == 0);
    RIG_CHECK(r, hand_ack(r->store, bob, 2, state.newest) == 0);
    RIG_CHECK(r, count_due(r, 1) == 13);
    RIG_CHECK(r, hand_user_remove(r->store, bob) == 0);
    RIG_CHECK(r, count_due(r, ROWS) == 13);
}

static void
last_story(struct rig *r)
{
    RIG_CHECK(r, count_due(r, ROWS) == 13);
}

static void
finds_them_again(void **state)
{
    (void)state;
    rig_open(&rig, 4);
    rig_play(&rig, crowd_story);
    rig_play(&rig, wait_story);
    rig_play(&rig, last_story);
    rig_close(&rig);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a device's subscription is set, looked at, cleared", keeps_subscriptions),
        SPEC("what is too long, or of no kind, is no subscription", refuses),
        SPEC("the waker is told when a device becomes due, and not again", tells_the_waker),
        SPEC("who is due is found again after a start, before and after a fold", finds_them_again),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
