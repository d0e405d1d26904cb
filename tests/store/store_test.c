/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a store: settings, damage, and a command that ends the node. */
#include "store/store.h"

#include "store/command.h"
#include "store/directory.h"
#include "store/log_batch.h"
#include "store/log_scan.h"
#include "store/position.h"
#include "store/skip_list.h"
#include "store/store_priv.h"
#include "tests/spec.h"
#include "tests/store/hand.h"
#include "tests/store/rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct rig rig;

/* ------------------------------------------------------------------------------------- settings */

static void
refuses_settings(void **state)
{
    (void)state;
    struct {
        struct store_options options;
        const char *says;
    } cases[] = {
        {{.devices_max = 33}, "32 devices"},   {{.segment_bytes = 4096}, "segments"},
        {{.delta_bytes_max = 1000}, "deltas"}, {{.cells = 12}, "cells"},
        {{.schedulers = 300}, "schedulers"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rig_open(&rig, 1);
        cases[i].options.path = rig.path;
        cases[i].options.map_bytes = 1 << 24;
        rig.options = cases[i].options;
        assert_int_equal(rig_boot(&rig), -EINVAL);
        if (strstr(rig.report.why, cases[i].says) == NULL) {
            fail_msg("%s", rig.report.why);
        }
        rig_close(&rig);
    }
}

static void
idle(struct rig *r)
{
    (void)r;
}

static void
knows_cells_by_default(void **state)
{
    (void)state;
    rig_open(&rig, 2);
    rig.schedulers = 3;
    rig_play(&rig, idle);
    assert_int_equal(rig.report.cells, 8);
    assert_int_equal(rig.report.logs, 3);
    assert_true(rig.report.created);
    rig.options.cells = 16; /* counts at creation only */
    rig_play(&rig, idle);
    assert_int_equal(rig.report.cells, 8);
    assert_false(rig.report.created);
    rig_close(&rig);
}

/* ---------------------------------------------------------------------------------------- stats */

static uint64_t tail_bytes;

static void
tail_grows_by_what_is_logged(struct rig *r)
{
    struct store_stats before;
    struct store_stats after;
    uint64_t alice;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, ln_sleep(10) == 0); /* the two partitions have told each other */
    store_stats_read(r->store, &before);
    for (uint64_t i = 1; i <= 20; i++) {
        struct hand_message message = {.from = 7, .to = alice, .number = i, .text = "x"};
        struct store_sent sent;
        RIG_CHECK(r, hand_message(r->store, &message, &sent) == 0);
    }
    store_stats_read(r->store, &after);
    RIG_CHECK(r, after.folds == 0);
    RIG_CHECK(r, before.log_bytes >= before.command_bytes);
    RIG_CHECK(r, before.log_bytes < 64 << 10);
    uint64_t logged = after.command_bytes - before.command_bytes +
                      LOG_COMMAND_HEADER_BYTES * (after.commands - before.commands);
    uint64_t around = (LOG_BATCH_HEADER_BYTES + LOG_ALIGN_BYTES) * (after.batches - before.batches);
    RIG_CHECK(r, after.log_bytes >= before.log_bytes + logged);
    RIG_CHECK(r, after.log_bytes <= before.log_bytes + logged + around);
    tail_bytes = after.log_bytes;
}

static void
tail_is_there_again(struct rig *r)
{
    struct store_stats stats;
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.log_bytes >= tail_bytes);
}

static void
tail_was_folded(struct rig *r)
{
    struct store_stats stats;
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.log_bytes > 0); /* the new epochs */
    RIG_CHECK(r, stats.log_bytes < tail_bytes);
}

static void
tells_the_tail(void **state)
{
    (void)state;
    rig_open(&rig, 11);
    rig_play(&rig, tail_grows_by_what_is_logged);
    rig_play(&rig, tail_is_there_again);
    rig.schedulers = 2; /* folds everything */
    rig_play(&rig, tail_was_folded);
    rig_close(&rig);
}

/* --------------------------------------------------------------------------------------- damage */

