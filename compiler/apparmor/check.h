/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Would the parser of a release take an AppArmor text? Asked of pale's own reading of it. */
#include "compiler/apparmor/expand.h"

enum aa_checked {
	AA_CHECK_TAKES,
	AA_CHECK_REFUSES,
	AA_CHECK_UNDECIDED, /* nothing but PL371 and PL386 speaks against it */
};

/*
 * All that speaks against it, and what the parser reads as something else, is told in ds, whose
 * sources are the library's. *out: the file expanded, as aa_expand() gives it; out may be NULL.
 * Owner: the arena.
 */
enum aa_checked aa_check(struct arena *a, struct aa_library *lib, const struct aa_file *file,
			 const struct aa_asked *asked, struct aa_policy **out, struct diags *ds);
