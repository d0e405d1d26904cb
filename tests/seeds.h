/* SPDX-License-Identifier: Apache-2.0 */
/* seeds.h - over how many seeds, or places, a test goes.
 *
 * gcc's builds go over all of them. clang's, most of which have a sanitizer that makes each several
 * times dearer, go over a third: they play every case of every test, but not the same one as often.
 * In how many seeds a planted bug is to be caught is no such number. */
#pragma once

#if defined(__clang__)
#define SEEDS_OF(all) (((all) + 2) / 3)
/* From one offset to the next; odd, so that what counts bits by it meets each. */
#define SEEDS_STRIDE 7
#else
#define SEEDS_OF(all) (all)
#define SEEDS_STRIDE 1
#endif