static void
some_story(struct rig *r)
{
    uint64_t alice;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    for (uint64_t i = 1; i < 20; i++) {
        struct hand_message note = {.from = alice, .to = alice, .number = i, .text = "note"};
        RIG_CHECK(r, hand_message(r->store, &note, NULL) == 0);
    }
}

static void
names_damage(void **state)
{
    (void)state;
    char path[160];
    unsigned char byte;
    rig_open(&rig, 3);
    rig_play(&rig, some_story);
    (void)snprintf(path, sizeof(path), "%s/log/00000001-000-00000001", rig.path);
    int file = open(path, O_RDWR);
    assert_true(file >= 0);
    assert_int_equal(pread(file, &byte, 1, 600), 1);
    byte ^= 1;
    assert_int_equal(pwrite(file, &byte, 1, 600), 1);
    assert_int_equal(close(file), 0);
    assert_int_equal(rig_boot(&rig), -EUCLEAN);
    assert_non_null(strstr(rig.report.why, "00000001-000-00000001"));
    rig_close(&rig);
}

/* ------------------------------------------------------------------------------ a fatal command */

enum { CELLS = 8 };

static void
append_one(struct log *log, const struct command *command)
{
    unsigned char body[512];
    struct log_command logged = {.partition = command->partition,
                                 .kind = (uint8_t)command->kind,
                                 .version = COMMAND_VERSION};
    logged.body = body;
    logged.body_bytes = (uint32_t)command_encode(command, body, sizeof(body));
    assert_int_equal(log_append(log, &logged), 0);
}

/* Appends commands of one partition to its log of a store that is down, as one batch. Their
 * positions. */
static void
append(const struct command *commands, unsigned count, struct position *out)
{
    struct directory *directory;
    struct log_scan scan = {0};
    struct log_end end;
    struct log *log;
    struct log_batch batch;
    struct log_write write;
    struct log_command logged;
    char why[LOG_WHY_BYTES];
    struct sim_options sim = {.seed = 9, .root = rig.root};
    struct io_driver *driver;
    assert_int_equal(sim_open(&sim, &driver), 0);
    struct directory_options options = {
        .driver = driver, .path = rig.path, .cells = CELLS, .schedulers = rig.schedulers};
    assert_int_equal(directory_open(&options, &directory, why), 0);
    struct log_place place = {.driver = driver,
                              .log = commands->partition % CELLS % rig.schedulers,
                              .folder = directory_log_path(directory),
                              .generation = directory_facts(directory)->log_generation,
                              .segment_bytes = rig.options.segment_bytes};
    memcpy(place.identity, directory_facts(directory)->identity, sizeof(place.identity));
    scan.place = &place;
    assert_int_equal(log_scan_run(&scan, &end), 0);
    assert_int_equal(log_open(&place, &end, &log, why), 0);
    for (unsigned i = 0; i < count; i++) {
        append_one(log, &commands[i]);
    }
    assert_int_equal(log_seal(log, &batch, &write), 0);
    assert_int_equal(
        io_file_write(driver, write.file, write.piece.iov_base, write.piece.iov_len, write.offset),
        0);
    for (unsigned i = 0; i < count; i++) {
        out[i] = (struct position){.generation = place.generation, .log = place.log};
        assert_int_equal(log_batch_next(&batch, &logged, &out[i].at), 1);
    }
    log_written(log);
    log_close(&log);
    directory_close(&directory);
    io_driver_close(driver);
}

/* A receipt of nobody's, from partition 6 to partition 5. */
static struct command
stream_of_nobody(uint64_t number)
{
    static unsigned char bytes[64];
    struct payload payload = {.kind = PAYLOAD_RECEIPT, .receipt = {.reader = 1, .peer = 2}};
    payload_encode(&payload, bytes);
    return (struct command){
        .partition = 5,
        .kind = COMMAND_STREAM,
        .stream = {.source = 6,
                   .number = number,
                   .payload = {.bytes = bytes, .count = payload_bytes(&payload)}}};
}

