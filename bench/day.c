/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/day.h"

#include "bench/chance.h"
#include "runtime/check.h"

#include <math.h>
#include <stdlib.h>

static const double day_s = 86400;
static const double ns_per_s = 1e9;

double
day_rate_per_s(const struct day_habits *habits, uint32_t users)
{
    return habits->messages * users * habits->factor / day_s;
}

static void
swap(uint32_t *places, uint32_t a, uint32_t b)
{
    uint32_t user = places[a];
    places[a] = places[b];
    places[b] = user;
}

void
day_init(struct day *day, uint64_t seed, uint32_t users, const struct day_habits *habits)
{
    double day_ns = day_s * ns_per_s / habits->factor;
    ASSERT(users > 0 && habits->online > 0 && habits->online < 1 && habits->factor > 0);
    ASSERT(habits->returns > 0 && habits->messages > 0);
    *day = (struct day){.chance = seed, .habits = *habits, .users = users, .online = users};
    /* What happens so often a day happens in the share of it that one is online, or away. */
    double online_ns = day_ns * habits->online;
    double leaves = habits->returns / online_ns;
    day->rates[DEED_WRITE] = habits->messages * (1 - habits->posts) / online_ns;
    day->rates[DEED_POST] = habits->messages * habits->posts / online_ns;
    day->rates[DEED_CHANGE] = habits->changes / online_ns;
    day->rates[DEED_BEAT] = habits->beat_s > 0 ? habits->factor / (habits->beat_s * ns_per_s) : 0;
    day->rates[DEED_MOVE] = habits->moves / online_ns;
    day->rates[DEED_LEAVE] = leaves * (1 - habits->asleep);
    day->rates[DEED_SLEEP] = leaves * habits->asleep;
    day->rates[DEED_RETURN] = habits->returns / (day_ns - online_ns);
    day->places = calloc(users, sizeof *day->places);
    ASSERT(day->places != NULL);
    for (uint32_t i = 0; i < users; i++) {
        day->places[i] = i;
    }
    double away = users * (1 - habits->online);
    day->leaving = (uint32_t)llround(away);
}

void
day_fini(struct day *day)
{
    free(day->places);
    *day = (struct day){0};
}

/* In (0, 1]. */
static double
fraction(struct day *day)
{
    return (double)((chance_next(&day->chance) >> 11) + 1) * 0x1p-53;
}

/* One of those who are online, or away; he changes sides if the deed has him do so. */
static uint32_t
somebody(struct day *day, enum deed deed)
{
    if (deed == DEED_RETURN) {
        uint32_t place =
            day->online + (uint32_t)chance_below(&day->chance, day->users - day->online);
        swap(day->places, place, day->online);
        return day->places[day->online++];
    }
    uint32_t place = (uint32_t)chance_below(&day->chance, day->online);
    if (deed == DEED_LEAVE || deed == DEED_SLEEP) {
        day->online--;
        swap(day->places, place, day->online);
        return day->places[day->online];
    }
    return day->places[place];
}

/* How often a nanosecond anybody does it now. */
static double
rate_now(const struct day *day, enum deed deed)
{
    uint32_t users = deed == DEED_RETURN ? day->users - day->online : day->online;
    return day->rates[deed] * users;
}

static enum deed
deed_draw(struct day *day, double sum)
{
    double point = fraction(day) * sum;
    enum deed last = DEED_RETURN;
    for (unsigned i = 0; i < DEEDS; i++) {
        double rate = rate_now(day, (enum deed)i);
        if (rate > 0) {
            last = (enum deed)i;
            if (point <= rate) {
                return last;
            }
            point -= rate;
        }
    }
    return last; /* of a point that rounding has put beyond the end */
}

void
day_next(struct day *day, struct day_due *out)
{
    if (day->leaving > 0) {
        double left_ns = ns_per_s - day->at_ns;
        day->at_ns += left_ns / (day->leaving + 1);
        day->leaving--;
        *out = (struct day_due){
            .at_ns = (uint64_t)day->at_ns, .user = somebody(day, DEED_LEAVE), .deed = DEED_LEAVE};
        return;
    }
    double sum = 0;
    for (unsigned i = 0; i < DEEDS; i++) {
        sum += rate_now(day, (enum deed)i);
    }
    day->at_ns -= log(fraction(day)) / sum;
    enum deed deed = deed_draw(day, sum);
    *out =
        (struct day_due){.at_ns = (uint64_t)day->at_ns, .user = somebody(day, deed), .deed = deed};
}
