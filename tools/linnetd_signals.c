/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/linnetd_signals.h"

#include "tools/linnetd_options.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* One process, one set of signals. The lock keeps a node from being closed while it is stopped. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct ln_node *served;
static sigset_t awaited;

static void
signalled(int number, bool first)
{
    (void)pthread_mutex_lock(&lock); /* a default mutex, never locked twice: it can't fail */
    struct ln_node *node = served;
    if (node != NULL && first) {
        (void)fputs("stopping: connections are drained; the same signal again ends it at once\n",
                    stderr);
        ln_node_stop(node);
    }
    (void)pthread_mutex_unlock(&lock);
    if (node == NULL || !first) {
        _exit(LINNETD_SIGNALLED + number);
    }
}

static void *
signals_await(void *unused)
{
    bool first = true;
    for (;;) {
        int number = 0;
        if (sigwait(&awaited, &number) == 0) {
            signalled(number, first);
            first = false;
        }
    }
    return unused;
}

int
linnetd_signals_start(void)
{
    pthread_t thread;
    (void)sigemptyset(&awaited);
    (void)sigaddset(&awaited, SIGINT);
    (void)sigaddset(&awaited, SIGTERM);
    (void)sigaddset(&awaited, SIGHUP);
    (void)signal(SIGPIPE, SIG_IGN);
    int error = pthread_sigmask(SIG_BLOCK, &awaited, NULL);
    if (error == 0) {
        error = pthread_create(&thread, NULL, signals_await, NULL);
    }
    if (error == 0) {
        error = pthread_detach(thread);
    }
    return -error;
}

void
linnetd_signals_serve(struct ln_node *node)
{
    (void)pthread_mutex_lock(&lock); /* a default mutex, never locked twice: it can't fail */
    served = node;
    (void)pthread_mutex_unlock(&lock);
}
