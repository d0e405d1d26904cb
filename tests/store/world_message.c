/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about messages: sent, changed, read, taken in, expired. */
#include "tests/store/world.h"

#include "store/expiry.h"
#include "store/gather.h"
#include "store/inbox.h"
#include "store/page.h"
#include "store/request.h"

#include <string.h>

/* What an acknowledgement under way gathers. */
static unsigned char pairs[GATHER_PAIRS_BYTES];

static struct command
message(const struct world *world, uint64_t recipient, const char *text)
{
    return (struct command){
        .partition = world_partition(world, recipient),
        .kind = COMMAND_MESSAGE,
        .message =
            {
                .recipient = recipient,
                .message =
                    {
                        .body_kind = 1,
                        .sender_name_bytes = 3,
                        .sender_name = "who",
                        .body = (const unsigned char *)text,
                        .body_bytes = (uint32_t)strlen(text),
                    },
            },
    };
}

static struct result
send(struct world *world, struct command command, uint64_t sender, uint16_t device, uint64_t number)
{
    command.message.message.sender = sender;
    command.message.message.sender_device = device;
    command.message.message.sender_number = number;
    return world_apply(world, &command);
}

struct result
world_send(struct world *world, uint64_t sender, uint16_t device, uint64_t number,
           uint64_t recipient, const char *text)
{
    return send(world, message(world, recipient, text), sender, device, number);
}

struct result
world_send_copied(struct world *world, uint64_t sender, uint16_t device, uint64_t number,
                  uint64_t recipient, const char *text)
{
    struct command command = message(world, recipient, text);
    command.message.copy = true;
    return send(world, command, sender, device, number);
}

struct result
world_send_for(struct world *world, uint64_t sender, uint64_t number, uint64_t recipient,
               const char *text, uint64_t ttl_ms)
{
    struct command command = message(world, recipient, text);
    command.message.copy = true;
    command.message.message.expires_at_ms = world_now_ms(world) + ttl_ms;
    return send(world, command, sender, 1, number);
}

struct result
world_change(struct world *world, const struct world_change *change)
{
    struct command command = message(world, change->recipient, change->text);
    struct store_entry_message said = command.message.message;
    bool hides = change->kind == STORE_CHANGE_HIDE;
    said.sender = change->sender;
    said.sender_device = 1;
    said.sender_number = change->number;
    said.chat_number = change->chat_number;
    said.expires_at_ms = change->ttl_ms != 0 ? world_now_ms(world) + change->ttl_ms : 0;
    command.kind = COMMAND_CHANGE;
    command.change = (struct command_change){
        .owner = hides ? change->sender : change->recipient,
        .peer = hides ? change->recipient : change->sender,
        .in_group = change->in_group,
        .until_ms = change->until_ms,
        .kept_until_ms = world_now_ms(world) + 1000000,
        .original = change->original,
        .expires_at_ms = change->expires_at_ms,
        .change = {.kind = change->kind, .author = change->sender, .message = said},
    };
    command.partition = world_partition(world, command.change.owner);
    return world_apply(world, &command);
}

struct result
world_read(struct world *world, uint64_t user, uint64_t peer, uint64_t chat_number)
{
    struct command command = {
        .partition = world_partition(world, user),
        .kind = COMMAND_READ,
        .read = {.user = user, .peer = peer, .chat_number = chat_number},
    };
    return world_apply(world, &command);
}

static size_t
sweep(struct world *world, uint8_t partition)
{
    static unsigned char bytes[EXPIRY_ROWS_MAX * EXPIRY_ROW_BYTES];
    struct store_range range = expiry_range(partition);
    struct command command = {
        .partition = partition, .kind = COMMAND_SWEEP, .sweep = {.rows = bytes}};
    struct page page;
    struct store_key key;
    struct store_value value;
    world_page(world, &range, &page);
    while (command.sweep.count < EXPIRY_ROWS_MAX && page_next(&page, &key, &value) &&
           key.a <= world_now_ms(world)) {
        struct expiry_row row = {.at_ms = key.a, .number = key.b, .record = value};
        expiry_row_put(bytes, command.sweep.count++, &row);
    }
    if (command.sweep.count > 0) {
        (void)world_apply(world, &command);
    }
    return command.sweep.count;
}

