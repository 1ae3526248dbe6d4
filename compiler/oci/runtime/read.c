/* SPDX-License-Identifier: Apache-2.0 */
/* Entries and rules to a pale tree, each statement placed where it stood in the JSON. */
#include <string.h>

#include "compiler/oci/runtime/settle.h"
#include "grammar/ast_build.h"

struct opened {
	const struct oci_rule *rule; /* the first in it */
	struct ast_stmt *when;
	struct ast_body body;
};

struct builder {
	struct arena *arena;
	struct oci_profile *p;
	struct ast_body body;     /* of the policy */
	VEC(struct opened) whens; /* each `when`, and what it asks */
	struct ast_comment *pending;
	struct ast_comment **pending_end; /* where the next one goes */
	size_t *dropped;                  /* by entry: 1 + the first that was dropped; 0: none */
	size_t *next_dropped;             /* by what was dropped: 1 + the next of its entry */
	bool *narrow; /* by rule: not for all architectures that have its name */
	bool as_runc; /* numbers without a name answer ENOSYS */
};

/* ---- conditions ---- */

static struct ast_cond *make_cmp(struct builder *b, const struct oci_arg *arg)
{
	static const enum ast_cmp ops[OCI_OP_NR] = {
		[OCI_NE] = AST_CMP_NE,        [OCI_LT] = AST_CMP_LT, [OCI_LE] = AST_CMP_LE,
		[OCI_EQ] = AST_CMP_EQ,        [OCI_GE] = AST_CMP_GE, [OCI_GT] = AST_CMP_GT,
		[OCI_MASKED_EQ] = AST_CMP_EQ,
	};
	static const char *const names[6] = { "arg0", "arg1", "arg2", "arg3", "arg4", "arg5" };

	if (arg->op == OCI_MASKED_EQ && !arg->mask)
		return NULL; /* holds always */
	struct ast_value *mask = arg->mask == UINT64_MAX ? NULL : ast_number(b->arena, arg->mask);
	struct ast_cond *c = ast_cmp_new(b->arena, names[arg->index], true, ops[arg->op], mask,
					 ast_number(b->arena, arg->value));
	c->span = c->arg.span = c->op_span = c->values->span = arg->span;
	if (mask)
		mask->span = arg->span;
	return c;
}

static struct ast_cond *make_args(struct builder *b, const struct oci_rule *r)
{
	struct ast_cond *all = NULL;

	for (uint32_t i = 0; i < r->nargs; i++) {
		struct ast_cond *c = make_cmp(b, &r->args[i]);
		if (!c)
			continue;
		bool join = all != NULL;
		all = ast_cond_join(b->arena, AST_COND_AND, all, c);
		all->span = r->args[i].span;
		all->comma = join;
	}
	return all;
}

/* With what others that match as well leave to it. */
static struct ast_cond *make_cond(struct builder *b, const struct oci_rule *r)
{
	static const enum ast_cmp inverse[] = {
		[AST_CMP_NE] = AST_CMP_EQ, [AST_CMP_LT] = AST_CMP_GE, [AST_CMP_LE] = AST_CMP_GT,
		[AST_CMP_EQ] = AST_CMP_NE, [AST_CMP_GE] = AST_CMP_LT, [AST_CMP_GT] = AST_CMP_LE,
	};
	struct ast_cond *all = make_args(b, r);

	vec_each(&oci_limits_of(r)->except, other) {
		struct ast_cond *left = make_args(b, *other);
		bool join = all != NULL;
		for (struct ast_cond *c = left; c->kind == AST_COND_AND; c = c->left)
			c->comma = false; /* it stands between arguments only */
		if (left->kind == AST_COND_CMP)
			left->op = inverse[left->op];
		else
			left = ast_cond_join(b->arena, AST_COND_NOT, left, NULL);
		left->span = r->span;
		all = ast_cond_join(b->arena, AST_COND_AND, all, left);
		all->span = r->span;
		all->comma = join;
	}
	return all;
}

