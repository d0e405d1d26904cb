/* SPDX-License-Identifier: Apache-2.0 */
/* The node as a whole: how it does, what it is set to, and its store. */
#include "actors/shell_priv.h"
#include "actors/workload.h"

#include <stdatomic.h>
#include <unistd.h>

enum { PARTITIONS = 256 };

/* --------------------------------------------------------------------------------------- status */

static void
put_counters(struct shell_call *call)
{
    const struct messenger_counters *counters = &call->messenger->counters;
    const struct {
        const char *name;
        const _Atomic uint64_t *counter;
    } shown[] = {
        {"connections", &counters->connections},
        {"connections_accepted", &counters->connections_accepted},
        {"connections_refused", &counters->connections_refused},
        {"devices", &counters->devices},
        {"logins_password", &counters->logins_password},
        {"logins_token", &counters->logins_token},
        {"logins_link", &counters->logins_link},
        {"logins_failed", &counters->logins_failed},
        {"logins_pending", &counters->logins_pending},
        {"messages_accepted", &counters->messages_accepted},
        {"deliveries", &counters->deliveries},
        {"acks", &counters->acks},
        {"bytes_received", &counters->bytes_received},
        {"bytes_sent", &counters->bytes_sent},
        {"invariant_violations", &counters->invariant_violations},
    };
    ln_text_print(call->out, "\"counters\":{");
    for (unsigned i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        shell_put_number(call, shown[i].name, messenger_counted(shown[i].counter));
    }
    struct store_stats stats;
    store_stats_read(call->messenger->store, &stats);
    shell_put_number(call, "users_online", stats.users_online);
    shell_put_end(call, "},");
}

static void
put_scheduler(struct shell_call *call, const struct ln_scheduler_info *info)
{
    ln_text_print(call->out, "{");
    shell_put_number(call, "scheduler", info->index);
    shell_put_number(call, "actors", info->actors);
    shell_put_number(call, "ready", info->ready);
    shell_put_number(call, "sockets", info->sockets);
    shell_put_number(call, "stacks", info->stacks);
    shell_put_number(call, "messages", info->messages);
    shell_put_number(call, "messages_remote", info->messages_remote);
    shell_put_number(call, "crashed", info->crashed);
    shell_put_number(call, "stalls", info->stalls);
    shell_put_number(call, "memory_used_bytes", info->memory_used_bytes);
    shell_put_number(call, "memory_mapped_bytes", info->memory_mapped_bytes);
    shell_put_number(call, "sockets_bytes", info->sockets_bytes);
    shell_put_number(call, "turns", info->turns);
    shell_put_number(call, "busy_ms", info->busy_ns / 1000000);
    shell_put_number(call, "lately_busy_us", info->lately_busy_ns / 1000);
    shell_put_number(call, "lately_us", info->lately_ns / 1000);
    shell_put_number(call, "io_enters", info->io_enters);
    shell_put_number(call, "io_submitted", info->io_submitted);
    shell_put_number(call, "io_completed", info->io_completed);
    shell_put_number(call, "io_wakes", info->io_wakes);
    shell_put_number(call, "io_receives", info->io_receives);
    shell_put_number(call, "io_receive_bytes", info->io_receive_bytes);
    shell_put_number(call, "io_sends", info->io_sends);
    shell_put_number(call, "io_send_bytes", info->io_send_bytes);
    shell_put_number(call, "io_accepts", info->io_accepts);
    shell_put_number(call, "accepts_failed", info->accepts_failed);
    shell_put_number(call, "io_buffers_short", info->io_buffers_short);
    shell_put_number(call, "io_settled", info->io_settled);
    shell_put_number(call, "io_settles_failed", info->io_settles_failed);
    shell_put_number(call, "io_syncs", info->io_file_syncs);
    shell_put_number(call, "io_file_bytes", info->io_file_bytes);
    shell_put_end(call, "},");
}

static uint64_t
mean_us(uint64_t sum_ns, uint64_t count)
{
    return count > 0 ? sum_ns / count / 1000 : 0;
}

static void
put_work(struct shell_call *call, const struct ln_work_info work[LN_WORK_KINDS])
{
    ln_text_print(call->out, "\"work\":[");
    for (unsigned kind = 0; kind < LN_WORK_KINDS; kind++) {
        const struct ln_work_info *of = &work[kind];
        ln_text_print(call->out, "{");
        shell_put_text(call, "kind", workload_kind_name(kind));
        shell_put_number(call, "under_way", of->under_way);
        shell_put_number(call, "oldest_us", of->oldest_ns / 1000);
        shell_put_number(call, "done", of->done);
        shell_put_number(call, "taken_back", of->taken_back);
        shell_put_number(call, "queued_us_mean", mean_us(of->queued_ns, of->done + of->taken_back));
        shell_put_number(call, "queued_us_max", of->queued_ns_max / 1000);
        shell_put_number(call, "run_us_mean", mean_us(of->run_ns, of->done));
        shell_put_number(call, "run_us_max", of->run_ns_max / 1000);
        shell_put_end(call, "},");
    }
    shell_put_end(call, "],");
}

/* What they count, and what their actors have on other threads. */
static int
put_schedulers(struct shell_call *call)
{
    struct ln_work_info work[LN_WORK_KINDS] = {0};
    ln_text_print(call->out, "\"schedulers\":[");
    for (unsigned i = 0; i < ln_schedulers(); i++) {
        struct ln_scheduler_info info;
        int error = ln_inspect_scheduler(i, &info);
        if (error < 0) {
            return error;
        }
        put_scheduler(call, &info);
        workload_add(work, &info);
    }
    shell_put_end(call, "],");
    put_work(call, work);
    return 0;
}

