/* SPDX-License-Identifier: Apache-2.0 */
/* bounds.h - every limit of the runtime, with its reason. */
#pragma once

enum {
    /* A pid has 8 bits for the scheduler and 24 for the slot; slot 0 is the scheduler itself. */
    LN_SCHEDULERS_MAX = 256,
    LN_ACTORS_MAX = (1 << 24) - 1,

    /* A mailbox that nobody tuned: deep enough for a burst of credit from many connections (64
     * each), shallow enough that 10,000 flooded actors stay below a few gigabytes. */
    LN_DURABLE_MAX = 16384,
    /* As many of 4 KiB each: a few mailboxes full of the largest messages fit into any machine. */
    LN_DURABLE_BYTES_MAX = 64 * 1024 * 1024,
    /* Typing and presence age within seconds; more than this waiting is worthless. */
    LN_LOSSY_MAX = 256,
    LN_LOSSY_BYTES_MAX = 1024 * 1024,

    /* So many of the system lane overtake in a row: more than a supervisor and all who look have to
     * ask at once. Whoever floods that lane leaves the others every 65th place. */
    LN_OVERTAKES_MAX = 64,

    /* One actor's turn: long enough to amortise the cache misses of touching it, short enough for
     * its neighbours. */
    LN_TURN_MESSAGES = 64,
    /* One scheduler's round between two looks at io; what a packet waits at most behind ready
     * actors. */
    LN_TURN_US = 500,
    /* The same in actors' turns: what ends a round while the simulation's clock stands still. */
    LN_TURN_ACTORS = 1024,

    /* Lent stacks run library code too (libsodium, protobuf); pages that were never touched cost
     * nothing. */
    LN_LENT_STACK_BYTES = 256 * 1024,
    /* A process's own stack: our frames stay under 2 KiB. */
    LN_PROCESS_STACK_BYTES = 16 * 1024,
    /* Idle lent stacks kept for reuse by a scheduler; of the rest, those that nobody needed for a
     * second go back to the kernel. */
    LN_LENT_STACKS_KEPT = 8,

    /* Processes and waiting handlers of a node, where the guard below each stack is a mapping of
     * its own: of the kernel's default of 65,530 they leave some for all else. */
    LN_STACKS_MAX = 30000,
    /* What an actor that nobody tuned may have from ln_alloc: more than any of ours needs, and a
     * leak is found before it takes the machine along. */
    LN_MEMORY_BYTES_MAX = 256 * 1024 * 1024,

    /* Messages between two schedulers that are published at once; what does not fit waits at the
     * sender. */
    LN_CHANNEL_SLOTS = 4096,
    /* Timers that fire in one turn, like messages from one channel; the rest is a turn late. */
    LN_TURN_TIMERS = 4096,
    /* Freed messages wait for company until there are so many for one scheduler: a few KiB. */
    LN_HOMEWARD_BATCH = 64,

    /* Messages from other threads that wait for a scheduler's next turn; more are refused: whoever
     * sends faster than actors handle must learn it. */
    LN_DOOR_MAX = 4096,

    /* CPU time that an actor may hold its scheduler for: what others then wait for is felt by
     * people. A scheduler that is held so much longer is not coming back. */
    LN_WATCHDOG_MS = 10,
    LN_STUCK_MS = 10000,

    /* How long a supervisor waits for a child that it asked to stop. OTP's default. */
    LN_SHUTDOWN_MS = 5000,
    /* What the delay before a restart grows to, where there is one: long enough to leave a service
     * that is down in peace, short enough to notice that it is up again. */
    LN_BACKOFF_MAX_MS = 30 * 1000,

    /* A cancelled actor that goes on waiting instead of unwinding is ended where it stands after so
     * many tries. */
    LN_CANCELLED_WAITS_MAX = 64,

    /* After its last byte a closed socket waits this long for the peer to take it. */
    LN_SOCKET_LINGER_MS = 5000,
    /* The same when the node stops. */
    LN_SOCKET_LAST_MS = 1000,
};
