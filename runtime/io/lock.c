/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/lock.h"

#include "runtime/check.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct lock {
    pthread_mutex_t mutex;
};

struct lock *
lock_new(void)
{
    struct lock *lock = calloc(1, sizeof *lock);
    if (lock != NULL) {
        (void)pthread_mutex_init(&lock->mutex, NULL); /* can't fail on Linux */
    }
    return lock;
}

void
lock_free(struct lock *lock)
{
    if (lock == NULL) {
        return;
    }
    (void)pthread_mutex_destroy(&lock->mutex);
    free(lock);
}

void
lock_take(struct lock *lock)
{
    int error = pthread_mutex_lock(&lock->mutex);
    ASSERT(error == 0);
}

bool
lock_try(struct lock *lock)
{
    int error = pthread_mutex_trylock(&lock->mutex);
    ASSERT(error == 0 || error == EBUSY);
    return error == 0;
}

void
lock_give(struct lock *lock)
{
    int error = pthread_mutex_unlock(&lock->mutex);
    ASSERT(error == 0);
}
