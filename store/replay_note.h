/* SPDX-License-Identifier: Apache-2.0 */
/* replay_note.h - what was being applied when a start ended: so that a command which ends the node
 * every time is found.
 *
 * While a start applies the log's tail it notes where it is: before each batch, and, in a batch
 * that an earlier start did not survive, before each command. A command that was not survived
 * REPLAY_NOTE_TRIES times in a row is named to the operator instead of being tried again. The note
 * is not synced: it is for a process that ends, not for a power cut. Each log has its own.
 *
 *     replay_note_open(&note, driver, directory, log);
 *     result = replay_note_batch(&note, &position);          before each batch
 *     result = replay_note_command(&note, &position);        before each command
 *     result = replay_note_end(&note);                       behind the last of the log
 *     replay_note_close(&note, true);                        all logs are through
 *
 * Start-up only.
 */
#pragma once

#include "runtime/check.h"
#include "runtime/io/io.h"
#include "store/position.h"

enum {
    REPLAY_NOTE_TRIES = 2,
    REPLAY_NOTE_BYTES = 48,
    REPLAY_NOTE_PATH_BYTES = 384,
};

/* Embedded. */
struct replay_note {
    struct io_driver *driver;
    io_file file;
    char path[REPLAY_NOTE_PATH_BYTES];
    struct position batch;   /* where an earlier start ended; at 0: none did */
    struct position command; /* likewise; at 0: it did not get so far as to note commands */
    uint32_t tries;          /* how often the command was not survived */
    bool careful;            /* this is that batch */
    bool noted;              /* something, by this start */
};

/* 0 or a negative errno. A note that makes no sense counts as none. */
MUST_CHECK int replay_note_open(struct replay_note *note, struct io_driver *driver,
                                const char *directory, uint32_t log);
/* Whether two starts before this one ended while they applied this log, the second of them at a
 * command that it had noted. One alone may have been stopped. */
bool replay_note_warns(const struct replay_note *note);
MUST_CHECK int replay_note_batch(struct replay_note *note, const struct position *batch);
MUST_CHECK int replay_note_command(struct replay_note *note, const struct position *command);
/* Whatever ends the process now, this log did not. */
MUST_CHECK int replay_note_end(struct replay_note *note);
void replay_note_close(struct replay_note *note, bool survived);
