/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * TOML 1.0 as configuration needs it, read to the values of json.h, places and all: tables, dotted and
 * quoted keys, strings on one line, arrays, inline tables, decimal integers, booleans. What
 * else TOML has (strings over several lines, dates, floats, other bases, arrays of tables) is named
 * where the first of it stands (PL438), what TOML does not have likewise (PL437).
 * Bounded: 16 MiB, nesting 32, 4096 values. Lives in the arena; strings are decoded copies.
 */
#include "grammar/json.h"

/* The table of the whole file, or NULL after one error. */
struct json *toml_parse(struct arena *a, struct source *src, struct diags *ds);
