/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The FILE that `pale why` and `pale watch` ask about what was refused, where it is not AppArmor's. */
#include "compiler/cmd/why_apparmor.h"
#include "compiler/tell/refused.h"

/*
 * by->s, dd and opt are the caller's. EXIT_OK, or the exit status; what is wrong is told or in the
 * session.
 */
int why_file_load(struct session *s, const struct options *o, const char *file,
		  struct refusing *by);
/* Is it a policy? Then AppArmor's records are asked of it, too. */
bool why_file_policy(const struct refusing *by, struct denials *d);
