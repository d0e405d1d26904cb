/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report_idle.h"

#include "bench/report.h"

static const double ns_per_s = 1e9;
static const double ns_per_us = 1e3;
static const double us_per_ms = 1e3;
static const double bytes_per_mib = 1 << 20;

/* What pairs among the idle are told of, without and beside the others. */
static const struct {
    enum tally_delay delay;
    const char *name, *text;
} delays[] = {
    {TALLY_TO_ANSWER, "to_sent", "to sent"},
    {TALLY_TO_SHOWN, "to_delivery", "to delivery"},
    {TALLY_TO_TICK, "to_delivered_tick", "to delivered tick"},
    {TALLY_LAG, "lag", "generator's own lag"},
};
enum { DELAYS_SHOWN = sizeof delays / sizeof delays[0] };

static const struct {
    const char *name, *text;
    double percent;
} percentiles[] = {{"p50_us", "p50", 50},
                   {"p90_us", "p90", 90},
                   {"p99_us", "p99", 99},
                   {"p99_9_us", "p99.9", 99.9}};
enum { PERCENTILES = sizeof percentiles / sizeof percentiles[0] };

/* ------------------------------------------------------------------------------------ reckoning */

static uint64_t
grown(uint64_t before, uint64_t after)
{
    return after > before ? after - before : 0;
}

static uint64_t
each(const struct run *run, uint64_t before, uint64_t after)
{
    return run->idle.connections == 0 ? 0 : grown(before, after) / run->idle.connections;
}

static uint64_t
node_bytes(const struct run *run)
{
    return each(run, run->idle.found.node_resident_bytes, run->idle.later.node_resident_bytes);
}

static uint64_t
generator_bytes(const struct run *run)
{
    return each(run, run->idle.before.generator_resident_bytes,
                run->idle.later.generator_resident_bytes);
}

/* Both ends of a connection are on this machine, if the node is. */
static uint64_t
kernel_bytes(const struct run *run)
{
    return each(run, run->idle.kernel_before.slab_bytes, run->idle.kernel_later.slab_bytes) / 2;
}

/* Microseconds of the node's CPU that a silent connection takes in a second. */
static double
cpu_us(const struct run *run)
{
    uint64_t used_ms = grown(run->idle.connected.node_cpu_ms, run->idle.later.node_cpu_ms);
    double spans = (double)run->idle.connections * run->options->seconds;
    return spans == 0 ? 0 : (double)used_ms * us_per_ms / spans;
}

/* Microseconds of CPU, of the node and of the generator, that each connection took between two
 * moments. */
static void
cpu_each(const struct run *run, const struct run_usage *from, const struct run_usage *to,
         double *out_node_us, double *out_generator_us)
{
    double connections = run->idle.connections > 0 ? run->idle.connections : 1;
    *out_node_us = (double)grown(from->node_cpu_ms, to->node_cpu_ms) * us_per_ms / connections;
    *out_generator_us =
        (double)grown(from->generator_cpu_ms, to->generator_cpu_ms) * us_per_ms / connections;
}

static double
connect_s(const struct run *run)
{
    return (double)run->connect_ns / ns_per_s;
}

static double
greet_s(const struct run *run)
{
    return (double)run->greet_ns / ns_per_s;
}

static uint64_t
overflows(const struct run *run)
{
    return grown(run->idle.kernel_before.queue_overflows, run->idle.kernel_later.queue_overflows);
}

static bool
split_known(const struct run *run)
{
    return run->idle.memory_found.known && run->idle.memory_later.known &&
           run->idle.connections > 0;
}

/* By how much a part grew for each connection; some shrink. */
static int64_t
split_bytes(const struct run *run, unsigned part)
{
    int64_t before = (int64_t)run->idle.memory_found.bytes[part];
    int64_t later = (int64_t)run->idle.memory_later.bytes[part];
    return (later - before) / (int64_t)run->idle.connections;
}

/* ----------------------------------------------------------------------------------- for people */

