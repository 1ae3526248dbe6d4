/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's JSON: its conditions (archMap, includes, excludes) say what `when` asks. */
#include "compiler/target/seccomp_json.h"

static const struct seccomp_json_form form = { .dialect = OCI_DIALECT_DOCKER };

int target_docker_write(struct compilation *c, const struct target *t, const struct policy *p)
{
	return seccomp_json_write(c, t, p, &form);
}

void target_docker_check(struct target_check *c, const struct target *t, const struct policy *p)
{
	seccomp_json_check(c, t, p, &form);
}
