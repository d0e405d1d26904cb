/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/export.h"

#include "actors/accounts.h"
#include "store/group.h"
#include "store/history.h"
#include "store/state.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum {
    /* Of one page: escaped, its rows are six times as long at worst. */
    PAGE_ROWS_MAX = 200,
    PAGE_BYTES_MAX = 64 << 10,
    /* What stands around a frame in its row, and names escaped. */
    AROUND_BYTES_MAX = 1024,
};

/* ----------------------------------------------------------------------------------------- rows */

static void
row_begin(struct export *export)
{
    ln_text_print(export->out, "%s", export->rows++ == 0 ? "" : export->between);
}

/* A message of the schema. False: it has no room, not even alone. */
static bool
put_message(struct export *export, const ProtobufCMessage *message)
{
    struct ln_text *out = export->out;
    size_t used = 0;
    size_t taken = out->bytes + AROUND_BYTES_MAX;
    size_t room = out->bytes_max > taken ? out->bytes_max - taken : 0;
    if (protocol_encode(PROTOCOL_JSON, message, out->data + out->bytes, room, &used) != 0) {
        return false;
    }
    out->bytes += used;
    out->data[out->bytes] = '\0';
    return true;
}

static void
take(struct event_reader *reader, Linnet__V1__ServerFrame *frame)
{
    struct export *export = (struct export *)reader;
    row_begin(export);
    if (!put_message(export, &frame->base)) {
        ln_text_print(export->out, "{\"leftOut\":\"larger than an answer\"}");
    }
}

static void
put_number(struct export *export, const char *name, uint64_t value)
{
    ln_text_print(export->out, ",\"%s\":\"%" PRIu64 "\"", name, value);
}

static void
put_name(struct export *export, const struct store_name *name)
{
    char text[STORE_NAME_BYTES_MAX + 1] = "";
    memcpy(text, name->text, name->bytes);
    ln_text_print(export->out, ",\"name\":\"");
    ln_text_json(export->out, text);
    ln_text_print(export->out, "\"");
}

/* ------------------------------------------------------------------------------------- sections */

static int
export_user(struct export *export)
{
    struct store_user user;
    int error = accounts_get(export->messenger, export->user, &user);
    if (error == 0) {
        row_begin(export);
        ln_text_print(export->out, "{\"user\":{\"userId\":\"%" PRIu64 "\"", user.user);
        put_name(export, &user.name);
        put_number(export, "createdAtMs", user.created_at_ms);
        ln_text_print(export->out, "}}");
    }
    return error;
}

/* The answer is the caller's to free. */
static int
ask(struct export *export, uint32_t tag, const void *data, size_t bytes, struct ln_msg **out)
{
    struct ln_msg *request = ln_msg_new(tag, LN_DURABLE, bytes);
    memcpy(request->data, data, bytes);
    return ln_call(store_user_pid(export->messenger->store, export->user), &request,
                   ACCOUNTS_TIMEOUT_MS, out);
}

/* How the device is woken, as it said so itself, but for the keys. */
static int
export_push(struct export *export, uint16_t device)
{
    struct store_device_id id = {.user = export->user, .device = device};
    Linnet__V1__SetPush set = LINNET__V1__SET_PUSH__INIT;
    Linnet__V1__WebPush web = LINNET__V1__WEB_PUSH__INIT;
    Linnet__V1__Webhook webhook = LINNET__V1__WEBHOOK__INIT;
    char endpoint[STORE_WAKE_ENDPOINT_BYTES_MAX + 1] = "";
    struct ln_msg *answer = NULL;
    int error = ask(export, STORE_WAKE_GET, &id, sizeof id, &answer);
    if (error != 0) {
        return error == -ENODATA || error == -ENOENT ? 0 : error;
    }
    const struct store_wake_state *state =
        (const struct store_wake_state *)(const void *)answer->data;
    unsigned char *bytes = answer->buffer != NULL ? ln_buffer_data(answer->buffer) : NULL;
    set.target_case = LINNET__V1__SET_PUSH__TARGET_WEBHOOK;
    set.webhook = &webhook;
    if (state->set.kind == STORE_WAKE_WEBPUSH && bytes != NULL) {
        memcpy(endpoint, bytes, state->set.endpoint_bytes);
        web.endpoint = endpoint;
        set.target_case = LINNET__V1__SET_PUSH__TARGET_WEB_PUSH;
        set.web_push = &web;
    }
    if (bytes != NULL) {
        set.app.data = bytes + state->set.endpoint_bytes;
        set.app.len = state->set.app_bytes;
    }
    row_begin(export);
    ln_text_print(export->out, "{\"push\":{\"device\":%u", device);
    put_number(export, "setAtMs", state->set_at_ms);
    ln_text_print(export->out, ",\"setPush\":");
    (void)put_message(export, &set.base);
    ln_text_print(export->out, "}}");
    ln_msg_free(&answer);
    return 0;
}

