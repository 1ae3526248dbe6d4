/* SPDX-License-Identifier: Apache-2.0 */
/* linux.seccomp of the OCI runtime specification: for one environment. */
#include "compiler/target/seccomp_json.h"

static const struct seccomp_json_form form = { .dialect = OCI_DIALECT_OCI };

int target_oci_write(struct compilation *c, const struct target *t, const struct policy *p)
{
	return seccomp_json_write(c, t, p, &form);
}

void target_oci_check(struct target_check *c, const struct target *t, const struct policy *p)
{
	seccomp_json_check(c, t, p, &form);
}
