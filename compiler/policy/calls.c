/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Call rules: a statement's calls to one rule an architecture; and the statements that speak of
 * calls without naming them (network, namespace).
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/policy/resolve.h"

#define NR_END 0x40000000u /* table numbers lie below: from here on they are x32's, with its bit */

/* ---- verdicts ---- */

/* A name means what it means on each architecture; a number is that number on all of them. */
static bool verdict_data(struct resolver *r, const struct ast_verdict *v, const char *what,
			 unsigned top, struct verdict out[ARCH_NR])
{
	uint64_t n = 0;

	if (!v->data) {
		if (v->action != AST_ACTION_ERRNO)
			return true;
		struct diag *d = resolve_report(r, DIAG_PL128, v->span, "'errno' needs a number");
		diag_help(r->ds, d, "write it by name, such as 'errno EPERM'");
		return false;
	}
	if (v->data->kind == AST_VALUE_NAME && v->action == AST_ACTION_ERRNO) {
		if (!value_word(r, "errno", "errno", v->data->text, v->data->span, &n))
			return false;
		for (enum arch a = 0; a < ARCH_NR; a++) {
			BUG_ON(constant_find("errno", v->data->text, a, &n) != 0);
			out[a].data = (uint16_t)n;
		}
		return true;
	} else if (v->data->kind == AST_VALUE_NUMBER && !v->data->negative) {
		n = v->data->number;
	} else {
		resolve_report(r, DIAG_PL128, v->data->span, "'%s' takes a number 0..%u", what,
			       top);
		return false;
	}
	if (n > top) {
		resolve_report(r, DIAG_PL120, v->data->span,
			       "value out of range: '%s' carries 0..%u", what, top);
		return false;
	}
	for (enum arch a = 0; a < ARCH_NR; a++)
		out[a].data = (uint16_t)n;
	return true;
}

void verdict_errno(const char *name, struct verdict out[ARCH_NR])
{
	uint64_t n = 0;

	for (enum arch a = 0; a < ARCH_NR; a++) {
		BUG_ON(constant_find("errno", str_c(name), a, &n) != 0);
		out[a] = (struct verdict){ VERDICT_ERRNO, (uint16_t)n };
	}
}

static bool verdict_fill(struct verdict out[ARCH_NR], enum verdict_kind kind)
{
	for (enum arch a = 0; a < ARCH_NR; a++)
		out[a] = (struct verdict){ kind, 0 };
	return true;
}

bool verdict_resolve(struct resolver *r, const struct ast_verdict *v, const char *what,
		     struct verdict out[ARCH_NR])
{
	struct diag *d;

	verdict_fill(out, VERDICT_ALLOW); /* what is left where it is wrong */
	switch (v->action) {
	case AST_ACTION_ALLOW: return verdict_fill(out, VERDICT_ALLOW);
	case AST_ACTION_LOG: return verdict_fill(out, VERDICT_LOG);
	case AST_ACTION_KILL_PROCESS: return verdict_fill(out, VERDICT_KILL_PROCESS);
	case AST_ACTION_KILL_THREAD: return verdict_fill(out, VERDICT_KILL_THREAD);
	case AST_ACTION_NOTIFY: return verdict_fill(out, VERDICT_NOTIFY);
	case AST_ACTION_ERRNO:
		verdict_fill(out, VERDICT_ERRNO);
		return verdict_data(r, v, "errno", 4095, out);
	case AST_ACTION_TRAP:
		verdict_fill(out, VERDICT_TRAP);
		return verdict_data(r, v, "trap", UINT16_MAX, out);
	case AST_ACTION_TRACE:
		verdict_fill(out, VERDICT_TRACE);
		return verdict_data(r, v, "trace", UINT16_MAX, out);
	case AST_ACTION_DENY:
	case AST_ACTION_QUIET_DENY:
		d = resolve_report(r, DIAG_PL128, v->span,
				   "'deny' is no verdict for '%s': it means "
				   "the policy's own default",
				   what);
		diag_help(r->ds, d, "say which refusal: errno EPERM, kill-process, ...");
		return false;
	case AST_ACTION_NR: break;
	}
	BUG("ast_action");
}

