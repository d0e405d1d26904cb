/* SPDX-License-Identifier: Apache-2.0 */
/* hook.h - the operator's server that wakes devices, as an actor beside a world's tree: keeps what
 * it is asked, and answers as it is told.
 *
 *     world_fresh(&world, seed);
 *     world.set = ...                            push_webhook = HOOK_URL
 *     world.guest = hook_child(&hook);
 *     world_begin(&world);
 *     hook.status = 503;                         from now on
 *     ... time passes ...                        hook.count, hook.asked[i].id
 *
 * What it keeps outlives the node.
 */
#pragma once

#include "runtime/socket.h"
#include "runtime/supervisor.h"

enum { HOOK_ASKED_MAX = 256, HOOK_SOCKETS_MAX = 16, HOOK_BYTES_MAX = 8192, HOOK_ID_BYTES = 64 };
#define HOOK_ADDRESS "127.0.0.1:9000"
#define HOOK_URL "http://127.0.0.1:9000/wake"

struct hook {
    unsigned status;        /* 0: no answer at all */
    unsigned status_once;   /* of the next one alone, unless it is 0 */
    unsigned retry_after_s; /* 0: none */
    bool hangs_up;          /* behind each answer, without having said so */
    const char *kills;      /* a registered actor that it kills before it answers; once */
    unsigned count;
    struct hook_asked {
        uint64_t at_ns;
        char id[HOOK_ID_BYTES];
        char reason[16];
        unsigned attempt;
        unsigned ttl_s;
    } asked[HOOK_ASKED_MAX];
};

struct ln_child hook_child(struct hook *hook);
