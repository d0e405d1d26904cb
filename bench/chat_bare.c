/* SPDX-License-Identifier: Apache-2.0 */
/* chat_bare: the segments of `linnet-bench chat` with nothing of ours in between: what the kernel
 * and a ring per side give at best, for comparison with it.
 *
 *     chat_bare [--pairs 5000] [--window 1] [--bytes 128] [--sends N] [--warmup 2] [--seconds 5]
 *               [--json]
 *
 *     Alice            relay             Bob
 *       MESSAGE --------->
 *         <---------- ANSWER, PUSH -------->
 *                         <----------- READ
 *         <------------ TICK
 *       SEEN ------------>
 *
 * Two processes, since each has only so many descriptors: a relay that passes frames on, and
 * clients who write to each other two by two, as chance has paired them. Each client has `window`
 * messages under way; the next follows an answer. A frame is a byte that says which it is, and as
 * many more as such a frame of the protocol has: no protocol, no users, no log, no actors.
 *
 * What there is for a connection when a round ends goes out in one send. That way a busy relay
 * needs hardly more than one each way for a message, which a node does not reach; `--sends` asks
 * for as many as it has, of both sides together: then, when a side has made fewer, a send takes one
 * frame, and the others of the connection wait for the next round. */
#include "bench/bare_ring.h"
#include "bench/chance.h"
#include "bench/flags.h"
#include "bench/kernel.h"
#include "bench/placement.h"
#include "runtime/check.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PAIRS_MAX = 9000, /* two descriptors each in either process, of 20,000 */
    WINDOW_MAX = 64,
    BYTES_MAX = 2048,
    FRAME_BYTES_MAX = BYTES_MAX + 256,
    SEND_FRAMES_MAX = 64,
    APART_FRAMES_MAX = 16,
    SEND_BYTES_MAX = SEND_FRAMES_MAX * FRAME_BYTES_MAX,
    OUTGOING_BYTES = 8 * SEND_BYTES_MAX, /* of sends that the kernel has not seen yet */
    TEXT_BYTES = 16 << 10,
    SECONDS_MAX = 86400,
    EXIT_FLAGS = 3,
    WRONG_BYTES = 512,
    NS_PER_MS = 1000000,
};

enum frame { MESSAGE, ANSWER, PUSH, READ, TICK, SEEN, FRAMES };

/* In the binary form: what is there beside the text. READ is an acknowledgement and a read mark,
 * which a client sends at once. */
static const uint16_t frame_extra_bytes[FRAMES] = {
    [MESSAGE] = 28, [ANSWER] = 64, [PUSH] = 88, [READ] = 40, [TICK] = 48, [SEEN] = 16};
/* Of a message's sends, with `--sends`: the relay's share. A node makes four of seven. */
static const double relay_share = 4.0 / 7;
enum { REST = 0xff }; /* what a frame's other bytes are: no frame */

/* One end of a connection. */
struct end {
    int descriptor;
    uint32_t partner;     /* the end that it writes to, and that writes to it */
    uint16_t left;        /* bytes of the frame that is coming in */
    uint8_t frame;        /* which it is */
    bool queued;          /* among `unsent` */
    uint16_t due[FRAMES]; /* frames to go out when the round ends */
};

/* One process and its ends of all connections. */
struct side {
    struct bare_ring ring;
    struct end *ends;
    uint32_t count;
    uint32_t *unsent; /* ends with frames due */
    uint32_t unsent_count;
    unsigned char *outgoing;
    size_t outgoing_bytes;
    uint16_t frame_bytes[FRAMES];
    uint32_t window;
    double sends_each; /* for a message, at least; where there are so many frames */
    unsigned long messages, sends;
    atomic_ulong through; /* at the clients: messages written, answered, read and ticked */
};

static atomic_bool stopped;

/* --------------------------------------------------------------------------------------- frames */

static void
frame_queue(struct side *side, uint32_t to, enum frame frame)
{
    struct end *end = &side->ends[to];
    ASSERT(end->due[frame] < UINT16_MAX);
    end->due[frame]++;
    side->messages += frame == MESSAGE || frame == PUSH;
    if (!end->queued) {
        end->queued = true;
        side->unsent[side->unsent_count++] = to;
    }
}

