/* SPDX-License-Identifier: Apache-2.0 */
/* A program's own functions, named as functions of the runtime are that nobody else sees. They are
 * the program's, and the runtime's are still its own. */
#include <stdlib.h>

void mailbox_push(void);
void slab_alloc(void);
void check_failed(void);

void
mailbox_push(void)
{
    abort();
}

void
slab_alloc(void)
{
    abort();
}

void
check_failed(void)
{
    abort();
}
