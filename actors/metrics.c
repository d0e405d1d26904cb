/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/metrics.h"

#include "actors/presence.h"
#include "actors/workload.h"
#include "net/protocol.h"
#include "runtime/inspect.h"
#include "runtime/text.h"
#include "store/store.h"
#include "store/trace.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum metric_kind { COUNTER, GAUGE };

static void
metric_head(struct ln_text *out, const char *name, enum metric_kind kind, const char *help)
{
    ln_text_print(out, "# HELP linnet_%s %s\n# TYPE linnet_%s %s\n", name, help, name,
                  kind == COUNTER ? "counter" : "gauge");
}

static void
metric(struct ln_text *out, const char *name, enum metric_kind kind, const char *help,
       uint64_t value)
{
    metric_head(out, name, kind, help);
    ln_text_print(out, "linnet_%s %llu\n", name, (unsigned long long)value);
}

/* What the messenger counts, in its order. */
#define OF(counter) offsetof(struct messenger_counters, counter)
static const struct {
    const char *name;
    enum metric_kind kind;
    const char *help;
    size_t at;
} messenger_rows[] = {
    {"connections", GAUGE, "Open client connections.", OF(connections)},
    {"connections_accepted_total", COUNTER, "Accepted sockets.", OF(connections_accepted)},
    {"connections_refused_total", COUNTER, "Sockets refused.", OF(connections_refused)},
    {"upgrades_total", COUNTER, "WebSocket handshakes.", OF(upgrades)},
    {"requests_bad_total", COUNTER, "Malformed HTTP requests.", OF(requests_bad)},
    {"devices", GAUGE, "Authenticated connections.", OF(devices)},
    {"logins_password_total", COUNTER, "Logins by password.", OF(logins_password)},
    {"logins_token_total", COUNTER, "Logins by token.", OF(logins_token)},
    {"logins_link_total", COUNTER, "Logins by another device's code.", OF(logins_link)},
    {"logins_failed_total", COUNTER, "Refused logins.", OF(logins_failed)},
    {"logins_pending", GAUGE, "Logins waiting for a password hash.", OF(logins_pending)},
    {"frames_received_total", COUNTER, "Client frames.", OF(frames_received)},
    {"frames_sent_total", COUNTER, "Server frames.", OF(frames_sent)},
    {"received_bytes_total", COUNTER, "Bytes from clients.", OF(bytes_received)},
    {"sent_bytes_total", COUNTER, "Bytes to clients.", OF(bytes_sent)},
    {"messages_accepted_total", COUNTER, "Durable messages.", OF(messages_accepted)},
    {"messages_duplicate_total", COUNTER, "Retries recognised.", OF(messages_duplicate)},
    {"messages_held_total", COUNTER, "Messages to names that nobody had.", OF(messages_held)},
    {"hold_refused_total", COUNTER, "Messages to such names, refused as too many.",
     OF(hold_refused)},
    {"deliveries_total", COUNTER, "Messages sent to devices.", OF(deliveries)},
    {"acknowledgements_total", COUNTER, "Inbox acknowledgements.", OF(acks)},
    {"reads_total", COUNTER, "Read marks.", OF(reads)},
    {"receipts_total", COUNTER, "Receipts sent to devices.", OF(receipts)},
    {"chats_created_total", COUNTER, "Groups made.", OF(chats_created)},
    {"chats_changed_total", COUNTER, "Changes of groups accepted.", OF(chats_changed)},
    {"chat_updates_total", COUNTER, "Changes of groups sent to devices.", OF(chat_updates)},
    {"chat_gaps_total", COUNTER, "Gaps in groups told to devices.", OF(chat_gaps)},
    {"states_total", COUNTER, "Changed settings sent to devices.", OF(states)},
    {"accounts_deleted_total", COUNTER, "Accounts deleted by their users.", OF(accounts_deleted)},
    {"exports_total", COUNTER, "Exports begun for users.", OF(exports)},
    {"exports_cut_total", COUNTER, "Of them, those that were not given as a whole.",
     OF(exports_cut)},
    {"resyncs_total", COUNTER, "Devices that were told of a hole in their inbox.", OF(resyncs)},
    {"invariant_violations_total", COUNTER, "Promises found broken by audits: please report.",
     OF(invariant_violations)},
    {"replaced_total", COUNTER, "Connections replaced by their device.", OF(replaced)},
    {"slow_total", COUNTER, "Connections closed as too slow.", OF(slow)},
    {"rate_closed_total", COUNTER, "Connections closed as far too fast.", OF(rate_closed)},
    {"idle_total", COUNTER, "Connections closed as silent.", OF(idle)},
    {"presence_signs_total", COUNTER, "Signs of life from the foreground.", OF(presence_signs)},
    {"presence_updates_total", COUNTER, "Presence and typing meant for watchers.",
     OF(presence_updates)},
    {"presence_events_total", COUNTER, "Of them, sent to devices.", OF(presence_events)},
    {"presence_dropped_total", COUNTER, "Of them, left out: the device did not read.",
     OF(presence_dropped)},
    {"presence_busy_total", COUNTER, "Seconds without updates, of a scheduler with too much to do.",
     OF(presence_busy)},
    {"receipts_held_total", COUNTER, "Receipts held back under pressure.", OF(receipts_held)},
    {"presence_seen_total", COUNTER, "Users whose last seen went to the store.", OF(presence_seen)},
    {"push_waiting", GAUGE, "Devices kept in mind to be woken.", OF(push_waiting)},
    {"push_couriers", GAUGE, "Actors that carry pushes.", OF(push_couriers)},
    {"push_queued_total", COUNTER, "Devices that became due.", OF(push_queued)},
    {"push_suppressed_total", COUNTER, "Due devices that acknowledged in time.",
     OF(push_suppressed)},
    {"push_attempts_total", COUNTER, "Requests to servers of pushes.", OF(push_attempts)},
    {"push_accepted_total", COUNTER, "Requests that were accepted.", OF(push_accepted)},
    {"push_retried_total", COUNTER, "Requests to be tried again.", OF(push_retried)},
    {"push_dropped_total", COUNTER, "Pushes refused, or given up.", OF(push_dropped)},
    {"push_gone_total", COUNTER, "Subscriptions ended by their servers.", OF(push_gone)},
    {"push_missed_total", COUNTER, "Devices left to the next sweep.", OF(push_missed)},
};
#undef OF