/* The whole protocol, of both sides. */
static void
frame_taken(struct side *side, uint32_t from, enum frame frame)
{
    unsigned long through;
    switch (frame) {
    case MESSAGE:
        frame_queue(side, from, ANSWER);
        frame_queue(side, side->ends[from].partner, PUSH);
        return;
    case ANSWER:
        frame_queue(side, from, MESSAGE);
        return;
    case PUSH:
        frame_queue(side, from, READ);
        return;
    case READ:
        frame_queue(side, side->ends[from].partner, TICK);
        return;
    case TICK:
        frame_queue(side, from, SEEN);
        through = atomic_load_explicit(&side->through, memory_order_relaxed);
        atomic_store_explicit(&side->through, through + 1, memory_order_relaxed);
        return;
    case SEEN:
    case FRAMES:
        return;
    }
}

static void
bytes_taken(struct side *side, uint32_t from, const char *bytes, size_t count)
{
    struct end *end = &side->ends[from];
    while (count > 0) {
        if (end->left == 0) {
            end->frame = (uint8_t)*bytes;
            ASSERT(end->frame < FRAMES);
            end->left = side->frame_bytes[end->frame];
        }
        size_t taken = count < end->left ? count : end->left;
        end->left = (uint16_t)(end->left - taken);
        bytes += taken;
        count -= taken;
        if (end->left == 0) {
            frame_taken(side, from, (enum frame)end->frame);
        }
    }
}

/* For bare_ring_run: only receives report, unless a send fails. */
static void
completion_taken(void *context, const struct io_uring_cqe *done)
{
    struct side *side = context;
    ASSERT(done->user_data < side->count && "a send failed");
    uint32_t from = (uint32_t)done->user_data;
    if (done->res > 0) {
        bytes_taken(side, from, bare_ring_received(&side->ring, done), (size_t)done->res);
        bare_ring_give(&side->ring, done);
    } else {
        ASSERT(done->res == -ENOBUFS);
    }
    if ((done->flags & IORING_CQE_F_MORE) == 0) {
        bare_ring_receive(&side->ring, side->ends[from].descriptor, from);
    }
}

/* ---------------------------------------------------------------------------------------- sends */

/* How many of the frames due to an end its next send takes. One where more sends are wanted, but
 * not where many wait already. */
static unsigned
send_frames(const struct side *side, unsigned due)
{
    bool wanted = (double)side->sends < side->sends_each * (double)side->messages;
    unsigned most = due < SEND_FRAMES_MAX ? due : SEND_FRAMES_MAX;
    return wanted && due <= APART_FRAMES_MAX ? 1 : most;
}

static unsigned
due_count(const struct end *end)
{
    unsigned due = 0;
    for (unsigned frame = 0; frame < FRAMES; frame++) {
        due += end->due[frame];
    }
    return due;
}

/* Puts what the next send takes, the oldest kinds first; says where it ends. */
static unsigned char *
due_put(const struct side *side, struct end *end, unsigned char *out)
{
    unsigned room = send_frames(side, due_count(end));
    for (unsigned frame = 0; frame < FRAMES; frame++) {
        for (; end->due[frame] > 0 && room > 0; room--, end->due[frame]--) {
            memset(out, REST, side->frame_bytes[frame]);
            *out = (unsigned char)frame;
            out += side->frame_bytes[frame];
        }
    }
    return out;
}

/* A send does not wait, for a peer owes little: it is over when it has been handed over, and its
 * bytes may go. */
