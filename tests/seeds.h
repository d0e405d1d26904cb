/* SPDX-License-Identifier: Apache-2.0 */
/* seeds.h - over how many seeds, or places, a test goes.
 *
 * gcc's builds go over all of them. clang's, most of which have a sanitizer that makes each several
 * times dearer, go over a third, but three at least: a world has one, two or three schedulers as
 * its seed says, and fewer seeds would leave one of those out. Of a file's offsets they go over a
 * seventh. In how many seeds a planted bug is to be caught is no such number. */
#pragma once

#if defined(__clang__)
#define SEEDS_OF(all) ((all) > 9 ? ((all) + 2) / 3 : (all) > 3 ? 3 : (all))
/* From one offset to the next; odd, so that what counts bits by it meets each. */
#define SEEDS_STRIDE 7
#else
#define SEEDS_OF(all) (all)
#define SEEDS_STRIDE 1
#endif
