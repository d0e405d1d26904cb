/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/mail.h"

#include <errno.h>
#include <string.h>

void
mail_chat(uint64_t user, Linnet__V1__Chat *out)
{
    linnet__v1__chat__init(out);
    out->peer_case = LINNET__V1__CHAT__PEER_USER_ID;
    out->user_id = user;
}

bool
mail_write(struct phone *phone, const struct mail *mail, Linnet__V1__Chat *chat, uint64_t due_ns,
           uint64_t ref, uint64_t *out_number)
{
    struct crowd *crowd = phone->crowd;
    struct letter letter = {.run = crowd->run,
                            .line = mail->line,
                            .sequence = mail->sequence,
                            .at_ns = due_ns - crowd->start_ns};
    letter_write(&letter, crowd->text, crowd->options->bytes);
    Linnet__V1__SendMessage message = LINNET__V1__SEND_MESSAGE__INIT;
    message.chat = chat;
    message.body_case = LINNET__V1__SEND_MESSAGE__BODY_TEXT;
    message.text = crowd->text;
    int error = client_send(&phone->client, &message, ref, out_number);
    if (error < 0 && error != -EAGAIN) {
        crowd_fail(crowd, "%s can't write: %s", phone->user->name, strerrordesc_np(-error));
    }
    return error == 0;
}

enum letter_verdict
mail_read(const struct phone *phone, const Linnet__V1__NewMessage *message, struct letter *out)
{
    if (message->body_case != LINNET__V1__NEW_MESSAGE__BODY_TEXT) {
        return LETTER_FOREIGN;
    }
    return letter_read(message->text, strlen(message->text), phone->crowd->run, out);
}
