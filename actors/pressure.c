/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/pressure.h"

#include "runtime/check.h"
#include "runtime/io/io.h"

#define NS_PER_MS UINT64_C(1000000)

static const struct {
    const char *name;
    uint64_t delay_ms;
} kinds[PRESSURES] = {
    [PRESSURE_NONE] = {"none", 0},
    [PRESSURE_TYPING] = {"typing", PRESSURE_TYPING_MS},
    [PRESSURE_PRESENCE] = {"presence", PRESSURE_PRESENCE_MS},
    [PRESSURE_RECEIPTS] = {"receipts", PRESSURE_RECEIPTS_MS},
};

const char *
pressure_name(enum pressure pressure)
{
    ASSERT(pressure < PRESSURES);
    return kinds[pressure].name;
}

enum pressure
pressure_of(uint64_t delay_ns, uint64_t cpu_ns)
{
    uint64_t other_ns = delay_ns / PRESSURE_OTHER_PART;
    uint64_t behind_ns = cpu_ns > other_ns ? cpu_ns : other_ns;
    unsigned pressure = PRESSURES - 1;
    while (behind_ns < kinds[pressure].delay_ms * NS_PER_MS) {
        pressure--;
    }
    return (enum pressure)pressure;
}

void
pressure_note(struct pressure_gauge *gauge, enum pressure pressure, uint64_t now_ns)
{
    for (unsigned i = 1; i <= (unsigned)pressure; i++) {
        if (gauge->until_ns[i] <= now_ns) {
            atomic_fetch_add_explicit(&gauge->spans[i], 1, memory_order_relaxed);
        }
        gauge->until_ns[i] = now_ns + PRESSURE_HOLD_MS * NS_PER_MS;
    }
}

enum pressure
pressure_at(const struct pressure_gauge *gauge, uint64_t now_ns)
{
    unsigned pressure = PRESSURES - 1;
    while (pressure > 0 && gauge->until_ns[pressure] <= now_ns) {
        pressure--;
    }
    return (enum pressure)pressure;
}

bool
pressure_look_due(const struct pressure_gauge *gauge, uint64_t now_ns)
{
    uint64_t late_ns = gauge->set_ns + (PRESSURE_PROBE_MS + PRESSURE_TYPING_MS) * NS_PER_MS;
    return now_ns >= late_ns && now_ns >= gauge->look_ns + PRESSURE_LOOK_MS * NS_PER_MS;
}

/* The timer is the clock's own: one of the caller's would end with the caller. */
static void
probe(struct pressure_gauge *gauge, uint64_t now_ns)
{
    struct ln_msg *msg = ln_msg_new(PRESSURE_ASKED, LN_REPLY, 0);
    gauge->set_ns = now_ns;
    gauge->set_cpu_ns = io_cpu_ns(ln_io());
    ln_send(gauge->clock, &msg);
}

/* What CPU time was used is a call of the kernel: not one for each command. */
static void
measure(struct pressure_gauge *gauge, uint64_t now_ns)
{
    if (!pressure_look_due(gauge, now_ns)) {
        return;
    }
    uint64_t delay_ns = now_ns - gauge->set_ns - PRESSURE_PROBE_MS * NS_PER_MS;
    uint64_t cpu_ns = io_cpu_ns(ln_io()) - gauge->set_cpu_ns;
    gauge->look_ns = now_ns;
    pressure_note(gauge, pressure_of(delay_ns, cpu_ns < delay_ns ? cpu_ns : delay_ns), now_ns);
}

enum pressure
pressure_now(struct pressure_gauge *gauge, bool log_full)
{
    uint64_t now_ns = ln_now_ns();
    if (gauge->set_ns != 0) {
        measure(gauge, now_ns);
    } else if (gauge->clock != 0) {
        probe(gauge, now_ns);
    }
    if (log_full) {
        pressure_note(gauge, PRESSURE_RECEIPTS, now_ns);
    }
    return pressure_at(gauge, now_ns);
}

void
pressure_start(struct pressure_gauge *gauge)
{
    gauge->clock = ln_self();
    gauge->set_ns = 0;
}

void
pressure_told(struct pressure_gauge *gauge, uint32_t tag)
{
    if (tag == PRESSURE_ASKED) {
        struct ln_msg *msg = ln_msg_new(PRESSURE_PROBE, LN_REPLY, 0);
        (void)ln_send_after(PRESSURE_PROBE_MS, ln_self(), &msg);
    } else if (gauge->set_ns != 0) {
        measure(gauge, ln_now_ns());
        gauge->set_ns = 0;
    }
}
