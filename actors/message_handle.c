/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/message_handle.h"

#include <sodium.h>
#include <string.h>

enum { TAG_BYTES = crypto_shorthash_BYTES };

_Static_assert(MESSAGE_HANDLE_KEY_BYTES == crypto_shorthash_KEYBYTES, "SipHash's key");
_Static_assert(MESSAGE_HANDLE_BYTES == TAG_BYTES + 2 * sizeof(uint64_t), "a tag and two numbers");

void
message_handle_keys_derive(struct message_handle_keys *keys, const void *secret, size_t bytes)
{
    static const unsigned char purpose[] = "linnet message handles";
    int error = crypto_generichash((unsigned char *)keys, sizeof *keys, purpose, sizeof purpose - 1,
                                   secret, bytes);
    ASSERT(error == 0 && "the secret is a key that BLAKE2b takes");
}

static void
tag_of(const struct message_handle_keys *keys, const struct message_handle_facts *facts,
       unsigned char out[TAG_BYTES])
{
    uint64_t words[] = {facts->recipient, facts->sender, facts->chat_number,
                        facts->time_ms,   facts->entry,  facts->expires_at_ms};
    (void)crypto_shorthash(out, (const unsigned char *)words, sizeof words, keys->tag);
}

static uint64_t
masked(const struct message_handle_keys *keys, const unsigned char tag[TAG_BYTES], uint64_t entry)
{
    uint64_t mask;
    unsigned char bytes[crypto_shorthash_BYTES];
    (void)crypto_shorthash(bytes, tag, TAG_BYTES, keys->mask);
    memcpy(&mask, bytes, sizeof mask);
    return entry ^ mask;
}

void
message_handle_make(const struct message_handle_keys *keys,
                    const struct message_handle_facts *facts,
                    unsigned char out[MESSAGE_HANDLE_BYTES])
{
    tag_of(keys, facts, out);
    uint64_t entry = masked(keys, out, facts->entry);
    memcpy(out + TAG_BYTES, &entry, sizeof entry);
    memcpy(out + TAG_BYTES + sizeof entry, &facts->expires_at_ms, sizeof facts->expires_at_ms);
}

bool
message_handle_open(const struct message_handle_keys *keys, const void *handle, size_t bytes,
                    struct message_handle_facts *facts)
{
    unsigned char given[MESSAGE_HANDLE_BYTES];
    unsigned char tag[TAG_BYTES];
    if (bytes != sizeof given) {
        return false;
    }
    memcpy(given, handle, sizeof given);
    memcpy(&facts->entry, given + TAG_BYTES, sizeof facts->entry);
    facts->entry = masked(keys, given, facts->entry);
    memcpy(&facts->expires_at_ms, given + TAG_BYTES + sizeof facts->entry,
           sizeof facts->expires_at_ms);
    tag_of(keys, facts, tag);
    return sodium_memcmp(tag, given, TAG_BYTES) == 0;
}
