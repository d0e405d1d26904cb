/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.h - looking into actors that run: lists, one actor's state, a scheduler's counters.
 *
 * A look is a request to the scheduler itself, answered between two turns of its actors, so it
 * never waits for a busy mailbox, and nobody waits for the one who looks. Long lists come in pages
 * by slot.
 *
 * Called from inside an actor (ln_inspect_...; all yield), or from any other thread
 * (ln_node_inspect_..., node.h), which waits, at most timeout_ms: a scheduler whose actor holds it
 * is found out by -ETIMEDOUT.
 */
#pragma once

#include "runtime/linnet.h"
#include "runtime/node.h"

LN_BEGIN

enum { LN_INSPECT_PAGE = 256, LN_INSPECT_TEXT_MAX = 2048 };

struct ln_actor_info {
    ln_pid pid;
    ln_pid parent;
    char name[LN_NAME_BYTES_MAX + 1]; /* empty: none */
    const char *behaviour;            /* a literal */
    const char *state;                /* held, idle, ready, running, waiting; a literal */
    uint32_t mailbox;                 /* messages waiting */
    uint32_t lanes[LN_LANES];         /* of these, by lane */
    uint64_t lane_bytes[LN_LANES];    /* what they take, shared payloads in full */
    uint32_t reductions;
    uint64_t memory_bytes; /* the actor, its state, its stack, what it allocated */
};

/* Work of one kind that actors of a scheduler asked for, with ln_work or ln_work_for, whether or
 * not somebody still waits for it. Sums and maxima are since the start. */
struct ln_work_info {
    uint64_t under_way; /* asked for, and neither done nor taken back */
    uint64_t oldest_ns; /* how long ago the first of that was asked for; 0: there is none */
    uint64_t done;
    uint64_t taken_back; /* before a worker took it: its time was up, or its caller was ended */
    uint64_t queued_ns, queued_ns_max; /* of both: until a worker took it, or it was taken back */
    uint64_t run_ns, run_ns_max;       /* of what is done: from then on */
};

struct ln_scheduler_info {
    uint32_t index, actors, ready, sockets, stacks;
    uint64_t turns, actors_run, messages, messages_remote, messages_dropped, messages_refused,
        lossy_dropped;
    uint64_t stalls;           /* turns that held the scheduler over the watchdog's limit */
    uint64_t turns_cut;        /* that ended between two messages, since their time was up */
    uint64_t reports_left_out; /* of crashes and stalls: there were too many for the log */
    uint64_t accepts_failed;   /* no descriptor or memory was left; accepting goes on later */
    uint64_t lossy_coalesced, answers_late, spawned, ended, crashed, parked, memory_used_bytes,
        memory_mapped_bytes;
    uint64_t sockets_bytes; /* of memory_used_bytes */
    /* Of two looks: (busy_ns - busy_ns) / (now_ns - now_ns) is the part of the time between in
     * which its thread ran. */
    uint64_t busy_ns, now_ns;
    /* The same of one look: busy for lately_busy_ns of the last lately_ns, a second or more. */
    uint64_t lately_busy_ns, lately_ns;
    uint64_t io_enters, io_submitted, io_completed, io_wakes;
    uint64_t io_receives, io_receive_bytes, io_sends, io_send_bytes, io_accepts, io_file_syncs,
        io_file_bytes;
    uint64_t io_buffers_short;  /* receives that found no buffer, and were done again later */
    uint64_t io_settled;        /* sockets that take no descriptor, now */
    uint64_t io_settles_failed; /* sockets that were to be so, and kept theirs */
    struct ln_work_info work[LN_WORK_KINDS];
};

/* Up to `max` (at most LN_INSPECT_PAGE) actors of a scheduler from *slot on, which moves to where
 * to go on; 0 when that was all. The number is *out_count. 0 or what ln_call returns. */
LN_API LN_MUST_CHECK int ln_inspect_list(unsigned scheduler, uint32_t *slot,
                                         struct ln_actor_info *out, uint32_t max,
                                         uint32_t *out_count);
/* One actor, and its state as its codec prints it. -ESRCH: there is none. */
LN_API LN_MUST_CHECK int ln_inspect_actor(ln_pid pid, struct ln_actor_info *out,
                                          char text[LN_INSPECT_TEXT_MAX]);
/* A scheduler's counters, since the node's start. 0 or what ln_call returns. */
LN_API LN_MUST_CHECK int ln_inspect_scheduler(unsigned scheduler, struct ln_scheduler_info *out);

/* What an actor is tied to: how many, and the first of them. */
enum { LN_RELATIONS_MAX = 16 };
struct ln_relations {
    uint32_t links_count, watchers_count, watching_count;
    ln_pid links[LN_RELATIONS_MAX];
    ln_pid watchers[LN_RELATIONS_MAX]; /* who monitor it */
    ln_pid watching[LN_RELATIONS_MAX]; /* whom it monitors */
};
/* Links and monitors of an actor, both ways. 0, -ESRCH, or what ln_call returns. */
LN_API LN_MUST_CHECK int ln_inspect_relations(ln_pid pid, struct ln_relations *out);

/* What an actor waits for, or what it will go on with once it runs again. */
enum { LN_WAIT_FRAMES_MAX = 32 };
struct ln_wait_info {
    /* "answer" (ln_call), "message", "chosen message" (ln_receive_match), "requested answer"
     * (ln_receive_answer), "time", "worker", "file", "connection", "socket" (ln_socket_detach);
     * NULL: it does not wait. A literal. */
    const char *what;
    ln_pid callee;        /* whose answer; slot 0 is a scheduler itself. 0: it waits for none */
    uint32_t tag;         /* of the request that it asked with */
    const char *tag_name; /* as its behaviour calls it: a literal, or NULL */
    bool cancellable;
    uint64_t waited_ns;
    uint64_t timeout_ms; /* how long it waits at most; LN_FOREVER */
    /* Where its code stopped, the innermost first (ln_frame_print, crash.h); none when it has no
     * stack: a behaviour between two messages. */
    uint32_t frames_count;
    uint64_t frames[LN_WAIT_FRAMES_MAX];
};
/* Looks at an actor's wait and its suspended stack, which is read by its own scheduler between two
 * turns. 0, -ESRCH, or what ln_call returns. */
LN_API LN_MUST_CHECK int ln_inspect_wait(ln_pid pid, struct ln_wait_info *out);

/* The same five looks from a thread that is no scheduler's. -ETIMEDOUT: the scheduler has not
 * answered in time. */
LN_API LN_MUST_CHECK int ln_node_inspect_list(struct ln_node *node, unsigned scheduler,
                                              uint32_t *slot, struct ln_actor_info *out,
                                              uint32_t max, uint32_t *out_count,
                                              uint64_t timeout_ms);
LN_API LN_MUST_CHECK int ln_node_inspect_actor(struct ln_node *node, ln_pid pid,
                                               struct ln_actor_info *out,
                                               char text[LN_INSPECT_TEXT_MAX], uint64_t timeout_ms);
LN_API LN_MUST_CHECK int ln_node_inspect_scheduler(struct ln_node *node, unsigned scheduler,
                                                   struct ln_scheduler_info *out,
                                                   uint64_t timeout_ms);
LN_API LN_MUST_CHECK int ln_node_inspect_relations(struct ln_node *node, ln_pid pid,
                                                   struct ln_relations *out, uint64_t timeout_ms);
LN_API LN_MUST_CHECK int ln_node_inspect_wait(struct ln_node *node, ln_pid pid,
                                              struct ln_wait_info *out, uint64_t timeout_ms);

LN_END