/* The refusal that `deny` stands for; false: reported. */
static bool default_refusal(struct resolver *r, struct span sp, struct verdict out[ARCH_NR])
{
	memcpy(out, r->p->dflt, sizeof(r->p->dflt));
	if (verdict_refuses(out[0]))
		return true;
	struct diag *d = resolve_report(r, DIAG_PL127, sp,
					"'deny' means the default verdict, and "
					"this policy's default does not refuse");
	diag_help(r->ds, d, "say which refusal: 'errno EPERM ...' or 'kill ...'");
	return false;
}

static bool call_verdict(struct resolver *r, const struct ast_verdict *v,
			 struct verdict out[ARCH_NR])
{
	if (v->action == AST_ACTION_QUIET_DENY) {
		struct diag *d = resolve_report(r, DIAG_PL128, v->span,
						"'quiet deny' is for "
						"resources: a refused call is not audited anyway");
		diag_help(r->ds, d, "write 'deny'");
		return false;
	}
	if (v->action == AST_ACTION_DENY)
		return default_refusal(r, v->span, out);
	static const char *const names[AST_ACTION_NR] = {
		[AST_ACTION_ERRNO] = "errno",
		[AST_ACTION_TRAP] = "trap",
		[AST_ACTION_TRACE] = "trace",
	};
	return verdict_resolve(r, v, names[v->action], out);
}

/* ---- rules ---- */

void resolve_rule_add(struct resolver *r, const struct item *it, struct call_rule rule)
{
	if (it->env)
		rule.env = it->env[rule.arch];
	if (r->p->calls.n >= RULES_MAX) {
		if (r->full == r->p) /* millions of them would be told again, and take the memory */
			return;
		r->full = r->p;
		resolve_too_large(r, r->p->span, RULES_MAX, "call rules in one policy",
				  "join conditions on one call by 'in', ranges or 'or'");
		return;
	}
	vec_push_own(r->arena, &r->p->calls, rule);
}

static bool excepted(const struct item *it, struct str name)
{
	bool out = false;

	for (const struct except *e = it->except; e && !out; e = e->up) {
		size_t i = 0;
		for (const struct ast_word *w = e->words; w; w = w->next, i++)
			if (str_eq(w->text, name))
				out = e->hit[i] = true;
	}
	return out;
}

/* ---- calls by number ---- */

static void resolve_numbered(struct resolver *r, const struct item *it, const struct ast_call *call,
			     const struct verdict v[ARCH_NR])
{
	struct origin *o = resolve_origin(r, it, call, call->span);
	const struct syscall_info *s;

	if (call->number >= NR_END) {
		struct diag *d =
			resolve_report(r, DIAG_PL120, call->name.span,
				       "value out of range: no call has the number '" PRISTR "'",
				       WORD(call->name));
		diag_help(r->ds, d,
			  "numbers end at 0x3fffffff; for x32 list the architecture and "
			  "write the number without its bit");
		return;
	}
	for (int a = 0; a < ARCH_NR; a++) {
		const struct cond *cond;
		if (!(r->p->arches & it->possible & ARCH_BIT(a)))
			continue;
		struct cond_site site = { NULL, str_dup(r->arena, call->name.text), (enum arch)a,
					  v[a] };
		s = syscall_by_nr((enum arch)a, (uint32_t)call->number);
		if (s)
			diag_help(r->ds,
				  resolve_report(r, DIAG_PL137, call->name.span,
						 "'" PRISTR "' is '%s' on %s", WORD(call->name),
						 s->name, arch_info((enum arch)a)->name),
				  "write the name: numbers differ between architectures");
		if (!cond_resolve(r, &site, call->cond, &cond) || !(it->arches & ARCH_BIT(a)))
			continue;
		resolve_rule_add(r, it,
				 (struct call_rule){ .arch = (enum arch)a,
						     .nr = (uint32_t)call->number +
							   arch_info((enum arch)a)->nr_base,
						     .verdict = v[a],
						     .cond = cond,
						     .origin = o });
	}
}

/* ---- calls by name ---- */

static const char *arch_names(struct resolver *r, unsigned mask)
{
	const char *list = NULL;

	for (int a = 0; a < ARCH_NR; a++) {
		if (!(mask & ARCH_BIT(a)))
			continue;
		const char *name = arch_info((enum arch)a)->name;
		list = list ? arena_printf(r->arena, "%s, %s", list, name) : name;
	}
	return list ? list : "none";
}

static unsigned arches_of(const struct syscall_info *s)
{
	unsigned mask = 0;

	for (int a = 0; a < ARCH_NR; a++)
		if (s->nr[a] >= 0)
			mask |= ARCH_BIT(a);
	return mask;
}

