/* SPDX-License-Identifier: Apache-2.0 */
/* one_thread.c - what a test meets that starts a thread without having been declared with THREADS.
 *
 * The thread sanitizer's tree builds and runs only those that are declared so: in the others there
 * is no race to find. So that none is left out by mistake, the rest are linked with
 * -Wl,--wrap=pthread_create. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                      void *argument)
{
    (void)thread;
    (void)attributes;
    (void)start;
    (void)argument;
    (void)fputs("this test starts a thread: declare it with linnet_test(... THREADS)\n", stderr);
    abort();
}
