/* SPDX-License-Identifier: Apache-2.0 */
/* commit.h - which commit was built: "6ae21da26e1f", or "6ae21da26e1f-dirty" where files differed
 * from it; empty where the sources are no git repository. Made by commit.cmake with each build.
 */
#pragma once

extern const char bench_commit[];
