/* SPDX-License-Identifier: Apache-2.0 */
/* DP: what a unit's filters of calls do to the unit itself (unit_facts.h). */
#include <string.h>

#include "compiler/apparmor/halves.h"
#include "compiler/base/bug.h"
#include "compiler/lint/facts.h"
#include "compiler/lint/unit_facts.h"
#include "compiler/systemd/settings.h"

static bool is_native(const struct unit_facts *u, unsigned on)
{
	int here = arch_native();

	return on & u->policy->arches & ARCH_BIT(here < 0 ? ARCH_X86_64 : (unsigned)here);
}

/* Does '+' stand before every program, which takes it out of the filters? */
static bool all_privileged(const struct lint *l)
{
	bool any = false;

	vec_each(&l->deployment->settings, s) {
		size_t n = 0;

		if (!unit_executes(s->section) || !str_starts(s->key, "Exec") || !s->value.n)
			continue;
		while (n < s->value.n && strchr("@-:", s->value.p[n]))
			n++;
		if (n == s->value.n || s->value.p[n] != '+')
			return false;
		any = true;
	}
	return any;
}

RULE(DP624, "unit-cannot-start", ERROR, DEPLOYMENT, dp_unit_cannot_start,
     "a unit whose filter refuses to execute its program",
     "systemd loads the filter of SystemCallFilter= and then executes the unit's program with execve: where that is refused the unit does "
     "not start (status 203/EXEC, or the process ends by SIGSYS where nothing is said of an error). A list of what is allowed has execve by itself, "
     "with the group @default (systemd.exec(5)), and a later line with '~' may take it away.\n\n"
     "Way out: leave execve, and groups that hold it, out of a list with '~'.")
void dp_unit_cannot_start(struct lint *l, enum diag_id id)
{
	const struct unit_facts *u = lint_unit_facts(l);

	if (!u || u->exec.source == SOURCE_NONE ||
	    !is_native(u, facts_refused(u->facts, "execve")) || all_privileged(l))
		return;
	diag_help(
		l->ds,
		diag_add(l->ds, id, u->exec,
			 "the unit's filter refuses execve, with which systemd starts its program"),
		"take execve, or the group that holds it, out of the list");
}

RULE(DP625, "family-upper-half", HIGH, DEPLOYMENT, dp_family_upper_half,
     "families of sockets that a program gets in spite of RestrictAddressFamilies=",
     "RestrictAddressFamilies= with '~' has the first argument of socket(2) compared whole, all 64 bits of it, and the kernel looks at its lower "
     "32 alone: socket(AF_PACKET | 1 << 32) passes the filter and makes a packet socket, from any program that calls it so (systemd's "
     "shared/seccomp-util.c: SCMP_CMP_EQ; seen with 252). A list of what is allowed refuses whatever is above its last family, and has no such hole. "
     "On 32-bit machines registers are no wider.\n\n"
     "Way out: name the families that are needed, without '~'.")
void dp_family_upper_half(struct lint *l, enum diag_id id)
{
	const struct unit_facts *u = lint_unit_facts(l);
	const struct deploy_setting *s = unit_setting(l->deployment, "RestrictAddressFamilies");
	struct deploy_text word;
	uint32_t at = 1;
	uint64_t family;

	if (!u || !s || s->over || s->value.p[0] != '~')
		return;
	while (deploy_next_word(s, &at, &word)) {
		const char *call, *plain;

		if (constant_find("af", word.text, ARCH_X86_64, &family))
			continue;
		call = arena_printf(l->arena, "socket(reg domain == 0x1%08llx)",
				    (unsigned long long)family);
		plain = arena_printf(l->arena, "socket(reg domain == %llu)",
				     (unsigned long long)family);
		if (!is_native(u, facts_ask(u->facts, call, "").some) ||
		    is_native(u, facts_ask(u->facts, plain, "").some))
			continue;
		diag_help(
			l->ds,
			diag_add(l->ds, id, s->span,
				 "the filter compares all 64 bits: socket(0x1%08llx, ...) passes, "
				 "and is " PRISTR " to the kernel",
				 (unsigned long long)family, STRARG(word.text)),
			"name the families that are needed, without '~'");
		return;
	}
}

RULE(DP626, "unit-capability-idle", INFO, DEPLOYMENT, dp_unit_capability_idle,
     "a capability that a unit keeps, and whose calls its filter refuses",
     "CapabilityBoundingSet= names a capability, and the unit's filter refuses every call that it is for (capabilities(7); of "
     "capabilities that are for calls alone): it is idle there, and is there for whatever the filter does not hold for, as programs "
     "that are started with '+'.\n\n"
     "Way out: leave it out of CapabilityBoundingSet=, or allow the call that is meant.")
void dp_unit_capability_idle(struct lint *l, enum diag_id id)
{
	const struct unit_facts *u = lint_unit_facts(l);
	const struct apparmor_gate *g;
	const struct deploy_setting *s;
	uint64_t kept = unit_capabilities(l->deployment, &s);
	BUF_AUTO b = { 0 };

	if (!u || !s || s->over || s->value.p == NULL || str_starts(s->value, "~"))
		return;
	for (size_t i = 0; (g = apparmor_gate_at(i)); i++) {
		bool refused = true;

		for (size_t c = 0; c < GATE_CALLS && g->calls[c]; c++)
			refused &= !facts_some(u->facts, g->calls[c]);
		if (refused && kept >> g->cap & 1)
			buf_printf(&b, "%s%s", b.n ? ", " : "",
				   constant_name("capability", g->cap, ARCH_X86_64));
	}
	if (b.n)
		diag_help(l->ds,
			  diag_add(l->ds, id, s->span,
				   "the unit's filter refuses every call that these are for: %s",
				   b.p),
			  "leave them out, or allow the calls that are meant");
}

RULE_TOLD(
	DP627, "unit-risky-calls", INFO, DEPLOYMENT,
	"risky calls that a unit's list of calls lets pass",
	"SystemCallFilter= says what passes, and among it are calls that widen what a program can do to the machine: those of the "
	"rules SR201 to SR229, each explained by its own page ('pale lint --explain SR204'). Groups bring them: @system-service has io_uring, "
	"userfaultfd, keyrings, namespaces and process_vm_readv in it. One finding, and information: what of them a service needs its "
	"author knows.\n\n"
	"Way out: a line with '~' takes away what is not needed: 'SystemCallFilter=~@aio @keyring userfaultfd'.")
void lint_unit_risks(struct lint *l, const struct unit_facts *u, const struct diags *risks)
{
	struct span at = NO_SPAN;
	BUF_AUTO b = { 0 };
	struct diag *d;

	vec_each(&risks->list, r) {
		const struct diag_info *info = diag_info((*r)->id);

		at = at.source == SOURCE_NONE ? lint_unit_span(u, (*r)->span) : at;
		buf_printf(&b, "%s%s (%s)", b.n ? ", " : "",
			   strncmp(info->slug, "risk-", 5) ? info->slug : info->slug + 5, info->id);
	}
	if (at.source == SOURCE_NONE)
		return;
	d = diag_add(l->ds, DIAG_DP627, at, "what is risky passes the unit's filter: %s", b.p);
	diag_help(l->ds, d, "'~@aio @keyring' and the like take away what is not needed");
}
