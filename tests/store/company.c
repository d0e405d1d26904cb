/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/company.h"

#include "runtime/linnet.h"
#include "store/group.h"
#include "store/request.h"
#include "tests/store/hand.h"

#include <stdlib.h>
#include <string.h>

static int
by_id(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a;
    uint64_t other = *(const uint64_t *)b;
    return (one > other) - (one < other);
}

void
company_create(struct rig *rig, uint64_t *out_owner, uint64_t *ids, unsigned count)
{
    RIG_CHECK(rig, hand_user_create(rig->store, "alice", true, out_owner) == 0);
    for (unsigned i = 0; i < count; i++) {
        char name[24];
        (void)snprintf(name, sizeof(name), "member%u", i);
        RIG_CHECK(rig, hand_user_create(rig->store, name, true, &ids[i]) == 0);
    }
    qsort(ids, count, sizeof(ids[0]), by_id);
}

uint64_t
company_group(struct rig *rig, uint64_t owner, uint64_t number, const uint64_t *ids, uint16_t count)
{
    struct store_group_create create = {.user = owner,
                                        .number = number,
                                        .members = count,
                                        .device = 1,
                                        .rights = STORE_GROUP_ALL_SEND};
    size_t bytes = count * sizeof(*ids);
    struct ln_msg *answer = NULL;
    struct ln_msg *msg = ln_msg_new(STORE_GROUP_CREATE, LN_DURABLE, sizeof(create));
    memcpy(msg->data, &create, sizeof(create));
    if (count > 0) {
        msg->buffer = ln_buffer_new(bytes);
        memcpy(ln_buffer_data(msg->buffer), ids, bytes);
    }
    ln_pid home = store_user_pid(rig->store, owner);
    RIG_CHECK(rig, ln_call(home, &msg, COMPANY_TIMEOUT_MS, &answer) == 0);
    uint64_t group = ((struct store_group_id *)(void *)answer->data)->group;
    ln_msg_free(&answer);
    return group;
}

uint64_t
company_say(struct rig *rig, uint64_t from, uint64_t group, uint64_t number, uint32_t bytes)
{
    struct store_message message = {.recipient = group,
                                    .sender = from,
                                    .number = number,
                                    .sender_device = 1,
                                    .body_kind = 1,
                                    .body_bytes = bytes};
    struct ln_msg *msg = ln_msg_new(STORE_GROUP_MESSAGE, LN_DURABLE, sizeof(message));
    memcpy(msg->data, &message, sizeof(message));
    msg->buffer = ln_buffer_new(bytes);
    memset(ln_buffer_data(msg->buffer), 'x', bytes);
    return ln_request(store_user_pid(rig->store, group), &msg);
}

int
company_answer(uint64_t ref)
{
    struct ln_msg *answer = NULL;
    int error = ln_receive_answer(ref, COMPANY_TIMEOUT_MS, &answer);
    if (error == 0) {
        error = answer->error;
    }
    ln_msg_free(&answer);
    return error;
}

void
company_done(struct rig *rig, uint64_t ref)
{
    RIG_CHECK(rig, company_answer(ref) == 0);
}
