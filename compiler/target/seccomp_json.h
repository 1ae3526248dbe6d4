/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the targets that are seccomp JSON have in common: all but the dialect. */
#include "compiler/oci/write/write.h"
#include "compiler/target/target.h"

int seccomp_json_write(struct compilation *c, const struct target *t, const struct policy *p,
		       enum oci_dialect dialect);
void seccomp_json_check(struct target_check *c, const struct target *t, const struct policy *p,
			enum oci_dialect dialect);
