/* SPDX-License-Identifier: Apache-2.0 */
/* io_priv.h - what a driver fills in. For runtime/io and its tests; io.c turns each call of io.h
 * into one of these. */
#pragma once

#include "runtime/io/io.h"

struct io_ops {
    int (*start)(struct io_driver *driver, const struct io_loop *loops);
    void (*join)(struct io_driver *driver);
    /* NULL: one after the other */
    void (*run_all)(void (*run)(void *context), void *const *contexts, unsigned count);
    void (*close_driver)(struct io_driver *driver);
    void (*wake)(struct io *io);
    uint64_t (*now_ns)(struct io *io);
    int64_t (*wall_ms)(struct io *io);
    uint64_t (*cpu_ns)(struct io *io);
    uint64_t (*page_waits)(struct io *io);
    void (*random)(struct io *io, void *out, size_t bytes);
    uint32_t (*choose)(struct io *io, uint32_t below); /* NULL: it does not */

    int (*resolve)(struct io_driver *driver, const char *host, uint16_t port,
                   struct io_address out[IO_RESOLVE_MAX], unsigned *out_count);
    int (*listen)(struct io *io, const struct io_address *address, int backlog, io_socket *out,
                  struct io_address *out_bound);
    void (*accept)(struct io *io, struct io_op *op, io_socket listener);
    void (*connect)(struct io *io, struct io_op *op, const struct io_address *address);
    int (*peer)(struct io *io, io_socket socket, struct io_address *out);
    void (*poll)(struct io *io, struct io_op *op, io_socket socket);
    void (*receive)(struct io *io, struct io_op *op, io_socket socket);
    const unsigned char *(*received)(struct io *io, const struct io_op *op);
    void (*release)(struct io *io, struct io_op *op);
    uint32_t (*receive_room)(struct io *io);
    void (*trim)(struct io *io); /* NULL: it keeps nothing */
    void (*send)(struct io *io, struct io_op *op, io_socket socket, const struct iovec *pieces,
                 unsigned count);
    void (*shutdown)(struct io *io, io_socket socket);
    void (*close)(struct io *io, io_socket socket, bool abort);
    int (*settle)(struct io *io, io_socket socket, io_socket *out);
    uint64_t (*settled_max)(const struct io_driver *driver, uint32_t *out_each);
    void (*cancel)(struct io *io, struct io_op *op);

    int (*file_open)(struct io_driver *driver, const char *path, int flags, io_file *out);
    void (*file_close)(struct io_driver *driver, io_file file);
    ssize_t (*file_read)(struct io_driver *driver, io_file file, void *out, size_t bytes,
                         uint64_t offset);
    int (*file_write)(struct io_driver *driver, io_file file, const void *in, size_t bytes,
                      uint64_t offset);
    int (*file_sync)(struct io_driver *driver, io_file file);
    int (*file_size)(struct io_driver *driver, io_file file, uint64_t *out_bytes);
    int (*file_truncate)(struct io_driver *driver, io_file file, uint64_t bytes);
    int (*file_allocate)(struct io_driver *driver, io_file file, uint64_t bytes);
    int (*file_lock)(struct io_driver *driver, io_file file);
    int (*rename)(struct io_driver *driver, const char *from, const char *to);
    int (*remove)(struct io_driver *driver, const char *path);
    int (*make_directory)(struct io_driver *driver, const char *path);
    int (*sync_directory)(struct io_driver *driver, const char *path);
    int (*list_directory)(struct io_driver *driver, const char *path,
                          int (*each)(void *context, const char *name), void *context);
    int (*free_bytes)(struct io_driver *driver, const char *path, uint64_t *out_bytes);
    void (*write_sync)(struct io *io, struct io_op *op, io_file file, const struct iovec *pieces,
                       unsigned count, uint64_t offset);

    void (*work_start)(struct io *io, struct io_work *work, enum io_priority priority);
    bool (*work_withdraw)(struct io *io, struct io_work *work);
    void (*stats_read)(struct io *io, struct io_stats *out);
    const char *(*driver_name)(const struct io_driver *driver);
    uint64_t (*memory_bytes)(void);
};

/* Both are the first member of the driver's own structs. */
struct io {
    const struct io_ops *ops;
    struct io_driver *driver;
    unsigned loop;
};

struct io_driver {
    const struct io_ops *ops;
    unsigned loops;
    struct io **io;    /* [loops] */
    bool level_is_6_1; /* nothing newer than Linux 6.1 is used */
};