static int
export_devices(struct export *export)
{
    struct ln_msg *answer = NULL;
    int error = accounts_devices(export->messenger, export->user, &answer);
    if (error != 0) {
        return error;
    }
    uint32_t count = 0;
    const struct store_device *devices = accounts_device_list(answer, &count);
    for (uint32_t i = 0; i < count && error == 0; i++) {
        row_begin(export);
        ln_text_print(export->out, "{\"device\":{\"device\":%u", devices[i].device);
        put_name(export, &devices[i].name);
        put_number(export, "addedAtMs", devices[i].added_at_ms);
        put_number(export, "inboxAcknowledged", devices[i].acked);
        put_number(export, "waiting", devices[i].entries);
        ln_text_print(export->out, "}}");
        error = export_push(export, devices[i].device);
    }
    ln_msg_free(&answer);
    return error;
}

/* As listChats has it. */
static void
put_expired(struct export *export, const struct expired *expired)
{
    const struct holes *holes = &expired->holes;
    if (holes->count > 0) {
        put_number(export, "peerExpiredAfter", holes->at[holes->count - 1].after);
        put_number(export, "peerExpired", holes->at[holes->count - 1].to);
    }
    for (unsigned i = 0; i + 1u < holes->count; i++) {
        ln_text_print(export->out, "%s{\"after\":\"%" PRIu64 "\",\"to\":\"%" PRIu64 "\"}",
                      i == 0 ? ",\"peerExpiredEarlier\":[" : ",", holes->at[i].after,
                      holes->at[i].to);
    }
    if (holes->count > 1) {
        ln_text_print(export->out, "]");
    }
    if (expired->unknown != 0) {
        put_number(export, "peerExpiredUnknown", expired->unknown);
    }
}

static void
put_chat(struct export *export, const struct store_chat *chat)
{
    row_begin(export);
    ln_text_print(export->out, "{\"chat\":{\"userId\":\"%" PRIu64 "\"", chat->peer);
    put_number(export, "chatNumber", chat->last);
    put_number(export, "delivered", chat->delivered);
    put_number(export, "read", chat->read);
    put_number(export, "peerDelivered", chat->peer_delivered);
    put_number(export, "peerRead", chat->peer_read);
    put_expired(export, &chat->peer_expired);
    ln_text_print(export->out, "}}");
    export->at.place = chat->peer;
}

static void
put_group(struct export *export, const struct store_membership *from)
{
    Linnet__V1__Membership membership = LINNET__V1__MEMBERSHIP__INIT;
    Linnet__V1__Chat chat = LINNET__V1__CHAT__INIT;
    chat.peer_case = LINNET__V1__CHAT__PEER_GROUP_ID;
    chat.group_id = from->group;
    membership.chat = &chat;
    membership.role = (Linnet__V1__ChatMember__Role)from->role;
    membership.gone = from->gone;
    membership.joined = from->joined;
    membership.chat_number = from->last;
    membership.delivered = from->delivered;
    membership.read = from->read;
    membership.unread = from->unread;
    row_begin(export);
    ln_text_print(export->out, "{\"group\":");
    bool fits = put_message(export, &membership.base);
    ASSERT(fits && "a few numbers");
    ln_text_print(export->out, "}");
    export->at.place = from->group;
}

static int
export_chats(struct export *export)
{
    struct store_list list = {
        .user = export->user, .after = export->at.place, .max = PAGE_ROWS_MAX};
    struct ln_msg *answer = NULL;
    int error = ask(export, STORE_CHATS, &list, sizeof list, &answer);
    if (error != 0) {
        return error;
    }
    const struct store_rows *rows = (const struct store_rows *)(const void *)answer->data;
    const struct store_chat *chats = rows->count > 0 ? ln_buffer_data(answer->buffer) : NULL;
    for (uint32_t i = 0; i < rows->count; i++) {
        put_chat(export, &chats[i]);
    }
    export->more = rows->more && rows->count > 0;
    ln_msg_free(&answer);
    return 0;
}