static void
rate_metrics(const struct messenger_counters *c, struct ln_text *out)
{
    metric_head(out, "rate_refused_total", COUNTER, "Commands refused for their class' rate.");
    for (unsigned class = 0; class < RATE_CLASSES; class ++) {
        ln_text_print(out, "linnet_rate_refused_total{class=\"%s\"} %llu\n",
                      rate_class_name((enum rate_class) class),
                      (unsigned long long)messenger_counted(&c->rate_refused[class]));
    }
}

/* What gives way, and how often each scheduler had to begin with it. */
static void
pressure_metrics(const struct messenger *messenger, struct ln_text *out)
{
    metric_head(out, "shed_total", COUNTER, "Left out or put together under pressure.");
    for (unsigned i = 1; i < PRESSURES; i++) {
        ln_text_print(out, "linnet_shed_total{class=\"%s\"} %llu\n",
                      pressure_name((enum pressure)i),
                      (unsigned long long)messenger_counted(&messenger->counters.shed[i]));
    }
    metric_head(out, "pressure_total", COUNTER, "Spans of time in which a class gave way.");
    for (unsigned at = 0; at < messenger->schedulers; at++) {
        for (unsigned i = 1; i < PRESSURES; i++) {
            ln_text_print(out, "linnet_pressure_total{scheduler=\"%u\",class=\"%s\"} %llu\n", at,
                          pressure_name((enum pressure)i),
                          (unsigned long long)messenger_counted(&messenger->gauges[at].spans[i]));
        }
    }
}

