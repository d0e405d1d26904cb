/* SPDX-License-Identifier: Apache-2.0 */
/* poison.h - AddressSanitizer is told what is given out, so that it finds a value used after it was
 * given back, as it would for the heap's. Without it both are nothing. */
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define POISON_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISON_ADDRESS_SANITIZER 1
#endif
#endif

#if defined(POISON_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#define POISON_HIDE(memory, bytes) __asan_poison_memory_region((memory), (bytes))
#define POISON_SHOW(memory, bytes) __asan_unpoison_memory_region((memory), (bytes))
#else
#define POISON_HIDE(memory, bytes) ((void)(memory), (void)(bytes))
#define POISON_SHOW(memory, bytes) ((void)(memory), (void)(bytes))
#endif
