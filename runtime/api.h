/* SPDX-License-Identifier: Apache-2.0 */
/* api.h - the words with which the public headers mark their declarations.
 *
 * What is marked LN_API is what the library exports; everything else is hidden in the shared
 * library and local in the static one. Between LN_BEGIN and LN_END a declaration means the same to
 * C++.
 */
#pragma once

#define LN_API __attribute__((visibility("default")))
#define LN_MUST_CHECK __attribute__((warn_unused_result))
#define LN_NORETURN __attribute__((noreturn))
#define LN_PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

#if defined(__cplusplus)
#define LN_BEGIN extern "C" {
#define LN_END }
#else
#define LN_BEGIN
#define LN_END
#endif
