/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/section.h"

#include "bench/relay.h"
#include "bench/section_priv.h"
#include "runtime/bounds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NS_PER_MS = 1000000, NEWS_MS = 250 };

struct section *
section_new(const struct options *options, struct io_driver *driver)
{
    struct section *section = calloc(1, sizeof *section);
    ASSERT(section != NULL);
    section->options = options;
    section->driver = driver;
    return section;
}

void
section_free(struct section *section)
{
    if (section == NULL) {
        return;
    }
    for (uint32_t i = 0; i < section->options->threads; i++) {
        pace_free(section->paces[i]);
        crowd_free(section->crowds[i]);
    }
    users_fini(&section->users);
    free(section);
}

/* ------------------------------------------------------------------------------------- speaking */

static uint64_t
count_of(const struct section *section, enum tally_counter counter)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < section->options->threads; i++) {
        count += section->crowds[i] != NULL ? tally_count(&section->crowds[i]->tally, counter) : 0;
    }
    return count;
}

static void
news_tell(struct player *player)
{
    struct section *section = player->section;
    struct section_news *news = &player->news;
    struct ln_msg *msg = ln_msg_new(SECTION_NEWS, LN_REPLY, sizeof *news);
    news->users_made = section->users.made;
    news->users_removed = section->users.removed;
    for (unsigned i = 0; i < TALLY_COUNTERS; i++) {
        news->counters[i] = count_of(section, (enum tally_counter)i);
    }
    memcpy(msg->data, news, sizeof *news);
    ln_send(player->owner, &msg);
    player->told_at_ns = crowd_now_ns();
}

/* What has changed since the last look, and then the news, which says that this was it. */
static void
look_tell(struct player *player, const struct section_look *words)
{
    const struct section *section = player->section;
    for (unsigned i = 0; i < TALLY_DELAYS; i++) {
        struct ln_msg *msg = ln_msg_new(SECTION_METERS, LN_REPLY, sizeof(struct section_meters));
        struct section_meters *meters = (struct section_meters *)(void *)msg->data;
        meters->delay = i;
        for (uint32_t t = 0; t < section->options->threads; t++) {
            meter_look(&section->crowds[t]->tally.meters[i], &meters->look);
        }
        if (memcmp(&meters->look, &player->told[i], sizeof meters->look) == 0) {
            ln_msg_free(&msg);
            continue;
        }
        player->told[i] = meters->look;
        ln_send(player->owner, &msg);
    }
    player->news.looks = words->number;
    news_tell(player);
}

void
player_done(struct player *player)
{
    player->news.done = player->word;
    player->word = 0;
    news_tell(player);
}

void
player_fail(struct player *player, const char *why)
{
    struct ln_msg *msg = ln_msg_new(SECTION_FAILED, LN_REPLY, sizeof(struct crowd_failed));
    struct crowd_failed *failed = (struct crowd_failed *)(void *)msg->data;
    if (!player->finishing) { /* else it goes on to the end of its actors */
        player->word = 0;
    }
    if (player->failed) {
        ln_msg_free(&msg);
        return;
    }
    player->failed = true;
    (void)snprintf(failed->text, sizeof failed->text, "%s", why);
    ln_send(player->owner, &msg);
}

void
player_send(ln_pid to, enum crowd_tag tag, const struct crowd_go *go)
{
    struct ln_msg *msg = ln_msg_new(tag, LN_REPLY, go != NULL ? sizeof *go : 0);
    if (go != NULL) {
        *(struct crowd_go *)(void *)msg->data = *go;
    }
    ln_send(to, &msg);
}

/* To all actors, and the pacers behind them. */
static void
broadcast(struct player *player, enum crowd_tag tag, const struct crowd_go *go)
{
    for (uint32_t i = 0; i < player->news.spawned; i++) {
        player_send(player->actors[i], tag, go);
    }
    for (uint32_t i = 0; i < player->section->options->threads; i++) {
        if (player->pacers[i] != 0) {
            player_send(player->pacers[i], tag, go);
        }
    }
}

/* By way of the pacer, where there is one: what was due in the span comes before it. */
static void
stop_tell(struct player *player)
{
    uint32_t threads = player->section->options->threads;
    ASSERT(threads > 0);
    for (uint32_t i = 0; i < player->news.spawned; i++) {
        if (player->pacers[i % threads] == 0) {
            player_send(player->actors[i], CROWD_STOP, NULL);
        }
    }
    for (uint32_t i = 0; i < threads; i++) {
        if (player->pacers[i] != 0) {
            player_send(player->pacers[i], CROWD_STOP, NULL);
        }
    }
}

/* ------------------------------------------------------------------------------------------ end */

static void
delays_tell(struct player *player, const struct histogram *histograms, enum tally_episode episode)
{
    for (unsigned i = 0; i < TALLY_DELAYS; i++) {
        if (histograms[i].count > 0) {
            struct ln_msg *msg =
                ln_msg_new(SECTION_DELAYS, LN_REPLY, sizeof(struct section_delays));
            struct section_delays *delays = (struct section_delays *)(void *)msg->data;
            delays->delay = i;
            delays->episode = episode;
            delays->histogram = histograms[i];
            ln_send(player->owner, &msg);
        }
    }
}

/* Its actors have ended: their last writes came before the DOWNs that were received. */
static void
findings_tell(struct player *player)
{
    const struct section *section = player->section;
    struct audit_verdict verdict = {0};
    for (uint32_t i = 0; i < section->options->threads; i++) {
        const struct crowd *crowd = section->crowds[i];
        delays_tell(player, crowd->tally.delays, TALLY_WHOLE);
        if (crowd->earlier != NULL) {
            delays_tell(player, crowd->earlier, TALLY_ALONE);
        }
        audit_verdict_merge(&verdict, &crowd->tally.verdict);
    }
    struct ln_msg *msg = ln_msg_new(SECTION_VERDICT, LN_REPLY, sizeof verdict);
    memcpy(msg->data, &verdict, sizeof verdict);
    ln_send(player->owner, &msg);
}