static void
messenger_metrics(struct messenger *messenger, struct ln_text *out)
{
    const struct messenger_counters *c = &messenger->counters;
    for (size_t i = 0; i < sizeof messenger_rows / sizeof messenger_rows[0]; i++) {
        const void *value = (const char *)c + messenger_rows[i].at;
        metric(out, messenger_rows[i].name, messenger_rows[i].kind, messenger_rows[i].help,
               messenger_counted(value));
    }
    metric_head(out, "errors_total", COUNTER, "Error answers by code.");
    for (unsigned code = 0; code < MESSENGER_ERROR_CODES; code++) {
        uint64_t count = messenger_counted(&c->errors[code]);
        if (count > 0) {
            ln_text_print(out, "linnet_errors_total{code=\"%s\"} %llu\n",
                          protocol_error_name((Linnet__V1__Error__Code)code),
                          (unsigned long long)count);
        }
    }
}

static void
presence_metrics(const struct messenger *messenger, struct ln_text *out)
{
    struct presence_size size;
    presence_size_read(messenger, &size);
    metric(out, "presence_users", GAUGE, "Users known to be there, or watched.", size.users);
    metric(out, "presence_active", GAUGE, "Connections in the foreground.", size.leases);
    metric(out, "presence_watches", GAUGE, "Users watched by connections.", size.watches);
    metric(out, "presence_bytes", GAUGE, "Memory of the three.", size.bytes);
}

static void
call_metrics(const struct store *store, struct ln_text *out)
{
    static const char *const outcomes[] = {
        [STORE_CALL_COUNT_TALKED] = "talked",       [STORE_CALL_COUNT_MISSED] = "missed",
        [STORE_CALL_COUNT_DECLINED] = "declined",   [STORE_CALL_COUNT_BUSY] = "busy",
        [STORE_CALL_COUNT_CANCELLED] = "cancelled", [STORE_CALL_COUNT_FAILED] = "failed",
    };
    struct store_stats s;
    store_stats_read(store, &s);
    metric(out, "calls_offered_total", COUNTER, "Calls that began.",
           s.calls[STORE_CALL_COUNT_OFFERS]);
    metric_head(out, "calls_ended_total", COUNTER, "Calls by how they ended.");
    for (int i = STORE_CALL_COUNT_TALKED; i <= STORE_CALL_COUNT_FAILED; i++) {
        ln_text_print(out, "linnet_calls_ended_total{outcome=\"%s\"} %llu\n", outcomes[i],
                      (unsigned long long)s.calls[i]);
    }
    metric(out, "call_signals_total", COUNTER, "Passed on past the log.",
           s.calls[STORE_CALL_COUNT_SIGNALS]);
    metric(out, "call_signals_refused_total", COUNTER, "What was said of no call, or none more.",
           s.calls[STORE_CALL_COUNT_REFUSED]);
}

