/* SPDX-License-Identifier: Apache-2.0 */
/* One table per driver, and here the one place that looks into it. What holds for every driver is
 * checked here once: an operation is started only when it is free, and its limits are kept. */
#include "runtime/io/io.h"

#include "runtime/check.h"
#include "runtime/io/io_priv.h"
#include "runtime/io/trap.h"

/* The driver sets active to false and more to its value before it calls done. */
static void
op_start(struct io_op *op)
{
    ASSERT(op->done != NULL);
    ASSERT(!op->active);
    op->active = true;
    op->more = false;
}

/* ------------------------------------------------------------------------ driver, loops */

int
io_start(struct io_driver *driver, const struct io_loop *loops)
{
    for (unsigned i = 0; i < driver->loops; i++) {
        ASSERT(loops[i].turn != NULL && loops[i].idle != NULL && loops[i].stopped != NULL);
    }
    trap_open();
    return driver->ops->start(driver, loops);
}

void
io_join(struct io_driver *driver)
{
    driver->ops->join(driver);
}

void
io_run_all(struct io_driver *driver, void (*run)(void *context), void *const *contexts,
           unsigned count)
{
    if (driver->ops->run_all != NULL) {
        driver->ops->run_all(run, contexts, count);
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        run(contexts[i]);
    }
}

void
io_driver_close(struct io_driver *driver)
{
    if (driver != NULL) {
        driver->ops->close_driver(driver);
    }
}

struct io *
io_of(struct io_driver *driver, unsigned loop)
{
    ASSERT(loop < driver->loops);
    return driver->io[loop];
}

unsigned
io_loops(const struct io_driver *driver)
{
    return driver->loops;
}

void
io_wake(struct io *io)
{
    io->ops->wake(io);
}

/* ------------------------------------------------------------------------ time, chance */

uint64_t
io_now_ns(struct io *io)
{
    return io->ops->now_ns(io);
}

int64_t
io_wall_ms(struct io *io)
{
    return io->ops->wall_ms(io);
}

uint64_t
io_cpu_ns(struct io *io)
{
    return io->ops->cpu_ns(io);
}

uint64_t
io_page_waits(struct io *io)
{
    return io->ops->page_waits(io);
}

void
io_random(struct io *io, void *out, size_t bytes)
{
    io->ops->random(io, out, bytes);
}

bool
io_chooses(struct io *io)
{
    return io->ops->choose != NULL;
}

uint32_t
io_choose(struct io *io, uint32_t below)
{
    ASSERT(below > 0);
    return io->ops->choose(io, below);
}

/* ------------------------------------------------------------------------ sockets */

int
io_listen(struct io *io, const struct io_address *address, int backlog, io_socket *out,
          struct io_address *out_bound)
{
    return io->ops->listen(io, address, backlog, out, out_bound);
}

void
io_accept(struct io *io, struct io_op *op, io_socket listener)
{
    op_start(op);
    io->ops->accept(io, op, listener);
}

void
io_connect(struct io *io, struct io_op *op, const struct io_address *address)
{
    op_start(op);
    io->ops->connect(io, op, address);
}

int
io_peer(struct io *io, io_socket socket, struct io_address *out)
{
    return io->ops->peer(io, socket, out);
}

void
io_poll(struct io *io, struct io_op *op, io_socket socket)
{
    op_start(op);
    io->ops->poll(io, op, socket);
}

void
io_receive(struct io *io, struct io_op *op, io_socket socket)
{
    op_start(op);
    io->ops->receive(io, op, socket);
}

const unsigned char *
io_received(struct io *io, const struct io_op *op)
{
    return io->ops->received(io, op);
}

void
io_release(struct io *io, struct io_op *op)
{
    ASSERT(!op->active);
    io->ops->release(io, op);
}

uint32_t
io_receive_room(struct io *io)
{
    return io->ops->receive_room(io);
}

void
io_trim(struct io *io)
{
    if (io->ops->trim != NULL) {
        io->ops->trim(io);
    }
}

void
io_send(struct io *io, struct io_op *op, io_socket socket, const struct iovec *pieces,
        unsigned count)
{
    ASSERT(count > 0 && count <= IO_SEND_PIECES_MAX);
    op_start(op);
    io->ops->send(io, op, socket, pieces, count);
}

void
io_shutdown(struct io *io, io_socket socket)
{
    io->ops->shutdown(io, socket);
}

