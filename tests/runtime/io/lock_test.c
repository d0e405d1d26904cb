/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/lock.h"
#include "tests/spec.h"

#include <pthread.h>

enum { THREADS = 4, TIMES = 20000 };

static struct lock *lock;
static struct {
    unsigned inside, times;
} shared;

static void *
go_in_and_out(void *met)
{
    for (unsigned i = 0; i < TIMES; i++) {
        lock_take(lock);
        *(unsigned *)met += shared.inside;
        shared.inside++;
        shared.times++;
        shared.inside--;
        lock_give(lock);
    }
    return NULL;
}

static void
one_thread_at_a_time_has_it(void **state)
{
    pthread_t threads[THREADS];
    unsigned met[THREADS] = {0};
    (void)state;
    lock = lock_new();
    assert_non_null(lock);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, go_in_and_out, &met[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(met[i], 0);
    }
    assert_int_equal(shared.times, THREADS * TIMES);
    lock_free(lock);
    lock_free(NULL);
}

static void *
try_it(void *took)
{
    if (lock_try(lock)) {
        *(bool *)took = true;
        lock_give(lock);
    }
    return NULL;
}

static bool
another_thread_takes_it(void)
{
    pthread_t thread;
    bool took = false;
    assert_int_equal(pthread_create(&thread, NULL, try_it, &took), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return took;
}

static void
a_try_does_not_wait(void **state)
{
    (void)state;
    lock = lock_new();
    assert_non_null(lock);
    lock_take(lock);
    assert_false(another_thread_takes_it());
    lock_give(lock);
    assert_true(another_thread_takes_it());
    lock_take(lock); /* it was given back */
    lock_give(lock);
    lock_free(lock);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("one thread at a time has a lock", one_thread_at_a_time_has_it),
        SPEC("a try takes a lock that nobody has, and waits for none", a_try_does_not_wait),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
