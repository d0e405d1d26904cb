/* SPDX-License-Identifier: Apache-2.0 */
/* linnet.h - actors: what code that lives inside one may say.
 *
 * An actor is a pid, a mailbox, a behaviour and what it owns. A behaviour with `handle` holds no
 * stack between two messages: its state is one struct, and the handler runs on a stack lent by the
 * scheduler; if it blocks (ln_call, ln_sleep, ...), that stack stays with it until it returns. A
 * behaviour with `run` is a process: a function with a stack of its own that loops over ln_receive.
 * Both are spawned, linked, watched and killed alike.
 *
 *     static void greeter_handle(void *state, struct ln_msg **msg)
 *     {
 *         struct ln_msg *answer = ln_msg_new(GREETED, LN_REPLY, 0);
 *         ln_reply(ln_caller(*msg), &answer);
 *     }
 *     static const struct ln_behaviour greeter = {.name = "greeter", .handle = greeter_handle};
 *
 *     ln_pid pid;
 *     int error = ln_spawn(&greeter, NULL, 0, NULL, &pid);
 *
 * Called from inside an actor, on its scheduler's thread, unless a function says otherwise. An
 * actor lives and dies on one scheduler. "Yields" means that other actors may run before the call
 * returns; what does not say so does not yield. Ownership: a parameter `struct ln_msg **msg` is
 * taken, and nulled exactly when it was taken; other pointers are borrowed for the call.
 *
 * Semantics and words are OTP's: https://www.erlang.org/doc/system/ref_man_processes.html
 */
#pragma once

#include "runtime/api.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

LN_BEGIN

/* scheduler (8 bits) | slot (24) | generation (32). 0 is no actor. A stale pid never reaches a new
 * actor. */
typedef uint64_t ln_pid;
#define LN_FOREVER UINT64_MAX

/* ------------------------------------------------------------------------------------- messages */

/* A message's class decides what happens at its receiver's limit: system and replies are never
 * refused, durable work is refused (a request is answered -EAGAIN, anything else comes back to its
 * sender flagged LN_MSG_REFUSED), what may be lost replaces an older message with the same key,
 * else is dropped and counted. Except for the system lane, which overtakes, a mailbox is served in
 * the order of arrival over all lanes. After 64 system messages in a row one of those that they
 * overtook is served. */
enum ln_lane { LN_SYSTEM, LN_REPLY, LN_DURABLE, LN_LOSSY, LN_LANES };

enum ln_msg_flags {
    LN_MSG_REFUSED = 1, /* durable, and its receiver had no room for it: back at its sender */
    LN_MSG_REQUEST = 2, /* it waits for an answer: ln_caller tells whose */
    LN_MSG_ANSWER = 4,  /* it is the answer to the request `ref`; `error` says if it failed */
    LN_MSG_ASYNC = 8,   /* request or answer of ln_request, not of ln_call */
    LN_MSG_SIGNAL = 16, /* between schedulers; never seen by handlers */
    LN_MSG_HELD = 32,   /* an actor owns it: should that end, the message goes too */
};

struct ln_msg {
    struct ln_msg *next; /* the runtime's */
    union {
        ln_pid to;                /* while it is on its way */
        struct ln_msg **previous; /* while an actor holds it: the runtime's */
    };
    ln_pid from;
    uint64_t ref; /* request or monitor it belongs to; 0: none */
    uint32_t tag; /* what it means: the application's below LN_TAG_RUNTIME */
    uint32_t bytes;
    uint32_t key;  /* lossy: equal keys coalesce; 0: never */
    int32_t error; /* answers: 0 or a negative errno */
    uint8_t lane;
    uint8_t flags;
    uint16_t home;            /* scheduler whose memory it is */
    uint32_t block_bytes;     /* what it occupies there */
    struct ln_buffer *buffer; /* a shared payload, or NULL; its reference goes with the message */
    unsigned char data[];     /* `bytes` of it, aligned to 8 */
};

/* Messages from the runtime. Their data is the struct named beside them. */
enum ln_tag {
    LN_TAG_RUNTIME = 0x80000000u,
    /* struct ln_down: a linked actor ended, or another asks for an end (ln_kill); only for those
     * that trap exits */
    LN_TAG_EXIT,
    LN_TAG_DOWN, /* struct ln_down: a monitored actor ended; ref is the monitor's, or 0 */
    /* nothing: the supervisor asks the actor to end; unseen unless the behaviour traps exits */
    LN_TAG_STOP,
    LN_TAG_ACCEPT, /* struct ln_socket_event (socket.h) and the three below likewise */
    LN_TAG_DATA,
    LN_TAG_DRAINED,
    LN_TAG_CLOSED,
    LN_TAG_JOINED,  /* nothing: `from` has become a member of a watched group (group.h) */
    LN_TAG_LEFT,    /* nothing: it is one no more */
    LN_TAG_TIMEOUT, /* nothing: none came for as long as ln_idle_after said */
};