static void
put_node(const struct run *run, struct ln_text *out)
{
    const struct idle_found *idle = &run->idle;
    if (idle->found.node_resident_bytes == 0 || idle->later.node_resident_bytes == 0) {
        ln_text_print(out, "the node's memory is not known: name its --data or its --pid\n");
        return;
    }
    ln_text_print(out,
                  "node's resident memory: %.1f MiB before, %.1f MiB with its users, %.1f MiB with "
                  "%u connections, %.1f MiB after %u s of silence\n",
                  (double)idle->found.node_resident_bytes / bytes_per_mib,
                  (double)idle->before.node_resident_bytes / bytes_per_mib,
                  (double)idle->connected.node_resident_bytes / bytes_per_mib, idle->connections,
                  (double)idle->later.node_resident_bytes / bytes_per_mib, run->options->seconds);
    ln_text_print(out, "a connection: %llu bytes of the node's memory\n",
                  (unsigned long long)node_bytes(run));
    for (unsigned part = 0; split_known(run) && part < SPLIT_PARTS; part++) {
        ln_text_print(out, "  %6lld  %s\n", (long long)split_bytes(run, part),
                      split_part_text((enum split_part)part));
    }
    ln_text_print(out, "node's cpu in silence: %.2f s, %.3f us a second and connection\n",
                  (double)grown(idle->connected.node_cpu_ms, idle->later.node_cpu_ms) / us_per_ms,
                  cpu_us(run));
}

static void
put_cpu(const struct run *run, struct ln_text *out)
{
    const struct idle_found *idle = &run->idle;
    double node_us;
    double generator_us;
    if (idle->before.node_cpu_ms == 0) {
        return;
    }
    cpu_each(run, &idle->before, &idle->logged_in, &node_us, &generator_us);
    ln_text_print(out, "cpu of a login: %.1f us of the node's, %.1f us of the generator's", node_us,
                  generator_us);
    cpu_each(run, &idle->logged_in, &idle->greeted, &node_us, &generator_us);
    ln_text_print(out, "; of a hello: %.1f us, %.1f us\n", node_us, generator_us);
}

static void
put_percentiles(const char *when, const struct histogram *histograms, struct ln_text *out)
{
    for (unsigned i = 0; i < DELAYS_SHOWN; i++) {
        const struct histogram *histogram = &histograms[delays[i].delay];
        if (histogram->count == 0) {
            continue;
        }
        ln_text_print(out, "%-22s%-8s", delays[i].text, when);
        for (unsigned p = 0; p < PERCENTILES; p++) {
            ln_text_print(out, "%10.1f",
                          (double)histogram_percentile(histogram, percentiles[p].percent) /
                              ns_per_us);
        }
        ln_text_print(out, "%10.1f\n", (double)histogram->greatest / ns_per_us);
    }
}

static void
put_pairs(const struct run *run, struct ln_text *out)
{
    ln_text_print(out, "\n%u pairs who write %.0f messages a second, for %u s each time\n%-30s",
                  run->options->chat_pairs, run->options->rate_per_s, run->options->seconds,
                  "microseconds");
    for (unsigned i = 0; i < PERCENTILES; i++) {
        ln_text_print(out, "%10s", percentiles[i].text);
    }
    ln_text_print(out, "%10s\n", "max");
    put_percentiles("alone", run->idle.alone, out);
    put_percentiles("beside", run->tally.delays, out);
    report_print_lacking(run, out);
}

void
report_idle_print(const struct run *run, struct ln_text *out)
{
    const struct histogram *beat = &run->tally.delays[TALLY_BEAT];
    put_node(run, out);
    ln_text_print(out, "in the kernel: %llu bytes an end; in the generator: %llu bytes\n",
                  (unsigned long long)kernel_bytes(run), (unsigned long long)generator_bytes(run));
    ln_text_print(out,
                  "%u connections logged in in %.1f s, and said hello to each other in %.1f s\n"
                  "%llu calls found the listener's queue full\n",
                  run->idle.connections, connect_s(run), greet_s(run),
                  (unsigned long long)overflows(run));
    put_cpu(run, out);
    if (run->idle.beats > 0 && run->options->one_way) {
        ln_text_print(out, "%llu heartbeats in silence, one way\n",
                      (unsigned long long)run->idle.beats);
    } else if (run->idle.beats > 0) {
        ln_text_print(
            out, "%llu heartbeats in silence, there and back in %.1f us (p50), %.1f us (p99)\n",
            (unsigned long long)run->idle.beats, (double)histogram_percentile(beat, 50) / ns_per_us,
            (double)histogram_percentile(beat, 99) / ns_per_us);
    }
    if (run->options->chat_pairs > 0) {
        put_pairs(run, out);
    }
}

/* ----------------------------------------------------------------------------------------- JSON */

static void
json_number(struct ln_text *out, const char *name, uint64_t value)
{
    ln_text_print(out, "\"%s\":%llu,", name, (unsigned long long)value);
}

