/* SPDX-License-Identifier: Apache-2.0 */
/* What can be made to go wrong, each fault alone: it strikes, it strikes as told, and nothing else
 * breaks. */
#include "tests/runtime/io/sim_life.h"
#include "tests/runtime/io/sim_rig.h"
#include "tests/spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SEEDS = SEEDS_OF(40), LETTER_BYTES = 3000, READ_WRITE = IO_OPEN_READ | IO_OPEN_WRITE };
#define MS UINT64_C(1000000)

static struct sim_rig rig;
static io_socket client, server;
static unsigned char letter[LETTER_BYTES], got[LETTER_BYTES];

static struct sim_struck
struck(void)
{
    struct sim_struck counts;
    sim_struck(rig.driver, &counts);
    return counts;
}

static void
open_pair(uint64_t seed, struct sim_faults faults)
{
    sim_rig_open(&rig, &(struct sim_options){.seed = seed});
    sim_faults_set(rig.driver, &faults);
    sim_rig_connect(&rig, &client, &server);
    for (size_t i = 0; i < LETTER_BYTES; i++) {
        letter[i] = (unsigned char)(i * 31 + seed);
    }
}

/* Begins to send the letter; how far that has come is the probe's result. */
static void
begin_send(struct sim_probe *sending, struct iovec *piece, io_socket socket)
{
    *piece = (struct iovec){.iov_base = letter, .iov_len = LETTER_BYTES};
    sim_probe_init(sending);
    io_send(sim_rig_io(&rig, 0), &sending->op, socket, piece, 1);
}

/* -------------------------------------------------------------------------------------- delays */

static void
far_connections(void **state)
{
    (void)state;
    uint64_t longest_ns = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        open_pair(seed, (struct sim_faults){.far_one_in = 1, .far_ns_max = 30 * MS});
        uint64_t began_ns = sim_now_ns(rig.driver);
        sim_rig_send(&rig, 0, client, letter, LETTER_BYTES);
        assert_int_equal(sim_rig_receive(&rig, 0, server, got, LETTER_BYTES, NULL), LETTER_BYTES);
        assert_memory_equal(got, letter, LETTER_BYTES);
        uint64_t took_ns = sim_now_ns(rig.driver) - began_ns;
        longest_ns = took_ns > longest_ns ? took_ns : longest_ns;
        assert_int_equal(struck().far, 1);
        sim_rig_close(&rig);
    }
    assert_true(longest_ns > 20 * MS);
}

static void
held_segments(void **state)
{
    (void)state;
    unsigned late = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        open_pair(seed, (struct sim_faults){.held_one_in = 4, .far_ns_max = 30 * MS});
        uint64_t began_ns = sim_now_ns(rig.driver);
        sim_rig_send(&rig, 0, client, letter, LETTER_BYTES);
        assert_int_equal(sim_rig_receive(&rig, 0, server, got, LETTER_BYTES, NULL), LETTER_BYTES);
        assert_memory_equal(got, letter, LETTER_BYTES); /* none has overtaken another */
        late += sim_now_ns(rig.driver) - began_ns > 5 * MS;
        sim_rig_close(&rig);
    }
    assert_true(late > 0 && late < SEEDS);
}

/* Two connections of the same two loops: what is sent first on one may come second. */
static void
connections_overtake(void **state)
{
    (void)state;
    unsigned first = 0, second = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        open_pair(seed, (struct sim_faults){.held_one_in = 2, .far_ns_max = 5 * MS});
        io_socket other_client, other_server;
        sim_rig_connect(&rig, &other_client, &other_server);
        struct sim_probe sending[2], polling[2];
        struct iovec piece[2];
        sim_probe_poll(&polling[0], sim_rig_io(&rig, 0), server);
        sim_probe_poll(&polling[1], sim_rig_io(&rig, 0), other_server);
        sim_rig_settle(&rig);
        begin_send(&sending[0], &piece[0], client);
        sim_rig_run_ms(&rig, 1);
        begin_send(&sending[1], &piece[1], other_client);
        while (polling[0].count == 0 && polling[1].count == 0) {
            (void)sim_run(rig.driver, sim_now_ns(rig.driver) + 1000);
        }
        first += polling[0].count > 0;
        second += polling[1].count > 0;
        sim_rig_close(&rig);
    }
    assert_true(first > 0 && second > 0);
}

