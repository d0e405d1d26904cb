/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/bounds.h"
#include "runtime/channel.h"
#include "tests/spec.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

static unsigned discarded;

static void
discard(struct ln_msg *msg)
{
    discarded++;
    free(msg);
}

static struct ln_msg *
numbered(uint64_t number)
{
    struct ln_msg *msg = calloc(1, sizeof *msg);
    assert_non_null(msg);
    msg->ref = number;
    return msg;
}

static void
send(struct channel *channel, uint64_t number)
{
    struct ln_msg *msg = numbered(number);
    channel_send(channel, &msg);
    assert_null(msg);
}

static void
expect_next(struct channel *channel, uint64_t number)
{
    bool homeward = true;
    struct ln_msg *msg = channel_receive(channel, &homeward);
    assert_non_null(msg);
    assert_false(homeward);
    assert_int_equal(msg->ref, number);
    free(msg);
}

static void
shows_what_is_published(void **state)
{
    (void)state;
    bool homeward;
    struct channel *channel = channel_new();
    assert_false(channel_publish(channel));
    send(channel, 1);
    send(channel, 2);
    assert_false(channel_waiting(channel));
    assert_null(channel_receive(channel, &homeward));
    assert_int_equal(channel_unpublished(channel), 2);
    assert_true(channel_publish(channel));
    assert_int_equal(channel_unpublished(channel), 0);
    assert_true(channel_waiting(channel));
    expect_next(channel, 1);
    expect_next(channel, 2);
    assert_null(channel_receive(channel, &homeward));
    channel_free(channel, discard);
}

static void
keeps_what_has_no_room(void **state)
{
    (void)state;
    enum { MESSAGES = 3 * LN_CHANNEL_SLOTS };
    struct channel *channel = channel_new();
    for (uint64_t i = 0; i < MESSAGES; i++) {
        send(channel, i);
    }
    uint64_t received = 0;
    while (channel_publish(channel)) {
        for (unsigned n = 0; n < 1000 && received < MESSAGES && channel_waiting(channel); n++) {
            expect_next(channel, received++);
        }
    }
    while (received < MESSAGES) {
        expect_next(channel, received++);
    }
    assert_int_equal(channel_unpublished(channel), 0);
    channel_free(channel, discard);
}

static void
a_full_ring_delays_memory(void **state)
{
    (void)state;
    bool homeward;
    struct channel *channel = channel_new();
    for (uint64_t i = 0; i < LN_CHANNEL_SLOTS - 1; i++) {
        send(channel, i);
    }
    assert_true(channel_publish(channel));
    channel_send_home(channel, numbered(0));
    send(channel, LN_CHANNEL_SLOTS - 1);
    assert_false(channel_publish(channel));
    assert_int_equal(channel_unpublished(channel), 2); /* so that its sender tries again */
    expect_next(channel, 0);
    expect_next(channel, 1);
    assert_true(channel_publish(channel));
    assert_int_equal(channel_unpublished(channel), 0);
    for (uint64_t i = 2; i < LN_CHANNEL_SLOTS - 1; i++) {
        expect_next(channel, i);
    }
    struct ln_msg *msg = channel_receive(channel, &homeward);
    assert_true(homeward);
    assert_null(msg->next);
    free(msg);
    expect_next(channel, LN_CHANNEL_SLOTS - 1);
    channel_free(channel, discard);
}

static void
memory_travels_as_a_chain(void **state)
{
    (void)state;
    bool homeward = false;
    struct channel *channel = channel_new();
    for (uint64_t i = 0; i < LN_HOMEWARD_BATCH; i++) {
        assert_false(channel_publish(channel)); /* too little to wake anybody for */
        assert_int_equal(channel_unpublished(channel), 0);
        channel_send_home(channel, numbered(i));
    }
    assert_int_equal(channel_unpublished(channel), 1);
    assert_true(channel_publish(channel));
    struct ln_msg *msg = channel_receive(channel, &homeward);
    assert_true(homeward);
    unsigned count = 0;
    while (msg != NULL) {
        struct ln_msg *next = msg->next;
        free(msg);
        msg = next;
        count++;
    }
    assert_int_equal(count, LN_HOMEWARD_BATCH);
    channel_free(channel, discard);
}

static void
memory_goes_with_a_message(void **state)
{
    (void)state;
    bool homeward = false;
    struct channel *channel = channel_new();
    channel_send_home(channel, numbered(1));
    send(channel, 2);
    assert_true(channel_publish(channel));
    struct ln_msg *msg = channel_receive(channel, &homeward);
    assert_true(homeward);
    free(msg);
    expect_next(channel, 2);
    channel_free(channel, discard);
}

static void
frees_what_is_inside(void **state)
{
    (void)state;
    struct channel *channel = channel_new();
    send(channel, 1);
    channel_send_home(channel, numbered(2));
    channel_send_home(channel, numbered(3));
    assert_true(channel_publish(channel));
    send(channel, 4);
    channel_send_home(channel, numbered(5));
    discarded = 0;
    channel_free(channel, discard);
    assert_int_equal(discarded, 5);
    channel_free(NULL, discard);
}

/* ------------------------------------------------------------------------------ between threads */

enum { CROSSINGS = 1000000 };

static void *
send_all(void *argument)
{
    struct channel *channel = argument;
    for (uint64_t i = 0; i < CROSSINGS; i++) {
        struct ln_msg *msg = calloc(1, sizeof *msg);
        msg->ref = i;
        channel_send(channel, &msg);
        if (i % 64 == 63) {
            (void)channel_publish(channel);
        }
    }
    while (channel_unpublished(channel) > 0) {
        (void)channel_publish(channel);
        (void)sched_yield();
    }
    return NULL;
}

static void
keeps_order_between_threads(void **state)
{
    (void)state;
    struct channel *channel = channel_new();
    pthread_t sender;
    assert_int_equal(pthread_create(&sender, NULL, send_all, channel), 0);
    for (uint64_t i = 0; i < CROSSINGS; i++) {
        while (!channel_waiting(channel)) {
            (void)sched_yield();
        }
        expect_next(channel, i);
    }
    assert_int_equal(pthread_join(sender, NULL), 0);
    channel_free(channel, discard);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("what was sent is seen when it is published, in order", shows_what_is_published),
        SPEC("what the ring has no room for waits at the sender, in order", keeps_what_has_no_room),
        SPEC("memory that finds the ring full is tried again", a_full_ring_delays_memory),
        SPEC("freed memory travels home as one chain, when there is much",
             memory_travels_as_a_chain),
        SPEC("a message takes freed memory along", memory_goes_with_a_message),
        SPEC("a channel's end discards what is inside, published or not", frees_what_is_inside),
        SPEC("a million messages from another thread arrive in order, whole",
             keeps_order_between_threads),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
