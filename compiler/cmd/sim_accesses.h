/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* `pale sim FILE --raw` of an AppArmor file: accesses from standard input, a line each. */
#include "compiler/tell/accessed.h"

/* EXIT_OK; EXIT_FOUND: a line that does not read, or is not answered, is in s; EXIT_SYSTEM: told. */
int accesses_raw(struct session *s, const struct aa_asking *q);
