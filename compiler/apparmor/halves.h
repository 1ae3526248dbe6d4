/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "compiler/apparmor/needs.h"
#include "compiler/rules/rules.h"

enum { HALF_CALLS = 4, GATE_CALLS = 8 };

/*
 * What rules of a class let be done, and the calls that do it, any of them. `asked`: AppArmor asks whenever
 * the call is made, so that one that passes without any rule of the class is refused by it (security/apparmor/lsm.c).
 * An io_uring without SQPOLL is not asked about, no kernel asks about message queues, and /proc is how others are
 * read.
 */
struct apparmor_half {
	enum aa_class class;
	enum aa_mount_kind kind; /* of MOUNT */
	bool asked;
	const char *calls[HALF_CALLS];
};

/*
 * What a capability is for, where it is for calls alone: the manual page capabilities(7), and
 * capable() and ns_capable() in the kernel's sources. A call with other uses (ioctl, for the clock of
 * RTC_SET_TIME) is one of them, too.
 */
struct apparmor_gate {
	unsigned cap;
	const char *calls[GATE_CALLS];
};

/* NULL behind the last. */
const struct apparmor_half *apparmor_half_at(size_t i);
const struct apparmor_gate *apparmor_gate_at(size_t i);
/* Is the rule one that lets it be done, or refuses it? */
bool apparmor_half_speaks(const struct apparmor_half *h, const struct aa_rule *r);

/*
 * Warnings (PL140, language.md, rule 6): what rules of AppArmor's other classes let pass and the
 * system calls that it takes do not, calls that pass and do what AppArmor refuses under the abi that is
 * compiled for one of these targets (n 0: for none, apparmor_abi()), and capabilities that AppArmor
 * lets be used and none of whose calls passes. Of a policy that counts on both layers; of others nothing.
 */
void apparmor_check_halves(const struct policy *p, const struct apparmor_target *targets, size_t n,
			   struct diags *ds);