void resolve_unknown_call(struct resolver *r, const struct ast_word *name)
{
	struct diag *d = resolve_report(r, DIAG_PL114, name->span,
					"unknown system call '" PRISTR "'", WORD(*name));
	const char *alias = syscall_alias(name->text);
	struct suggest s;

	const char *foreign = syscall_foreign_arches(name->text);

	if (alias) {
		diag_help(r->ds, d, "the kernel's call is '%s'", alias);
		return;
	}
	if (foreign) {
		diag_help(r->ds, d, "it exists on %s only, which this pale does not know", foreign);
		return;
	}
	if (!diag_suggest_start(r->ds, &s, name->text))
		return;
	for (size_t i = 0; i < syscall_count(); i++)
		if (arches_of(syscall_at(i)) & r->listed)
			suggest_offer(&s, str_c(syscall_at(i)->name));
	for (size_t i = 0; i < syscall_count(); i++)
		suggest_offer(&s, str_c(syscall_at(i)->name));
	if (!diag_suggest(r->ds, d, name->span, &s))
		diag_help(r->ds, d,
			  "a call that this table does not know is written by its number, "
			  "such as '#470'");
}

static void note_absent(struct resolver *r, struct span sp, const struct syscall_info *s,
			unsigned arches)
{
	struct absent *group = NULL;

	vec_each(&r->absent, it)
		if (it->arches == arches)
			group = it;
	if (!group) {
		vec_push(r->arena, &r->absent, ((struct absent){ .arches = arches, .first = sp }));
		group = &r->absent.v[r->absent.n - 1];
	}
	vec_each(&group->calls, call)
		if (*call == s)
			return;
	vec_push(r->arena, &group->calls, s);
}

/* Policies for many machines have so many sets of them that nobody reads a line of each. */
static void report_absent_together(struct resolver *r)
{
	size_t n = 0, shown = 0;
	BUF_AUTO names = { 0 };

	vec_each(&r->absent, it) {
		n += it->calls.n;
		for (size_t i = 0; i < it->calls.n && shown < ABSENT_SHOWN - 1; i++, shown++)
			buf_printf(&names, "%s'%s'", shown ? ", " : "", it->calls.v[i]->name);
	}
	resolve_report(r, DIAG_PL115, r->absent.v[0].first,
		       "%s and %zu more do not each exist on all of the "
		       "architectures listed: no rules where they do not",
		       names.p, n - shown);
	r->absent.n = 0;
}

void resolve_report_absent(struct resolver *r)
{
	if (r->absent.n > ABSENT_LINES) {
		report_absent_together(r);
		return;
	}
	vec_each(&r->absent, it) {
		size_t n = it->calls.n, shown = n > ABSENT_SHOWN ? ABSENT_SHOWN - 1 : n;
		BUF_AUTO names = { 0 };

		for (size_t i = 0; i < shown; i++)
			buf_printf(&names, "%s'%s'",
				   !i        ? "" :
				   i + 1 < n ? ", " :
					       " and ",
				   it->calls.v[i]->name);
		if (shown < n)
			buf_printf(&names, " and %zu more", n - shown);
		resolve_report(r, DIAG_PL115, it->first, "%s %s not exist on %s: no rule there",
			       names.p, n == 1 ? "does" : "do", arch_names(r, it->arches));
	}
	r->absent.n = 0;
}

static void check_presence(struct resolver *r, const struct item *it, const struct ast_word *name,
			   const struct syscall_info *s)
{
	unsigned scope = it->possible;

	/* A set is written for every machine; a `when host` may be about another one. */
	if (it->set || !scope)
		return;
	if (r->opt->foreign) /* so is a JSON profile: loaders skip what a machine lacks */
		return;
	unsigned has = arches_of(s);
	if (!(has & scope) && has & r->listed) { /* under a `when`: elsewhere it exists */
		note_absent(r, name->span, s, scope);
		return;
	}
	if (!(has & scope)) {
		struct diag *d =
			resolve_report(r, DIAG_PL116, name->span, "'%s' does not exist on %s",
				       s->name, arch_names(r, scope));
		if (syscall_alias(name->text))
			diag_help(r->ds, d, "the kernel's call is '%s'; '%s' exists on %s",
				  syscall_alias(name->text), s->name, arch_names(r, has));
		else if (has)
			diag_help(r->ds, d, "it exists on %s", arch_names(r, has));
		return;
	}
	scope &= r->p->arches & ~has;
	if (scope)
		note_absent(r, name->span, s, scope);
}

