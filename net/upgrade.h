/* SPDX-License-Identifier: Apache-2.0 */
/* upgrade.h - the opening handshake of a WebSocket, both sides: RFC 6455, section 4.
 *
 * The server judges a parsed request, and answers with 101 or with what was wrong:
 *
 *     fault = upgrade_judge(&request, subprotocols, subprotocol_count, &upgrade);
 *     if (fault != UPGRADE_OK)
 *         answer = upgrade_fault_answer(fault);
 *     else
 *         rc = upgrade_answer_write(&upgrade, out, out_bytes, &used);
 *
 * The client writes a request and judges the response:
 *
 *     struct upgrade_offer offer = {.host = "localhost:4222", .path = "/chat"};
 *     io_random(io, offer.key, sizeof(offer.key));
 *     rc = upgrade_offer_write(&offer, out, out_bytes, &used);
 *     fault = upgrade_response_judge(&offer, bytes, count, &response);
 *
 * A login token may come with the request: as "Authorization: Bearer TOKEN", or, from browsers,
 * which can't set that field, as a subprotocol "linnet.token.TOKEN" among those offered. It is
 * never repeated in an answer. Extensions are ignored: none is ever agreed on. No state, no memory
 * of its own; any thread. SHA-1 is libcrypto's.
 */
#pragma once

#include "net/http.h"
#include "net/http_answer.h"
#include "runtime/check.h"

#include <stddef.h>
#include <stdint.h>

enum {
    UPGRADE_KEY_BYTES = 16,
    UPGRADE_KEY_TEXT_BYTES = 24,    /* in base64 */
    UPGRADE_ACCEPT_TEXT_BYTES = 28, /* SHA-1 in base64 */
};

#define UPGRADE_TOKEN_PREFIX "linnet.token."

enum upgrade_fault {
    UPGRADE_OK,
    /* of a request */
    UPGRADE_NOT_ASKED, /* a plain request, where only a WebSocket is served */
    UPGRADE_METHOD,
    UPGRADE_HTTP_VERSION,
    UPGRADE_CONNECTION,
    UPGRADE_KEY,
    UPGRADE_VERSION,
    UPGRADE_SUBPROTOCOL_MALFORMED,
    UPGRADE_SUBPROTOCOL_UNKNOWN,
    UPGRADE_AUTHORIZATION,
    UPGRADE_TOKENS,
    /* of a response */
    UPGRADE_INCOMPLETE, /* nothing is wrong so far: more bytes are needed */
    UPGRADE_RESPONSE,   /* not HTTP: see upgrade_response.http_fault */
    UPGRADE_REFUSED,    /* the server says no: see upgrade_response.status */
    UPGRADE_RESPONSE_FIELDS,
    UPGRADE_ACCEPT,
    UPGRADE_EXTENSION,
    UPGRADE_SUBPROTOCOL,
    /* of this machine */
    UPGRADE_DIGEST, /* libcrypto gave no SHA-1 */
    UPGRADE_FAULTS,
};

/* A sentence that names the fault, ends with a newline and lives forever. */
const char *upgrade_fault_text(enum upgrade_fault fault);

/* --------------------------------------------------------------------------------------- server */

/* An upgrade that may be answered with 101. */
struct upgrade {
    char accept[UPGRADE_ACCEPT_TEXT_BYTES + 1];
    const char *subprotocol; /* one of those given; NULL when none were */
    struct http_text token;  /* borrowed from the request; count 0: none was sent */
};

/* Judges a request that parsed well. `subprotocols` are those served, and must have one that the
 * client offers; the first in the client's order is chosen. With none (count 0) any client is
 * taken. *out is good only after UPGRADE_OK. */
MUST_CHECK enum upgrade_fault upgrade_judge(const struct http_request *request,
                                            const char *const *subprotocols,
                                            size_t subprotocol_count, struct upgrade *out);

/* The token of a request that is no upgrade, as one has it in its Authorization field; count 0:
 * none was sent. UPGRADE_OK or UPGRADE_AUTHORIZATION. */
MUST_CHECK enum upgrade_fault upgrade_token_read(const struct http_head *head,
                                                 struct http_text *out_token);

/* The answer to a request that was refused: 400, 401, 405, 426 or 500, plain text. For a request's
 * faults. */
struct http_answer upgrade_fault_answer(enum upgrade_fault fault);

/* The 101 response. 0 or -ENOBUFS. */
MUST_CHECK int upgrade_answer_write(const struct upgrade *upgrade, char *out, size_t out_bytes,
                                    size_t *out_count);

/* --------------------------------------------------------------------------------------- client */

struct upgrade_offer {
    const char *host;                     /* for the Host field, with the port unless it is 80 */
    const char *path;                     /* with the query */
    const char *subprotocol;              /* NULL: none */
    const char *token;                    /* NULL: none; goes into the Authorization field */
    unsigned char key[UPGRADE_KEY_BYTES]; /* chance, new for each request */
};

struct upgrade_response {
    unsigned status;            /* of the response, also when it is UPGRADE_REFUSED; 0: not HTTP */
    enum http_fault http_fault; /* for UPGRADE_RESPONSE */
    size_t head_bytes;          /* what follows is the body, or the first frames */
};

/* The request. 0, -ENOBUFS, or -EINVAL when a text could not stand in the request. */
MUST_CHECK int upgrade_offer_write(const struct upgrade_offer *offer, char *out, size_t out_bytes,
                                   size_t *out_count);

/* Judges the response so far; call again with all bytes from the start after UPGRADE_INCOMPLETE.
 * *out is always set. */
MUST_CHECK enum upgrade_fault upgrade_response_judge(const struct upgrade_offer *offer,
                                                     const char *bytes, size_t count,
                                                     struct upgrade_response *out);
