/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

int
main(void)
{
    (void)fputs("usage: linnet [--data DIR] NOUN VERB\n", stderr);
    return 2;
}
