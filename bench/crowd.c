/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/crowd.h"

#include "bench/chance.h"
#include "bench/section_message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct crowd *
crowd_new(const struct options *options, const struct users *users,
          const struct section_begin *begin, uint32_t index)
{
    struct crowd *crowd = calloc(1, sizeof *crowd);
    ASSERT(crowd != NULL);
    crowd->options = options;
    crowd->users = users;
    crowd->run = begin->run;
    crowd->index = begin->share.process * OPTIONS_THREADS_MAX + index;
    crowd->actors_first = begin->share.actors_first;
    crowd->users_first = begin->share.users_first;
    crowd->addresses = begin->addresses;
    crowd->chance = options->seed ^ (uint64_t)(crowd->index + 1) << 32;
    crowd->config = (struct client_config){
        .form = options->form,
        .host = options->url.host,
        .path = options->url.path,
        .random = crowd_random,
        .random_context = crowd,
        .arena = &crowd->arena,
    };
    arena_init(&crowd->arena, crowd->arena_room, sizeof crowd->arena_room,
               2 * (size_t)CROWD_FRAME_BYTES_MAX);
    return crowd;
}

void
crowd_free(struct crowd *crowd)
{
    if (crowd != NULL) {
        arena_fini(&crowd->arena);
        free(crowd->actors);
        free(crowd->earlier);
        free(crowd);
    }
}

void
crowd_address(const struct crowd *crowd, uint32_t user, struct io_address *out)
{
    const struct options *options = crowd->options;
    uint32_t index = share_connection(&options->whole, crowd->users_first + user);
    int error = share_address(&options->url.address, index % crowd->addresses, out);
    ASSERT(error == 0); /* so many there are: the options were checked */
}

uint64_t
crowd_now_ns(void)
{
    return io_now_ns(ln_io());
}

/* A key per frame: the kernel is asked for a thousand of them at once. */
void
crowd_random(void *context, void *out, size_t bytes)
{
    struct crowd *crowd = context;
    ASSERT(bytes <= sizeof crowd->noise);
    if (crowd->noise_left < bytes) {
        ln_random(crowd->noise, sizeof crowd->noise);
        crowd->noise_left = sizeof crowd->noise;
    }
    crowd->noise_left -= (uint32_t)bytes;
    memcpy(out, crowd->noise + crowd->noise_left, bytes);
}

/* What the pairs measured alone is put aside. The first actor of the thread that hears of the next
 * episode does it: nothing is under way between two. */
static void
episode_begin(struct crowd *crowd, enum tally_episode episode)
{
    struct histogram *delays = crowd->tally.delays;
    if (crowd->episode == TALLY_ALONE && episode != TALLY_ALONE) {
        crowd->earlier = malloc(sizeof crowd->tally.delays);
        ASSERT(crowd->earlier != NULL);
        memcpy(crowd->earlier, delays, sizeof crowd->tally.delays);
        memset(delays, 0, sizeof crowd->tally.delays);
    }
    crowd->episode = episode;
}

void
crowd_go(struct crowd *crowd, const struct ln_msg *go)
{
    const struct crowd_go *from = (const struct crowd_go *)(const void *)go->data;
    episode_begin(crowd, (enum tally_episode)from->episode);
    crowd->start_ns = from->start_ns;
    crowd->tally.span = from->span;
}

void
crowd_tell(struct crowd *crowd, enum crowd_tag tag)
{
    struct ln_msg *msg = ln_msg_new(tag, LN_REPLY, 0);
    ln_send(crowd->section, &msg);
}

void
crowd_fail(struct crowd *crowd, const char *format, ...)
{
    struct ln_msg *msg = ln_msg_new(CROWD_FAILED, LN_REPLY, sizeof(struct crowd_failed));
    struct crowd_failed *failed = (struct crowd_failed *)(void *)msg->data;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(failed->text, sizeof failed->text, format, arguments);
    va_end(arguments);
    ln_send(crowd->section, &msg);
}

void
crowd_call_after(uint64_t delay_ms, uint32_t end)
{
    struct ln_msg *msg = ln_msg_new(CROWD_CALL, LN_REPLY, sizeof(struct crowd_call));
    *(struct crowd_call *)(void *)msg->data = (struct crowd_call){end};
    (void)ln_send_after(delay_ms, ln_self(), &msg);
}

void
crowd_deed_at(uint64_t due_ns, uint32_t end, enum deed deed)
{
    static const uint64_t ns_per_ms = 1000000;
    uint64_t now_ns = crowd_now_ns();
    struct ln_msg *msg = ln_msg_new(CROWD_DEED, LN_REPLY, sizeof(struct crowd_deed));
    *(struct crowd_deed *)(void *)msg->data =
        (struct crowd_deed){.due_ns = due_ns, .end = end, .deed = deed};
    uint64_t delay_ms = due_ns > now_ns ? (due_ns - now_ns + ns_per_ms - 1) / ns_per_ms : 0;
    (void)ln_send_after(delay_ms, ln_self(), &msg);
}
