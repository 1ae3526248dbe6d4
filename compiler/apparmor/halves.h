/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "compiler/policy/policy.h"

/*
 * Warnings (PL140, language.md, rule 6): what rules of AppArmor's other classes let pass and the
 * system calls that it takes do not, calls that pass and do what AppArmor refuses, and capabilities
 * that AppArmor lets be used and none of whose calls passes. Of a policy that counts on both layers; of others nothing.
 */
void apparmor_check_halves(const struct policy *p, struct diags *ds);