/* Two messages of a group that nobody knows, likewise. */
static struct command
round_of_nobody(uint64_t first)
{
    static unsigned char packed[256];
    unsigned char record[128];
    size_t at = 0;
    for (uint64_t i = 0; i < 2; i++) {
        struct payload said = {.kind = PAYLOAD_GROUP_MESSAGE,
                               .group_message = {.group = UINT64_C(1) << 40,
                                                 .message = {.sender = 1, .chat_number = 1 + i}}};
        payload_encode(&said, record);
        payload_pack((struct store_value){.bytes = record, .count = payload_bytes(&said)},
                     packed + at);
        at += PAYLOAD_LENGTH_BYTES + payload_bytes(&said);
    }
    return (struct command){
        .partition = 5,
        .kind = COMMAND_STREAM_ROUND,
        .stream_round = {
            .source = 6, .first = first, .count = 2, .records = {.bytes = packed, .count = at}}};
}

/* Appends a command to the log that no partition would have: a stream's record with a gap before
 * it. */
static void
append_fatal(void)
{
    struct position position;
    struct command command = stream_of_nobody(99);
    append(&command, 1, &position);
}

static void
pass_over(const struct position *position)
{
    char text[POSITION_TEXT_BYTES];
    char why[STORE_WHY_BYTES];
    struct sim_options sim = {.seed = 9, .root = rig.root};
    struct io_driver *driver;
    assert_int_equal(sim_open(&sim, &driver), 0);
    position_print(position, text);
    assert_int_equal(store_skip(driver, rig.path, text, why), 0);
    io_driver_close(driver);
}

enum { ENDED = -1000 };

/* Opens the store in a process of its own: what store_open returned, or ENDED. The sentence goes
 * through a file. */
static int
open_elsewhere(char why[STORE_WHY_BYTES])
{
    char path[128];
    int status;
    (void)snprintf(path, sizeof(path), "%s/why", rig.root);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)freopen("/dev/null", "w", stderr);
        int error = rig_boot(&rig);
        FILE *file = fopen(path, "w");
        (void)fputs(rig.report.why, file);
        (void)fclose(file);
        _exit(error == 0 ? 0 : -error);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGABRT);
        return ENDED;
    }
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    why[0] = '\0';
    (void)fgets(why, STORE_WHY_BYTES, file);
    (void)fclose(file);
    return -WEXITSTATUS(status);
}

/* Of so many logs the last has it. */
static void
name_it(unsigned logs)
{
    char why[STORE_WHY_BYTES];
    char position[POSITION_TEXT_BYTES] = "";
    rig_open(&rig, 4);
    rig.schedulers = logs;
    rig_play(&rig, some_story);
    append_fatal();
    /* Once to note the batch, then REPLAY_NOTE_TRIES times command by command. */
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(open_elsewhere(why), ENDED);
    }
    for (unsigned i = 0; i < 2; i++) { /* named as often as one asks, and never tried again */
        assert_int_equal(open_elsewhere(why), -ENOTRECOVERABLE);
    }
    assert_non_null(strstr(why, "STREAM"));
    const char *at = strstr(why, "linnet store skip ");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "linnet store skip %39[0-9a-f-]", position), 1);

    struct sim_options sim = {.seed = 9, .root = rig.root};
    struct io_driver *driver;
    assert_int_equal(sim_open(&sim, &driver), 0);
    assert_int_equal(store_skip(driver, rig.path, "nonsense", why), -EINVAL);
    assert_int_equal(store_skip(driver, rig.path, position, why), 0);
    io_driver_close(driver);
    rig_play(&rig, idle);
    assert_int_equal(rig.report.skipped, 1);
    rig_close(&rig);
}

static void
names_a_fatal_command(void **state)
{
    (void)state;
    name_it(1);
    name_it(2);
}

/* It is not sent again. What had no place in the stream has none after it was passed over. */
static void
received_story(struct rig *r)
{
    RIG_CHECK(r, r->store->partitions[5].ledger.streams[6].in == 4);
}