/* A cut rule of which nothing is left: another one matches always. */
static bool is_empty(const struct oci_rule *r)
{
	vec_each(&oci_limits_of(r)->except, other)
		if (oci_always(*other))
			return true;
	return false;
}

/* ---- when ---- */

static struct ast_env *env_new(struct builder *b, enum ast_env_kind kind, struct span span)
{
	struct ast_env *e = ARENA_NEW(b->arena, struct ast_env);

	e->kind = kind;
	e->span = span;
	e->version.span = span;
	return e;
}

static struct ast_env *env_and(struct builder *b, struct ast_env *l, struct ast_env *r)
{
	if (!l || !r)
		return l ? l : r;
	struct ast_env *e = env_new(b, AST_ENV_AND, l->span);
	e->left = l;
	e->right = r;
	return e;
}

static struct ast_env *env_not(struct builder *b, struct ast_env *e)
{
	struct ast_env *n = env_new(b, AST_ENV_NOT, e->span);

	e->parens = e->kind == AST_ENV_AND || e->kind == AST_ENV_OR;
	n->left = e;
	return n;
}

static void env_word(struct builder *b, struct ast_env *e, const char *word)
{
	ast_words_add(b->arena, &e->words, word);
	for (struct ast_word *w = e->words; w; w = w->next)
		w->span = e->span;
}

static struct ast_env *env_arches(struct builder *b, enum ast_env_kind kind, unsigned arches,
				  struct span span)
{
	struct ast_env *e = env_new(b, kind, span);

	for (int a = 0; a < ARCH_NR; a++)
		if (arches & ARCH_BIT(a))
			env_word(b, e, arch_info((enum arch)a)->name);
	return e;
}

static struct ast_env *env_kernel(struct builder *b, uint16_t version, struct span span)
{
	struct ast_env *e = env_new(b, AST_ENV_KERNEL, span);

	e->op = AST_CMP_GE;
	e->version.text = str_c(arena_printf(b->arena, "%u.%u", version >> 8, version & 0xff));
	return e;
}

/* What a gate asks; asks: the place of each part. */
static struct ast_env *env_gate(struct builder *b, const struct oci_gate *g,
				const struct span asks[OCI_ASKS_NR])
{
	struct span caps = asks[OCI_ASKS_CAPS], kernel = asks[OCI_ASKS_KERNEL],
		    host = asks[OCI_ASKS_HOST];
	struct ast_env *all = NULL, *e;

	if (g->caps) {
		e = env_new(b, AST_ENV_CAPABILITY, caps);
		for (unsigned cap = 0; cap < CAPABILITY_NR; cap++)
			if (g->caps >> cap & 1)
				env_word(b, e, capability_name(cap));
		all = e;
	}
	for (unsigned cap = 0; cap < CAPABILITY_NR; cap++) {
		if (!(g->no_caps >> cap & 1))
			continue;
		e = env_new(b, AST_ENV_CAPABILITY, caps);
		env_word(b, e, capability_name(cap));
		all = env_and(b, all, env_not(b, e));
	}
	if (g->hosts)
		all = env_and(b, all, env_arches(b, AST_ENV_HOST, g->hosts, host));
	if (g->no_hosts)
		all = env_and(b, all, env_not(b, env_arches(b, AST_ENV_HOST, g->no_hosts, host)));
	if (g->min_kernel)
		all = env_and(b, all, env_kernel(b, g->min_kernel, kernel));
	if (g->max_kernel)
		all = env_and(b, all, env_not(b, env_kernel(b, g->max_kernel, kernel)));
	return all;
}

/* Which of the listed architectures have this name? */
static unsigned name_arches(const struct builder *b, struct str name)
{
	const struct syscall_info *sys = syscall_by_name(name);
	unsigned arches = 0;

	for (int a = 0; a < ARCH_NR; a++)
		if (sys && sys->nr[a] >= 0)
			arches |= ARCH_BIT(a);
	return arches & b->p->arches;
}

