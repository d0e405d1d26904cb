/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/messenger.h"

#include "actors/listener.h"
#include "actors/shell.h"
#include "runtime/linnet.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
messenger_init(struct messenger *messenger, struct io_driver *driver, struct store *store,
               const struct settings *settings)
{
    struct io *io = io_of(driver, 0);
    memset(messenger, 0, sizeof *messenger);
    messenger->store = store;
    messenger->settings = settings;
    messenger->limits = settings->limits;
    messenger->websocket_rules = (struct websocket_rules){
        .frame_bytes_max = settings->limits.frame_bytes_max,
        .message_bytes_max = settings->limits.frame_bytes_max,
    };
    messenger->room = (struct messenger_room){
        .connections_spare = LISTENER_SPARE_MAX,
        .connections_below = INT_MAX,
        .connections_settle_from = INT_MAX,
        .shell_connections_max = SHELL_CONNECTIONS_MAX,
    };
    messenger->driver = driver;
    messenger->schedulers = io_loops(driver);
    messenger_workers(messenger, messenger->schedulers);
    messenger->rates = calloc(messenger->schedulers, sizeof messenger->rates[0]);
    messenger->gauges = calloc(messenger->schedulers, sizeof messenger->gauges[0]);
    ASSERT(messenger->rates != NULL && messenger->gauges != NULL);
    for (unsigned i = 0; i < messenger->schedulers; i++) {
        limiter_init(&messenger->rates[i].users, settings->rate_entries_max);
    }
    limiter_init(&messenger->addresses, settings->rate_entries_max);
    limiter_init(&messenger->node, 1);
    messenger->started_at_ns = io_now_ns(io);
    messenger->started_wall_ms = io_wall_ms(io);
    message_handle_keys_derive(&messenger->handle_keys, store_secret(store), STORE_SECRET_BYTES);
}

void
messenger_workers(struct messenger *messenger, unsigned workers)
{
    unsigned most = workers > 1 ? workers - 1 : 1;
    messenger->look_ups_max = most < MESSENGER_LOOK_UPS_MAX ? most : MESSENGER_LOOK_UPS_MAX;
}

void
messenger_fini(struct messenger *messenger)
{
    for (unsigned i = 0; i < messenger->schedulers; i++) {
        limiter_fini(&messenger->rates[i].users);
    }
    limiter_fini(&messenger->addresses);
    limiter_fini(&messenger->node);
    free(messenger->rates);
    free(messenger->gauges);
    messenger->rates = NULL;
    messenger->gauges = NULL;
}

struct messenger_rates *
messenger_rates(struct messenger *messenger)
{
    ASSERT(ln_scheduler() < messenger->schedulers);
    return &messenger->rates[ln_scheduler()];
}

struct pressure_gauge *
messenger_gauge(const struct messenger *messenger)
{
    ASSERT(ln_scheduler() < messenger->schedulers);
    return &messenger->gauges[ln_scheduler()];
}

enum pressure
messenger_pressure(const struct messenger *messenger)
{
    return pressure_now(messenger_gauge(messenger),
                        store_log_full(messenger->store, ln_scheduler()));
}

enum pressure
messenger_pressure_known(const struct messenger *messenger)
{
    return pressure_at(messenger_gauge(messenger), ln_now_ns());
}

void
messenger_ready(struct messenger *messenger, const struct io_address *bound)
{
    /* Only the listener writes these two, and there is one at a time. */
    if (atomic_load_explicit(&messenger->serving, memory_order_relaxed)) {
        return;
    }
    messenger->bound = *bound;
    /* Release: who sees `serving` sees the address. */
    atomic_store_explicit(&messenger->serving, true, memory_order_release);
    if (messenger->ready != NULL) {
        messenger->ready(messenger, bound);
    }
}

void
messenger_failed(struct messenger *messenger, int error, const char *format, ...)
{
    int none = 0;
    ASSERT(error < 0);
    /* The sentence is read after the schedulers' threads were joined, which orders it. */
    if (!atomic_compare_exchange_strong_explicit(&messenger->error, &none, error,
                                                 memory_order_relaxed, memory_order_relaxed)) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(messenger->why, sizeof messenger->why, format, arguments);
    va_end(arguments);
}
