/* SPDX-License-Identifier: Apache-2.0 */
#include "store/replay_note.h"

#include "store/checksum.h"
#include "store/cursor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* "replay", and a version. */
static const uint64_t NOTE_SEED = UINT64_C(0x0179616c706572);

static void
put_position(struct cursor_out *out, const struct position *position)
{
    cursor_put_u32(out, position->generation);
    cursor_put_u32(out, position->log);
    cursor_put_u64(out, position->at);
}

static void
get_position(struct cursor_in *in, struct position *out)
{
    out->generation = cursor_get_u32(in);
    out->log = cursor_get_u32(in);
    out->at = cursor_get_u64(in);
}

static int
note_write(struct replay_note *note, const struct position *batch, const struct position *command,
           uint32_t tries)
{
    unsigned char bytes[REPLAY_NOTE_BYTES];
    struct cursor_out out;
    cursor_out_init(&out, bytes, sizeof(bytes));
    put_position(&out, batch);
    put_position(&out, command);
    cursor_put_u64(&out, tries);
    cursor_put_u64(&out, checksum_bytes(NOTE_SEED, bytes, cursor_out_bytes(&out)));
    ASSERT(!out.failed && cursor_out_bytes(&out) == sizeof(bytes));
    note->noted = true;
    return io_file_write(note->driver, note->file, bytes, sizeof(bytes), 0);
}

static void
note_parse(struct replay_note *note, const unsigned char bytes[REPLAY_NOTE_BYTES])
{
    struct position batch;
    struct position command;
    struct cursor_in in;
    cursor_in_init(&in, bytes, REPLAY_NOTE_BYTES);
    get_position(&in, &batch);
    get_position(&in, &command);
    uint64_t tries = cursor_get_u64(&in);
    uint64_t sum = cursor_get_u64(&in);
    if (sum == checksum_bytes(NOTE_SEED, bytes, REPLAY_NOTE_BYTES - sizeof(sum))) {
        note->batch = batch;
        note->command = command;
        note->tries = (uint32_t)tries;
    }
}

int
replay_note_open(struct replay_note *note, struct io_driver *driver, const char *directory,
                 uint32_t log)
{
    char number[16] = ""; /* the first log's file has none */
    unsigned char bytes[REPLAY_NOTE_BYTES];
    *note = (struct replay_note){.driver = driver, .file = -1};
    if (log > 0) {
        (void)snprintf(number, sizeof(number), "-%" PRIu32, log);
    }
    int length = snprintf(note->path, sizeof(note->path), "%s/replaying%s", directory, number);
    if (length < 0 || (size_t)length >= sizeof(note->path)) {
        return -ENAMETOOLONG;
    }
    int error = io_file_open(driver, note->path, IO_OPEN_READ | IO_OPEN_WRITE | IO_OPEN_CREATE,
                             &note->file);
    if (error != 0) {
        return error;
    }
    ssize_t count = io_file_read(driver, note->file, bytes, sizeof(bytes), 0);
    if (count < 0) {
        io_file_close(driver, note->file);
        note->file = -1;
        return (int)count;
    }
    if (count == (ssize_t)sizeof(bytes)) {
        note_parse(note, bytes);
    }
    return 0;
}

bool
replay_note_warns(const struct replay_note *note)
{
    return note->command.at != 0;
}

static const struct position none;

int
replay_note_batch(struct replay_note *note, const struct position *batch)
{
    note->careful = position_equal(batch, &note->batch);
    return note->careful ? 0 : note_write(note, batch, &none, 0);
}

int
replay_note_command(struct replay_note *note, const struct position *command)
{
    if (!note->careful) {
        return 0;
    }
    uint32_t tries = position_equal(command, &note->command) ? note->tries : 0;
    if (tries >= REPLAY_NOTE_TRIES) {
        /* The batches before have been noted since; this is for the next start to know, too. */
        (void)note_write(note, &note->batch, command, tries);
        return -ENOTRECOVERABLE;
    }
    return note_write(note, &note->batch, command, tries + 1);
}

int
replay_note_end(struct replay_note *note)
{
    return note->noted ? note_write(note, &none, &none, 0) : 0;
}

void
replay_note_close(struct replay_note *note, bool survived)
{
    if (note->file < 0) {
        return;
    }
    io_file_close(note->driver, note->file);
    note->file = -1;
    if (survived) {
        /* One that stays does no harm: what it names need not be applied again. */
        int error = io_remove(note->driver, note->path);
        (void)error;
    }
}