static void
parts(void **state)
{
    (void)state;
    unsigned sends_in_part = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        open_pair(seed, (struct sim_faults){.part_one_in = 1});
        struct sim_probe sending, receiving;
        struct iovec piece;
        begin_send(&sending, &piece, client);
        sim_rig_settle(&rig);
        int32_t sent = sim_probe_only(&sending);
        assert_in_range(sent, 1, LETTER_BYTES);
        sends_in_part += sent < LETTER_BYTES;
        sim_probe_init(&receiving);
        io_receive(sim_rig_io(&rig, 0), &receiving.op, server);
        sim_rig_settle(&rig);
        int32_t received = sim_probe_only(&receiving);
        assert_in_range(received, 1, sent);
        assert_memory_equal(io_received(sim_rig_io(&rig, 0), &receiving.op), letter, received);
        io_release(sim_rig_io(&rig, 0), &receiving.op);
        size_t rest = sim_rig_receive(&rig, 0, server, got, LETTER_BYTES, NULL);
        assert_int_equal(rest, sent - received);
        assert_memory_equal(got, letter + received, rest);
        sim_rig_close(&rig);
    }
    assert_true(sends_in_part > SEEDS / 2);
}

/* ---------------------------------------------------------------------------------------- ends */

static void
cut_connection(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        open_pair(seed, (struct sim_faults){0});
        sim_rig_send(&rig, 0, client, letter, 100);
        sim_faults_set(rig.driver, &(struct sim_faults){.cut_one_in = 1});
        struct sim_probe sending;
        struct iovec piece;
        int32_t end = 0;
        begin_send(&sending, &piece, client);
        sim_rig_settle(&rig);
        assert_true(sim_probe_only(&sending) > 0);
        assert_int_equal(struck().cut, 1);
        size_t count = sim_rig_receive(&rig, 0, server, got, LETTER_BYTES, &end);
        assert_int_equal(count, 100); /* what had arrived is there, what flew is lost */
        assert_int_equal(end, -ECONNRESET);
        (void)sim_rig_receive(&rig, 0, client, got, LETTER_BYTES, &end);
        assert_int_equal(end, -ECONNRESET);
        begin_send(&sending, &piece, client);
        sim_rig_settle(&rig);
        assert_int_equal(sim_probe_only(&sending), -ECONNRESET);
        sim_rig_close(&rig);
    }
}

/* Sends until there is no room and nothing comes any more: half open. */
static void
vanished_peer(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        open_pair(seed, (struct sim_faults){0});
        sim_faults_set(rig.driver,
                       &(struct sim_faults){.vanish_one_in = 1, .vanish_timeout_ns = 5000 * MS});
        struct sim_probe sending, polling[2];
        struct iovec piece;
        sim_probe_poll(&polling[0], sim_rig_io(&rig, 0), client);
        sim_probe_poll(&polling[1], sim_rig_io(&rig, 0), server);
        begin_send(&sending, &piece, client);
        sim_rig_run_ms(&rig, 4900);
        assert_int_equal(struck().vanished, 1);
        assert_true(sim_probe_only(&sending) > 0); /* the kernel had taken them */
        assert_int_equal(polling[0].count, 0);
        assert_int_equal(polling[1].count, 0);
        sim_rig_run_ms(&rig, 200);
        assert_true(polling[0].count > 0 && (sim_probe_last(&polling[0]) & IO_POLL_ENDING) != 0);
        int32_t end = 0;
        io_cancel(sim_rig_io(&rig, 0), &polling[0].op);
        (void)sim_rig_receive(&rig, 0, client, got, LETTER_BYTES, &end);
        assert_int_equal(end, -ETIMEDOUT);
        sim_rig_run_ms(&rig, 100000);
        assert_int_equal(polling[1].count, 0); /* who sends nothing never learns of it */
        io_close(sim_rig_io(&rig, 0), client, false);
        sim_rig_close(&rig);
    }
}

