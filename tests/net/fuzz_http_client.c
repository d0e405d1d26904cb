/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a response, whole and in pieces: the verdict is the same. */
#include "net/http_client.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static struct http_client whole;
    static struct http_client cut;
    if (count < 1) {
        return 0;
    }
    size_t piece = 1 + bytes[0] % 16;
    bytes++;
    count--;
    http_client_begin(&whole);
    http_client_begin(&cut);
    (void)http_client_input(&whole, bytes, count);
    for (size_t at = 0; at < count; at += piece) {
        (void)http_client_input(&cut, bytes + at, count - at < piece ? count - at : piece);
    }
    if (http_client_end(&whole) != http_client_end(&cut) || whole.status != cut.status) {
        abort();
    }
    return 0;
}
