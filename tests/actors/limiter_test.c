/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/limiter.h"

#include "actors/peer.h"
#include "net/http.h"
#include "tests/spec.h"
#include "tests/store/chance.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)
#define MS UINT64_C(1000000)

enum { ENTRIES = 64, LIMIT = 60 };

static struct limiter limiter;

static uint64_t
wait_of(uint64_t key, enum rate_class class, uint32_t limit, uint32_t amount, uint64_t now_ns)
{
    struct limiter_charge charge = {.key = key, .class = class, .limit = limit, .amount = amount};
    return limiter_wait_ms(&limiter, &charge, now_ns);
}

static void
take(uint64_t key, enum rate_class class, uint32_t limit, uint32_t amount, uint64_t now_ns)
{
    struct limiter_charge charge = {.key = key, .class = class, .limit = limit, .amount = amount};
    limiter_charge(&limiter, &charge, now_ns);
}

static uint64_t
wait_ms(uint64_t key, enum rate_class class, uint64_t now_ns)
{
    return wait_of(key, class, LIMIT, 1, now_ns);
}

/* How many pass at once. */
static unsigned
take_all(uint64_t key, enum rate_class class, uint64_t now_ns)
{
    unsigned count = 0;
    for (; wait_ms(key, class, now_ns) == 0; count++) {
        take(key, class, LIMIT, 1, now_ns);
    }
    return count;
}

static void
a_periods_worth_comes_at_once(void **state)
{
    (void)state;
    limiter_init(&limiter, ENTRIES);
    assert_int_equal(take_all(7, RATE_CHANGES, SECOND), LIMIT);
    uint64_t wait = wait_ms(7, RATE_CHANGES, SECOND);
    assert_in_range(wait, 1000, 1001); /* one a second comes back */
    assert_int_equal(wait_ms(7, RATE_CHANGES, SECOND + wait * MS), 0);
    assert_int_equal(take_all(7, RATE_CHANGES, SECOND + 10 * SECOND), 10);
    assert_int_equal(take_all(7, RATE_CHANGES, SECOND + 600 * SECOND), LIMIT);
    limiter_fini(&limiter);
}

static void
what_is_given_back_can_be_taken_again(void **state)
{
    (void)state;
    struct limiter_charge many = {.key = 7, .class = RATE_STRANGERS, .limit = LIMIT, .amount = 40};
    limiter_init(&limiter, ENTRIES);
    limiter_refund(&limiter, &many); /* of whom nothing is known */
    assert_int_equal(limiter_wait_ms(&limiter, &many, SECOND), 0);
    limiter_charge(&limiter, &many, SECOND);
    assert_true(limiter_wait_ms(&limiter, &many, SECOND) > 0);
    limiter_refund(&limiter, &many);
    assert_int_equal(take_all(7, RATE_STRANGERS, SECOND), LIMIT);
    many.amount = 2 * LIMIT; /* was all of it, and is again */
    limiter_refund(&limiter, &many);
    assert_int_equal(take_all(7, RATE_STRANGERS, SECOND), LIMIT);
    limiter_fini(&limiter);
}

static void
classes_and_keys_are_apart(void **state)
{
    (void)state;
    limiter_init(&limiter, ENTRIES);
    for (int class = 0; class < RATE_CLASSES; class ++) {
        assert_int_equal(take_all(7, (enum rate_class) class, SECOND), LIMIT);
        assert_int_equal(take_all(8, (enum rate_class) class, SECOND), LIMIT);
    }
    limiter_fini(&limiter);
}

static void
nobody_and_no_limit_are_never_refused(void **state)
{
    (void)state;
    limiter_init(&limiter, ENTRIES);
    for (unsigned i = 0; i < 1000; i++) {
        take(0, RATE_CHANGES, 1, 1, SECOND);
        take(7, RATE_CHANGES, 0, 1, SECOND);
        take(7, RATE_FREE, 1, 1, SECOND);
    }
    assert_int_equal(wait_of(0, RATE_CHANGES, 1, 1, SECOND), 0);
    assert_int_equal(wait_of(7, RATE_CHANGES, 0, 1, SECOND), 0);
    assert_int_equal(wait_of(7, RATE_FREE, 1, 1, SECOND), 0);
    limiter_fini(&limiter);
}

