/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/apparmor/needs.h"

#include <string.h>

#include "compiler/apparmor/features.h"
#include "compiler/apparmor/parser.h"
#include "compiler/base/bug.h"

/* The abis: the files of releases 3.0.8, 4.1.0 and 5.0.2; kernels: features.h. */
enum {
	KERNEL_NAMES = AA_KERNEL_NAMES,
	KERNEL_UNIX = AA_KERNEL_UNIX,
	PERMS_UNIX = (AA_NET_RECEIVE << 1) - 1, /* all there are */
};

/*
 * Below an abi that mediates them a parser makes `network unix` of such rules, and drops what they
 * say besides; what denies it drops whole (af_unix.cc, downgrade_rule).
 */
static bool is_plain_unix(const struct aa_rule *r)
{
	bool plain = r->prefix.mode == AA_MODE_ALLOW && (r->perms & PERMS_UNIX) == PERMS_UNIX;

	vec_each(&r->conds, c)
		plain &= c->id == AA_COND_TYPE && !c->peer;
	return plain;
}

/* The first abi under which the class is mediated. */
static enum aa_release first_abi(enum aa_class class)
{
	static const enum aa_release abis[] = { AA_RELEASE_3_0, AA_RELEASE_4_0, AA_RELEASE_5_0 };
	struct arena *scratch = arena_new(NULL);
	enum aa_release first = AA_RELEASE_3_0;

	for (size_t i = 0; i < ARRAY_SIZE(abis); i++) {
		const struct aa_features *f =
			aa_features_of_abi(scratch, str_c(apparmor_abi_of(abis[i])));

		first = abis[i];
		if (aa_features_classes(AA_RELEASE_5_0, f, NULL) >> class & 1)
			break;
	}
	arena_free(scratch);
	return first;
}

static void need_class(const struct aa_rule *r, struct aa_need *n)
{
	n->abi = first_abi(r->class);
	switch (r->class) {
	case AA_CLASS_USERNS:
	case AA_CLASS_IO_URING: n->kernel = KERNEL_NAMES; return;
	case AA_CLASS_MQUEUE:
		n->none = true;
		if (aa_rule_cond(r, AA_COND_LABEL, false))
			n->abi = AA_RELEASE_5_0;
		return;
	case AA_CLASS_UNIX:
		if (is_plain_unix(r))
			return;
		n->abi = AA_RELEASE_5_0;
		n->kernel = KERNEL_UNIX;
		return;
	default: return;
	}
}

/* As that release's parser reads it. NULL: it does not, and why is told. */
static const struct aa_rule *read_as(struct arena *a, const struct policy *p,
				     const struct aa_rule *r, enum aa_release release,
				     struct diags *ds)
{
	struct aa_reader rd = { .arena = a,
				.diags = ds,
				.target = { .release = release, .mediated = ~0u, .compiled = ~0u },
				.variables = p->variables,
				.check = true,
				.policy = true };
	struct aa_use use = { .stmt = r->origin->stmt->rule, .prefix = r->prefix };
	const struct aa_rule *as;

	use.class = aa_class_of(&rd, use.stmt->items);
	if (use.class != r->class)
		return NULL;
	as = aa_rule_read(&rd, &use);
	return as;
}

static bool reads(const struct policy *p, const struct aa_rule *r, enum aa_release release)
{
	struct arena *scratch = arena_new(NULL);
	struct diags *mute = diags_new(scratch, sources_new(scratch));
	bool yes = read_as(scratch, p, r, release, mute) != NULL;

	arena_free(scratch);
	return yes;
}

static struct aa_need need_of(const struct policy *p, const struct aa_rule *r)
{
	struct aa_need n = { 0 };

	need_class(r, &n);
	while (n.parser + 1 < AA_RELEASE_NR && !reads(p, r, n.parser))
		n.parser++;
	if (n.parser < n.abi)
		n.parser = n.abi;
	return n;
}