static void
put_store_brief(struct shell_call *call)
{
    struct store_stats stats;
    store_stats_read(call->messenger->store, &stats);
    ln_text_print(call->out, "\"store\":{");
    shell_put_number(call, "commands", stats.commands);
    shell_put_number(call, "batches", stats.batches);
    shell_put_number(call, "batch_us_mean", mean_us(stats.batch_ns, stats.batches));
    shell_put_number(call, "log_bytes", stats.log_bytes);
    shell_put_number(call, "delta_bytes", stats.delta_bytes);
    shell_put_number(call, "folds", stats.folds);
    ln_text_print(call->out, "\"disk_full\":%s},", stats.disk_full ? "true" : "false");
}

/* -> {"version": ..., "listen": ..., "schedulers": [...], "work": [...], "counters": {...},
 *     "store": {...}} */
void
shell_status(struct shell_call *call)
{
    struct messenger *messenger = call->messenger;
    char address[IO_ADDRESS_TEXT_MAX] = "";
    bool serving = atomic_load_explicit(&messenger->serving, memory_order_acquire);
    bool draining = atomic_load_explicit(&messenger->draining, memory_order_relaxed);
    if (serving) {
        io_address_print(&messenger->bound, address);
    }
    ln_text_print(call->out, "{");
    shell_put_text(call, "version", LINNET_VERSION);
    shell_put_text(call, "state", draining ? "stopping" : serving ? "serving" : "starting");
    shell_put_text(call, "io", io_driver_name(messenger->driver));
    shell_put_text(call, "data", messenger->settings->data);
    shell_put_text(call, "listen", address);
    shell_put_number(call, "process", (uint64_t)getpid());
    shell_put_number(call, "started_at_ms", (uint64_t)messenger->started_wall_ms);
    shell_put_number(call, "uptime_ms",
                     (io_now_ns(io_of(messenger->driver, 0)) - messenger->started_at_ns) / 1000000);
    put_counters(call);
    int error = put_schedulers(call);
    if (error < 0) {
        shell_fail_errno(call, error, "status");
        return;
    }
    put_store_brief(call);
    shell_put_end(call, "}");
}

/* --------------------------------------------------------------------------------------- config */

void
shell_config(struct shell_call *call)
{
    settings_print_json(call->messenger->settings, call->out);
}

/* ---------------------------------------------------------------------------------------- store */

static void
put_stats(struct shell_call *call, const struct store_stats *stats)
{
    shell_put_number(call, "commands", stats->commands);
    shell_put_number(call, "command_bytes", stats->command_bytes);
    shell_put_number(call, "batches", stats->batches);
    shell_put_number(call, "batch_commands_max", stats->batch_commands_max);
    shell_put_number(call, "batch_ns", stats->batch_ns);
    shell_put_number(call, "batch_ns_max", stats->batch_ns_max);
    shell_put_number(call, "apply_ns_max", stats->apply_ns_max);
    shell_put_number(call, "requests", stats->requests);
    shell_put_number(call, "refused_overload", stats->refused_overload);
    shell_put_number(call, "refused_full", stats->refused_full);
    shell_put_number(call, "fetches", stats->fetches);
    shell_put_number(call, "fetches_waited", stats->fetches_waited);
    shell_put_number(call, "fetched_records", stats->fetched_records);
    shell_put_number(call, "pushes", stats->pushes);
    shell_put_number(call, "stream_records", stats->stream_records);
    shell_put_number(call, "folds", stats->folds);
    shell_put_number(call, "folds_failed", stats->folds_failed);
    shell_put_number(call, "fold_ns", stats->fold_ns);
    shell_put_number(call, "fold_ns_max", stats->fold_ns_max);
    shell_put_number(call, "freeze_ns_max", stats->freeze_ns_max);
    shell_put_number(call, "fold_records", stats->fold_records);
    shell_put_number(call, "delta_entries", stats->delta_entries);
    shell_put_number(call, "delta_bytes", stats->delta_bytes);
    shell_put_number(call, "log_bytes", stats->log_bytes);
    shell_put_number(call, "sessions_attached", stats->sessions_attached);
    ln_text_print(call->out, "\"disk_full\":%s,", stats->disk_full ? "true" : "false");
}

static void
put_partition(struct shell_call *call, const struct store_partition_info *info)
{
    ln_text_print(call->out, "{");
    shell_put_number(call, "partition", info->partition);
    shell_put_number(call, "cell", info->cell);
    shell_put_number(call, "scheduler", info->scheduler);
    shell_put_pid(call, "pid", info->pid);
    shell_put_number(call, "epoch", info->epoch);
    shell_put_number(call, "commands", info->commands);
    shell_put_number(call, "delta_entries", info->delta_entries);
    shell_put_number(call, "delta_bytes", info->delta_bytes);
    shell_put_number(call, "waiting", info->waiting);
    shell_put_number(call, "sessions", info->sessions);
    shell_put_number(call, "outbox_records", info->outbox_records);
    shell_put_end(call, "},");
}

/* -> {"commands": ..., "partitions": [{"partition": 0, ...}, ...]} */
void
shell_store(struct shell_call *call)
{
    struct store_stats stats;
    store_stats_read(call->messenger->store, &stats);
    ln_text_print(call->out, "{");
    put_stats(call, &stats);
    ln_text_print(call->out, "\"partitions\":[");
    for (unsigned i = 0; i < PARTITIONS; i++) {
        struct store_partition_info info;
        store_partition_info_read(call->messenger->store, (uint8_t)i, &info);
        put_partition(call, &info);
    }
    shell_put_end(call, "]}");
}