static void
vanished_with_a_full_pipe(void **state)
{
    (void)state;
    sim_rig_open(&rig, &(struct sim_options){.seed = 4, .connection_bytes_max = 1000});
    sim_rig_connect(&rig, &client, &server);
    sim_faults_set(rig.driver, &(struct sim_faults){.vanish_one_in = 1});
    struct sim_probe sending;
    struct iovec piece;
    do {
        begin_send(&sending, &piece, client);
        sim_rig_run_ms(&rig, 10);
    } while (!sending.op.active);
    sim_rig_run_ms(&rig, 10000);
    assert_true(sending.op.active);
    sim_rig_run_ms(&rig, 11000);
    assert_int_equal(sim_probe_only(&sending), -ETIMEDOUT);
    sim_rig_close(&rig);
}

/* --------------------------------------------------------------------------------------- disk */

static int
write_durably(struct io_driver *driver, io_file file, uint64_t offset)
{
    struct sim_probe writing;
    struct iovec piece = {.iov_base = letter, .iov_len = LETTER_BYTES};
    sim_probe_init(&writing);
    io_write_sync(io_of(driver, 0), &writing.op, file, &piece, 1, offset);
    (void)sim_run(driver, IO_NEVER);
    return sim_probe_only(&writing);
}

static io_file
open_disk(uint64_t seed, struct sim_faults faults)
{
    io_file file;
    sim_rig_open(&rig, &(struct sim_options){.seed = seed, .root = SIM_LIFE_ROOT});
    sim_rig_forget(rig.driver, SIM_LIFE_ROOT "/file");
    assert_int_equal(
        io_file_open(rig.driver, SIM_LIFE_ROOT "/file", READ_WRITE | IO_OPEN_CREATE, &file), 0);
    sim_faults_set(rig.driver, &faults);
    return file;
}

static void
slow_disk(void **state)
{
    (void)state;
    io_file file = open_disk(1, (struct sim_faults){.slow_one_in = 1, .slow_ns_max = 800 * MS});
    uint64_t began_ns = sim_now_ns(rig.driver);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(write_durably(rig.driver, file, 0), 0);
    }
    assert_true(sim_now_ns(rig.driver) - began_ns > 2000 * MS);
    sim_rig_close(&rig);
}

static void
full_disk(void **state)
{
    (void)state;
    uint64_t size = 0;
    io_file file = open_disk(2, (struct sim_faults){0});
    assert_int_equal(io_file_allocate(rig.driver, file, LETTER_BYTES), 0);
    sim_faults_set(rig.driver, &(struct sim_faults){.full_one_in = 1});
    assert_int_equal(write_durably(rig.driver, file, 0), 0); /* in room that it has */
    assert_int_equal(write_durably(rig.driver, file, 1), -ENOSPC);
    assert_int_equal(io_file_write(rig.driver, file, letter, 1, LETTER_BYTES), -ENOSPC);
    assert_int_equal(io_file_allocate(rig.driver, file, LETTER_BYTES + 1), -ENOSPC);
    assert_int_equal(io_file_size(rig.driver, file, &size), 0);
    assert_int_equal(size, LETTER_BYTES);
    assert_int_equal(struck().full, 3);
    sim_rig_close(&rig);
}

static void
failing_disk(void **state)
{
    (void)state;
    io_file file = open_disk(3, (struct sim_faults){.write_error_one_in = 1});
    assert_int_equal(write_durably(rig.driver, file, 0), -EIO);
    assert_int_equal(io_file_write(rig.driver, file, letter, 1, 0), -EIO);
    sim_faults_set(rig.driver, &(struct sim_faults){.sync_error_one_in = 1});
    assert_int_equal(write_durably(rig.driver, file, 0), -EIO);
    assert_int_equal(io_file_sync(rig.driver, file), -EIO);
    sim_faults_set(rig.driver, &(struct sim_faults){.read_error_one_in = 1});
    assert_int_equal(io_file_read(rig.driver, file, got, 1, 0), -EIO);
    struct sim_struck counts = struck();
    assert_int_equal(counts.write_errors, 2);
    assert_int_equal(counts.sync_errors, 2);
    assert_int_equal(counts.read_errors, 1);
    sim_rig_close(&rig);
}