/* A new message with `bytes` of zeroed data, in the caller's ownership. Never NULL: without memory
 * the node ends. An actor's messages, made or received, are freed when it ends. */
LN_API struct ln_msg *ln_msg_new(uint32_t tag, enum ln_lane lane, size_t bytes);
/* Frees and nulls it; NULL inside is allowed. */
LN_API void ln_msg_free(struct ln_msg **msg);

/* An immutable payload that many messages share, down to the socket: made, filled, then never
 * written again. */
struct ln_buffer;
/* A new shared payload of `bytes` bytes, not zeroed, with one reference, the caller's: to be given
 * to a message's `buffer` or back with ln_buffer_put. Never NULL: without memory the node ends. */
LN_API struct ln_buffer *ln_buffer_new(size_t bytes);
/* A payload's bytes: written by whoever made it, until it is first handed on, then read. They live
 * as long as a reference is held. Any thread. */
LN_API void *ln_buffer_data(struct ln_buffer *buffer);
/* How many bytes a payload has. Any thread. */
LN_API size_t ln_buffer_bytes(const struct ln_buffer *buffer);
/* Adds a reference, the caller's, and returns the buffer. Any thread. */
LN_API struct ln_buffer *ln_buffer_get(struct ln_buffer *buffer);
/* Gives a reference back and nulls it; the last one frees the payload. NULL inside is allowed. Any
 * thread. */
LN_API void ln_buffer_put(struct ln_buffer **buffer);

/* -------------------------------------------------------------------------------------- sending */

/* Hands *msg over, be it new or received (but not LN_TAG_DATA, whose bytes are its socket's). Never
 * fails, never blocks, never yields: a message to no one is dropped and counted. */
LN_API void ln_send(ln_pid to, struct ln_msg **msg);

/* Sends *request and waits for its answer, at most timeout_ms. Yields. 0 with *out_answer in the
 * caller's ownership (NULL when out_answer is NULL: the answer is freed), or: the error the callee
 * answered with; -ESRCH there is no such actor, or it ended without answering; -EAGAIN its mailbox
 * is full; -ETIMEDOUT; -ECANCELED the caller is being ended and should unwind. An answer that comes
 * too late is dropped: it never reaches the mailbox. gen_server:call/3. */
LN_API LN_MUST_CHECK int ln_call(ln_pid to, struct ln_msg **request, uint64_t timeout_ms,
                                 struct ln_msg **out_answer);

/* Sends *request and returns its reference at once; the answer arrives in the mailbox, flagged
 * LN_MSG_ANSWER with that ref, exactly once and with error set as ln_call would return it (there is
 * no timeout). Never yields. A process may wait for it with ln_receive_answer. */
LN_API uint64_t ln_request(ln_pid to, struct ln_msg **request);

/* Whom to answer. Taken from a request, it may be kept and used later, once (a deferred reply). */
struct ln_caller {
    ln_pid pid;
    uint64_t ref;
    uint64_t open; /* the runtime's record that an answer is owed */
    bool async;
};
/* The message must be a request: flagged so. */
LN_API struct ln_caller ln_caller(const struct ln_msg *request);
/* Answers; *answer may be NULL inside (an empty answer). Called on the scheduler of the actor that
 * got the request, by it or another. To no one, or twice: dropped and counted. Never yields. */
LN_API void ln_reply(struct ln_caller caller, struct ln_msg **answer);
/* Answers with a negative errno, which is what the caller's ln_call returns; else as ln_reply. */
LN_API void ln_reply_error(struct ln_caller caller, int error);

/* Sends *msg after delay_ms. The timer belongs to the calling actor and ends with it. Returns its
 * reference. */
LN_API uint64_t ln_send_after(uint64_t delay_ms, ln_pid to, struct ln_msg **msg);
/* The same, up to slack_ms later. Timers that may be late share instants, so that a node with many
 * of them wakes less often: each fires at a multiple, on the scheduler's clock, of the largest
 * power of two that slack_ms + 1 has room for. */
LN_API uint64_t ln_send_after_slack(uint64_t delay_ms, uint64_t slack_ms, ln_pid to,
                                    struct ln_msg **msg);
/* Takes back a message of any actor of the calling scheduler; a number of another scheduler's may
 * be somebody else's here. 0, or -ENOENT when it has fired or never was. */