static void
end_send(struct side *side, struct end *end)
{
    if (side->outgoing_bytes + SEND_BYTES_MAX > OUTGOING_BYTES) {
        int count = io_uring_submit(&side->ring.queues);
        ASSERT(count > 0);
        side->outgoing_bytes = 0;
    }
    unsigned char *from = side->outgoing + side->outgoing_bytes;
    size_t bytes = (size_t)(due_put(side, end, from) - from);
    ASSERT(bytes > 0 && bytes <= SEND_BYTES_MAX);
    side->outgoing_bytes += bytes;
    side->sends++;
    struct io_uring_sqe *entry = bare_ring_entry(&side->ring);
    io_uring_prep_send(entry, end->descriptor, from, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    io_uring_sqe_set_flags(entry, IOSQE_CQE_SKIP_SUCCESS);
    entry->user_data = UINT64_MAX;
}

static void
round_end(struct side *side)
{
    uint32_t count = side->unsent_count;
    side->outgoing_bytes = 0; /* the last round's have been handed over */
    side->unsent_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct end *end = &side->ends[side->unsent[i]];
        end_send(side, end);
        end->queued = due_count(end) > 0;
        if (end->queued) {
            side->unsent[side->unsent_count++] = side->unsent[i];
        }
    }
}

/* --------------------------------------------------------------------------------------- a side */

static void
side_run(struct side *side)
{
    bare_ring_open(&side->ring);
    for (uint32_t i = 0; i < side->count; i++) {
        bare_ring_receive(&side->ring, side->ends[i].descriptor, i);
        for (uint32_t message = 0; message < side->window; message++) {
            frame_queue(side, i, MESSAGE);
        }
    }
    while (!atomic_load_explicit(&stopped, memory_order_relaxed)) {
        round_end(side);
        bare_ring_run(&side->ring, completion_taken, side);
    }
    bare_ring_close(&side->ring);
}

static void *
clients_main(void *argument)
{
    side_run(argument);
    return NULL;
}

/* Pairs them, from the same beginning on both sides. */
static void
partners_pick(struct side *side)
{
    uint64_t seed = 0;
    uint32_t *order = side->unsent; /* nothing is, yet */
    for (uint32_t i = 0; i < side->count; i++) {
        order[i] = i;
    }
    for (uint32_t left = side->count; left > 1; left--) {
        uint64_t picked = chance_below(&seed, left);
        uint32_t kept = order[left - 1];
        order[left - 1] = order[picked];
        order[picked] = kept;
    }
    for (uint32_t i = 0; i < side->count; i += 2) {
        side->ends[order[i]].partner = order[i + 1];
        side->ends[order[i + 1]].partner = order[i];
    }
}

static void
side_init(struct side *side, uint32_t pairs, size_t bytes)
{
    side->count = 2 * pairs;
    side->ends = calloc(side->count, sizeof *side->ends);
    side->unsent = calloc(side->count, sizeof *side->unsent);
    side->outgoing = malloc(OUTGOING_BYTES);
    ASSERT(side->ends != NULL && side->unsent != NULL && side->outgoing != NULL);
    for (unsigned frame = 0; frame < FRAMES; frame++) {
        size_t text_bytes = frame == MESSAGE || frame == PUSH ? bytes : 0;
        side->frame_bytes[frame] = (uint16_t)(frame_extra_bytes[frame] + text_bytes);
    }
    partners_pick(side);
}

static void
side_fini(struct side *side)
{
    for (uint32_t i = 0; i < side->count; i++) {
        (void)close(side->ends[i].descriptor);
    }
    free(side->ends);
    free(side->unsent);
    free(side->outgoing);
}

/* ---------------------------------------------------------------------------------- connections */

static void
no_delay(int descriptor)
{
    int on = 1;
    int error = setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ASSERT(error == 0);
}

static int
socket_open(void)
{
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT(descriptor >= 0);
    return descriptor;
}

static int
listener_open(struct sockaddr_in *address)
{
    socklen_t bytes = sizeof *address;
    int listener = socket_open();
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int error = bind(listener, (struct sockaddr *)address, sizeof *address);
    ASSERT(error == 0);
    error = listen(listener, SOMAXCONN);
    ASSERT(error == 0);
    error = getsockname(listener, (struct sockaddr *)address, &bytes);
    ASSERT(error == 0);
    return listener;
}

/* In the order of the calls, so that both sides mean the same by a number. */
static void
connections_take(struct side *relay, int listener)
{
    for (uint32_t i = 0; i < relay->count; i++) {
        int descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        ASSERT(descriptor >= 0);
        no_delay(descriptor);
        relay->ends[i].descriptor = descriptor;
    }
}

