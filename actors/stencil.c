/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/stencil.h"

#include "net/renumber.h"

#include <string.h>

/* As many messages as a busy group says while one round of them goes out (store/fan.h), and some
 * more for its neighbours. */
enum { STENCILS = 16 };

static _Thread_local struct stencil stencils[STENCILS];

static struct stencil *
place_of(enum protocol_form form, const struct store_entry *entry)
{
    uint64_t mixed = entry->peer * UINT64_C(0x9e3779b97f4a7c15) >> 32;
    return &stencils[(mixed + entry->message.chat_number * 2 + (unsigned)form) % STENCILS];
}

static bool
same(const void *x, const void *y, size_t bytes)
{
    return bytes == 0 || memcmp(x, y, bytes) == 0;
}

/* But for its place in an inbox. */
static bool
says_the_same(const struct store_entry *x, const struct store_entry *y)
{
    const struct store_entry_message *one = &x->message;
    const struct store_entry_message *other = &y->message;
    return x->peer == y->peer && one->chat_number == other->chat_number &&
           one->sender == other->sender && one->sender_number == other->sender_number &&
           one->time_ms == other->time_ms && one->expires_at_ms == other->expires_at_ms &&
           one->sender_device == other->sender_device && one->body_kind == other->body_kind &&
           one->content_kind == other->content_kind && one->deleted == other->deleted &&
           one->edited == other->edited && one->sender_name_bytes == other->sender_name_bytes &&
           one->body_bytes == other->body_bytes &&
           one->attachments_bytes == other->attachments_bytes &&
           same(one->sender_name, other->sender_name, one->sender_name_bytes) &&
           same(one->body, other->body, one->body_bytes) &&
           same(one->attachments, other->attachments, one->attachments_bytes);
}

const struct stencil *
stencil_find(enum protocol_form form, const struct store_entry *entry)
{
    struct stencil *stencil = place_of(form, entry);
    if (stencil->frame_bytes == 0 || stencil->form != form ||
        !says_the_same(&stencil->entry, entry) ||
        !renumber(form, stencil->frame + stencil->number_at, stencil->number_bytes,
                  entry->number)) {
        return NULL;
    }
    return stencil;
}

static const unsigned char *
copied(unsigned char **at, const void *bytes, size_t count)
{
    const unsigned char *copy = *at;
    if (count > 0) {
        memcpy(*at, bytes, count);
    }
    *at += count;
    return copy;
}

void
stencil_keep(enum protocol_form form, const struct store_entry *entry, const void *frame,
             size_t bytes)
{
    struct stencil *stencil = place_of(form, entry);
    const struct store_entry_message *message = &entry->message;
    size_t said = (size_t)message->sender_name_bytes + message->body_bytes;
    size_t number_at;
    size_t number_bytes;
    if (bytes > sizeof stencil->frame || said + message->attachments_bytes > sizeof stencil->said ||
        !renumber_find(form, frame, bytes, entry->number, &number_at, &number_bytes)) {
        return;
    }
    unsigned char *room = stencil->said;
    struct store_entry_message *kept = &stencil->entry.message;
    stencil->entry = *entry;
    kept->sender_name =
        (const char *)copied(&room, message->sender_name, message->sender_name_bytes);
    kept->body = copied(&room, message->body, message->body_bytes);
    kept->attachments = copied(&room, message->attachments, message->attachments_bytes);
    stencil->form = form;
    stencil->number_at = number_at;
    stencil->number_bytes = number_bytes;
    stencil->frame_bytes = bytes;
    memcpy(stencil->frame, frame, bytes);
}