/* A rule for all architectures that have its name needs no `when`. */
static void find_narrow(struct builder *b)
{
	b->narrow = ARENA_ARRAY(b->arena, bool, b->p->rules.n + 1);
	for (size_t i = 0; i < b->p->rules.n; i++) {
		const struct oci_rule *r = &b->p->rules.v[i];
		b->narrow[i] = r->arches != name_arches(b, r->name);
	}
}

static bool is_narrow(const struct builder *b, const struct oci_rule *r)
{
	return b->narrow[r - b->p->rules.v];
}

static struct ast_env *rule_env(struct builder *b, const struct oci_rule *r)
{
	const struct oci_entry *e = &b->p->entries.v[r->entry];
	const struct span here[OCI_ASKS_NR] = { e->json->span, e->json->span, e->json->span };
	struct ast_env *env = env_gate(b, e->gate, e->asks);

	vec_each(&oci_limits_of(r)->within, gate)
		env = env_and(b, env, env_gate(b, *gate, here));
	vec_each(&oci_limits_of(r)->unless, gate)
		env = env_and(b, env, env_not(b, env_gate(b, *gate, here)));
	if (is_narrow(b, r))
		env = env_and(b, env, env_arches(b, AST_ENV_ARCH, r->arches, e->json->span));
	return env;
}

static bool same_pointers(const void *x, size_t nx, const void *y, size_t ny)
{
	return nx == ny && (!nx || !memcmp(x, y, nx * sizeof(void *)));
}

static bool same_gates(const struct oci_rule *x, const struct oci_rule *y)
{
	const struct oci_limits *lx = oci_limits_of(x), *ly = oci_limits_of(y);

	return lx == ly || (same_pointers(lx->unless.v, lx->unless.n, ly->unless.v, ly->unless.n) &&
			    same_pointers(lx->within.v, lx->within.n, ly->within.v, ly->within.n));
}

static bool same_env(const struct builder *b, const struct oci_rule *x, const struct oci_rule *y)
{
	const struct oci_gate *gx = b->p->entries.v[x->entry].gate;
	const struct oci_gate *gy = b->p->entries.v[y->entry].gate;

	if ((gx != gy && memcmp(gx, gy, sizeof(*gx)) != 0) || !same_gates(x, y))
		return false;
	return is_narrow(b, x) == is_narrow(b, y) && (!is_narrow(b, x) || x->arches == y->arches);
}

/* ---- statements ---- */

static void sort_dropped(struct builder *b)
{
	const struct oci_profile *p = b->p;

	b->dropped = ARENA_ARRAY(b->arena, size_t, p->entries.n + 1);
	b->next_dropped = ARENA_ARRAY(b->arena, size_t, p->dropped.n + 1);
	for (size_t i = p->dropped.n; i-- > 0;) {
		size_t *first = &b->dropped[p->dropped_entry.v[i]];
		b->next_dropped[i] = *first;
		*first = i + 1;
	}
}

static void take_dropped(struct builder *b, uint32_t entry)
{
	for (size_t i = b->dropped[entry]; i; i = b->next_dropped[i - 1]) {
		ast_comment_add(b->arena, b->pending_end, "%s", b->p->dropped.v[i - 1]);
		b->pending_end = &(*b->pending_end)->next;
	}
}

/* The `when` of this rule: order means nothing, so all rules that ask the same share one. NULL:
 * it asks nothing. */
static struct opened *opened_for(struct builder *b, const struct oci_rule *r)
{
	vec_each(&b->whens, o)
		if (same_env(b, o->rule, r))
			return o;
	struct ast_env *env = rule_env(b, r);
	if (!env)
		return NULL;
	struct opened o = { .rule = r,
			    .when = ast_add(&b->body, AST_STMT_WHEN),
			    .body = { .arena = b->arena } };
	o.when->env = env;
	o.when->blank_before = true;
	o.when->span = o.when->keyword = env->span;
	vec_push(b->arena, &b->whens, o);
	return &b->whens.v[b->whens.n - 1];
}

