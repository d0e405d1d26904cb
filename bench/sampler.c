/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/sampler.h"

#include "bench/conductor.h"
#include "bench/disk.h"

static void
ask(struct sampler *sampler, uint64_t now_ns)
{
    sampler->asked = true;
    sampler->asked_at_ns = now_ns;
    sections_look(sampler->sections);
}

void
sampler_begin(struct sampler *sampler, struct run *run, struct sections *sections,
              uint64_t start_ns)
{
    if (sampler->run != NULL) {
        return; /* idle's parts are one series */
    }
    *sampler = (struct sampler){.run = run, .sections = sections};
    series_init(&run->series, start_ns);
    ask(sampler, start_ns);
}

/* For ln_work: the disk may take its time, and the conductor's thread may be a generator's, which
 * has none. */
static void
disk_read(void *argument)
{
    struct run *run = argument;
    /* What can't be read stays 0. */
    (void)!disk_bytes(run->driver, run->options->data, &run->disk_bytes);
}

static void
take(struct sampler *sampler, uint64_t now_ns)
{
    struct run *run = sampler->run;
    struct run_usage usage;
    if (run->options->data != NULL) {
        ln_work(disk_read, run, LN_WORK_NORMAL);
    }
    struct series_look *look = series_look(&run->series);
    sections_looked_at(sampler->sections, look);
    run_usage_read(run, sampler->sections, &usage);
    look->generator_cpu_ms = usage.generator_cpu_ms;
    look->node_cpu_ms = usage.node_cpu_ms;
    look->node_resident_bytes = usage.node_resident_bytes;
    look->node_own_bytes = usage.node_own_bytes;
    look->disk_bytes = run->disk_bytes;
    series_note(&run->series, now_ns);
}

void
sampler_go_on(struct sampler *sampler, uint64_t now_ns)
{
    /* The one who asks comes now and then, never to the nanosecond. */
    static const uint64_t early_ns = UINT64_C(20000000);
    static const uint64_t ns_per_s = UINT64_C(1000000000);
    if (sampler->run == NULL) {
        return;
    }
    if (sampler->asked && sections_looked(sampler->sections)) {
        sampler->asked = false;
        take(sampler, now_ns);
    }
    uint64_t due_ns = sampler->asked_at_ns + sampler->run->options->sample_s * ns_per_s;
    if (!sampler->asked && now_ns + early_ns >= due_ns) {
        ask(sampler, now_ns);
    }
}