static void
store_metrics(const struct store *store, struct ln_text *out)
{
    struct store_stats s;
    store_stats_read(store, &s);
    metric(out, "users_online", GAUGE, "Users with a device online.", s.users_online);
    metric(out, "store_commands_total", COUNTER, "Commands logged.", s.commands);
    metric(out, "store_command_bytes_total", COUNTER, "Bytes of commands logged.", s.command_bytes);
    metric(out, "store_batches_total", COUNTER, "Durable batches.", s.batches);
    metric(out, "store_batch_nanoseconds_total", COUNTER, "Spent in writes and syncs.", s.batch_ns);
    metric(out, "store_requests_total", COUNTER, "Requests to partitions.", s.requests);
    metric(out, "store_refused_overload_total", COUNTER, "Refused for overload.",
           s.refused_overload);
    metric(out, "store_refused_full_total", COUNTER, "Refused for want of space.", s.refused_full);
    metric(out, "store_fetches_total", COUNTER, "Reads of cold records.", s.fetches);
    metric(out, "store_fetches_waited_total", COUNTER,
           "Of them those that a worker read, since the disk might be slow.", s.fetches_waited);
    metric(out, "store_pushes_total", COUNTER, "Entries pushed to sessions.", s.pushes);
    metric(out, "store_pushes_refused_total", COUNTER, "Pushes a session had no room for.",
           s.pushes_refused);
    metric(out, "store_stream_records_total", COUNTER, "Records between partitions.",
           s.stream_records);
    metric(out, "store_folds_total", COUNTER, "Folds into LMDB.", s.folds);
    metric(out, "store_folds_failed_total", COUNTER, "Folds that failed.", s.folds_failed);
    metric(out, "store_fold_nanoseconds_total", COUNTER, "Spent in folds.", s.fold_ns);
    metric(out, "store_fold_bytes_total", COUNTER, "Records that folds wrote.", s.fold_bytes);
    metric(out, "store_merged_bytes_total", COUNTER,
           "Entries of inboxes written again, so that an inbox is in few places.", s.merged_bytes);
    metric(out, "store_merges_failed_total", COUNTER, "Of that, attempts that failed.",
           s.merges_failed);
    metric(out, "store_delta_bytes", GAUGE, "Memory of what is not folded yet.", s.delta_bytes);
    metric(out, "store_delta_bytes_max", GAUGE, "How much of it there may be.", s.delta_bytes_max);
    metric(out, "store_spare_bytes", GAUGE, "Memory that is kept for what comes in next.",
           s.spare_bytes);
    metric(out, "store_held_nanoseconds_total", COUNTER,
           "That databases took in nothing, since memory or log were filling.", s.held_ns);
    metric(out, "store_delta_entries", GAUGE, "Records not folded yet.", s.delta_entries);
    metric(out, "store_log_bytes", GAUGE, "Log that a start would read.", s.log_bytes);
    metric(out, "store_disk_full", GAUGE, "1 while new messages are refused.", s.disk_full);
}

static void
trace_metrics(const struct store *store, struct ln_text *out)
{
    struct trace_stats s;
    trace_stats_read(store, &s);
    metric(out, "trace_steps_total", COUNTER, "Steps of messages noted.", s.noted);
    metric(out, "trace_dropped_total", COUNTER, "Steps that found no room.", s.dropped);
    metric(out, "trace_failed_total", COUNTER, "Writes of steps that failed.", s.failed);
    metric(out, "trace_bytes", GAUGE, "Files of steps.", s.bytes);
    metric(out, "trace_oldest_seconds", GAUGE, "Since when steps are kept, as Unix time.",
           s.oldest_ms / 1000);
}

static const struct {
    const char *name;
    enum metric_kind kind;
    const char *help;
} scheduler_rows[] = {
    {"messages_total", COUNTER, "Messages delivered to actors."},
    {"messages_dropped_total", COUNTER, "Messages to actors that had ended."},
    {"messages_refused_total", COUNTER, "Messages a full mailbox refused."},
    {"turns_total", COUNTER, "Rounds of the scheduler's loop."},
    {"actors", GAUGE, "Living actors."},
    {"actors_crashed_total", COUNTER, "Actors that failed."},
    {"stalls_total", COUNTER, "Turns that held the scheduler over the watchdog's limit."},
    {"reports_left_out_total", COUNTER, "Crashes and stalls beyond the log's rate."},
    {"accepts_failed_total", COUNTER, "Accepts that found no descriptor or memory."},
    {"sockets_settled", GAUGE, "Connections that take no descriptor."},
    {"settles_failed_total", COUNTER, "Connections that found no room to be so."},
    {"memory_used_bytes", GAUGE, "Memory of actors, messages and buffers."},
};
enum { SCHEDULER_ROWS = sizeof scheduler_rows / sizeof scheduler_rows[0] };

static void
scheduler_values(const struct ln_scheduler_info *info, uint64_t out[SCHEDULER_ROWS])
{
    const uint64_t values[SCHEDULER_ROWS] = {
        info->messages,
        info->messages_dropped,
        info->messages_refused,
        info->turns,
        info->actors,
        info->crashed,
        info->stalls,
        info->reports_left_out,
        info->accepts_failed,
        info->io_settled,
        info->io_settles_failed,
        info->memory_used_bytes,
    };
    memcpy(out, values, sizeof values);
}