LN_API int ln_cancel_timer(uint64_t timer);

/* A behaviour's init or handler asks to be told when nothing comes: if no message has arrived for
 * timeout_ms after it returned (0: if none waits then), LN_TAG_TIMEOUT does. The next message,
 * LN_TAG_TIMEOUT too, ends the asking: whoever still wants to be told asks again. A second asking
 * replaces the first; LN_FOREVER takes it back. What is told lies in the reply lane, so the system
 * lane may overtake it. gen_server's timeout. A process has ln_receive's. */
LN_API void ln_idle_after(uint64_t timeout_ms);

/* ----------------------------------------------------------------------------------- behaviours */

enum ln_exit_kind {
    LN_EXIT_NORMAL,
    LN_EXIT_SHUTDOWN,
    LN_EXIT_KILLED,
    LN_EXIT_NOPROC,
    LN_EXIT_NOCONNECTION, /* a word for the application's own */
    LN_EXIT_TIMEOUT,
    LN_EXIT_ERROR,
};
/* Why an actor ended. `text` and `file` are string literals. */
struct ln_reason {
    enum ln_exit_kind kind;
    int32_t line;
    const char *text;
    const char *file;
};
struct ln_down {
    ln_pid pid; /* who ended */
    struct ln_reason reason;
};
/* A kind in words: "normal", "shutdown", ...; a literal. Any thread. */
LN_API const char *ln_exit_kind_name(enum ln_exit_kind kind);

struct ln_text; /* where a behaviour prints its state: text.h */

/* A static table: what an actor is. `init` may be NULL; returning a negative errno ends the actor
 * before its first message, and ln_start's caller learns it. `argument` is borrowed for the call.
 * One of handle and run is given. What handle leaves in *msg is freed. `terminate` runs before an
 * actor's end whatever the reason, except after a kill. `print` only looks, between turns or for a
 * crash report, when the state may be half changed; it neither waits nor exits. `tag_name` says for
 * traces, looks and crash reports what the tags are called that it takes and sends: a literal, or
 * NULL for one that it does not know. */
struct ln_behaviour {
    const char *name;
    size_t state_bytes;
    int (*init)(void *state, const void *argument);
    void (*handle)(void *state, struct ln_msg **msg);
    void (*run)(void *state);
    void (*terminate)(void *state, const struct ln_reason *reason);
    void (*print)(const void *state, struct ln_text *out);
    const char *(*tag_name)(uint32_t tag);
    uint32_t durable_max; /* mailbox: messages of the durable lane; 0: LN_DURABLE_MAX */
    uint32_t lossy_max;   /* 0: LN_LOSSY_MAX */
    /* The same in bytes: header, data, shared payload. What does not fit is refused or dropped, so
     * a message above the limit always is. 0: LN_DURABLE_BYTES_MAX, LN_LOSSY_BYTES_MAX */
    uint32_t durable_bytes_max, lossy_bytes_max;
    uint32_t stack_bytes;      /* processes; 0: LN_PROCESS_STACK_BYTES */
    uint32_t memory_bytes_max; /* from ln_alloc: it ends instead; 0: LN_MEMORY_BYTES_MAX */
    bool mailbox_kill;         /* beyond a limit of durable it ends, instead of only refusing */
    bool trap_exit; /* EXIT of linked actors and STOP of supervisors arrive as messages */
};

enum { LN_HERE = -1, LN_ANYWHERE = -2 };
struct ln_spawn_options {
    const char *name; /* registered, or NULL; -EEXIST when taken */
    bool link;        /* to the caller */
    bool monitor;     /* by the caller: *out_monitor */
    /* Its end, like a monitor's DOWN, but with ref 0, at no cost until then, and even where its
     * init fails: of a pid that the caller was not told. */
    bool tell_parent;
    bool elsewhere; /* use `scheduler`; false: the caller's own */
    int scheduler;  /* an index, or LN_ANYWHERE: the least loaded */
    uint64_t *out_monitor;
    uint64_t init_ms; /* what its init may take at most, for ln_start; 0: as long as it takes */
};

/* Starts an actor; `argument` (`bytes` of it) is copied. Returns when it exists, before its init
 * has run. `options` may be NULL. 0, -EEXIST, -EAGAIN (no slot or stack left). On its own scheduler
 * never yields; on another, yields until that one's next turn, without a deadline or a cancel: the
 * new actor must not be lost. */
LN_API LN_MUST_CHECK int ln_spawn(const struct ln_behaviour *behaviour, const void *argument,
                                  size_t bytes, const struct ln_spawn_options *options,
                                  ln_pid *out);
