/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/net/fuzz_codec.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    fuzz_codec(PROTOCOL_BINARY, bytes, count);
    return 0;
}
