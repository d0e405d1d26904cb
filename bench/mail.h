/* SPDX-License-Identifier: Apache-2.0 */
/* mail.h - letters (letter.h) as phones write them, and are shown them. */
#pragma once

#include "bench/letter.h"
#include "bench/phone.h"

/* A letter's line, and its place there. */
struct mail {
    uint32_t line;
    uint64_t sequence;
};

/* What messages to a user are sent to. */
void mail_chat(uint64_t user, Linnet__V1__Chat *out);
/* Writes a letter that was due then into a chat; answered with this ref. False: the client's window
 * is full, or the crowd has failed. */
bool mail_write(struct phone *phone, const struct mail *mail, Linnet__V1__Chat *chat,
                uint64_t due_ns, uint64_t ref, uint64_t *out_number);
/* What a phone was shown; *out is good after LETTER_OK. */
MUST_CHECK enum letter_verdict mail_read(const struct phone *phone,
                                         const Linnet__V1__NewMessage *message, struct letter *out);