static void
connections_call(struct side *clients, const struct sockaddr_in *address)
{
    for (uint32_t i = 0; i < clients->count; i++) {
        int descriptor = socket_open();
        int error = connect(descriptor, (const struct sockaddr *)address, sizeof *address);
        ASSERT(error == 0);
        no_delay(descriptor);
        clients->ends[i].descriptor = descriptor;
    }
}

/* The relay's process, until it is killed, or the clients' ends. */
static pid_t
relay_start(struct side *relay, int listener)
{
    pid_t pid = fork();
    ASSERT(pid >= 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        connections_take(relay, listener);
        side_run(relay);
        _exit(0);
    }
    return pid;
}

static void
relay_stop(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    pid_t gone = waitpid(pid, NULL, 0);
    ASSERT(gone == pid);
}

/* -------------------------------------------------------------------------------------- figures */

/* What both sides have done and used so far. */
struct look {
    uint64_t at_ns, through, clients_cpu_ns, relay_cpu_ns;
    struct kernel kernel;
};

static void
file_read(const char *path, char text[TEXT_BYTES])
{
    FILE *file = fopen(path, "re");
    ASSERT(file != NULL);
    text[fread(text, 1, TEXT_BYTES - 1, file)] = '\0';
    (void)fclose(file);
}

static struct look
look_take(const struct side *clients, clockid_t relay_clock)
{
    static char text[TEXT_BYTES];
    struct look look = {.at_ns = bare_ring_now_ns(CLOCK_MONOTONIC),
                        .through = atomic_load(&clients->through),
                        .clients_cpu_ns = bare_ring_now_ns(CLOCK_PROCESS_CPUTIME_ID),
                        .relay_cpu_ns = bare_ring_now_ns(relay_clock)};
    file_read("/proc/net/netstat", text);
    kernel_take_netstat(text, &look.kernel);
    file_read("/proc/net/snmp", text);
    kernel_take_snmp(text, &look.kernel);
    return look;
}

static struct look
look_since(const struct look *before, const struct look *after)
{
    return (struct look){.at_ns = after->at_ns - before->at_ns,
                         .through = after->through - before->through,
                         .clients_cpu_ns = after->clients_cpu_ns - before->clients_cpu_ns,
                         .relay_cpu_ns = after->relay_cpu_ns - before->relay_cpu_ns,
                         .kernel = {.segments = after->kernel.segments - before->kernel.segments,
                                    .segments_with_data = after->kernel.segments_with_data -
                                                          before->kernel.segments_with_data}};
}

/* ----------------------------------------------------------------------------------------- main */

enum { CHAT = 1 };

struct options {
    uint32_t pairs, window, bytes, warmup_s, seconds;
    double sends;
    bool json;
};

static const struct flag table[] = {
    {"pairs", &flag_number, CHAT, offsetof(struct options, pairs), 1, PAIRS_MAX, "N",
     "users, two by two (5000)"},
    {"window", &flag_number, CHAT, offsetof(struct options, window), 1, WINDOW_MAX, "N",
     "messages of a user under way (1)"},
    {"bytes", &flag_number, CHAT, offsetof(struct options, bytes), 0, BYTES_MAX, "N",
     "bytes of a message's text (128)"},
    {"sends", &flag_amount, CHAT, offsetof(struct options, sends), 0, FRAMES, "N",
     "for a message, of both sides, at least (0: as few as it comes to)"},
    {"warmup", &flag_number, CHAT, offsetof(struct options, warmup_s), 0, SECONDS_MAX, "N",
     "seconds before what is measured (2)"},
    {"seconds", &flag_number, CHAT, offsetof(struct options, seconds), 1, SECONDS_MAX, "N",
     "that are measured (5)"},
    {"json", &flag_on, CHAT, offsetof(struct options, json), 0, 0, NULL, "a line of JSON"},
};
static const char *const names[] = {"chat"};
static const struct flags flags = {table, sizeof table / sizeof table[0], names, 1};

