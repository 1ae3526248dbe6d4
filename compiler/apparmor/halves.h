/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "compiler/apparmor/needs.h"

/*
 * Warnings (PL140, language.md, rule 6): what rules of AppArmor's other classes let pass and the
 * system calls that it takes do not, calls that pass and do what AppArmor refuses under the abi that is
 * compiled for one of these targets (n 0: for none, apparmor_abi()), and capabilities that AppArmor
 * lets be used and none of whose calls passes. Of a policy that counts on both layers; of others nothing.
 */
void apparmor_check_halves(const struct policy *p, const struct apparmor_target *targets, size_t n,
			   struct diags *ds);