void
io_close(struct io *io, io_socket socket, bool abort)
{
    ASSERT(socket >= 0);
    io->ops->close(io, socket, abort);
}

int
io_settle(struct io *io, io_socket socket, io_socket *out)
{
    return io->ops->settle(io, socket, out);
}

uint64_t
io_settled_max(const struct io_driver *driver, uint32_t *out_each)
{
    return driver->ops->settled_max(driver, out_each);
}

void
io_cancel(struct io *io, struct io_op *op)
{
    if (op->active) {
        io->ops->cancel(io, op);
    }
}

/* ------------------------------------------------------------------------ files */

int
io_file_open(struct io_driver *driver, const char *path, int flags, io_file *out)
{
    return driver->ops->file_open(driver, path, flags, out);
}

void
io_file_close(struct io_driver *driver, io_file file)
{
    driver->ops->file_close(driver, file);
}

ssize_t
io_file_read(struct io_driver *driver, io_file file, void *out, size_t bytes, uint64_t offset)
{
    return driver->ops->file_read(driver, file, out, bytes, offset);
}

int
io_file_write(struct io_driver *driver, io_file file, const void *in, size_t bytes, uint64_t offset)
{
    return driver->ops->file_write(driver, file, in, bytes, offset);
}

int
io_file_sync(struct io_driver *driver, io_file file)
{
    return driver->ops->file_sync(driver, file);
}

int
io_file_size(struct io_driver *driver, io_file file, uint64_t *out_bytes)
{
    return driver->ops->file_size(driver, file, out_bytes);
}

int
io_file_truncate(struct io_driver *driver, io_file file, uint64_t bytes)
{
    return driver->ops->file_truncate(driver, file, bytes);
}

int
io_file_allocate(struct io_driver *driver, io_file file, uint64_t bytes)
{
    return driver->ops->file_allocate(driver, file, bytes);
}

int
io_file_lock(struct io_driver *driver, io_file file)
{
    return driver->ops->file_lock(driver, file);
}

int
io_rename(struct io_driver *driver, const char *from, const char *to)
{
    return driver->ops->rename(driver, from, to);
}

int
io_remove(struct io_driver *driver, const char *path)
{
    return driver->ops->remove(driver, path);
}

int
io_make_directory(struct io_driver *driver, const char *path)
{
    return driver->ops->make_directory(driver, path);
}

int
io_sync_directory(struct io_driver *driver, const char *path)
{
    return driver->ops->sync_directory(driver, path);
}

int
io_list_directory(struct io_driver *driver, const char *path,
                  int (*each)(void *context, const char *name), void *context)
{
    return driver->ops->list_directory(driver, path, each, context);
}

int
io_free_bytes(struct io_driver *driver, const char *path, uint64_t *out_bytes)
{
    return driver->ops->free_bytes(driver, path, out_bytes);
}

int
io_resolve(struct io_driver *driver, const char *host, uint16_t port,
           struct io_address out[IO_RESOLVE_MAX], unsigned *out_count)
{
    return driver->ops->resolve(driver, host, port, out, out_count);
}

void
io_write_sync(struct io *io, struct io_op *op, io_file file, const struct iovec *pieces,
              unsigned count, uint64_t offset)
{
    ASSERT(count <= IO_SEND_PIECES_MAX);
    op_start(op);
    io->ops->write_sync(io, op, file, pieces, count, offset);
}

/* ------------------------------------------------------------------- worker threads, statistics */

void
io_work_start(struct io *io, struct io_work *work, enum io_priority priority)
{
    ASSERT(work->run != NULL && work->done != NULL);
    ASSERT(priority < IO_WORK_PRIORITIES);
    work->io = io;
    work->next = NULL;
    work->previous = NULL;
    io->ops->work_start(io, work, priority);
}

bool
io_work_withdraw(struct io *io, struct io_work *work)
{
    ASSERT(work->io == io);
    return io->ops->work_withdraw(io, work);
}

void
io_stats_read(struct io *io, struct io_stats *out)
{
    io->ops->stats_read(io, out);
}

bool
io_level_is_6_1(const struct io_driver *driver)
{
    return driver->level_is_6_1;
}

const char *
io_driver_name(const struct io_driver *driver)
{
    return driver->ops->driver_name(driver);
}

uint64_t
io_memory_bytes(const struct io_driver *driver)
{
    return driver->ops->memory_bytes();
}
