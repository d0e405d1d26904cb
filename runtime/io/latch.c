/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/latch.h"

#include "runtime/check.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct latch {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool open; /* under lock */
};

enum { TIMEOUT_MS_MAX = 1000 * 1000 * 1000 }; /* eleven days: longer is for ever */

struct latch *
latch_new(void)
{
    struct latch *latch = calloc(1, sizeof *latch);
    if (latch == NULL) {
        return NULL;
    }
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes); /* none of these can fail on Linux */
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&latch->lock, NULL);
    (void)pthread_cond_init(&latch->opened, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return latch;
}

void
latch_free(struct latch *latch)
{
    if (latch == NULL) {
        return;
    }
    (void)pthread_cond_destroy(&latch->opened);
    (void)pthread_mutex_destroy(&latch->lock);
    free(latch);
}

void
latch_open(struct latch *latch)
{
    pthread_mutex_lock(&latch->lock);
    latch->open = true;
    pthread_cond_broadcast(&latch->opened);
    pthread_mutex_unlock(&latch->lock);
}

int
latch_wait(struct latch *latch, uint64_t timeout_ms)
{
    struct timespec until;
    int error = clock_gettime(CLOCK_MONOTONIC, &until);
    ASSERT(error == 0);
    if (timeout_ms <= TIMEOUT_MS_MAX) {
        until.tv_sec += (time_t)(timeout_ms / 1000);
        until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
    }
    pthread_mutex_lock(&latch->lock);
    while (!latch->open && error == 0) {
        error = timeout_ms <= TIMEOUT_MS_MAX
                    ? pthread_cond_timedwait(&latch->opened, &latch->lock, &until)
                    : pthread_cond_wait(&latch->opened, &latch->lock);
    }
    bool open = latch->open;
    pthread_mutex_unlock(&latch->lock);
    return open ? 0 : -ETIMEDOUT;
}