/* The same, and waits for its init: 0 or init's error, too; -ESRCH when it was ended before;
 * -ETIMEDOUT when init_ms are over and -ECANCELED when the caller is being ended: the new actor has
 * been killed then, and has gone once its init has unwound. Only at 0 is it monitored, at
 * -ETIMEDOUT not linked either. Yields. gen_server:start/3. */
LN_API LN_MUST_CHECK int ln_start(const struct ln_behaviour *behaviour, const void *argument,
                                  size_t bytes, const struct ln_spawn_options *options,
                                  ln_pid *out);
/* ln_spawn here, linked to the caller or watched by it from the first moment on. */
LN_API int ln_spawn_link(const struct ln_behaviour *behaviour, const void *argument, size_t bytes,
                         ln_pid *out) LN_MUST_CHECK;
LN_API int ln_spawn_monitor(const struct ln_behaviour *behaviour, const void *argument,
                            size_t bytes, ln_pid *out, uint64_t *out_monitor) LN_MUST_CHECK;

/* The calling actor's pid. */
LN_API ln_pid ln_self(void);
/* The calling actor's state, its behaviour's state_bytes of it: the runtime's memory, which lives
 * until the actor has ended. */
LN_API void *ln_state(void);
/* The index of the scheduler that the caller lives on. */
LN_API unsigned ln_scheduler(void);
/* How many schedulers the node has; their indices begin with 0. */
LN_API unsigned ln_schedulers(void);
/* The index of the scheduler that an actor lives, or lived, on. Any thread. */
static inline unsigned
ln_pid_scheduler(ln_pid pid)
{
    return (unsigned)(pid >> 56);
}

/* Ends the calling actor: from anywhere in its code, at once, without unwinding; what the runtime
 * knows it owns is released. `text` is a literal. */
LN_API LN_NORETURN void ln_exit(enum ln_exit_kind kind, const char *text);
LN_API LN_NORETURN void ln_exit_at(enum ln_exit_kind kind, const char *text, const char *file,
                                   int line);
