/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Would the parser of a release take an AppArmor text? Asked of pale's own reading of it. */
#include "compiler/apparmor/expand.h"

/*
 * All that speaks against it, and what the parser reads as something else, is told in ds, whose
 * sources are the library's. Owner: the arena.
 */
bool aa_check(struct arena *a, struct aa_library *lib, const struct aa_file *file,
	      const struct aa_asked *asked, struct diags *ds);
