/* SPDX-License-Identifier: Apache-2.0 */
/* checksum.h - the store's one hash (XXH3, 64 bits), and xxHash's only home.
 *
 * It tells bytes that a disk lost or changed from good ones, and spreads owners over partitions. It
 * is no proof against somebody who may write to the disk. The values are part of the format on
 * disk: XXH3 has been fixed since 0.8.0.
 *
 *     sum = checksum_bytes(checksum_bytes(salt, header, sizeof(header)), body, body_bytes);
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* The sum of the bytes under a seed; another seed is another function. Any thread. */
uint64_t checksum_bytes(uint64_t seed, const void *bytes, size_t count);