/* An actor's check on its own state: it alone ends. */
#define ln_actor_check(condition)                                      \
    do {                                                               \
        if (__builtin_expect(!(condition), 0)) {                       \
            ln_exit_at(LN_EXIT_ERROR, #condition, __FILE__, __LINE__); \
        }                                                              \
    } while (0)
/* A behaviour's handler asks to end when it returns: the polite form of ln_exit. */
LN_API void ln_stop(enum ln_exit_kind kind, const char *text);

/* Ends another, or the caller. KILLED can't be trapped. Who traps exits gets LN_TAG_STOP for
 * SHUTDOWN and LN_TAG_EXIT, of the caller, for any other kind, and lives; who does not ends for
 * that reason, but of NORMAL only if it is the caller. To no one: nothing. exit/2. */
LN_API void ln_kill(ln_pid pid, enum ln_exit_kind kind);

/* Whether EXIT and STOP are messages to the calling actor from now on. Returns what was so
 * before. */
LN_API bool ln_trap_exit(bool trap);
/* Links the calling actor with another, both ways: when one ends in any other way than normally, so
 * does the other, unless it traps exits; then it gets LN_TAG_EXIT, whatever the reason. To no one:
 * at once, with NOPROC. Again: no effect. link/1. */
LN_API void ln_link(ln_pid pid);
/* Takes a link away, both ways; no EXIT of it arrives after this. Without a link: no effect. */
LN_API void ln_unlink(ln_pid pid);
/* Watches an actor: one LN_TAG_DOWN follows, exactly once, with the returned reference as its ref,
 * after everything that the actor sent here; at once with NOPROC when there is none. monitor/2. */
LN_API uint64_t ln_monitor(ln_pid pid);
/* Ends a monitor: no DOWN of it arrives after this. One that is not there: no effect. */
LN_API void ln_demonitor(uint64_t monitor);

/* --------------------------------------------------------------------------- processes, waiting */

/* The next message (any, or the first that `match` accepts), in the caller's ownership; waits at
 * most timeout_ms (0: not at all). `match` only looks; it is called in others' turns, too. Yields
 * when it waits and when the turn is over. 0, -ETIMEDOUT or -ECANCELED. For processes. */
LN_API LN_MUST_CHECK int ln_receive(uint64_t timeout_ms, struct ln_msg **out);
LN_API LN_MUST_CHECK int ln_receive_match(bool (*match)(const struct ln_msg *msg, void *context),
                                          void *context, uint64_t timeout_ms, struct ln_msg **out);
/* The answer to a request of ln_request, in the caller's ownership, its `error` set; waits at most
 * timeout_ms. What came before the request was made is not looked at, however much waits, unless
 * several later requests were made and other messages came between them. 0, -ETIMEDOUT or
 * -ECANCELED; the answer may still come then, to this or any other receive. Yields when it waits.
 * For processes. gen_server:wait_response/2. */
LN_API LN_MUST_CHECK int ln_receive_answer(uint64_t ref, uint64_t timeout_ms, struct ln_msg **out);
/* Gives up an answer that was not received: whether it waits or comes too late, it reaches nobody,
 * as that of an ln_call. For processes, once for a request. */
LN_API void ln_forget_answer(uint64_t ref);
/* 0 or -ECANCELED. Yields. */
LN_API int ln_sleep(uint64_t timeout_ms);
/* Lets others run. An actor that is being ended and does nothing but yield does not return. */
LN_API void ln_yield(void);
/* Normal work is shared by the workers. Low work gives way, and gets help while two and more of it
 * wait. Long work is what takes seconds and is not to give way: all of a node's one by one. */
enum ln_work_kind { LN_WORK_NORMAL, LN_WORK_LOW, LN_WORK_LONG, LN_WORK_KINDS };
/* Runs `run(argument)` on a worker thread and waits for it. Yields. An end of the caller waits for
 * it, too: `argument` may lie on its stack. What may take for ever is for ln_work_for. */
LN_API void ln_work(void (*run)(void *argument), void *argument, enum ln_work_kind kind);

/* Work with a deadline: a static table. */
struct ln_job {
    void (*run)(void *argument); /* on a worker thread */
    /* What nobody waits for any more: releases what the argument points to, whether run has been
     * called or not. It neither waits nor exits; on the caller's scheduler, or, of what is left at
     * the node's end, on the thread that closes it. NULL: there is nothing to release. */
    void (*release)(void *argument);
    enum ln_work_kind kind;
};
/* Runs a job on a worker thread, on a copy of the argument (`bytes` of it), and waits for it at
 * most timeout_ms. Yields. 0: run has returned, and what it left in the copy is in *argument.
 * -ETIMEDOUT, or -ECANCELED when the caller is being ended: the job is taken back if it has not
 * begun, else goes on without the caller; in both cases what the copy points to is `release`'s,
 * which has been called or will be once run has returned, and *argument is as it was. So run must
 * reach nothing of the caller's but through pointers that were given away with the argument. */
LN_API LN_MUST_CHECK int ln_work_for(const struct ln_job *job, void *argument, size_t bytes,
                                     uint64_t timeout_ms);

/* -------------------------------------------------------------------------- names, memory, time */

/* The name ends with its actor. An actor of another scheduler: yields until that one's next turn.
 * 0, -EEXIST (the name, or it has one), -EINVAL, -ESRCH, -ECANCELED. */
LN_API LN_MUST_CHECK int ln_register(const char *name, ln_pid pid);
/* Takes a name away from whoever has it. An actor of another scheduler: yields until that one's
 * next turn. 0, -ENOENT (nobody has it), -ECANCELED. unregister/1. */
LN_API int ln_unregister(const char *name);
/* Who has the name, on whichever scheduler; 0: no one. It may have ended when this returns. */
LN_API ln_pid ln_whereis(const char *name);
enum { LN_NAME_BYTES_MAX = 63 };

/* Memory that ends with the actor, however it ends. Zeroed; never NULL. Sized free. */
LN_API void *ln_alloc(size_t bytes);
/* Gives memory from ln_alloc back before its actor ends, which is the caller. NULL is allowed. */
LN_API void ln_free(void *memory);

/* Something of a library that must be released when the actor ends. The struct is the caller's, in
 * its state. */
struct ln_resource {
    struct ln_resource *next, **previous;
    void (*release)(struct ln_resource *resource);
};
/* Registers an object with the calling actor, whose end calls `release`, the newest object first,
 * from where nothing may yield. */
LN_API void ln_own(struct ln_resource *resource, void (*release)(struct ln_resource *resource));
/* Takes the object off the actor's list: it was released, or is somebody else's now. */
LN_API void ln_disown(struct ln_resource *resource);

/* Nanoseconds on a clock that never goes back or jumps, as of this turn: it stands while a handler
 * runs. */
LN_API uint64_t ln_now_ns(void);
/* Milliseconds since 1970 on the wall clock, which may jump. */
LN_API int64_t ln_wall_ms(void);
/* Fills `bytes` bytes with randomness fit for keys; under sim it comes from the seed. */
LN_API void ln_random(void *out, size_t bytes);
/* The scheduler's io, for code that drives operations itself (io/io.h). Borrowed, for this
 * scheduler's thread alone. */
LN_API struct io *ln_io(void);

LN_END
