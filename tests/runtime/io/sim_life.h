/* SPDX-License-Identifier: Apache-2.0 */
/* sim_life.h - one life of a machine after another, on the same simulated disk.
 *
 *     driver = sim_life(seed);
 *     file = sim_life_make(driver, "log", 'a', 1000);      durable
 *     sim_life_fill(driver, file, 'b', 500, 0);            not yet
 *     sim_life_cut(driver);                                the power goes
 *     sim_life_content("log", bytes, sizeof(bytes));       what the next life would find
 *
 * Files are named relative to SIM_LIFE_ROOT.
 */
#pragma once

#include "runtime/io/sim.h"

#define SIM_LIFE_ROOT "disk"
enum { SIM_LIFE_FILE_BYTES_MAX = 64 * 1024 };

struct io_driver *sim_life(uint64_t seed);
/* The same with other options; the root is set here. */
struct io_driver *sim_life_with(const struct sim_options *given);
/* Crashes and closes. */
void sim_life_cut(struct io_driver *driver);

io_file sim_life_open(struct io_driver *driver, const char *name, int flags);
/* A durable file of `bytes` bytes of `letter`, its name durable, too. */
io_file sim_life_make(struct io_driver *driver, const char *name, char letter, size_t bytes);
void sim_life_fill(struct io_driver *driver, io_file file, char letter, size_t bytes,
                   uint64_t offset);

/* The content of the real file; -1: there is none. */
ssize_t sim_life_content(const char *name, char *out, size_t max);
bool sim_life_exists(const char *name);
size_t sim_life_count(const char *bytes, size_t count, char letter);
