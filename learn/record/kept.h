/* SPDX-License-Identifier: Apache-2.0 OR (GPL-2.0-only OR BSD-2-Clause) */
#pragma once
/*
 * KEPT: is a name one of a file that stays, and no device's, nor of /proc? By its first bytes. Plain
 * types only: the BPF compiler reads this too.
 */
#define KEPT_HEAD 6 /* bytes that it looks at, without a NUL */

static inline int kept_begins(const char *name, const char *with, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (name[i] != with[i])
			return 0;
	return 1;
}

static inline int is_kept(const char *name)
{
	return !kept_begins(name, "/dev/", 5) && !kept_begins(name, "/proc/", KEPT_HEAD);
}