/* Rules of one entry that differ in their name only share a statement. */
static bool same_statement(const struct builder *b, const struct oci_rule *x,
			   const struct oci_rule *y)
{
	const struct oci_limits *lx = oci_limits_of(x), *ly = oci_limits_of(y);

	return x->entry == y->entry && x->args == y->args && x->nargs == y->nargs &&
	       same_pointers(lx->except.v, lx->except.n, ly->except.v, ly->except.n) &&
	       same_env(b, x, y);
}

static struct str clean_comment(struct builder *b, struct str s)
{
	BUF_AUTO out = { 0 };

	buf_safe(&out, s);
	return str_c(buf_keep(b->arena, &out));
}

/*
 * An errno goes by its name where that means this number on every architecture listed, or where
 * it was the name that said so.
 */
static struct ast_verdict verdict_of(struct builder *b, struct verdict v, struct str name)
{
	struct ast_verdict out = ast_verdict_of(b->arena, v);
	uint64_t n;

	if (v.kind == VERDICT_ERRNO && name.n && !constant_find("errno", name, ARCH_X86_64, &n)) {
		out.data = ast_name(b->arena, str_dup(b->arena, name));
		return out;
	}
	if (v.kind != VERDICT_ERRNO || out.data->kind != AST_VALUE_NAME)
		return out;
	for (enum arch a = 0; a < ARCH_NR; a++)
		if (b->p->arches & ARCH_BIT(a) &&
		    (constant_find("errno", out.data->text, a, &n) || n != v.data))
			out.data = ast_number(b->arena, v.data);
	return out;
}

static void add_statement(struct builder *b, const struct oci_rule *first, bool *taken, size_t at)
{
	const struct oci_entry *e = &b->p->entries.v[first->entry];
	struct opened *when = opened_for(b, first);
	struct ast_body *body = when ? &when->body : &b->body;
	struct ast_stmt *s = ast_add(body, AST_STMT_CALLS);
	struct ast_call **tail = &s->calls;

	if (when)
		when->when->body = when->body.first;
	s->span = e->json->span;
	s->keyword = e->action_span;
	s->verdict = verdict_of(b, e->verdict, e->errno_name);
	s->verdict.span = e->action_span;
	s->leading = b->pending;
	b->pending = NULL;
	b->pending_end = &b->pending;
	if (e->comment.n)
		ast_comment_add(b->arena, &s->leading, PRISTR,
				STRARG(clean_comment(b, e->comment)));
	s->blank_before = s->leading && s != body->first;
	for (size_t i = at; i < b->p->rules.n && b->p->rules.v[i].entry == first->entry; i++) {
		const struct oci_rule *r = &b->p->rules.v[i];
		if (taken[i] || r->dropped || !same_statement(b, first, r))
			continue;
		taken[i] = true;
		struct ast_call *c =
			ast_call_new(b->arena, str_dup(b->arena, r->name), make_cond(b, r));
		c->span = c->name.span = r->span;
		*tail = c;
		tail = &c->next;
	}
}

static void add_rules(struct builder *b)
{
	bool *taken = ARENA_ARRAY(b->arena, bool, b->p->rules.n + 1);
	size_t i = 0;

	b->pending_end = &b->pending;
	find_narrow(b);
	sort_dropped(b);
	for (uint32_t entry = 0; entry < b->p->entries.n; entry++) {
		const struct oci_gate *g = b->p->entries.v[entry].gate;
		take_dropped(b, entry);
		for (; i < b->p->rules.n && b->p->rules.v[i].entry == entry; i++)
			if (!taken[i] && !b->p->rules.v[i].dropped && !g->never &&
			    !is_empty(&b->p->rules.v[i]))
				add_statement(b, &b->p->rules.v[i], taken, i);
	}
}

static struct ast_stmt *add_header(struct builder *b, enum ast_header header, struct span span)
{
	struct ast_stmt *s = ast_add(&b->body, AST_STMT_HEADER);

	s->header = header;
	s->span = s->keyword = span;
	return s;
}

static void header_word(struct builder *b, struct ast_stmt *s, const char *word)
{
	ast_words_add(b->arena, &s->words, word);
	for (struct ast_word *w = s->words; w; w = w->next)
		w->span = s->span;
}