/* The first release whose parser reads the line of the profile's head. */
static enum aa_release head_need(const struct policy *p)
{
	struct arena *scratch = arena_new(NULL);
	struct diags *mute = diags_new(scratch, sources_new(scratch));
	enum aa_release r = AA_RELEASE_3_0;

	while (p->head && r + 1 < AA_RELEASE_NR &&
	       !policy_read_head(scratch, p->head_by->stmt, r, p->variables, mute))
		r++;
	arena_free(scratch);
	return r;
}

struct aa_need apparmor_need(const struct policy *p)
{
	struct aa_need all = { .parser = head_need(p) };

	if (all.parser > AA_RELEASE_3_0)
		all.by = p->head_by;

	vec_each(&p->others, rule) {
		struct aa_need n = need_of(p, *rule);

		if (n.parser > all.parser || n.abi > all.abi)
			all.by = (*rule)->origin;
		if (n.kernel > all.kernel)
			all.for_kernel = (*rule)->origin;
		all.parser = n.parser > all.parser ? n.parser : all.parser;
		all.abi = n.abi > all.abi ? n.abi : all.abi;
		all.kernel = n.kernel > all.kernel ? n.kernel : all.kernel;
		all.none |= n.none;
	}
	return all;
}

/* ---- a target ---- */

static enum aa_release abi_of(enum aa_release r)
{
	return r < AA_RELEASE_4_0 ? AA_RELEASE_3_0 : r < AA_RELEASE_5_0 ? AA_RELEASE_4_0 : r;
}

const char *apparmor_abi_of(enum aa_release r)
{
	switch (abi_of(r)) {
	case AA_RELEASE_3_0: return "abi/3.0";
	case AA_RELEASE_4_0: return "abi/4.0";
	default: return "abi/5.0";
	}
}

static const char *word_of(struct arena *a, const struct aa_rule *r)
{
	BUF_AUTO b = { 0 };

	buf_safe(&b, r->origin->stmt->rule->items->word.text);
	return buf_keep(a, &b);
}

/* What of it needs the abi: all of it, or what it says besides the socket's type. */
static const char *what_of(struct arena *a, const struct aa_rule *r)
{
	return arena_printf(
		a,
		r->class == AA_CLASS_UNIX ?
			"what '%s' says of accesses, addresses and peers, and what it denies, is mediated" :
			"'%s' is mediated",
		word_of(a, r));
}

static const char *way_of(const struct aa_rule *r)
{
	return r->class == AA_CLASS_UNIX ?
		       "write 'network unix' and the type, or name a newer target" :
		       "drop the rule, or name a newer target";
}

static bool fits_kernel(struct arena *a, const struct aa_rule *r, const struct aa_need *n,
			const struct apparmor_target *t, struct diags *ds)
{
	struct diag *d;

	if (!t->kernel || (!n->none && t->kernel >= n->kernel))
		return true;
	if (n->none)
		d = diag_add(ds, DIAG_PL390, r->origin->span,
			     "'%s' has no effect under Linux %u.%u: no kernel mediates it",
			     word_of(a, r), t->kernel >> 8, t->kernel & 0xff);
	else
		d = diag_add(ds, DIAG_PL390, r->origin->span,
			     "%s since Linux %u.%u, and the target is %u.%u", what_of(a, r),
			     n->kernel >> 8, n->kernel & 0xff, t->kernel >> 8, t->kernel & 0xff);
	diag_help(ds, d, "%s", way_of(r));
	return false;
}

static bool fits(struct arena *a, const struct policy *p, const struct aa_rule *r,
		 const struct apparmor_target *t, struct diags *ds)
{
	struct aa_need n = need_of(p, r);
	struct diags *own = diags_new(a, ds->sources);
	struct diag *d;

	/* What else there is to say of its words was told when the policy was read. */
	if (!read_as(a, p, r, t->release, own)) {
		if (own->errors) { /* which word it was */
			diags_take(ds, own);
			return false;
		}
		d = diag_add(ds, DIAG_PL390, r->origin->span, /* that release takes it for a path */
			     "'%s' rules are read since AppArmor %s, and the target is %s",
			     word_of(a, r), aa_release_name(n.parser), aa_release_name(t->release));
		diag_help(ds, d, "%s", way_of(r));
		return false;
	}
	if (n.abi <= abi_of(t->release))
		return fits_kernel(a, r, &n, t, ds);
	d = diag_add(ds, DIAG_PL390, r->origin->span, "%s since AppArmor %s, and the target is %s",
		     what_of(a, r), aa_release_name(n.abi), aa_release_name(t->release));
	diag_help(ds, d, "%s", way_of(r));
	return false;
}

