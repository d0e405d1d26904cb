/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/section_priv.h"

#include "bench/away.h"
#include "bench/echo.h"
#include "bench/idle.h"
#include "bench/neighbours.h"
#include "bench/offline.h"
#include "bench/pair.h"
#include "bench/room.h"

#include <stdlib.h>

/* Its first actors write; in idle the others do not. */
static const struct ln_behaviour *
behaviour_of(const struct section *section, uint32_t index)
{
    static const struct ln_behaviour *const behaviours[SCENARIOS] = {
        [SCENARIO_CHAT] = &pair_behaviour,        [SCENARIO_IDLE] = &idle_behaviour,
        [SCENARIO_ECHO] = &echo_behaviour,        [SCENARIO_OFFLINE] = &offline_behaviour,
        [SCENARIO_AWAY] = &away_behaviour,        [SCENARIO_STORM] = &pair_behaviour,
        [SCENARIO_MIXED] = &neighbours_behaviour, [SCENARIO_SOAK] = &neighbours_behaviour,
        [SCENARIO_GROUP] = &room_behaviour,
    };
    bool pair = section->options->scenario == SCENARIO_IDLE && index < section->begin.writers;
    return pair ? &pair_behaviour : behaviours[section->options->scenario];
}

void
player_crowds_make(struct player *player)
{
    struct section *section = player->section;
    const struct section_begin *begin = &section->begin;
    uint32_t threads = section->options->threads;
    users_init(&section->users, begin->share.users);
    for (uint32_t i = 0; i < threads; i++) {
        struct crowd *crowd = crowd_new(section->options, &section->users, begin, i);
        crowd->actors_count = (begin->share.actors + threads - 1 - i) / threads;
        crowd->writers_count = (begin->writers + threads - 1 - i) / threads;
        crowd->actors = calloc((size_t)crowd->actors_count + 1, sizeof *crowd->actors);
        ASSERT(crowd->actors != NULL);
        crowd->section = ln_self();
        section->crowds[i] = crowd;
    }
    player->actors = ln_alloc(begin->share.actors * sizeof *player->actors);
}

static bool
actor_spawn(struct player *player, uint32_t index)
{
    struct section *section = player->section;
    uint32_t threads = section->options->threads;
    ASSERT(threads > 0);
    struct crowd *crowd = section->crowds[index % threads];
    struct crowd_place place = {.crowd = crowd, .index = index};
    uint64_t monitor;
    struct ln_spawn_options options = {.monitor = true,
                                       .elsewhere = true,
                                       .scheduler = (int)(index % threads),
                                       .out_monitor = &monitor};
    int error = ln_spawn(behaviour_of(section, index), &place, sizeof place, &options,
                         &player->actors[index]);
    if (error < 0) {
        player_fail(player, "the runtime takes no more actors");
        return false;
    }
    /* Nobody reads it before CROWD_GO. */
    crowd->actors[index / threads] = player->actors[index];
    return true;
}

static void
pacers_spawn(struct player *player)
{
    struct section *section = player->section;
    const struct section_begin *begin = &section->begin;
    bool wanted = begin->rate_per_s > 0 && section->paces[0] == NULL;
    for (uint32_t i = 0; i < section->options->threads && wanted; i++) {
        double share = (double)section->crowds[i]->writers_count / (double)begin->writers_all;
        ln_pid pacer;
        struct ln_spawn_options options = {.elsewhere = true, .scheduler = (int)i};
        struct pace_start start = {.pace = pace_new(section->crowds[i], begin->rate_per_s * share)};
        section->paces[i] = start.pace;
        if (start.pace == NULL ||
            ln_spawn(&pace_behaviour, &start, sizeof start, &options, &pacer) < 0) {
            player_fail(player, "no timer for the schedule");
            return;
        }
        player->pacers[i] = pacer;
    }
}

void
player_connect_go_on(struct player *player)
{
    struct section_news *news = &player->news;
    const struct section_begin *begin = &player->section->begin;
    uint32_t actors = player->connect.writers_only != 0 ? begin->writers : begin->share.actors;
    while (news->spawned < actors && news->spawned - news->ready < player->connect.at_once_max) {
        if (!actor_spawn(player, news->spawned)) {
            return;
        }
        news->spawned++;
    }
    if (news->ready == actors) {
        pacers_spawn(player);
        if (!player->failed) {
            player_done(player);
        }
    }
}

void
player_greet_go_on(struct player *player)
{
    uint32_t quiet = player->news.quiet;
    uint32_t writers = player->section->begin.writers;
    uint32_t silent = player->news.spawned - writers;
    while (player->greeting < silent && player->greeting - quiet < player->connect.at_once_max) {
        player_send(player->actors[writers + player->greeting++], CROWD_GREET, NULL);
    }
    if (quiet == silent) {
        player_done(player);
    }
}
