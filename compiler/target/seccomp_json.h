/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the targets that are seccomp JSON have in common: all but the form. */
#include "compiler/oci/write/write.h"
#include "compiler/target/target.h"

struct seccomp_json_form {
	enum oci_dialect dialect;
	const char *no_errno; /* as oci_write_options has it */
	/* Makes of the profile what it stands in, or says why it cannot (-1); NULL: it is all. */
	int (*wrap)(const struct policy *p, const char *name, struct buf *profile,
		    struct diags *ds);
};

int seccomp_json_write(struct compilation *c, const struct target *t, const struct policy *p,
		       const struct seccomp_json_form *form);
void seccomp_json_check(struct target_check *c, const struct target *t, const struct policy *p,
			const struct seccomp_json_form *form);