static void check_level(struct resolver *r, const struct ast_word *name,
			const struct syscall_info *s, enum arch a)
{
	if (s->since[a] <= r->p->level)
		return;
	resolve_report(r, DIAG_PL138, name->span,
		       "'%s' came with Linux %u.%u, after the level of "
		       "this policy: the rule holds, calls without a rule are unknown there",
		       s->name, s->since[a] >> 8, s->since[a] & 0xff);
}

/* A call of the table, where the site is. */
static void add_rule(struct resolver *r, const struct item *it, const struct cond_site *site,
		     const struct cond *cond, const struct origin *o)
{
	uint32_t nr = (uint32_t)site->sys->nr[site->arch] + arch_info(site->arch)->nr_base;

	resolve_rule_add(r, it,
			 (struct call_rule){ .arch = site->arch,
					     .nr = nr,
					     .sys = site->sys,
					     .verdict = site->verdict,
					     .cond = cond,
					     .origin = o });
}

static void resolve_named(struct resolver *r, const struct item *it, const struct ast_call *call,
			  const struct verdict v[ARCH_NR])
{
	const struct syscall_info *s = syscall_by_name(call->name.text);
	struct origin *o = resolve_origin(r, it, call, call->span);

	if (!s) {
		resolve_unknown_call(r, &call->name);
		return;
	}
	check_presence(r, it, &call->name, s);
	for (int a = 0; a < ARCH_NR; a++) {
		const struct cond *cond;
		struct cond_site site = { s, s->name, (enum arch)a, v[a] };
		if (!(r->p->arches & it->possible & ARCH_BIT(a)) || s->nr[a] < 0)
			continue;
		if (!cond_resolve(r, &site, call->cond, &cond) || !(it->arches & ARCH_BIT(a)))
			continue;
		check_level(r, &call->name, s, (enum arch)a);
		add_rule(r, it, &site, cond, o);
	}
}

void resolve_calls(struct resolver *r, const struct item *it)
{
	struct verdict v[ARCH_NR];

	if (!call_verdict(r, &it->stmt->verdict, v))
		verdict_errno("EPERM", v); /* goes on to see the names */
	for (const struct ast_call *c = it->stmt->calls; c; c = c->next) {
		if (excepted(it, c->name.text))
			continue;
		if (c->by_number)
			resolve_numbered(r, it, c, v);
		else
			resolve_named(r, it, c, v);
	}
}

/* ---- statements that speak of calls ---- */

/* One rule on each architecture in force; `make` gives the condition, false: no rule there. */
typedef bool make_cond_fn(struct resolver *r, const struct syscall_info *s, enum arch a,
			  const void *ctx, const struct cond **out);

static void add_implied(struct resolver *r, const struct item *it, const struct origin *o,
			const char *name, const struct verdict v[ARCH_NR], make_cond_fn *make,
			const void *ctx)
{
	const struct syscall_info *s = syscall_by_name(str_c(name));

	BUG_ON(!s);
	if (excepted(it, str_c(name)))
		return;
	for (int a = 0; a < ARCH_NR; a++) {
		const struct cond *cond = NULL;
		struct cond_site site = { s, s->name, (enum arch)a, v[a] };
		if (!(it->arches & r->p->arches & ARCH_BIT(a)) || s->nr[a] < 0)
			continue;
		if (make && !make(r, s, (enum arch)a, ctx, &cond))
			continue;
		add_rule(r, it, &site, cond, o);
	}
}

static const struct cond *arg_cmp(struct resolver *r, const struct syscall_info *s, enum arch a,
				  int arg, enum cmp_op op, uint64_t mask, uint64_t value)
{
	unsigned n;
	const struct arg_info *args = syscall_args(s, a, &n);

	BUG_ON(arg < 0 || (unsigned)arg >= n);
	struct cmp cmp = {
		.arg = (uint8_t)arg, .width = args[arg].width, .op = op, .value = value
	};
	if (cmp.width > arch_info(a)->bits)
		cmp.width = (uint8_t)arch_info(a)->bits;
	cmp.mask = mask & width_mask(cmp.width);
	return cond_new_cmp(r->arena, cmp);
}

