/* SPDX-License-Identifier: Apache-2.0 */
/* post.h - work that outlives the actor that does it, and that one actor at a time may do.
 *
 * A supervisor that is killed is started again while its children are still ending: one whose
 * write or worker is under way ends only when that has completed. Its successor begins at once, and
 * would do the same work beside it. So it takes the post first:
 *
 *     struct post post;                     with the work's state; zeroed, nobody has it
 *     if (!post_take(&post)) {
 *         return;                           we are being ended ourselves
 *     }
 *     ... nobody else does this work until we have ended ...
 *
 * On one scheduler.
 */
#pragma once

#include "runtime/check.h"
#include "runtime/linnet.h"

struct post {
    ln_pid holder;
};

/* Waits until the last holder has ended, then the post is the caller's; again: at once. For an
 * actor whose predecessors have ended or been told to. Yields. False: the caller was cancelled. */
MUST_CHECK bool post_take(struct post *post);