bool apparmor_fits(struct arena *a, const struct policy *p, const struct apparmor_target *t,
		   struct diags *ds)
{
	bool all = !p->head || policy_read_head(a, p->head_by->stmt, t->release, p->variables, ds);

	vec_each(&p->others, rule)
		all &= fits(a, p, *rule, t, ds);
	return all;
}

/* Parsers drop them for features that no kernel has, or kernels do (kernel runs: 6.1 to 7.3). */
static void tell_flags(const struct policy *p, struct diags *ds)
{
	const struct aa_header *h = p->head;
	const char *flag = h->kill_signal                   ? "kill.signal" :
			   h->error                         ? "error" :
			   h->flags & AA_FLAG_INTERRUPTIBLE ? "interruptible" :
							      NULL;

	if (flag)
		diag_help(ds,
			  diag_add(ds, DIAG_PL391, p->head_by->span,
				   "no kernel up to 7.3 has the flag '%s': it has no effect", flag),
			  "leave it out, or keep it for a kernel to come");
}

void apparmor_tell_kernel(struct arena *a, const struct policy *p, struct diags *ds)
{
	unsigned told = 0;

	if (p->head)
		tell_flags(p, ds);
	vec_each(&p->others, rule) {
		const struct aa_rule *r = *rule;
		struct aa_need n = { 0 };
		struct diag *d;

		need_class(r, &n);
		if ((!n.kernel && !n.none) || told >> r->class & 1)
			continue;
		told |= 1u << r->class;
		if (!n.none) {
			d = diag_add(ds, DIAG_PL391, r->origin->span,
				     "%s since Linux %u.%u: an older kernel lets it pass",
				     what_of(a, r), n.kernel >> 8, n.kernel & 0xff);
			diag_help(
				ds, d,
				"name the kernel that it is for: --target apparmor=%s,kernel=%u.%u",
				aa_release_name(n.abi), n.kernel >> 8, n.kernel & 0xff);
			continue;
		}
		d = diag_add_as(ds, DIAG_PL391, SEVERITY_WARNING, r->origin->span,
				"no kernel up to 7.3 mediates '%s': the rule has no effect",
				word_of(a, r));
		diag_help(ds, d,
			  r->prefix.mode == AA_MODE_DENY ?
				  "leave message queues to the seccomp layer: 'deny mq_open;'" :
				  "leave it out: message queues pass where seccomp lets their "
				  "calls pass");
	}
}

/* ---- the parser that is installed ---- */

bool apparmor_parser_fits(const struct policy *p, struct diags *ds)
{
	struct aa_need n = apparmor_need(p);
	enum aa_release here;
	struct str version;
	struct diag *d;

	if (n.parser == AA_RELEASE_3_0)
		return true;
	switch (parser_version(p->span, &version, ds)) {
	case PARSER_SHORT: return false;
	case PARSER_TAKES: break;
	default: return true; /* who asks it tells that there is none */
	}
	if (!aa_release_of(version, &here) || here >= n.parser)
		return true;
	d = diag_add(ds, DIAG_PL392, n.by ? n.by->span : p->span,
		     "this needs the parser of AppArmor %s or newer, and " PRISTR
		     " is installed here",
		     aa_release_name(n.parser), STRARG(version));
	diag_help(ds, d,
		  "drop the rule, or load the profile where AppArmor is newer; 'pale check -t "
		  "apparmor=%s' tells all that this release lacks",
		  aa_release_name(here));
	return false;
}