/* A network rule has this machine's number for its type; mips64el swaps stream and dgram. */
static uint64_t type_on(enum arch a, int type)
{
	const char *name = constant_name("sock_type", (uint64_t)type, (enum arch)arch_native());
	uint64_t v = (uint64_t)type;

	if (name)
		constant_find("sock_type", str_c(name), a, &v);
	return v;
}

static bool network_cond(struct resolver *r, const struct syscall_info *s, enum arch a,
			 const void *ctx, const struct cond **out)
{
	const struct network_rule *n = ctx;
	const struct cond *c = NULL;
	unsigned nargs;
	uint64_t mask = syscall_args(s, a, &nargs)[1].enum_mask;

	if (n->family >= 0)
		c = arg_cmp(r, s, a, 0, CMP_EQ, UINT64_MAX, (uint64_t)n->family);
	if (n->type >= 0)
		c = cond_new_join(r->arena, COND_AND, c,
				  arg_cmp(r, s, a, 1, CMP_EQ, mask, type_on(a, n->type)));
	if (n->protocol >= 0)
		c = cond_new_join(r->arena, COND_AND, c,
				  arg_cmp(r, s, a, 2, CMP_EQ, UINT64_MAX, (uint64_t)n->protocol));
	*out = c;
	return true;
}

static bool network_protocol(struct resolver *r, const struct ast_value *v, int *out)
{
	const struct syscall_info *s = syscall_by_name(STR("socket"));
	unsigned n;
	const struct arg_info *arg = &syscall_args(s, ARCH_X86_64, &n)[2];
	struct operand o = { .call = "socket",
			     .name = "protocol",
			     .arch = ARCH_X86_64,
			     .arg = 2,
			     .kind = arg->kind,
			     .domain = arg->domain,
			     .width = 16 };
	uint64_t value;

	if (!value_resolve(r, &o, v, &value))
		return false;
	*out = (int)value;
	return true;
}

static bool network_item(struct resolver *r, const struct ast_network *n, struct network_rule *out)
{
	uint64_t v;
	bool ok = true;

	out->family = out->type = out->protocol = -1;
	if (n->family.text.n) {
		ok = value_word(r, "af", "socket family", n->family.text, n->family.span, &v);
		if (ok)
			out->family = (int)(v & 0xffff);
	}
	if (n->type.text.n) {
		if (value_word(r, "sock_type", "socket type", n->type.text, n->type.span, &v))
			out->type = (int)(v & 0xf);
		else
			ok = false;
	}
	if (n->protocol && !network_protocol(r, n->protocol, &out->protocol))
		ok = false;
	return ok;
}

static enum rule_action rule_action_of(enum ast_action a)
{
	if (a == AST_ACTION_DENY)
		return RULE_DENY;
	if (a == AST_ACTION_QUIET_DENY)
		return RULE_QUIET_DENY;
	return a == AST_ACTION_LOG ? RULE_LOG : RULE_ALLOW;
}

void resolve_network(struct resolver *r, const struct item *it)
{
	enum rule_action action = rule_action_of(it->stmt->verdict.action);
	struct verdict v[ARCH_NR];
	bool calls = r->p->layers & LAYER_SECCOMP;

	verdict_fill(v, action == RULE_LOG ? VERDICT_LOG : VERDICT_ALLOW);
	if (calls && (action == RULE_DENY || action == RULE_QUIET_DENY) &&
	    !default_refusal(r, it->stmt->keyword, v))
		return;
	for (const struct ast_network *n = it->stmt->networks; n; n = n->next) {
		struct network_rule rule = { .action = action };
		if (!network_item(r, n, &rule) || !it->arches)
			continue;
		struct span sp = n->family.text.n ? n->family.span : it->stmt->keyword;
		if (n->type.text.n)
			sp = span_join(sp, n->type.span);
		if (n->protocol)
			sp = span_join(sp, n->protocol->span);
		rule.origin = resolve_origin(r, it, NULL, sp);
		vec_push(r->arena, &(resolve_open(it) ? resolve_left_out(r) : r->p)->networks,
			 rule);
		if (!calls)
			continue;
		add_implied(r, it, rule.origin, "socket", v, network_cond, &rule);
		add_implied(r, it, rule.origin, "socketpair", v, network_cond, &rule);
	}
}

/* CLONE_NEW* bits; sched.h. Time namespaces share a bit with clone()'s exit signal, which
 * therefore cannot make them. */
#define NEW_MOUNTS           0x00020000u /* CLONE_NEWNS */
#define UNSHARE_EMPTY_MOUNTS 0x00100000u /* UNSHARE_EMPTY_MNTNS, since 7.1: means NEWNS as well */

