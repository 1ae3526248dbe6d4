/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

/* Nanoseconds of CLOCK_MONOTONIC (clock_gettime(2)): of this boot, and not set by anybody. Signal handlers may ask. */
uint64_t clock_ns(void);