static void
json_cpu(const struct run *run, struct ln_text *out)
{
    const struct idle_found *idle = &run->idle;
    double node_us;
    double generator_us;
    cpu_each(run, &idle->before, &idle->logged_in, &node_us, &generator_us);
    ln_text_print(out, "\"login_cpu_us\":{\"node\":%.3f,\"generator\":%.3f},", node_us,
                  generator_us);
    cpu_each(run, &idle->logged_in, &idle->greeted, &node_us, &generator_us);
    ln_text_print(out, "\"hello_cpu_us\":{\"node\":%.3f,\"generator\":%.3f},", node_us,
                  generator_us);
}

static void
json_usage(const struct run *run, struct ln_text *out)
{
    const struct idle_found *idle = &run->idle;
    json_number(out, "generator_cpu_ms",
                grown(idle->connected.generator_cpu_ms, idle->later.generator_cpu_ms));
    json_number(out, "generator_resident_bytes", idle->later.generator_resident_bytes);
    json_number(out, "generator_bytes_per_connection", generator_bytes(run));
    json_number(out, "kernel_bytes_per_end", kernel_bytes(run));
    if (run->node_pid == 0) {
        return;
    }
    json_cpu(run, out);
    json_number(out, "node_cpu_ms", grown(idle->connected.node_cpu_ms, idle->later.node_cpu_ms));
    ln_text_print(out, "\"node_cpu_us_per_second_and_connection\":%.4f,", cpu_us(run));
    json_number(out, "node_resident_bytes_before", idle->found.node_resident_bytes);
    json_number(out, "node_resident_bytes_with_users", idle->before.node_resident_bytes);
    json_number(out, "node_resident_bytes", idle->connected.node_resident_bytes);
    json_number(out, "node_resident_bytes_after", idle->later.node_resident_bytes);
    json_number(out, "bytes_per_connection", node_bytes(run));
    if (!split_known(run)) {
        return;
    }
    ln_text_print(out, "\"bytes_by_part\":{");
    for (unsigned part = 0; part < SPLIT_PARTS; part++) {
        ln_text_print(out, "%s\"%s\":%lld", part > 0 ? "," : "",
                      split_part_name((enum split_part)part), (long long)split_bytes(run, part));
    }
    ln_text_print(out, "},");
}

static void
json_histogram(const struct histogram *histogram, struct ln_text *out)
{
    ln_text_print(out, "{\"count\":%llu", (unsigned long long)histogram->count);
    for (unsigned p = 0; p < PERCENTILES; p++) {
        ln_text_print(out, ",\"%s\":%.3f", percentiles[p].name,
                      (double)histogram_percentile(histogram, percentiles[p].percent) / ns_per_us);
    }
    ln_text_print(out, ",\"max_us\":%.3f}", (double)histogram->greatest / ns_per_us);
}

static void
json_pairs(const char *name, const struct histogram *histograms, struct ln_text *out)
{
    const char *before = "";
    ln_text_print(out, "\"%s\":{", name);
    for (unsigned i = 0; i < DELAYS_SHOWN; i++) {
        const struct histogram *histogram = &histograms[delays[i].delay];
        if (histogram->count > 0) {
            ln_text_print(out, "%s\"%s\":", before, delays[i].name);
            json_histogram(histogram, out);
            before = ",";
        }
    }
    ln_text_print(out, "},");
}

void
report_idle_print_json(const struct run *run, struct ln_text *out)
{
    json_number(out, "heartbeat_seconds", run->options->heartbeat_s);
    json_number(out, "connections", run->idle.connections);
    ln_text_print(out, "\"connect_seconds\":%.3f,\"greet_seconds\":%.3f,", connect_s(run),
                  greet_s(run));
    json_number(out, "listen_queue_overflows", overflows(run));
    json_number(out, "heartbeats", run->idle.beats);
    ln_text_print(out, "\"heartbeats_one_way\":%s,", run->options->one_way ? "true" : "false");
    if (run->tally.delays[TALLY_BEAT].count > 0) {
        ln_text_print(out, "\"heartbeat_latency\":");
        json_histogram(&run->tally.delays[TALLY_BEAT], out);
        ln_text_print(out, ",");
    }
    json_usage(run, out);
    if (run->options->chat_pairs > 0) {
        json_number(out, "chat_pairs", run->options->chat_pairs);
        ln_text_print(out, "\"rate\":%.3f,", run->options->rate_per_s);
        json_pairs("latencies_alone", run->idle.alone, out);
        json_pairs("latencies", run->tally.delays, out);
        report_print_lacking_json(run, out);
    }
}