static const struct namespace_bit {
	const char *name;
	uint32_t bit;
	bool by_clone;
} namespaces[] = {
	{ "cgroup", 0x02000000, true }, { "ipc", 0x08000000, true },
	{ "mnt", NEW_MOUNTS, true },    { "mount", NEW_MOUNTS, true },
	{ "net", 0x40000000, true },    { "network", 0x40000000, true },
	{ "pid", 0x20000000, true },    { "time", 0x00000080, false },
	{ "user", 0x10000000, true },   { "uts", 0x04000000, true },
};

static const struct namespace_bit *find_namespace(struct resolver *r, const struct ast_word *w)
{
	struct suggest s;

	diag_suggest_start(r->ds, &s, w->text);
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
		if (str_is(w->text, namespaces[i].name))
			return &namespaces[i];
		suggest_offer(&s, str_c(namespaces[i].name));
	}
	struct diag *d =
		resolve_report(r, DIAG_PL136, w->span, "unknown namespace '" PRISTR "'", WORD(*w));
	if (!diag_suggest(r->ds, d, w->span, &s))
		diag_help(r->ds, d, "cgroup, ipc, mnt, net, pid, time, user, uts");
	return NULL;
}

static bool namespace_flags(struct resolver *r, const struct syscall_info *s, enum arch a,
			    const void *ctx, const struct cond **out)
{
	const struct namespace_bit *ns = ctx;
	uint32_t bits = ns->bit;

	int arg = 0;
	if (str_is(str_c(s->name), "clone"))
		arg = syscall_arg_find(s, a, STR("clone_flags"));
	else if (ns->bit == NEW_MOUNTS)
		bits |= UNSHARE_EMPTY_MOUNTS;
	*out = arg_cmp(r, s, a, arg, CMP_NE, bits, 0);
	return true;
}

/* OPEN_TREE_NAMESPACE and FSMOUNT_NAMESPACE. */
static bool namespace_of_tree(struct resolver *r, const struct syscall_info *s, enum arch a,
			      const void *ctx, const struct cond **out)
{
	(void)ctx;
	*out = arg_cmp(r, s, a, syscall_arg_find(s, a, STR("flags")), CMP_NE, 2, 0);
	return true;
}

/* setns with a type of 0 joins whatever the descriptor is. */
static bool namespace_type(struct resolver *r, const struct syscall_info *s, enum arch a,
			   const void *ctx, const struct cond **out)
{
	const struct namespace_bit *ns = ctx;

	*out = cond_new_join(r->arena, COND_OR, arg_cmp(r, s, a, 1, CMP_NE, ns->bit, 0),
			     arg_cmp(r, s, a, 1, CMP_EQ, UINT64_MAX, 0));
	return true;
}

/* Since 7.0 and 7.1 they make a mount namespace of a tree (fs/namespace.c, vfs_open_tree()). */
static const char *const tree_calls[] = { "open_tree", "open_tree_attr", "fsmount" };

void resolve_namespace(struct resolver *r, const struct item *it)
{
	struct verdict v[ARCH_NR], enosys[ARCH_NR];

	if (it->stmt->verdict.action != AST_ACTION_DENY) {
		struct diag *d =
			resolve_report(r, DIAG_PL128, it->stmt->keyword,
				       "'namespace' can only be denied: several calls make "
				       "namespaces");
		diag_help(r->ds, d, "allow the calls themselves: clone, unshare, setns");
		return;
	}
	if (!default_refusal(r, it->stmt->verdict.span, v))
		return;
	verdict_errno("ENOSYS", enosys);
	for (const struct ast_word *w = it->stmt->words; w; w = w->next) {
		const struct namespace_bit *ns = find_namespace(r, w);
		if (!ns || !it->arches)
			continue;
		struct origin *o = resolve_origin(r, it, NULL, w->span);
		if (ns->by_clone)
			add_implied(r, it, o, "clone", v, namespace_flags, ns);
		add_implied(r, it, o, "unshare", v, namespace_flags, ns);
		add_implied(r, it, o, "setns", v, namespace_type, ns);
		for (size_t i = 0; ns->bit == NEW_MOUNTS && i < ARRAY_SIZE(tree_calls); i++)
			add_implied(r, it, o, tree_calls[i], v, namespace_of_tree, NULL);
		/* Its flags lie behind a pointer; ENOSYS makes libcs fall back to clone. */
		add_implied(r, it, o, "clone3", enosys, NULL, NULL);
	}
}

