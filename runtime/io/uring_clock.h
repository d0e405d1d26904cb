/* SPDX-License-Identifier: Apache-2.0 */
/* uring_clock.h - the clock of the uring driver and of its workers. */
#pragma once

#include <stdint.h>

/* io_now_ns of any of its loops. Any thread. */
uint64_t uring_clock_ns(void);
