/* SPDX-License-Identifier: Apache-2.0 */
/* An edit's text is a letter of its line whose sequence is the number of the chat that is
 * edited. */
#include "bench/revision.h"

#include "bench/chance.h"
#include "bench/mail.h"

#include <errno.h>
#include <string.h>

/* Well within the node's edit_seconds. */
static const uint64_t young_ns = UINT64_C(600000000000);

static struct audit_verdict *
verdict_of(const struct circle *circle)
{
    return &circle->crowd->tally.verdict;
}

static uint32_t
number_of(const struct circle *circle, const struct line *line)
{
    return circle->shape.line_first + (uint32_t)(line - circle->lines);
}

void
revision_sent(struct revision *revision, const Linnet__V1__Sent *sent, uint64_t now_ns)
{
    bool fits = sent->handle.len <= sizeof revision->handle;
    if (sent->chat_number <= revision->chat_number) {
        return; /* a later letter was answered before */
    }
    revision->chat_number = sent->chat_number;
    revision->time_ms = sent->server_time_ms;
    revision->sent_ns = now_ns;
    revision->handle_bytes = fits ? (uint32_t)sent->handle.len : 0;
    if (revision->handle_bytes > 0) {
        memcpy(revision->handle, sent->handle.data, sent->handle.len);
    }
}

void
revision_make(struct revision *revision, struct circle *circle, struct line *line, uint64_t ref)
{
    struct crowd *crowd = circle->crowd;
    uint64_t now_ns = crowd_now_ns();
    if (revision->under_way || revision->handle_bytes == 0 ||
        line->audit.told.delivered < revision->chat_number ||
        now_ns > revision->sent_ns + young_ns) {
        return;
    }
    bool edits = chance_below(&crowd->chance, 3) > 0;
    struct letter letter = {.run = crowd->run,
                            .line = number_of(circle, line),
                            .sequence = revision->chat_number,
                            .at_ns = now_ns - crowd->start_ns};
    Linnet__V1__Chat chat;
    mail_chat(line->reader->user, &chat);
    Linnet__V1__Change change = LINNET__V1__CHANGE__INIT;
    change.kind = edits ? LINNET__V1__CHANGE__KIND__EDIT : LINNET__V1__CHANGE__KIND__DELETE;
    change.chat_number = revision->chat_number;
    change.server_time_ms = revision->time_ms;
    change.handle.data = revision->handle;
    change.handle.len = revision->handle_bytes;
    Linnet__V1__SendMessage message = LINNET__V1__SEND_MESSAGE__INIT;
    message.chat = &chat;
    message.change = &change;
    if (edits) {
        letter_write(&letter, crowd->text, crowd->options->bytes);
        message.body_case = LINNET__V1__SEND_MESSAGE__BODY_TEXT;
        message.text = crowd->text;
    }
    uint64_t number = 0;
    int error = client_send(&line->writer->phone.client, &message, ref, &number);
    if (error == 0) {
        revision->under_way = true;
        revision->handle_bytes = 0;
        tally_add(&crowd->tally, TALLY_CHANGES, 1);
        phone_flush(&line->writer->phone);
    } else if (error != -EAGAIN) {
        crowd_fail(crowd, "%s can't change a message: %s", line->writer->phone.user->name,
                   strerrordesc_np(-error));
    }
}

void
revision_accepted(struct revision *revision)
{
    revision->under_way = false;
    revision->accepted++;
}

void
revision_seen(struct revision *revision, const struct circle *circle, const struct line *line,
              const Linnet__V1__MessageChanged *changed)
{
    const char *reader = line->reader->phone.user->name;
    uint64_t under_way = revision->under_way; /* its answer may come later */
    struct letter letter = {0};
    bool edited = changed->kind == LINNET__V1__MESSAGE_CHANGED__KIND__EDITED;
    bool text = changed->body_case == LINNET__V1__MESSAGE_CHANGED__BODY_TEXT;
    if (edited &&
        (!text ||
         letter_read(changed->text, strlen(changed->text), circle->crowd->run, &letter) !=
             LETTER_OK ||
         letter.line != number_of(circle, line) || letter.sequence != changed->chat_number)) {
        audit_broken(verdict_of(circle), AUDIT_CHANGED, "%s was shown an edit that nobody made",
                     reader);
    }
    if (changed->chat_number <= revision->seen_chat) {
        audit_broken(verdict_of(circle), AUDIT_ORDER, "%s was shown a change of %llu after %llu",
                     reader, (unsigned long long)changed->chat_number,
                     (unsigned long long)revision->seen_chat);
    }
    revision->seen_chat = changed->chat_number;
    revision->seen++;
    if (revision->seen > revision->accepted + under_way) {
        audit_broken(verdict_of(circle), AUDIT_DUPLICATE, "%s was shown a change twice", reader);
    }
}

bool
revision_quiet(const struct revision *revision)
{
    return !revision->under_way && revision->seen == revision->accepted;
}

void
revision_rest(const struct revision *revision, const struct circle *circle, const struct line *line)
{
    if (revision->under_way) {
        audit_broken(verdict_of(circle), AUDIT_UNANSWERED, "a change of %s was never answered",
                     line->writer->phone.user->name);
    } else if (revision->seen < revision->accepted) {
        audit_broken(verdict_of(circle), AUDIT_LOST, "%s was shown %llu of %llu changes",
                     line->reader->phone.user->name, (unsigned long long)revision->seen,
                     (unsigned long long)revision->accepted);
    }
}
