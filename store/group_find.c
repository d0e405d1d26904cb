/* SPDX-License-Identifier: Apache-2.0 */
#include "store/group_find.h"

void
group_find_point(const struct record_membership *membership, struct store_entry_message *message)
{
    message->before = membership->entry;
    message->post = membership->post;
}

void
group_find_note(struct record_membership *membership, const struct store_entry *entry)
{
    uint64_t chat_number = entry->message.chat_number;
    membership->entry = entry->number;
    if (membership->post == 0 || chat_number >= membership->post_number + GROUP_FIND_POST) {
        membership->post = entry->number;
        membership->post_number = chat_number;
    }
}

uint32_t
group_find_steps(uint64_t last, uint64_t chat_number)
{
    uint64_t behind = last > chat_number ? last - chat_number : 0;
    uint64_t within = behind < GROUP_FIND_POST ? behind : GROUP_FIND_POST;
    uint64_t steps = 1 + behind / GROUP_FIND_POST + within;
    return steps < GROUP_FIND_STEPS ? (uint32_t)steps : GROUP_FIND_STEPS;
}

/* While one message is looked for. */
struct finding {
    const struct ledger *ledger;
    uint64_t user;
    uint64_t low;
    void (*each)(void *context, const struct store_key *key);
    void *context;
    unsigned steps;
};

static bool
look(struct finding *finding, uint64_t number, struct store_entry *out)
{
    struct store_key key =
        record_key(finding->ledger->partition, RECORD_INBOX, finding->user, number);
    struct store_value value;
    if (number <= finding->low || finding->steps == GROUP_FIND_STEPS) {
        return false;
    }
    finding->steps++;
    if (finding->each != NULL) {
        finding->each(finding->context, &key);
    }
    /* What has expired is not even known any more. */
    if (delta_get(finding->ledger->delta, &key, &value) != DELTA_PRESENT) {
        return false;
    }
    int error = entry_decode(number, value.bytes, value.count, out);
    ASSERT(error == 0);
    return out->kind == STORE_ENTRY_GROUP_MESSAGE;
}

bool
group_find(const struct ledger *ledger, uint64_t user, uint64_t low,
           const struct record_membership *membership, uint64_t chat_number,
           void (*each)(void *context, const struct store_key *key), void *context,
           struct store_entry *out)
{
    struct finding finding = {
        .ledger = ledger, .user = user, .low = low, .each = each, .context = context};
    struct store_entry post;
    uint64_t passed = 0; /* a post that lies before the message */
    bool found = look(&finding, membership->entry, out);
    while (found && out->message.chat_number > chat_number) {
        uint64_t before = out->message.before;
        uint64_t far = out->message.post;
        if (far > low && far != passed && far != before) {
            if (!look(&finding, far, &post)) {
                return false; /* rather than by another way, which only some would know */
            }
            if (post.message.chat_number >= chat_number) {
                *out = post;
                continue;
            }
            passed = far;
        }
        found = look(&finding, before, out);
    }
    return found && out->message.chat_number == chat_number;
}