/*
 * A runtime's default answers for numbers that no table knows as well; but runc's stub, where the
 * default refuses, with ENOSYS.
 */
static void add_headers(struct builder *b, const struct json *profile)
{
	static const struct verdict enosys = { VERDICT_ERRNO, 38 };
	struct span span = profile->span;
	struct ast_stmt *s = add_header(b, AST_HEADER_LEVEL, span);

	header_word(b, s, "linux");
	s->version = *ast_word_new(
		b->arena, arena_printf(b->arena, "%u.%u", tables_level >> 8, tables_level & 0xff));
	header_word(b, add_header(b, AST_HEADER_LAYERS, span), "seccomp");
	s = add_header(b, AST_HEADER_ARCH, b->p->arches_span);
	for (int a = 0; a < ARCH_NR; a++)
		if (b->p->arches & ARCH_BIT(a))
			header_word(b, s, arch_info((enum arch)a)->name);
	s = add_header(b, AST_HEADER_DEFAULT, b->p->dflt_span);
	s->verdict = verdict_of(b, b->p->dflt, b->p->dflt_errno_name);
	s = add_header(b, AST_HEADER_UNKNOWN, b->p->dflt_span);
	s->verdict = b->as_runc ? ast_verdict_of(b->arena, enosys) :
				  verdict_of(b, b->p->dflt, b->p->dflt_errno_name);
	/* libseccomp's bad-architecture action. */
	s = add_header(b, AST_HEADER_FOREIGN, span);
	s->verdict = ast_verdict_of(b->arena, (struct verdict){ VERDICT_KILL_THREAD, 0 });
	if (b->p->logs_span.source != SOURCE_NONE)
		header_word(b, add_header(b, AST_HEADER_LOG, b->p->logs_span), "refusals");
}

/* Podman and Docker answer another errno each (or Podman none): no policy is both. */
static bool has_two_readers(const struct oci_profile *p, struct diags *ds)
{
	vec_each(&p->faults, f) {
		if (f->kind != OCI_FAULT_PODMAN_OTHER && f->kind != OCI_FAULT_PODMAN_WORD)
			continue;
		struct diag *d = diag_add(ds, DIAG_PL273, f->span,
					  "what this errno is depends on who reads the profile");
		diag_help(ds, d, "'pale sim --as docker:runc' answers as Docker does");
		return true;
	}
	return false;
}

struct ast_file *oci_read(struct arena *a, const struct json *root, struct source *src,
			  const struct oci_read_options *opt, const struct oci_disputes **disputes,
			  struct diags *ds)
{
	const struct json *profile = oci_profile_object(root);
	const struct oci_disputes *none, **to = disputes ? disputes : &none;
	struct oci_profile *p = ARENA_NEW(a, struct oci_profile);
	struct builder b = { .arena = a, .p = p, .body = { .arena = a } };

	*to = NULL;
	oci_parse(a, root, opt, p);
	if (!oci_report(p, NULL, ds))
		return NULL;
	if (!p->has_default || p->lost) {
		struct diag *d =
			diag_add(ds, DIAG_PL270, profile->span, "there is no filter in it");
		diag_help(ds, d, p->lost ? "remove the null" : "say a 'defaultAction'");
		return NULL;
	}
	if (has_two_readers(p, ds) || !oci_settle(a, p, opt, to, ds))
		return NULL;
	b.as_runc = opt && opt->as_runc && oci_stub_covers(p->dflt.kind);
	struct ast_body top = { .arena = a };
	struct ast_stmt *policy = ast_add(&top, AST_STMT_POLICY);
	policy->span = policy->keyword = profile->span;
	policy->name =
		*ast_word_new(a, opt && opt->name ? opt->name : ast_policy_name(a, src->name));
	policy->name.span = profile->span;
	add_headers(&b, profile);
	add_rules(&b);
	policy->body = b.body.first;
	policy->inner = b.pending;
	struct ast_file *file = ARENA_NEW(a, struct ast_file);
	file->source = src;
	file->stmts = top.first;
	return file;
}