size_t
world_sweep(struct world *world)
{
    size_t count = 0;
    for (unsigned p = 0; p < STORE_PARTITIONS; p++) {
        count += sweep(world, (uint8_t)p);
    }
    return count;
}

static void
gather_begin(struct world *world, const struct command_ack *asked, const struct record_place *base,
             struct gather *out)
{
    uint8_t partition = world_partition(world, asked->user);
    gather_start(out, asked, base, pairs);
    out->now_ms = world_now_ms(world);
    out->range.low.partition = partition;
    out->range.high.partition = partition;
}

/* Gathers what lies between the cursor, if there is one, and what is asked for. */
static void
gather(struct world *world, const struct command_ack *asked, const struct record_place *base,
       struct gather *out)
{
    struct page page;
    struct store_key key;
    struct store_value value;
    gather_begin(world, asked, base, out);
    if (gather_one(out, world_ledger(world, out->range.low.partition)->delta)) {
        return;
    }
    gather_begin(world, asked, base, out);
    world_page(world, &out->range, &page);
    while (page_next(&page, &key, &value) && gather_add(out, key.a, value)) {
    }
    gather_end(out, page.cut);
}

/* As partition_passed.c does: before a cursor passes over it, what has expired is swept. */
static void
sweep_passed(struct world *world, const struct gather *gathered)
{
    struct command command = {.partition = world_partition(world, gathered->ack.user),
                              .kind = COMMAND_SWEEP,
                              .sweep = {.rows = pairs}};
    struct page page;
    world_page(world, &gathered->range, &page);
    command.sweep.count = gather_expired(gathered, &page, pairs);
    (void)world_apply(world, &command);
}

struct result
world_ack(struct world *world, uint64_t user, uint16_t device, uint64_t number)
{
    return world_ack_read(world, user, device, number, 0, 0);
}

static struct result
apply_ack(struct world *world, struct command *command, uint64_t peer, uint64_t chat_number)
{
    if (peer != 0) {
        command->kind = COMMAND_ACK_READ;
        command->ack.peer = peer;
        command->ack.chat_number = chat_number;
    }
    return world_apply(world, command);
}

struct result
world_ack_read(struct world *world, uint64_t user, uint16_t device, uint64_t number, uint64_t peer,
               uint64_t chat_number)
{
    struct gather gathered;
    struct result result;
    struct command command = {.partition = world_partition(world, user), .kind = COMMAND_ACK};
    struct command_ack asked = {.user = user, .device = device, .number = number};
    do {
        struct record_head head = {0};
        struct record_cursor *cursor =
            world_head(world, user, &head) ? inbox_cursor(&head, device) : NULL;
        if (cursor == NULL) {
            command.ack = asked;
            return apply_ack(world, &command, peer, chat_number);
        }
        gather(world, &asked, gather_base(&head, cursor), &gathered);
        if (gathered.expired > 0) {
            sweep_passed(world, &gathered);
            gather(world, &asked, gather_base(&head, cursor), &gathered);
        }
        command.ack = gathered.ack;
        result = apply_ack(world, &command, gathered.left ? 0 : peer, chat_number);
    } while (gathered.left && result.error == 0);
    return result;
}

bool
world_expire(struct world *world, uint64_t user, uint64_t age_ms)
{
    struct command command = {.partition = world_partition(world, user),
                              .kind = COMMAND_INBOX_EXPIRE};
    struct record_head head;
    struct gather gather;
    struct page page;
    if (!world_head(world, user, &head)) {
        return false;
    }
    struct command_ack all = {.user = user, .number = head.last.number};
    gather_start(&gather, &all, &head.low, pairs);
    gather.range.low.partition = command.partition;
    gather.range.high.partition = command.partition;
    world_page(world, &gather.range, &page);
    gather_old(&gather, &page, world_now_ms(world) - age_ms + 1);
    command.ack = gather.ack;
    if (gather.entries > 0) {
        (void)world_apply(world, &command);
    }
    return gather.entries > 0;
}
