/* SPDX-License-Identifier: Apache-2.0 */
/* Ending an actor, to see that its end costs what it should: whom the operator names, or anyone
 * who has a supervisor. Of many the kind is drawn first, then which of them, so that the many
 * connections and partitions are not all that is ever met. */
#include "actors/shell_priv.h"

#include <errno.h>
#include <string.h>

enum {
    /* Kinds that anyone is chosen of; those of further kinds are passed over. */
    KINDS_MAX = 64,
};

struct choice {
    const char *only; /* a behaviour; NULL: any */
    const char *kinds[KINDS_MAX];
    struct ln_actor_info chosen[KINDS_MAX]; /* of each kind one */
    uint64_t seen[KINDS_MAX];               /* so many of it */
    unsigned kinds_count;
};

static uint64_t
chance_below(uint64_t below)
{
    uint64_t drawn;
    ln_random(&drawn, sizeof drawn);
    return drawn % below;
}

/* Who has no supervisor is the root, or no part of the tree; and who is asked stays to answer. */
static void
choose(void *context, const struct ln_actor_info *info)
{
    struct choice *choice = context;
    unsigned at = 0;
    if (info->parent == 0 || info->pid == ln_self() ||
        (choice->only != NULL && strcmp(info->behaviour, choice->only) != 0)) {
        return;
    }
    while (at < choice->kinds_count && strcmp(choice->kinds[at], info->behaviour) != 0) {
        at++;
    }
    if (at == KINDS_MAX) {
        return;
    }
    choice->kinds[at] = info->behaviour;
    choice->kinds_count += at == choice->kinds_count;
    if (chance_below(++choice->seen[at]) == 0) {
        choice->chosen[at] = *info;
    }
}

static void
end(struct shell_call *call, const struct ln_actor_info *info)
{
    ln_kill(info->pid, LN_EXIT_KILLED);
    shell_actor_print(call, info, 1);
}

static void
end_chosen(struct shell_call *call, const char *only)
{
    struct choice *choice = ln_alloc(sizeof *choice);
    memset(choice, 0, sizeof *choice);
    choice->only = only;
    int error = shell_actors_each(choose, choice);
    if (error < 0) {
        shell_fail_errno(call, error, "kill");
    } else if (choice->kinds_count == 0) {
        shell_fail(call, SHELL_UNKNOWN, "there is no actor '%s' that has a supervisor",
                   call->words[0]);
    } else {
        end(call, &choice->chosen[chance_below(choice->kinds_count)]);
    }
    ln_free(choice);
}

static void
end_named(struct shell_call *call, ln_pid pid)
{
    struct ln_actor_info info;
    char *text = ln_alloc(LN_INSPECT_TEXT_MAX);
    int error = ln_inspect_actor(pid, &info, text);
    ln_free(text);
    if (error == 0 && info.parent == 0) {
        shell_fail(call, SHELL_FAILED, "%s has no supervisor that would start it again",
                   call->words[0]);
    } else if (error == 0) {
        end(call, &info);
    } else if (error == -ESRCH) {
        shell_fail(call, SHELL_UNKNOWN, "there is no actor %s", call->words[0]);
    } else {
        shell_fail_errno(call, error, "kill");
    }
}

/* pid, behaviour or "any" -> {"pid": ...}: who is ended, as ps tells it */
void
shell_kill(struct shell_call *call)
{
    ln_pid pid = 0;
    if (shell_pid_parse(call->words[0], &pid)) {
        end_named(call, pid);
    } else {
        end_chosen(call, strcmp(call->words[0], "any") == 0 ? NULL : call->words[0]);
    }
}
