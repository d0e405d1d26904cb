/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/auth.h"

#include "runtime/io/io.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

enum { TOKEN_VERSION = 1, TOKEN_BYTES = 1 + 8 + 2 + AUTH_SECRET_BYTES };

_Static_assert(sodium_base64_ENCODED_LEN(TOKEN_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING) <=
                   AUTH_TOKEN_TEXT_BYTES,
               "a token's text fits");
_Static_assert(AUTH_PASSWORD_HASH_BYTES >= crypto_pwhash_STRBYTES, "a hash's text fits");
_Static_assert(AUTH_HASH_BYTES <= crypto_generichash_BYTES_MAX, "BLAKE2b gives as much");

/* --------------------------------------------------------------------------------------- chance */

/* libsodium has one source of chance per process and passes it no context. */
static struct io *chance;

static const char *
chance_name(void)
{
    return "linnet io";
}

static uint32_t
chance_random(void)
{
    uint32_t value;
    io_random(chance, &value, sizeof value);
    return value;
}

static void
chance_fill(void *const out, const size_t bytes)
{
    io_random(chance, out, bytes);
}

static struct randombytes_implementation chance_source = {
    .implementation_name = chance_name, .random = chance_random, .buf = chance_fill};

int
auth_open(struct io *io)
{
    /* Its first initialization draws for itself: not from `io`, in which a node that is not the
     * first of its process would then find other numbers. */
    if (sodium_init() < 0 || randombytes_set_implementation(&chance_source) != 0) {
        return -ENOSYS;
    }
    chance = io;
    return 0;
}

/* --------------------------------------------------------------------------------------- tokens */

static void
little_endian_put(unsigned char *out, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        out[i] = (unsigned char)(value >> (8 * i));
    }
}

static uint64_t
little_endian_get(const unsigned char *in, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        value |= (uint64_t)in[i] << (8 * i);
    }
    return value;
}

void
auth_token_print(const struct auth_token *token, char out[AUTH_TOKEN_TEXT_BYTES])
{
    unsigned char raw[TOKEN_BYTES];
    raw[0] = TOKEN_VERSION;
    little_endian_put(raw + 1, token->user, 8);
    little_endian_put(raw + 9, token->device, 2);
    memcpy(raw + 11, token->secret, AUTH_SECRET_BYTES);
    (void)sodium_bin2base64(out, AUTH_TOKEN_TEXT_BYTES, raw, sizeof raw,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(raw, sizeof raw);
}

int
auth_token_parse(const char *text, size_t bytes, struct auth_token *out)
{
    unsigned char raw[TOKEN_BYTES];
    size_t raw_bytes = 0;
    if (sodium_base642bin(raw, sizeof raw, text, bytes, NULL, &raw_bytes, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        raw_bytes != sizeof raw || raw[0] != TOKEN_VERSION) {
        return -EINVAL;
    }
    struct auth_token token = {
        .user = little_endian_get(raw + 1, 8),
        .device = (uint16_t)little_endian_get(raw + 9, 2),
    };
    if (token.user == 0 || token.device == 0) {
        return -EINVAL;
    }
    memcpy(token.secret, raw + 11, AUTH_SECRET_BYTES);
    *out = token;
    sodium_memzero(raw, sizeof raw);
    return 0;
}

void
auth_token_hash(const unsigned char secret[AUTH_SECRET_BYTES], unsigned char out[AUTH_HASH_BYTES])
{
    int error = crypto_generichash(out, AUTH_HASH_BYTES, secret, AUTH_SECRET_BYTES, NULL, 0);
    ASSERT(error == 0);
}

/* ---------------------------------------------------------------------------------------- codes */

enum { CODE_LETTERS = 8, LETTER_BITS = 5 };
static const char code_letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void
auth_code_print(const unsigned char chance_bytes[AUTH_CODE_CHANCE_BYTES],
                char out[AUTH_CODE_TEXT_BYTES])
{
    uint64_t bits = little_endian_get(chance_bytes, AUTH_CODE_CHANCE_BYTES);
    for (unsigned i = 0; i < CODE_LETTERS; i++) {
        *out++ = code_letters[bits >> (LETTER_BITS * i) & ((1u << LETTER_BITS) - 1)];
        if (i == CODE_LETTERS / 2 - 1) {
            *out++ = '-';
        }
    }
    *out = '\0';
}

/* The letter that was meant; 0: none. */
static char
letter_meant(char typed)
{
    if (typed >= 'a' && typed <= 'z') {
        typed = (char)(typed - 'a' + 'A');
    }
    switch (typed) {
    case 'O':
        return '0';
    case 'I':
    case 'L':
        return '1';
    default:
        if (typed == '\0' || strchr(code_letters, typed) == NULL) {
            return '\0';
        }
        return typed;
    }
}

int
auth_code_hash(uint64_t user, const char *text, unsigned char out[AUTH_HASH_BYTES])
{
    unsigned char whose[8 + CODE_LETTERS];
    unsigned count = 0;
    little_endian_put(whose, user, 8);
    for (const char *at = text; *at != '\0'; at++) {
        char letter = letter_meant(*at);
        if (letter != '\0' && count < CODE_LETTERS) {
            whose[8 + count++] = (unsigned char)letter;
        } else if (letter != '\0' || (*at != '-' && *at != ' ')) {
            return -EINVAL;
        }
    }
    if (count != CODE_LETTERS) {
        return -EINVAL;
    }
    int error = crypto_generichash(out, AUTH_HASH_BYTES, whose, sizeof whose, NULL, 0);
    ASSERT(error == 0);
    sodium_memzero(whose, sizeof whose);
    return 0;
}

/* ------------------------------------------------------------------------------------ passwords */

void
auth_hash_job(void *argument)
{
    struct auth_job *job = argument;
    int error = crypto_pwhash_str(job->hash, job->password, job->password_bytes,
                                  job->cost.operations, (size_t)job->cost.memory_bytes);
    job->error = error == 0 ? 0 : -ENOMEM;
}

void
auth_verify_job(void *argument)
{
    struct auth_job *job = argument;
    if (job->hash[0] == '\0') {
        /* Who has no password must not be told by the clock. */
        auth_hash_job(job);
        job->error = job->error == 0 ? -EACCES : job->error;
        return;
    }
    int error = crypto_pwhash_str_verify(job->hash, job->password, job->password_bytes);
    job->error = error == 0 ? 0 : -EACCES;
}
