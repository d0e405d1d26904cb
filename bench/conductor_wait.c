/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting, which is when everything else is looked after: what sections say, Ctrl-C, the line each
 * second, samples. */
#include "bench/conductor_priv.h"

#include "bench/interrupt.h"

#include <errno.h>
#include <stdio.h>

void
run_fail(struct run *run, const char *why)
{
    if (!run->failed) {
        run->failed = true;
        (void)snprintf(run->why, sizeof run->why, "%s", why);
    }
}

uint64_t
from_now_ns(uint64_t delay_ms)
{
    return crowd_now_ns() + delay_ms * NS_PER_MS;
}

bool
conductor_listen(struct conductor *conductor, uint64_t until_ns)
{
    struct run *run = conductor->run;
    uint64_t now_ns = crowd_now_ns();
    /* At least one: a look that does not wait lets nobody else run. */
    uint64_t wait_ms = until_ns > now_ns ? (until_ns - now_ns) / NS_PER_MS + 1 : 1;
    struct ln_msg *msg = NULL;
    int error = ln_receive(wait_ms < LOOK_MS ? wait_ms : LOOK_MS, &msg);
    bool paused = crowd_now_ns() > now_ns + NS_PER_S;
    if (error == 0) {
        sections_note(&conductor->sections, msg);
        ln_msg_free(&msg);
    }
    if (conductor->sections.failed) {
        run_fail(run, conductor->sections.why);
    }
    if (error == -ECANCELED || (interrupted() && !conductor->finishing)) {
        run_fail(run, "stopped");
    }
    now_ns = crowd_now_ns();
    if (now_ns >= progress_next_ns(&conductor->progress)) {
        progress_show(&conductor->progress, &conductor->sections, now_ns);
    }
    if (!conductor->finishing) {
        sampler_go_on(&conductor->sampler, now_ns);
    }
    return paused;
}

bool
conductor_failed(const struct conductor *conductor)
{
    return conductor->run->failed && !conductor->finishing;
}

void
await_instant(struct conductor *conductor, uint64_t until_ns)
{
    while (crowd_now_ns() < until_ns && !conductor_failed(conductor)) {
        (void)conductor_listen(conductor, until_ns);
    }
}

/* Whatever shows that a run moves on. */
static uint64_t
news(const struct conductor *conductor)
{
    struct section_news sum = sections_news(&conductor->sections);
    return sum.counters[TALLY_ANSWERED] + sum.counters[TALLY_SHOWN] +
           sum.counters[TALLY_DELIVERED] + sum.counters[TALLY_THROUGH] +
           sum.counters[TALLY_CONNECTED] + sum.ready + sum.quiet + sum.ended + sum.users_made +
           sum.users_removed;
}

bool
await_done(struct conductor *conductor, enum section_tag tag, uint64_t patience_ms)
{
    uint64_t last = news(conductor);
    uint64_t until_ns = from_now_ns(patience_ms);
    while (!sections_done(&conductor->sections, tag) && !conductor_failed(conductor)) {
        if (crowd_now_ns() >= until_ns) {
            return false;
        }
        if (conductor_listen(conductor, until_ns) || news(conductor) != last) {
            last = news(conductor);
            until_ns = from_now_ns(patience_ms);
        }
    }
    return !conductor_failed(conductor);
}

bool
await_in_turns(struct conductor *conductor, const struct word *word, uint32_t at_once_max,
               uint64_t patience_ms)
{
    struct sections *sections = &conductor->sections;
    uint64_t last = news(conductor);
    uint64_t until_ns = from_now_ns(patience_ms);
    do {
        sections_tell_some(sections, word->tag, word->data, word->bytes, at_once_max);
        if (conductor_listen(conductor, until_ns) || news(conductor) != last) {
            last = news(conductor);
            until_ns = from_now_ns(patience_ms);
        }
    } while (!sections_done(sections, word->tag) && !conductor_failed(conductor) &&
             crowd_now_ns() < until_ns);
    return sections_done(sections, word->tag) && !conductor_failed(conductor);
}

void
conductor_tell(struct conductor *conductor, enum section_tag tag)
{
    sections_tell(&conductor->sections, tag, NULL, 0);
}
