/* SPDX-License-Identifier: Apache-2.0 */
/* user export: all that the node keeps of a user, as rows of JSON, a page for each question:
 *
 *     user -> devices -> chats -> groups -> states -> inbox -> history
 *                                               the cursor: section.place, section.chat.number
 *
 * Each page is one that the store reads on a worker, so an export holds no more than that, however
 * much there is. What is a frame for a client is the same frame here. Secrets (hashes of passwords
 * and tokens) are not exported. */
#include "actors/accounts.h"
#include "actors/event.h"
#include "actors/shell_priv.h"
#include "store/group.h"
#include "store/history.h"
#include "store/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum section {
    SECTION_USER,
    SECTION_DEVICES,
    SECTION_CHATS,
    SECTION_GROUPS,
    SECTION_STATES,
    SECTION_INBOX,
    SECTION_HISTORY,
    SECTIONS,
};

enum {
    /* Of one page: escaped, its rows are six times as long at worst. */
    PAGE_ROWS_MAX = 200,
    PAGE_BYTES_MAX = 64 << 10,
};

/* A page in the making. */
struct export
{
    struct event_reader reader; /* what entries become comes here */
    struct shell_call *call;
    uint64_t user;
    uint64_t place;  /* behind it the page begins, and then the next one */
    uint64_t number; /* likewise; a history's: in the chat of that place */
    bool more;
};

/* ----------------------------------------------------------------------------------------- rows */

/* Each begins a line, so that the tool can print one by one without reading it. */
static void
row_begin(struct shell_call *call)
{
    ln_text_print(call->out, "%s", call->out->bytes == 1 ? "" : ",\n");
}

/* A message of the schema. False: it has no room, not even alone. */
static bool
put_message(struct shell_call *call, const ProtobufCMessage *message)
{
    struct ln_text *out = call->out;
    size_t used = 0;
    size_t room = out->bytes_max - out->bytes - SHELL_ROW_BYTES_MAX;
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
    row_begin(export->call);
    if (!put_message(export->call, &frame->base)) {
        ln_text_print(export->call->out, "{\"leftOut\":\"larger than an answer\"}");
    }
}

static void
put_number(struct shell_call *call, const char *name, uint64_t value)
{
    ln_text_print(call->out, "\"%s\":\"%" PRIu64 "\",", name, value);
}

/* ------------------------------------------------------------------------------------- sections */

static int
export_user(struct export *export)
{
    struct shell_call *call = export->call;
    struct store_user user;
    int error = accounts_get(call->messenger, export->user, &user);
    if (error == 0) {
        row_begin(call);
        ln_text_print(call->out, "{\"user\":{");
        put_number(call, "userId", user.user);
        shell_put_name(call, &user.name);
        put_number(call, "createdAtMs", user.created_at_ms);
        shell_put_end(call, "}}");
    }
    return error;
}

/* The answer is the caller's to free. */
static int
ask(struct export *export, uint32_t tag, const void *data, size_t bytes, struct ln_msg **out)
{
    struct ln_msg *request = ln_msg_new(tag, LN_DURABLE, bytes);
    memcpy(request->data, data, bytes);
    return ln_call(store_user_pid(export->call->messenger->store, export->user), &request,
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
    row_begin(export->call);
    ln_text_print(export->call->out, "{\"push\":{\"device\":%u,", device);
    put_number(export->call, "setAtMs", state->set_at_ms);
    ln_text_print(export->call->out, "\"setPush\":");
    (void)put_message(export->call, &set.base);
    ln_text_print(export->call->out, "}}");
    ln_msg_free(&answer);
    return 0;
}

static int
export_devices(struct export *export)
{
    struct shell_call *call = export->call;
    struct ln_msg *answer = NULL;
    int error = accounts_devices(call->messenger, export->user, &answer);
    if (error != 0) {
        return error;
    }
    const struct store_rows *rows = (const struct store_rows *)(const void *)answer->data;
    const struct store_device *devices =
        answer->buffer != NULL ? ln_buffer_data(answer->buffer) : NULL;
    for (uint32_t i = 0; i < rows->count && devices != NULL && error == 0; i++) {
        row_begin(call);
        ln_text_print(call->out, "{\"device\":{\"device\":%u,", devices[i].device);
        shell_put_name(call, &devices[i].name);
        put_number(call, "addedAtMs", devices[i].added_at_ms);
        put_number(call, "inboxAcknowledged", devices[i].acked);
        put_number(call, "waiting", devices[i].entries);
        shell_put_end(call, "}}");
        error = export_push(export, devices[i].device);
    }
    ln_msg_free(&answer);
    return error;
}

static void
put_chat(struct export *export, const struct store_chat *chat)
{
    struct shell_call *call = export->call;
    row_begin(call);
    ln_text_print(call->out, "{\"chat\":{");
    put_number(call, "userId", chat->peer);
    put_number(call, "chatNumber", chat->last);
    put_number(call, "delivered", chat->delivered);
    put_number(call, "read", chat->read);
    put_number(call, "peerDelivered", chat->peer_delivered);
    put_number(call, "peerRead", chat->peer_read);
    shell_put_end(call, "}}");
    export->place = chat->peer;
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
    row_begin(export->call);
    ln_text_print(export->call->out, "{\"group\":");
    bool fits = put_message(export->call, &membership.base);
    ASSERT(fits && "a few numbers");
    ln_text_print(export->call->out, "}");
    export->place = from->group;
}

static int
export_chats(struct export *export)
{
    struct store_list list = {.user = export->user, .after = export->place, .max = PAGE_ROWS_MAX};
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
    struct store_list list = {.user = export->user, .after = export->place, .max = PAGE_ROWS_MAX};
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
                                    .after = export->place,
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
    export->place = states->last;
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
                                .after = export->place,
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
        export->place = last_number(answer->buffer);
    }
    export->more = page->more;
    ln_msg_free(&answer);
    return 0;
}