/* Who was charged in vain (an acknowledgement is never refused) owes a period at most. */
static void
debts_are_bounded(void **state)
{
    (void)state;
    limiter_init(&limiter, ENTRIES);
    for (unsigned i = 0; i < 100 * LIMIT; i++) {
        take(7, RATE_RECEIPTS, LIMIT, 1, SECOND);
    }
    assert_in_range(wait_ms(7, RATE_RECEIPTS, SECOND), 60000, 61001);
    limiter_fini(&limiter);
}

static void
many_at_once_cost_as_many(void **state)
{
    (void)state;
    limiter_init(&limiter, ENTRIES);
    take(7, RATE_CHANGES, LIMIT, 40, SECOND);
    assert_int_equal(wait_of(7, RATE_CHANGES, LIMIT, 20, SECOND), 0);
    assert_in_range(wait_of(7, RATE_CHANGES, LIMIT, 21, SECOND), 1000, 1001);
    take(7, RATE_CHANGES, LIMIT, 20, SECOND);
    assert_in_range(wait_of(7, RATE_CHANGES, LIMIT, 20, SECOND), 20000, 20001);
    limiter_fini(&limiter);
}

static void
more_than_the_limit_takes_all_of_it(void **state)
{
    (void)state;
    limiter_init(&limiter, ENTRIES);
    assert_int_equal(wait_of(7, RATE_CHANGES, LIMIT, 1000, SECOND), 0);
    take(7, RATE_CHANGES, LIMIT, 1000, SECOND);
    assert_in_range(wait_ms(7, RATE_CHANGES, SECOND), 1000, 1001);
    assert_in_range(wait_of(7, RATE_CHANGES, LIMIT, 1000, SECOND), 60000, 60001);
    limiter_fini(&limiter);
}

/* Nothing that both charge is lost. */
static void *
charge_often(void *unused)
{
    for (unsigned i = 0; i < 10000; i++) {
        take(7, RATE_CHANGES, 1000000, 1, SECOND);
    }
    return unused;
}

static void
schedulers_share_a_bucket(void **state)
{
    (void)state;
    pthread_t threads[4];
    limiter_init(&limiter, ENTRIES);
    take(7, RATE_CHANGES, 1000000, 1, SECOND);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, charge_often, NULL), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    int64_t cost_ns = 60000;
    for (unsigned i = 0; i < LIMITER_WAYS * limiter.sets; i++) {
        if (limiter.keys[i].key == 7) {
            assert_int_equal(limiter.buckets[i].full_at_ns[RATE_CHANGES], SECOND + 40001 * cost_ns);
        }
    }
    limiter_fini(&limiter);
}

static void
the_quiet_make_room(void **state)
{
    (void)state;
    struct chance chance = {.state = 1};
    uint64_t now_ns = SECOND;
    limiter_init(&limiter, ENTRIES);
    for (unsigned i = 0; i < 100000; i++) {
        uint64_t key = 1 + chance_next(&chance);
        assert_int_equal(wait_ms(key, RATE_CHANGES, now_ns), 0);
        take(key, RATE_CHANGES, LIMIT, 1, now_ns);
        now_ns += 2 * SECOND; /* each bucket is full again by the next */
    }
    assert_int_equal(limiter.evicted, 0);
    limiter_fini(&limiter);
}

/* A flood of strangers costs the one who is furthest behind nothing of his debt. */
static void
the_least_indebted_gives_way(void **state)
{
    (void)state;
    limiter_init(&limiter, ENTRIES);
    assert_int_equal(take_all(7, RATE_CHANGES, SECOND), LIMIT);
    for (uint64_t key = 1000; key < 3000; key++) {
        take(key, RATE_CHANGES, LIMIT, 1, SECOND);
    }
    assert_true(limiter.evicted > 1000);
    assert_true(wait_ms(7, RATE_CHANGES, SECOND) > 0);
    limiter_fini(&limiter);
}

/* ---------------------------------------------------------------------------------------- peers */

static uint32_t
key_of(const char *address, const char *fields)
{
    char text[512];
    struct io_address parsed;
    struct http_request request;
    int bytes = snprintf(text, sizeof text, "GET /chat HTTP/1.1\r\nHost: node\r\n%s\r\n", fields);
    assert_int_equal(io_address_parse(address, &parsed), 0);
    assert_int_equal(http_request_parse(text, (size_t)bytes, &request), HTTP_OK);
    return peer_keys(&parsed, &request.head).address;
}

