/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's JSON: its conditions (archMap, includes, excludes) say what `when` asks. */
#include "compiler/target/seccomp_json.h"

int target_docker_write(struct compilation *c, const struct target *t, const struct policy *p)
{
	return seccomp_json_write(c, t, p, OCI_DIALECT_DOCKER);
}

void target_docker_check(struct target_check *c, const struct target *t, const struct policy *p)
{
	seccomp_json_check(c, t, p, OCI_DIALECT_DOCKER);
}