static int
export_history(struct export *export)
{
    struct store_history asked = {.user = export->user,
                                  .chat = export->place,
                                  .number = export->number,
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
    const unsigned char *bytes = answer->buffer != NULL ? ln_buffer_data(answer->buffer) : NULL;
    size_t at = 0;
    struct store_entry entry;
    while (bytes != NULL && entry_next(bytes, ln_buffer_bytes(answer->buffer), &at, &entry)) {
        entry.number = 0;
        event_message(&export->reader.connection, &entry);
    }
    export->place = page->chat;
    export->number = page->reached;
    export->more = page->more;
    ln_msg_free(&answer);
    return 0;
}

static int (*const sections[SECTIONS])(struct export *export) = {
    [SECTION_USER] = export_user,       [SECTION_DEVICES] = export_devices,
    [SECTION_CHATS] = export_chats,     [SECTION_GROUPS] = export_groups,
    [SECTION_STATES] = export_states,   [SECTION_INBOX] = export_inbox,
    [SECTION_HISTORY] = export_history,
};

/* ---------------------------------------------------------------------------------- the command */

static bool
cursor_parse(const char *text, uint64_t *out_section, struct export *out)
{
    const char *at = text;
    bool placed = shell_number_parse(&at, SECTIONS - 1, out_section) && *at++ == '.' &&
                  shell_number_parse(&at, UINT64_MAX, &out->place);
    if (placed && *out_section == SECTION_HISTORY && *at == '.') {
        at++;
        placed = shell_number_parse(&at, UINT64_MAX, &out->number);
    }
    return placed && *at == '\0';
}

static void
cursor_print(const struct export *export, uint64_t section, char out[SHELL_CURSOR_BYTES])
{
    uint64_t place = export->more ? export->place : 0;
    if (export->more && section == SECTION_HISTORY) {
        (void)snprintf(out, SHELL_CURSOR_BYTES, "%" PRIu64 ".%" PRIu64 ".%" PRIu64, section, place,
                       export->number);
    } else {
        (void)snprintf(out, SHELL_CURSOR_BYTES, "%" PRIu64 ".%" PRIu64, section, place);
    }
}

/* name [cursor] -> [{"user": {...}}, {"device": {...}}, ..., {"newMessage": {...}}] */
void
shell_user_export(struct shell_call *call)
{
    struct export *export = ln_alloc(sizeof *export);
    uint64_t section = SECTION_USER;
    if (call->count > 1 && !cursor_parse(call->words[1], &section, export)) {
        shell_fail(call, SHELL_USAGE, "user export: '%s' is no place to go on from",
                   call->words[1]);
        ln_free(export);
        return;
    }
    export->call = call;
    ln_text_print(call->out, "[");
    int error = shell_user_find(call, call->words[0], &export->user);
    if (error == 0) {
        event_reader_init(&export->reader, call->messenger, export->user, take);
        error = sections[section](export);
    }
    if (error == -ENOENT) {
        shell_fail(call, SHELL_UNKNOWN, "there is no user '%s'", call->words[0]);
    } else if (error < 0) {
        shell_fail_errno(call, error, "user export");
    } else {
        ln_text_print(call->out, "]");
        uint64_t next = export->more ? section : section + 1;
        if (next < SECTIONS) {
            cursor_print(export, next, call->next);
        }
    }
    ln_free(export);
}
