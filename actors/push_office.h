/* SPDX-License-Identifier: Apache-2.0 */
/* push_office.h - what all who push share: keys, whom to trust, where the webhook is.
 *
 *     error = push_office_open(driver, &settings, &office, why);
 *     messenger.push = &office;                    before the schedulers start
 *     ... the node has been closed ...
 *     push_office_close(&office);
 *
 * The keys are files in the data directory, made when they are missing:
 *
 *     push.vapid       the key that Web Push is signed with (RFC 8292): 32 bytes in base64url
 *     push.webhook     the secret that the webhook's requests are signed with: any line of text
 *
 * Fixed once it is open: read from every thread.
 */
#pragma once

#include "actors/settings.h"
#include "net/p256.h"
#include "net/tls_client.h"
#include "net/url.h"
#include "net/webhook.h"

enum { PUSH_OFFICE_WHY_BYTES = 256 };

struct push_office {
    const struct settings *settings; /* borrowed */
    bool web;                        /* Web Push is offered: push_subject is set */
    bool webhook;                    /* so is the webhook */
    struct p256_key *vapid;
    unsigned char vapid_public[P256_PUBLIC_BYTES];
    unsigned char secret[WEBHOOK_SECRET_BYTES_MAX];
    size_t secret_bytes;
    struct url webhook_url;  /* in the settings' text */
    struct tls_trust *trust; /* NULL: nothing is offered */
};

/* Your memory. Reads and makes the files that the settings ask for; without push_subject and
 * push_webhook none. 0, or a negative errno with one sentence in `why`. Waits for the disk. */
MUST_CHECK int push_office_open(struct io_driver *driver, const struct settings *settings,
                                struct push_office *out, char why[PUSH_OFFICE_WHY_BYTES]);
void push_office_close(struct push_office *office);