static int
export_groups(struct export *export)
{
    struct store_list list = {
        .user = export->user, .after = export->at.place, .max = PAGE_ROWS_MAX};
    struct ln_msg *answer = NULL;
    int error = ask(export, STORE_GROUP_CHATS, &list, sizeof list, &answer);
    if (error != 0) {
        return error;
    }
    const struct store_rows *rows = (const struct store_rows *)(const void *)answer->data;
    const struct store_membership *groups = rows->count > 0 ? ln_buffer_data(answer->buffer) : NULL;
    for (uint32_t i = 0; i < rows->count; i++) {
        put_group(export, &groups[i]);
    }
    export->more = rows->more && rows->count > 0;
    ln_msg_free(&answer);
    return 0;
}

static int
export_states(struct export *export)
{
    struct store_state_list list = {.user = export->user,
                                    .after = export->at.place,
                                    .states_max = PAGE_ROWS_MAX,
                                    .bytes_max = PAGE_BYTES_MAX};
    struct ln_msg *answer = NULL;
    int error = ask(export, STORE_STATE_LIST, &list, sizeof list, &answer);
    if (error != 0) {
        return error;
    }
    const struct store_states *states = (const struct store_states *)(const void *)answer->data;
    if (answer->buffer != NULL) {
        event_entries(&export->reader.connection, ln_buffer_data(answer->buffer),
                      ln_buffer_bytes(answer->buffer));
    }
    export->at.place = states->last;
    export->more = states->more;
    ln_msg_free(&answer);
    return 0;
}

static uint64_t
last_number(struct ln_buffer *entries)
{
    struct store_entry entry = {0};
    size_t at = 0;
    while (entry_next(ln_buffer_data(entries), ln_buffer_bytes(entries), &at, &entry)) {
    }
    return entry.number;
}

static int
export_inbox(struct export *export)
{
    struct store_inbox inbox = {.user = export->user,
                                .after = export->at.place,
                                .entries_max = PAGE_ROWS_MAX,
                                .bytes_max = PAGE_BYTES_MAX};
    struct ln_msg *answer = NULL;
    int error = ask(export, STORE_INBOX, &inbox, sizeof inbox, &answer);
    if (error != 0) {
        return error;
    }
    const struct store_page *page = (const struct store_page *)(const void *)answer->data;
    if (page->count > 0) {
        event_entries(&export->reader.connection, ln_buffer_data(answer->buffer),
                      ln_buffer_bytes(answer->buffer));
        export->at.place = last_number(answer->buffer);
    }
    export->more = page->more;
    ln_msg_free(&answer);
    return 0;
}

static int
export_history(struct export *export)
{
    struct store_history asked = {.user = export->user,
                                  .chat = export->at.place,
                                  .number = export->at.number,
                                  .bytes_max = PAGE_BYTES_MAX,
                                  .forward = true,
                                  .whole = true};
    struct ln_msg *answer = NULL;
    int error = ask(export, STORE_HISTORY, &asked, sizeof asked, &answer);
    if (error != 0) {
        return error;
    }
    const struct store_history_page *page =
        (const struct store_history_page *)(const void *)answer->data;
    if (answer->buffer != NULL) {
        event_history(&export->reader.connection, answer->buffer);
    }
    export->at.place = page->chat;
    export->at.number = page->reached;
    export->more = page->more;
    ln_msg_free(&answer);
    return 0;
}

static int (*const sections[EXPORT_SECTIONS])(struct export *export) = {
    [EXPORT_USER] = export_user,       [EXPORT_DEVICES] = export_devices,
    [EXPORT_CHATS] = export_chats,     [EXPORT_GROUPS] = export_groups,
    [EXPORT_STATES] = export_states,   [EXPORT_INBOX] = export_inbox,
    [EXPORT_HISTORY] = export_history,
};

/* --------------------------------------------------------------------------------------- pages */

void
export_init(struct export *export, struct messenger *messenger, uint64_t user, const char *between)
{
    export->messenger = messenger;
    export->user = user;
    export->between = between;
    event_reader_init(&export->reader, messenger, user, take);
}

int
export_page(struct export *export, struct ln_text *out)
{
    export->out = out;
    export->rows = 0;
    export->more = false;
    int error = sections[export->at.section](export);
    export->out = NULL;
    if (error == 0 && !export->more) {
        export->at = (struct export_place){.section = export->at.section + 1};
    }
    return error;
}