static void
line_put(const char *name, uint32_t line_ns)
{
    if (line_ns == 0) {
        printf("\"%s\":null", name);
    } else {
        printf("\"%s\":%u", name, line_ns);
    }
}

/* Under the names that linnet-bench has for them: the relay stands where the node does. */
static void
put_json(const struct options *options, const struct look *span, uint32_t line_ns_before,
         uint32_t line_ns_after)
{
    printf("{\"benchmark\":\"chat_bare\",\"users\":%u,\"window\":%u,\"bytes\":%u,",
           2 * options->pairs, options->window, options->bytes);
    printf("\"placement\":{");
    line_put("line_ns_before", line_ns_before);
    printf(",");
    line_put("line_ns_after", line_ns_after);
    printf("},\"exit_code\":0,\"measured\":%lu,\"per_second\":%.3f,", span->through,
           (double)span->through * BARE_NS_PER_S / (double)span->at_ns);
    printf("\"generator_cpu_ms\":%lu,\"node_cpu_ms\":%lu,", span->clients_cpu_ns / NS_PER_MS,
           span->relay_cpu_ns / NS_PER_MS);
    printf("\"segments\":%lu,\"segments_with_data\":%lu}\n", span->kernel.segments,
           span->kernel.segments_with_data);
}

static void
put_text(const struct options *options, const struct look *span)
{
    double through = span->through > 0 ? (double)span->through : 1;
    printf("chat without us: %u pairs, texts of %u bytes, %u under way from each user\n",
           options->pairs, options->bytes, options->window);
    printf("%.0f messages a second; cpu: relay %.2f us each, clients %.2f us\n",
           (double)span->through * BARE_NS_PER_S / (double)span->at_ns,
           (double)span->relay_cpu_ns / BARE_NS_PER_US / through,
           (double)span->clients_cpu_ns / BARE_NS_PER_US / through);
    printf("TCP segments on this machine: %.2f each, %.2f of them with data\n",
           (double)span->kernel.segments / through,
           (double)span->kernel.segments_with_data / through);
}

/* Connects, warms up, measures. */
static struct look
play(const struct options *options, struct side *clients, struct side *relay)
{
    struct sockaddr_in address;
    pthread_t thread;
    clockid_t relay_clock;
    int listener = listener_open(&address);
    pid_t pid = relay_start(relay, listener);
    int error = clock_getcpuclockid(pid, &relay_clock);
    ASSERT(error == 0);
    connections_call(clients, &address);
    (void)close(listener);
    error = pthread_create(&thread, NULL, clients_main, clients);
    ASSERT(error == 0);
    bare_ring_sleep_s(options->warmup_s);
    struct look before = look_take(clients, relay_clock);
    bare_ring_sleep_s(options->seconds);
    struct look after = look_take(clients, relay_clock);
    atomic_store(&stopped, true);
    (void)pthread_join(thread, NULL);
    relay_stop(pid);
    return look_since(&before, &after);
}

int
main(int argc, char **argv)
{
    static struct side clients, relay;
    struct options options = {
        .pairs = 5000, .window = 1, .bytes = 128, .warmup_s = 2, .seconds = 5};
    char text[WRONG_BYTES];
    struct ln_text wrong;
    ln_text_init(&wrong, text, sizeof text);
    flags_read(&flags, argc, argv, 1, 0, &options, &wrong);
    if (wrong.bytes > 0) {
        (void)fprintf(stderr, "%s", text);
        flags_print(&flags);
        return EXIT_FLAGS;
    }
    side_init(&clients, options.pairs, options.bytes);
    side_init(&relay, options.pairs, options.bytes);
    clients.window = options.window;
    relay.sends_each = options.sends * relay_share;
    clients.sends_each = options.sends - relay.sends_each;
    uint32_t line_ns = placement_line_ns();
    struct look span = play(&options, &clients, &relay);
    if (options.json) {
        put_json(&options, &span, line_ns, placement_line_ns());
    } else {
        put_text(&options, &span);
    }
    side_fini(&clients);
    return 0;
}