/* -------------------------------------------------------------------------------------- hearing */

static void
begin(struct player *player, const struct section_begin *words)
{
    player->section->begin = *words;
    player_crowds_make(player);
    player_done(player);
}

/* A word of the conductor's. */
static void
heard(struct player *player, const struct ln_msg *msg)
{
    const void *data = msg->data;
    if (msg->tag == SECTION_LOOK) {
        look_tell(player, data);
        return; /* and goes on with what is under way */
    }
    player->word = msg->tag;
    player->news.heard = msg->tag;
    switch (msg->tag) {
    case SECTION_BEGIN:
        begin(player, data);
        break;
    case SECTION_MAKE:
        player_users_begin(player);
        break;
    case SECTION_CONNECT:
        player->connect = *(const struct section_connect *)data;
        break;
    case SECTION_GREET:
        player->connect = *(const struct section_connect *)data;
        player->news.quiet = 0;
        player->greeting = 0;
        break;
    case SECTION_GO:
        player->news.quiet = 0;
        broadcast(player, CROWD_GO, data);
        player_done(player);
        break;
    case SECTION_RETURN:
        player->news.quiet = 0; /* when the inboxes were full */
        broadcast(player, CROWD_RETURN, data);
        break;
    case SECTION_STOP:
        stop_tell(player);
        news_tell(player); /* how far they had come */
        break;
    case SECTION_FINISH:
    case SECTION_ABANDON:
        player->finishing = true;
        broadcast(player, msg->tag == SECTION_FINISH ? CROWD_FINISH : CROWD_ABANDON, NULL);
        break;
    case SECTION_END:
        player->over = true;
        break;
    default:
        break;
    }
}

static void
ended(struct player *player, const struct ln_down *down)
{
    if (down->pid == player->owner) {
        if (down->reason.kind != LN_EXIT_NORMAL) {
            ln_exit(down->reason.kind, down->reason.text);
        }
        player->over = true; /* the conductor's process has gone */
        return;
    }
    player->news.ended++;
    if (!player->finishing || down->reason.kind != LN_EXIT_NORMAL) {
        player_fail(player, down->reason.text != NULL ? down->reason.text : "an actor has ended");
    }
}

static void
took_note(struct player *player, const struct ln_msg *msg)
{
    switch (msg->tag) {
    case CROWD_READY:
        player->news.ready++;
        break;
    case CROWD_QUIET:
        player->news.quiet++;
        break;
    case CROWD_FAILED:
        player_fail(player, ((const struct crowd_failed *)(const void *)msg->data)->text);
        break;
    case LN_TAG_DOWN:
        ended(player, (const struct ln_down *)(const void *)msg->data);
        break;
    default:
        if (msg->tag >= SECTION_FIRST && msg->tag < SECTION_TAGS_END) {
            heard(player, msg);
        }
        break;
    }
}

/* The next step of what is under way. */
static void
go_on(struct player *player)
{
    const struct section_news *news = &player->news;
    switch (player->word) {
    case SECTION_MAKE:
    case SECTION_REMOVE:
        player_users_go_on(player);
        break;
    case SECTION_CONNECT:
        player_connect_go_on(player);
        break;
    case SECTION_GREET:
        player_greet_go_on(player);
        break;
    case SECTION_RETURN:
    case SECTION_STOP:
        if (news->quiet == news->spawned) {
            player_done(player);
        }
        break;
    case SECTION_FINISH:
    case SECTION_ABANDON:
        if (news->ended == news->spawned) {
            findings_tell(player);
            player_done(player);
        }
        break;
    default:
        break;
    }
}

/* How long it may wait for a message: pages are made and removed without a pause. */
static uint64_t
patience_ms(const struct player *player)
{
    if (player->word == SECTION_MAKE || player->word == SECTION_REMOVE) {
        return 0;
    }
    uint64_t passed_ms = (crowd_now_ns() - player->told_at_ns) / NS_PER_MS;
    return passed_ms < NEWS_MS ? NEWS_MS - passed_ms : 1;
}

/* ------------------------------------------------------------------------------------ behaviour */

static int
section_init(void *state, const void *argument)
{
    struct player *player = state;
    const struct section_start *start = argument;
    player->section = start->section;
    player->client.data = start->section->options->data;
    player->owner = start->owner;
    player->told = ln_alloc(TALLY_DELAYS * sizeof *player->told);
    if (start->owner != 0) {
        return 0;
    }
    struct relay_start relay = {.socket = start->socket, .owner = ln_self()};
    uint64_t monitor;
    return ln_spawn_monitor(&relay_behaviour, &relay, sizeof relay, &player->owner, &monitor);
}

static void
section_run(void *state)
{
    struct player *player = state;
    while (!player->over) {
        struct ln_msg *msg = NULL;
        int error = ln_receive(patience_ms(player), &msg);
        if (error == -ECANCELED) {
            return;
        }
        if (error == 0) {
            took_note(player, msg);
            ln_msg_free(&msg);
        }
        go_on(player);
        if (crowd_now_ns() - player->told_at_ns >= (uint64_t)NEWS_MS * NS_PER_MS) {
            news_tell(player);
        }
    }
    linnet_client_close(&player->client);
}

const struct ln_behaviour section_behaviour = {
    .name = "section",
    .state_bytes = sizeof(struct player),
    .init = section_init,
    .run = section_run,
    .stack_bytes = LN_LENT_STACK_BYTES, /* yajl and printf run on it */
};