/* ---- socketcall, ipc ---- */

static bool reads_other_args(const struct cond *c)
{
	if (!c)
		return false;
	if (c->kind == COND_CMP)
		return c->cmp.arg != 0;
	return reads_other_args(c->left) || (c->right && reads_other_args(c->right));
}

enum multiplexer { MUX_REFUSED, MUX_ALLOWED, MUX_FORGOTTEN };

/* One first argument: `allowed` counts where a rule of the policy lets it pass. */
static enum multiplexer decided_selector(const struct policy *p, enum arch a, const struct call *c)
{
	size_t i, end;

	if (policy_refuses(p, a, c))
		return MUX_REFUSED;
	policy_calls_of(p, a, c->nr, &i, &end);
	for (; i < end; i++)
		if (cond_eval(p->calls.v[i].cond, c->args) &&
		    !verdict_refuses(p->calls.v[i].verdict))
			return MUX_ALLOWED;
	return MUX_FORGOTTEN;
}

/* What the policy says of this selector of socketcall or ipc, whatever the other arguments. */
static enum multiplexer decided_multiplexer(const struct policy *p, enum arch a, const char *mux,
					    unsigned sel)
{
	const struct syscall_info *s = syscall_by_name(str_c(mux));
	size_t i, end;

	if (!s || s->nr[a] < 0)
		return MUX_REFUSED;
	struct call c = { .audit_arch = arch_info(a)->audit,
			  .nr = (uint32_t)s->nr[a] + arch_info(a)->nr_base,
			  .args = { sel } };
	policy_calls_of(p, a, c.nr, &i, &end);
	for (; i < end; i++)
		if (reads_other_args(p->calls.v[i].cond))
			return MUX_ALLOWED;
	enum multiplexer all = decided_selector(p, a, &c);
	/* ipc takes the upper half for a version (ipc/syscall.c): 0, each bit, all of them. */
	for (int bit = 16; bit <= 32 && !strcmp(mux, "ipc"); bit++) {
		c.args[0] = sel | (bit < 32 ? 1u << bit : 0xffff0000u);
		enum multiplexer one = decided_selector(p, a, &c);
		all = one > all ? one : all;
	}
	return all;
}

/* `reg` compares what JSON profiles compare: imported, and the hole with it (lint says so). */
static bool compares_registers(const struct ast_cond *c)
{
	if (!c)
		return false;
	if (c->kind == AST_COND_CMP)
		return c->reg;
	return compares_registers(c->left) && (!c->right || compares_registers(c->right));
}

/*
 * On i386 socketcall and ipc make these calls as well, with their arguments behind a pointer: a
 * rule that looks at arguments or refuses would be walked around. An author who lets the
 * multiplexer pass by a rule is warned; one who does not mention it has forgotten it.
 */
static void check_multiplexed(struct resolver *r, const struct call_rule *rule)
{
	const char *mux, *arch = arch_info(rule->arch)->name;
	unsigned sel;

	if (!rule->sys || (!rule->cond && !verdict_refuses(rule->verdict)))
		return;
	if (r->opt->foreign || (rule->origin->call && compares_registers(rule->origin->call->cond)))
		return;
	if (multiplexed_by(rule->sys, rule->arch, &mux, &sel) < 0)
		return;
	enum multiplexer is = decided_multiplexer(r->p, rule->arch, mux, sel);
	if (is == MUX_REFUSED)
		return;
	struct diag *d =
		resolve_report(r, is == MUX_FORGOTTEN ? DIAG_PL126 : DIAG_PL255, rule->origin->span,
			       "on %s '%s' is also made through '%s', which this policy lets "
			       "pass and whose arguments no filter sees",
			       arch, rule->sys->name, mux);
	diag_help(r->ds, d,
		  is == MUX_FORGOTTEN ?
			  "say what it does: 'errno ENOSYS %s;' (libcs then use the direct "
			  "calls) or 'allow %s;', or do not list %s" :
			  "'errno ENOSYS %s;' in place of 'allow %s;' closes it (libcs then "
			  "use the direct calls); so does an 'arch' line without %s",
		  mux, mux, arch);
}

void resolve_multiplexed(struct resolver *r)
{
	vec_each(&r->p->calls, rule)
		check_multiplexed(r, rule);
}
