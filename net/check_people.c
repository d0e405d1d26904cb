/* SPDX-License-Identifier: Apache-2.0 */
/* What users set, about chats, about each other and about themselves. */
#include "net/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static_assert(PROTOCOL_REFERENCE_BYTES_MAX == 255 && PROTOCOL_MEDIA_TYPE_BYTES_MAX == 127 &&
                  PROTOCOL_OWN_NAME_BYTES_MAX == 128 && PROTOCOL_ABOUT_BYTES_MAX == 512 &&
                  PROTOCOL_DRAFT_BYTES_MAX == 8000 && PROTOCOL_EXCEPTIONS_MAX == 256,
              "their texts tell the bounds");

/* A name that one gives to others or oneself: may be empty, and is shown in one line. */
static const char *
own_name_wrong(const char *name)
{
    if (strlen(name) > PROTOCOL_OWN_NAME_BYTES_MAX) {
        return "above 128 bytes";
    }
    return check_holds_control(name) ? "holds a control character" : NULL;
}

static int
wrong(struct protocol_error *out_error, const char *path, const char *text)
{
    return text == NULL
               ? 0
               : check_fail_field(out_error, LINNET__V1__ERROR__CODE__BAD_FRAME, path, text);
}

static int
check_draft(const Linnet__V1__Draft *draft, struct protocol_error *out_error)
{
    size_t bytes = 0;
    if (draft->body_case == LINNET__V1__DRAFT__BODY_CONTENT) {
        bytes = draft->content.len;
    } else if (draft->body_case == LINNET__V1__DRAFT__BODY_TEXT) {
        bytes = strlen(draft->text);
    }
    return wrong(out_error, "setState.draft",
                 bytes > PROTOCOL_DRAFT_BYTES_MAX ? "above 8000 bytes" : NULL);
}

static int
check_picture(const Linnet__V1__Attachment *picture, struct protocol_error *out_error)
{
    size_t bytes = strlen(picture->reference);
    if (bytes == 0 || bytes > PROTOCOL_REFERENCE_BYTES_MAX) {
        return wrong(out_error, "setState.profile.picture.reference", "not 1 to 255 bytes");
    }
    bool fits = strlen(picture->media_type) <= PROTOCOL_MEDIA_TYPE_BYTES_MAX;
    return wrong(out_error, "setState.profile.picture.mediaType", fits ? NULL : "above 127 bytes");
}

static int
check_profile(const Linnet__V1__Profile *profile, struct protocol_error *out_error)
{
    int rc =
        wrong(out_error, "setState.profile.displayName", own_name_wrong(profile->display_name));
    if (rc == 0 && strlen(profile->about) > PROTOCOL_ABOUT_BYTES_MAX) {
        rc = wrong(out_error, "setState.profile.about", "above 512 bytes");
    }
    return rc == 0 && profile->picture != NULL ? check_picture(profile->picture, out_error) : rc;
}

static int
check_rule(const char *path, const Linnet__V1__Rule *rule, struct protocol_error *out_error)
{
    char place[PROTOCOL_ERROR_TEXT_BYTES];
    if (rule->who > LINNET__V1__RULE__WHO__NOBODY) {
        (void)snprintf(place, sizeof(place), "%s.who", path);
        return wrong(out_error, place, "none that this node knows");
    }
    if (rule->n_exceptions > PROTOCOL_EXCEPTIONS_MAX) {
        (void)snprintf(place, sizeof(place), "%s.exceptions", path);
        return wrong(out_error, place, "more than 256");
    }
    for (size_t i = 0; i < rule->n_exceptions; i++) {
        const Linnet__V1__Chat *chat = rule->exceptions[i];
        if (chat->peer_case != LINNET__V1__CHAT__PEER_USER_ID || chat->user_id == 0) {
            (void)snprintf(place, sizeof(place), "%s.exceptions[%zu]", path, i);
            return wrong(out_error, place, "names no userId");
        }
    }
    return 0;
}

/* The chat is there where the value is about one, and nowhere else. */
static int
check_subject(const Linnet__V1__State *state, struct protocol_error *out_error)
{
    switch ((int)state->value_case) {
    case LINNET__V1__STATE__VALUE_ARCHIVED:
    case LINNET__V1__STATE__VALUE_MUTED_UNTIL_MS:
    case LINNET__V1__STATE__VALUE_PINNED:
    case LINNET__V1__STATE__VALUE_DRAFT:
        return check_chat_any("setState.chat", "setState.chat.userName", state->chat, out_error);
    case LINNET__V1__STATE__VALUE_CONTACT:
    case LINNET__V1__STATE__VALUE_BLOCKED:
        return check_chat("setState.chat", "setState.chat.userName", state->chat, out_error);
    default:
        return wrong(out_error, "setState.chat",
                     state->chat != NULL ? "what is set is about no chat" : NULL);
    }
}

static int
check_value(const Linnet__V1__State *state, struct protocol_error *out_error)
{
    switch ((int)state->value_case) {
    case LINNET__V1__STATE__VALUE__NOT_SET:
        return check_fail(out_error, "setState: no value, or none that this node knows");
    case LINNET__V1__STATE__VALUE_DRAFT:
        return check_draft(state->draft, out_error);
    case LINNET__V1__STATE__VALUE_CONTACT:
        return wrong(out_error, "setState.contact.name", own_name_wrong(state->contact->name));
    case LINNET__V1__STATE__VALUE_PROFILE:
        return check_profile(state->profile, out_error);
    case LINNET__V1__STATE__VALUE_LAST_SEEN_RULE:
        return check_rule("setState.lastSeenRule", state->last_seen_rule, out_error);
    case LINNET__V1__STATE__VALUE_ONLINE_RULE:
        return check_rule("setState.onlineRule", state->online_rule, out_error);
    case LINNET__V1__STATE__VALUE_PROFILE_RULE:
        return check_rule("setState.profileRule", state->profile_rule, out_error);
    default:
        return 0;
    }
}

int
check_set_state(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                struct protocol_error *out_error)
{
    const Linnet__V1__State *state = frame->set_state;
    (void)limits;
    if (state->inbox_number != 0) {
        return check_fail(out_error, "setState.inboxNumber: the node gives it");
    }
    int rc = check_value(state, out_error);
    return rc == 0 ? check_subject(state, out_error) : rc;
}

int
check_list_states(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                  struct protocol_error *out_error)
{
    const Linnet__V1__ListStates *list = frame->list_states;
    (void)limits;
    bool known = protobuf_c_enum_descriptor_get_value(&linnet__v1__state__kind__descriptor,
                                                      (int)list->kind) != NULL;
    return wrong(out_error, "listStates.kind", known ? NULL : "none that this node knows");
}

int
check_get_profile(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                  struct protocol_error *out_error)
{
    (void)limits;
    return check_chat("getProfile.chat", "getProfile.chat.userName", frame->get_profile->chat,
                      out_error);
}

int
check_delete_account(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                     struct protocol_error *out_error)
{
    const Linnet__V1__DeleteAccount *delete = frame->delete_account;
    (void)limits;
    int rc = check_name("deleteAccount.name", delete->name, out_error);
    if (rc == 0 && strlen(delete->password) > PROTOCOL_PASSWORD_BYTES_MAX) {
        rc = check_fail_field(out_error, LINNET__V1__ERROR__CODE__WRONG_CREDENTIALS,
                              "deleteAccount.password", "above 1024 bytes");
    }
    return rc;
}
