/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * AppArmor's variables: what `include <tunables/global>` declares on this machine, or, where no
 * AppArmor is installed, what Debian 12 ships (tests/apparmor holds the two together).
 */
#include "compiler/automata/glob.h"
#include "compiler/base/source.h"

enum { VARIABLES_FILES_MAX = 200 }; /* files read for one answer */

/*
 * Reads tunables/global and what it includes, each from the first of `dirs` (NULL-ended) that has
 * it: declarations "@{X}=a b" and "@{X}+=c"; what else stands there declares nothing. 0; -ENOENT:
 * none has such a file; else -errno (-E2BIG: more than VARIABLES_FILES_MAX files) with *failed the
 * path. Owner: the sources' arena.
 */
int variables_read(struct sources *sources, const char *const *dirs, struct glob_variables *out,
		   const char **failed);

/* Those that every installation has. */
void variables_standard(struct arena *a, struct glob_variables *out);

/* @{profile_name}, which the parser declares by itself. */
void variables_add_name(struct arena *a, struct glob_variables *v, struct str profile);
