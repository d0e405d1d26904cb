/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of a crowd: each goes one way, from ringing to its end, and ends for all devices of both as
 * it ended for the first that heard of it. */
#include "tests/sim/crowd_priv.h"

#include "tests/sim/person.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum call_step { STEP_NONE, STEP_RINGING, STEP_ANSWERED, STEP_ENDED };

static const char *const step_names[] = {"", "\"state\":\"RINGING\"", "\"state\":\"ANSWERED\"",
                                         "\"state\":\"ENDED\""};

void
crowd_calls(struct crowd_device *device, unsigned chat)
{
    struct crowd *crowd = device->crowd;
    char name[64];
    char command[CROWD_COMMAND_BYTES / 2];
    if (crowd->chats[chat].group != 0 || crowd->calls_count == CROWD_CALLS_MAX) {
        return;
    }
    crowd->calls[crowd->calls_count++] = (struct crowd_call){
        .place = crowd_place(device),
        .callee = (unsigned)__builtin_ctz(crowd->chats[chat].members & ~(1U << device->person)),
        .number = device->number + 1,
    };
    crowd_chat_print(device, chat, name);
    (void)snprintf(command, sizeof command, "\"callOffer\":{\"chat\":%s,\"content\":\"b2ZmZXI=\"}",
                   name);
    crowd_does(device, CROWD_OFFERS, chat, command);
}

static struct crowd_call *
call_of(struct crowd *crowd, unsigned place, uint64_t number)
{
    for (unsigned i = crowd->calls_count; i > 0; i--) {
        if (crowd->calls[i - 1].place == place && crowd->calls[i - 1].number == number) {
            return &crowd->calls[i - 1];
        }
    }
    return NULL;
}

void
crowd_offered(struct crowd_device *device, const char *frame)
{
    struct crowd_call *call = call_of(device->crowd, crowd_place(device), device->number);
    assert_non_null(call);
    call->accepted = strstr(frame, "\"sent\"") != NULL;
    if (!call->accepted && strstr(frame, "\"IN_A_CALL\"") == NULL) {
        fail_msg("%s is refused: %s", device->name, frame);
    }
}

static void
says_of(struct crowd_device *device, const struct crowd_call *call, const char *what)
{
    const struct crowd_device *caller = &device->crowd->devices[call->place];
    char command[CROWD_COMMAND_BYTES / 2];
    (void)snprintf(command, sizeof command,
                   "\"%s\":{\"call\":{\"userId\":\"%llu\",\"device\":%u,\"number\":\"%llu\"}}",
                   what, (unsigned long long)caller->user, call->place % CROWD_DEVICES_EACH + 1,
                   (unsigned long long)call->number);
    crowd_mention(device, command);
}

/* All are told the same. */
static void
ended(const struct crowd_device *device, struct crowd_call *call, const char *frame)
{
    const char *outcome = strstr(frame, "\"outcome\":\"");
    uint64_t ended_ms = wire_number(frame, "endedAtMs");
    assert_non_null(outcome);
    outcome += strlen("\"outcome\":\"");
    size_t bytes = strcspn(outcome, "\"");
    if (call->ended_ms == 0) {
        call->ended_ms = ended_ms;
        (void)snprintf(call->outcome, sizeof call->outcome, "%.*s", (int)bytes, outcome);
    }
    if (call->ended_ms != ended_ms || strlen(call->outcome) != bytes ||
        strncmp(call->outcome, outcome, bytes) != 0) {
        fail_msg("%s is told %s of what ended as %s at %llu", device->name, frame, call->outcome,
                 (unsigned long long)call->ended_ms);
    }
}

void
crowd_call_heard(struct crowd_device *device, const char *frame)
{
    struct crowd *crowd = device->crowd;
    unsigned from = crowd_place_named(crowd, frame);
    struct crowd_call *call =
        from < CROWD_DEVICES ? call_of(crowd, from, wire_number(frame, "number")) : NULL;
    unsigned step = STEP_ENDED;
    while (step > STEP_NONE && strstr(frame, step_names[step]) == NULL) {
        step--;
    }
    if (call == NULL || step == STEP_NONE ||
        (device->person != call->callee && device->person != call->place / CROWD_DEVICES_EACH) ||
        step <= call->told[crowd_place(device)]) {
        fail_msg("%s is told %s", device->name, frame);
        return;
    }
    call->told[crowd_place(device)] = (uint8_t)step;
    if (step == STEP_ENDED) {
        ended(device, call, frame);
    } else if (step == STEP_RINGING && device->person == call->callee) {
        uint64_t what = world_chance(&crowd->world, 4); /* else it rings on */
        if (what < 2) {
            says_of(device, call, "callAnswer");
        } else if (what == 2) {
            says_of(device, call, "callHangUp");
        }
    }
}

void
crowd_hangs_up(struct crowd_device *device)
{
    struct crowd *crowd = device->crowd;
    for (unsigned i = 0; i < crowd->calls_count; i++) {
        unsigned step = crowd->calls[i].told[crowd_place(device)];
        bool own = crowd->calls[i].place == crowd_place(device);
        if (step == STEP_ANSWERED || (own && step == STEP_RINGING)) {
            says_of(device, &crowd->calls[i], "callHangUp");
        }
    }
}

void
crowd_calls_judge(const struct crowd *crowd)
{
    for (unsigned i = 0; i < crowd->calls_count; i++) {
        const struct crowd_call *call = &crowd->calls[i];
        for (unsigned place = 0; place < CROWD_DEVICES && call->accepted; place++) {
            const struct crowd_device *device = &crowd->devices[place];
            bool theirs = device->person == call->callee ||
                          device->person == call->place / CROWD_DEVICES_EACH;
            if (theirs && call->told[place] != STEP_ENDED) {
                fail_msg("%s was not told how call %u ended (%s)", device->name, i, call->outcome);
            }
        }
    }
}
