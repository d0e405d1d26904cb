/* SPDX-License-Identifier: Apache-2.0 */
#include "store/post.h"

#include "store/ask.h"

#include <errno.h>

/* A request that nobody answers is answered by its receiver's end, and that comes behind all that
 * the receiver did. The holder may be another's predecessor, too: who was killed while it waited
 * here never held the post. */
bool
post_take(struct post *post)
{
    while (post->holder != ln_self()) {
        ln_pid before = post->holder;
        struct ln_msg *request = ln_msg_new(ASK_END, LN_REPLY, 0);
        int error = ln_call(before, &request, LN_FOREVER, NULL);
        if (error == -ECANCELED) {
            return false;
        }
        ASSERT(error == -ESRCH);
        if (post->holder == before) {
            post->holder = ln_self();
        }
    }
    return true;
}