/* A sync that failed has promised nothing: the power may take what it was to settle. */
static void
failed_sync_settles_nothing(void **state)
{
    (void)state;
    unsigned lost = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        io_file file = open_disk(seed, (struct sim_faults){0});
        assert_int_equal(io_sync_directory(rig.driver, SIM_LIFE_ROOT), 0);
        assert_int_equal(write_durably(rig.driver, file, 0), 0);
        sim_faults_set(rig.driver, &(struct sim_faults){.sync_error_one_in = 1});
        assert_int_equal(write_durably(rig.driver, file, LETTER_BYTES), -EIO);
        sim_crash(rig.driver);
        sim_rig_close(&rig);
        uint64_t size = 0;
        struct io_driver *driver = sim_life(seed + 1);
        assert_int_equal(io_file_open(driver, SIM_LIFE_ROOT "/file", READ_WRITE, &file), 0);
        assert_int_equal(io_file_size(driver, file, &size), 0);
        assert_true(size >= LETTER_BYTES);
        lost += size < (uint64_t)2 * LETTER_BYTES;
        io_driver_close(driver);
    }
    assert_true(lost > 0);
}

/* ---------------------------------------------------------------------------------- one seed */

struct written {
    char text[64 * 1024];
    size_t bytes;
};

static void
write_line(void *context, const char *line)
{
    struct written *log = context;
    size_t room = sizeof(log->text) - log->bytes;
    int count = snprintf(log->text + log->bytes, room, "%s\n", line);
    assert_true(count > 0 && (size_t)count < room);
    log->bytes += (size_t)count;
}

static void
play_logged(struct written *log, struct sim_faults faults)
{
    *log = (struct written){.bytes = 0};
    sim_rig_open(&rig, &(struct sim_options){
                           .seed = 9, .faults = faults, .log = write_line, .log_context = log});
    sim_rig_connect(&rig, &client, &server);
    for (unsigned i = 0; i < 5; i++) {
        struct sim_probe sending;
        struct iovec piece;
        begin_send(&sending, &piece, client);
        sim_rig_run_ms(&rig, 20);
    }
    sim_rig_close(&rig);
}

static void
same_log(void **state)
{
    (void)state;
    static struct written first, second, other;
    play_logged(&first, (struct sim_faults){.held_one_in = 3});
    play_logged(&second, (struct sim_faults){.held_one_in = 3});
    play_logged(&other, (struct sim_faults){.held_one_in = 4});
    assert_true(first.bytes > 1000);
    assert_string_equal(first.text, second.text);
    assert_string_not_equal(first.text, other.text);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a far connection's bytes come late, in order and whole", far_connections),
        SPEC("a held segment holds those behind it", held_segments),
        SPEC("what one connection carries may overtake what another does", connections_overtake),
        SPEC("sends and receives move a part when they are told to", parts),
        SPEC("a cut loses what flies, and both sides see a reset", cut_connection),
        SPEC("a peer that vanished is noticed by who waits for it, after a timeout", vanished_peer),
        SPEC("a send that waits for a vanished peer's room gets -ETIMEDOUT",
             vanished_with_a_full_pipe),
        SPEC("a slow disk takes its time", slow_disk),
        SPEC("a disk is full for what grows, and for nothing else", full_disk),
        SPEC("writes, syncs and reads fail with -EIO", failing_disk),
        SPEC("a sync that failed settles nothing", failed_sync_settles_nothing),
        SPEC("the same seed and faults write the same log, to the byte", same_log),
    };
    return cmocka_run_group_tests(specs, sim_rig_clean, NULL);
}
