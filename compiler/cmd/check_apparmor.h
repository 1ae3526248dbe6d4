/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What `pale check` says of AppArmor files: one answer for each release that is asked about. */
#include "compiler/apparmor/check.h"
#include "compiler/cmd/options.h"
#include "compiler/target/target.h"

struct apparmor_checks {
	struct aa_library *library;         /* of all files */
	const struct aa_features *features; /* of --features; NULL: not given */
	struct aa_known *known;             /* of all files and releases */
	VEC(struct str) versions;           /* asked for, "4.1"; none: the usual two */
	bool knows_installed;               /* it was looked for */
	struct str installed;               /* its version; p NULL: none */
};

/* For what `target`, an option of releases, names. EXIT_OK, or the exit status after saying what is
 * wrong with --features. */
int apparmor_checks_open(struct session *s, const struct options *o,
			 const struct option_value *target, struct apparmor_checks *out);

/* Answers are put into *asked, whose diagnostics are `one`'s. src is the library's, too. */
void apparmor_checks_ask(struct apparmor_checks *c, struct session *one, struct source *src,
			 struct target_check *asked);