static void
work_metrics(const struct ln_work_info work[LN_WORK_KINDS], struct ln_text *out)
{
    static const struct {
        const char *name;
        enum metric_kind kind;
        const char *help;
        size_t at;
    } rows[] = {
        {"work_under_way", GAUGE, "Pieces of work on other threads that wait or run.",
         offsetof(struct ln_work_info, under_way)},
        {"work_oldest_nanoseconds", GAUGE, "How long ago the first of those was asked for.",
         offsetof(struct ln_work_info, oldest_ns)},
        {"work_done_total", COUNTER, "Pieces of work that other threads have done.",
         offsetof(struct ln_work_info, done)},
        {"work_taken_back_total", COUNTER, "Those given up before a thread took them.",
         offsetof(struct ln_work_info, taken_back)},
        {"work_queued_nanoseconds_total", COUNTER,
         "Time that work waited for a thread, done or given up.",
         offsetof(struct ln_work_info, queued_ns)},
        {"work_run_nanoseconds_total", COUNTER, "Time that other threads took for work.",
         offsetof(struct ln_work_info, run_ns)},
    };
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        metric_head(out, rows[row].name, rows[row].kind, rows[row].help);
        for (unsigned kind = 0; kind < LN_WORK_KINDS; kind++) {
            uint64_t value;
            memcpy(&value, (const char *)&work[kind] + rows[row].at, sizeof value);
            ln_text_print(out, "linnet_%s{kind=\"%s\"} %llu\n", rows[row].name,
                          workload_kind_name(kind), (unsigned long long)value);
        }
    }
}

/* All schedulers are asked first: the samples of one metric must stand together. */
static void
scheduler_metrics(struct ln_text *out)
{
    unsigned count = 0;
    struct ln_scheduler_info info;
    struct ln_work_info work[LN_WORK_KINDS] = {0};
    uint64_t(*values)[SCHEDULER_ROWS] = ln_alloc(ln_schedulers() * sizeof *values);
    unsigned *indexes = ln_alloc(ln_schedulers() * sizeof *indexes);
    for (unsigned i = 0; i < ln_schedulers(); i++) {
        if (ln_inspect_scheduler(i, &info) == 0) {
            indexes[count] = i;
            scheduler_values(&info, values[count]);
            workload_add(work, &info);
            count++;
        }
    }
    for (unsigned row = 0; row < SCHEDULER_ROWS; row++) {
        char name[64];
        (void)snprintf(name, sizeof name, "scheduler_%s", scheduler_rows[row].name);
        metric_head(out, name, scheduler_rows[row].kind, scheduler_rows[row].help);
        for (unsigned i = 0; i < count; i++) {
            ln_text_print(out, "linnet_%s{scheduler=\"%u\"} %llu\n", name, indexes[i],
                          (unsigned long long)values[i][row]);
        }
    }
    work_metrics(work, out);
    ln_free(indexes);
    ln_free(values);
}

size_t
metrics_bytes_max(unsigned schedulers)
{
    enum { ONCE = 48 << 10, OF_A_SCHEDULER = 2 << 10 }; /* nearly twice the most */
    return ONCE + (size_t)schedulers * OF_A_SCHEDULER;
}

size_t
metrics_print(struct messenger *messenger, char *out, size_t out_bytes_max)
{
    struct ln_text text;
    ln_text_init(&text, out, out_bytes_max);
    messenger_metrics(messenger, &text);
    rate_metrics(&messenger->counters, &text);
    pressure_metrics(messenger, &text);
    presence_metrics(messenger, &text);
    call_metrics(messenger->store, &text);
    store_metrics(messenger->store, &text);
    trace_metrics(messenger->store, &text);
    scheduler_metrics(&text);
    ASSERT(!text.cut);
    return text.bytes;
}