static void
an_address_is_counted_without_its_port(void **state)
{
    (void)state;
    uint64_t key = key_of("203.0.113.7:5000", "");
    assert_int_not_equal(key, 0);
    assert_int_equal(key_of("203.0.113.7:5001", ""), key);
    assert_int_equal(key_of("[::ffff:203.0.113.7]:5001", ""), key);
    assert_int_not_equal(key_of("203.0.113.8:5000", ""), key);
    uint64_t network = key_of("[2001:db8:1:2::1]:5000", "");
    assert_int_equal(key_of("[2001:db8:1:2:3:4:5:6]:5000", ""), network);
    assert_int_not_equal(key_of("[2001:db8:1:3::1]:5000", ""), network);
}

static uint32_t
site_of(const char *address)
{
    struct io_address parsed;
    struct http_head none = {0};
    assert_int_equal(io_address_parse(address, &parsed), 0);
    return peer_keys(&parsed, &none).site;
}

static void
networks_of_a_site_are_known_as_its(void **state)
{
    (void)state;
    uint32_t site = site_of("[2001:db8:1:2::1]:5000");
    assert_int_not_equal(site, 0);
    assert_int_equal(site_of("[2001:db8:1:ffff::7]:5000"), site);
    assert_int_not_equal(site_of("[2001:db8:2:2::1]:5000"), site);
    assert_int_equal(site_of("203.0.113.7:5000"), 0);
    assert_int_equal(site_of("[::1]:5000"), 0);
}

static void
a_proxy_here_is_believed(void **state)
{
    (void)state;
    uint64_t key = key_of("203.0.113.7:5000", "");
    assert_int_equal(key_of("127.0.0.1:5000", ""), 0);
    assert_int_equal(key_of("[::1]:5000", ""), 0);
    assert_int_equal(key_of("unix:/tmp/x", ""), 0);
    assert_int_equal(key_of("127.0.0.1:5000", "X-Forwarded-For: 203.0.113.7\r\n"), key);
    assert_int_equal(key_of("127.0.0.1:5000", "X-Forwarded-For: 10.1.1.1, 203.0.113.7\r\n"), key);
    assert_int_equal(
        key_of("127.0.0.1:5000", "X-Forwarded-For: 10.1.1.1\r\nX-Forwarded-For: 203.0.113.7\r\n"),
        key);
    assert_int_equal(key_of("127.0.0.1:5000", "X-Forwarded-For: nonsense\r\n"), 0);
    assert_int_equal(key_of("127.0.0.1:5000", "X-Forwarded-For: 127.0.0.1\r\n"), 0);
}

static void
others_are_not(void **state)
{
    (void)state;
    assert_int_equal(key_of("203.0.113.7:5000", "X-Forwarded-For: 203.0.113.8\r\n"),
                     key_of("203.0.113.7:5000", ""));
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("networks of 64 bits are known as parts of one of 48",
             networks_of_a_site_are_known_as_its),
        SPEC("what is given back can be taken again", what_is_given_back_can_be_taken_again),
        SPEC("a period's worth may come at once, and comes back evenly",
             a_periods_worth_comes_at_once),
        SPEC("each class of each user has a bucket of its own", classes_and_keys_are_apart),
        SPEC("nobody, and who has no limit, is never refused",
             nobody_and_no_limit_are_never_refused),
        SPEC("who is charged beyond his limit owes a period at most", debts_are_bounded),
        SPEC("many at once cost as many", many_at_once_cost_as_many),
        SPEC("more than the limit takes all of it", more_than_the_limit_takes_all_of_it),
        SPEC("what several threads charge is lost nowhere", schedulers_share_a_bucket),
        SPEC("who has been quiet makes room for others", the_quiet_make_room),
        SPEC("where there is no room the one with the least to lose gives way",
             the_least_indebted_gives_way),
        SPEC("an address is counted without its port, an IPv6 one by its network",
             an_address_is_counted_without_its_port),
        SPEC("a proxy on this machine tells for whom it speaks", a_proxy_here_is_believed),
        SPEC("what others say of themselves is not believed", others_are_not),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