/* What comes behind it in the stream is applied at the same start, and at later ones. */
static void
passes_over_a_part_of_a_stream(void **state)
{
    (void)state;
    const struct command commands[] = {stream_of_nobody(1), round_of_nobody(2), stream_of_nobody(4),
                                       stream_of_nobody(99)};
    struct position positions[4];
    rig_open(&rig, 4);
    rig_play(&rig, some_story);
    append(commands, 4, positions);
    pass_over(&positions[0]);
    pass_over(&positions[1]);
    pass_over(&positions[3]);
    for (unsigned i = 0; i < 2; i++) {
        rig_play(&rig, received_story);
        assert_int_equal(rig.report.skipped, 3);
    }
    rig_close(&rig);
}

static void
parses_positions(void **state)
{
    (void)state;
    char text[POSITION_TEXT_BYTES];
    struct position parsed;
    struct position position = {.generation = 2, .log = 17, .at = 0x300000040};
    position_print(&position, text);
    assert_string_equal(text, "2-11-300000040");
    assert_int_equal(position_parse(text, &parsed), 0);
    assert_true(position_equal(&position, &parsed));
    position = (struct position){UINT32_MAX, UINT32_MAX, UINT64_MAX};
    position_print(&position, text);
    assert_int_equal(position_parse(text, &parsed), 0);
    assert_true(position_equal(&position, &parsed));
    const char *const wrong[] = {
        "",      "-",      "1-2",    "1-2-",          "1-2-3-4",
        "1--3",  " 1-2-3", "1-2-3 ", "+1-2-3",        "1-2-0x3",
        "A-2-3", "1-2-g",  "123",    "100000000-1-1", "1-1-10000000000000000"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(position_parse(wrong[i], &parsed), -EINVAL);
    }
}

static void
reads_skip_lists(void **state)
{
    (void)state;
    struct skip_list *list = malloc(sizeof(*list));
    struct sim_options sim = {.seed = 9};
    struct io_driver *driver;
    rig_open(&rig, 5);
    sim.root = rig.root;
    assert_int_equal(sim_open(&sim, &driver), 0);
    assert_int_equal(io_make_directory(driver, rig.path), 0);
    assert_int_equal(skip_list_read(list, driver, rig.path), 0);
    assert_int_equal(list->count, 0);
    struct position first = {1, 0, 0x100000040};
    struct position second = {1, 3, 0x200000050};
    assert_int_equal(skip_list_add(driver, rig.path, &first), 0);
    assert_int_equal(skip_list_add(driver, rig.path, &second), 0);
    assert_int_equal(skip_list_read(list, driver, rig.path), 0);
    assert_int_equal(list->count, 2);
    assert_true(skip_list_has(list, &first) && skip_list_has(list, &second));
    first.log = 1;
    assert_false(skip_list_has(list, &first));
    char path[128];
    io_file file;
    (void)snprintf(path, sizeof(path), "%s/skip", rig.path);
    assert_int_equal(io_file_open(driver, path, IO_OPEN_WRITE, &file), 0);
    assert_int_equal(io_file_write(driver, file, "what", 4, 0), 0);
    io_file_close(driver, file);
    assert_int_equal(skip_list_read(list, driver, rig.path), -EINVAL);
    io_driver_close(driver);
    assert_int_equal(rig_boot(&rig), -EINVAL);
    assert_non_null(strstr(rig.report.why, "/skip"));
    rig_close(&rig);
    free(list);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("log_bytes is what a start would have to read", tells_the_tail),
        SPEC("settings that can't be are refused with a sentence", refuses_settings),
        SPEC("cells are fixed at creation, eight at least by default", knows_cells_by_default),
        SPEC("damage in a log is told with its file", names_damage),
        SPEC("a command that ends the node is named, and passed over when an operator says so",
             names_a_fatal_command),
        SPEC("what is passed over of a stream counts as received", passes_over_a_part_of_a_stream),
        SPEC("positions are printed and parsed, and nothing else is", parses_positions),
        SPEC("the list of commands to skip is durable, and refused when it makes no sense",
             reads_skip_lists),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
