/* SPDX-License-Identifier: Apache-2.0 */
/* A user of an XMPP server: SASL PLAIN, a resource of its own, and messages to the other one's.
 * That a message was received is told by its reader's client (XEP-0184). */
#include "bench/peers/dialect.h"
#include "bench/peers/xmpp.h"
#include "net/base64.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { STANZA_BYTES_MAX = 384 + DIALECT_TEXT_BYTES_MAX };

enum step {
    STEP_GREETING,
    STEP_PASSWORD,
    STEP_GREETING_AGAIN,
    STEP_BINDING,
    STEP_ENTERING,
    STEP_READY
};

static const char opening[] = "<stream:stream to='localhost' xmlns='jabber:client' "
                              "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";
static const char bind_resource[] = "<iq type='set' id='b'>"
                                    "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
                                    "<resource>p</resource></bind></iq>";
static const char password[] = "peer";

static void
say(struct speaker *speaker, const char *text)
{
    ln_socket_send(speaker->socket, text, strlen(text));
}

static void
greet(struct speaker *speaker)
{
    say(speaker, opening);
}

static void
authenticate(struct speaker *speaker)
{
    char plain[64], coded[96] = "", text[STANZA_BYTES_MAX];
    int bytes = snprintf(plain, sizeof plain, "%cu%u%c%s", '\0', speaker->index, '\0', password);
    base64_encode(plain, (size_t)bytes, coded);
    (void)snprintf(text, sizeof text,
                   "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>%s</auth>",
                   coded);
    say(speaker, text);
}

static void
write_message(struct speaker *speaker, uint64_t number, const char *text, size_t bytes)
{
    char stanza[STANZA_BYTES_MAX];
    (void)snprintf(stanza, sizeof stanza,
                   "<message to='u%u@localhost/p' type='chat' id='%016llx'><body>%.*s</body>"
                   "<request xmlns='urn:xmpp:receipts'/></message>",
                   speaker->index ^ 1, (unsigned long long)number, (int)bytes, text);
    say(speaker, stanza);
}

static void
receipt(struct speaker *speaker, uint64_t number)
{
    char stanza[STANZA_BYTES_MAX];
    (void)snprintf(stanza, sizeof stanza,
                   "<message to='u%u@localhost/p'>"
                   "<received xmlns='urn:xmpp:receipts' id='%016llx'/></message>",
                   speaker->index ^ 1, (unsigned long long)number);
    say(speaker, stanza);
}

/* A message of the other one, or its receipt; attributes come in any order. */
static int
message(const struct xmpp_stanza *stanza, struct dialect_event *out)
{
    const char *end = stanza->text + stanza->bytes;
    const char *number = xmpp_behind(stanza, "<body>");
    out->kind = DIALECT_MESSAGE;
    if (number == NULL) {
        const char *received = xmpp_behind(stanza, "<received ");
        if (received == NULL) {
            return -EPROTO;
        }
        struct xmpp_stanza inside = {received, (size_t)(end - received), false};
        number = xmpp_behind(&inside, "id='");
        out->kind = DIALECT_RECEIPT;
    }
    return number != NULL ? dialect_number_read(number, (size_t)(end - number), &out->number)
                          : -EPROTO;
}

/* The login: what is expected at each step, and what is said then. */
static const struct {
    const char *name;
    const char *answer; /* NULL: the password */
} steps[] = {
    [STEP_GREETING] = {"stream:features", NULL},
    [STEP_PASSWORD] = {"success", opening},
    [STEP_GREETING_AGAIN] = {"stream:features", bind_resource},
    [STEP_BINDING] = {"iq", "<presence/>"},
    [STEP_ENTERING] = {"presence", ""},
};

static int
step_on(struct speaker *speaker, const struct xmpp_stanza *stanza, struct dialect_event *out)
{
    if (!xmpp_named(stanza, steps[speaker->step].name)) {
        return -EACCES;
    }
    if (steps[speaker->step].answer == NULL) {
        authenticate(speaker);
    } else {
        say(speaker, steps[speaker->step].answer);
    }
    speaker->step++;
    out->kind = speaker->step == STEP_READY ? DIALECT_READY : DIALECT_NOTHING;
    return 0;
}

static int
next(struct speaker *speaker, const unsigned char *bytes, size_t count, struct dialect_event *out)
{
    struct xmpp_stanza stanza;
    int error = 0;
    int used = xmpp_next((const char *)bytes, count, &stanza);
    if (used <= 0 || stanza.opening) {
        return used;
    }
    if (speaker->step != STEP_READY) {
        error = step_on(speaker, &stanza, out);
    } else if (xmpp_named(&stanza, "message")) {
        error = message(&stanza, out);
    }
    return error != 0 ? error : used;
}

const struct dialect dialect_xmpp = {
    .name = "xmpp", .greet = greet, .next = next, .write = write_message, .receipt = receipt};
