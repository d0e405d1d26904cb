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

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("one thread at a time has a lock", one_thread_at_a_time_has_it),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
