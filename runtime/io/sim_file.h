/* SPDX-License-Identifier: Apache-2.0 */
/* sim_file.h - the open files of the simulated machine, by handle. */
#pragma once

#include "runtime/io/sim_disk.h"

/* Closes what is still open when the driver closes. */
void sim_file_close_all(struct sim_disk *disk);

/* These stand in the table of io_priv.h. */
int sim_file_open(struct io_driver *driver, const char *path, int flags, io_file *out);
void sim_file_close(struct io_driver *driver, io_file file);
ssize_t sim_file_read(struct io_driver *driver, io_file file, void *out, size_t bytes,
                      uint64_t offset);
int sim_file_write(struct io_driver *driver, io_file file, const void *in, size_t bytes,
                   uint64_t offset);
int sim_file_sync(struct io_driver *driver, io_file file);
int sim_file_size(struct io_driver *driver, io_file file, uint64_t *out_bytes);
int sim_file_truncate(struct io_driver *driver, io_file file, uint64_t bytes);
int sim_file_allocate(struct io_driver *driver, io_file file, uint64_t bytes);
int sim_file_lock(struct io_driver *driver, io_file file);
void sim_file_write_sync(struct io *io, struct io_op *op, io_file file, const struct iovec *pieces,
                         unsigned count, uint64_t offset);
