/* SPDX-License-Identifier: Apache-2.0 */
/* Tree to POLICY: the driver and the header lines. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/policy/resolve.h"

/* ---- header lines ---- */

static void header_level(struct resolver *r, const struct ast_stmt *st)
{
	uint16_t v;
	struct diag *d;

	if (st->words && !str_is(st->words->text, "linux")) {
		resolve_report(r, DIAG_PL101, st->words->span,
			       "a level is one of Linux: 'level linux %u.%u'", tables_level >> 8,
			       tables_level & 0xff);
		return;
	}
	if (resolve_version(st->version.text, &v) < 0) {
		d = resolve_report(r, DIAG_PL101, st->version.span,
				   "'" PRISTR "' is not a kernel version", WORD(st->version));
		diag_help(r->ds, d, "write it as MAJOR.MINOR, such as %u.%u", tables_level >> 8,
			  tables_level & 0xff);
		return;
	}
	if (v > tables_level) {
		d = resolve_report(r, DIAG_PL103, st->version.span,
				   "this pale knows the calls of "
				   "Linux up to %u.%u, not those of '" PRISTR "'",
				   tables_level >> 8, tables_level & 0xff, WORD(st->version));
		diag_help(r->ds, d, "use a newer pale, or 'level linux %u.%u'", tables_level >> 8,
			  tables_level & 0xff);
		return;
	}
	r->p->level = v;
}

static void header_layers(struct resolver *r, const struct ast_stmt *st)
{
	static const struct {
		const char *name;
		unsigned bit;
	} layers[] = { { "seccomp", LAYER_SECCOMP }, { "apparmor", LAYER_APPARMOR } };

	r->p->layers = 0;
	for (const struct ast_word *w = st->words; w; w = w->next) {
		struct suggest s;
		unsigned bit = 0;
		diag_suggest_start(r->ds, &s, w->text);
		for (size_t i = 0; i < ARRAY_SIZE(layers); i++) {
			suggest_offer(&s, str_c(layers[i].name));
			if (str_is(w->text, layers[i].name))
				bit = layers[i].bit;
		}
		if (!bit) {
			struct diag *d = resolve_report(r, DIAG_PL101, w->span,
							"unknown layer '" PRISTR "'", WORD(*w));
			if (!diag_suggest(r->ds, d, w->span, &s))
				diag_help(r->ds, d, "layers are seccomp and apparmor");
		}
		if (r->p->layers & bit)
			resolve_report(r, DIAG_PL100, w->span, "'" PRISTR "' is listed twice",
				       WORD(*w));
		r->p->layers |= bit;
	}
	if (!r->p->layers) /* reported; the rest goes on as if both were there */
		r->p->layers = LAYER_SECCOMP | LAYER_APPARMOR;
}

static void header_arch(struct resolver *r, const struct ast_stmt *st)
{
	for (const struct ast_word *w = st->words; w; w = w->next) {
		int a = arch_find(w->text);
		if (a < 0) {
			struct suggest s;
			diag_suggest_start(r->ds, &s, w->text);
			for (int i = 0; i < ARCH_NR; i++)
				suggest_offer(&s, str_c(arch_info((enum arch)i)->name));
			struct diag *d =
				resolve_report(r, DIAG_PL102, w->span,
					       "unknown architecture '" PRISTR "'", WORD(*w));
			diag_suggest(r->ds, d, w->span, &s);
			continue;
		}
		if (r->listed & ARCH_BIT(a))
			resolve_report(r, DIAG_PL100, w->span, "'" PRISTR "' is listed twice",
				       WORD(*w));
		r->listed |= ARCH_BIT(a);
	}
}

/* The parser declares a profile's name once it knows what the profile is attached to. */
static void forbid_own_name(struct resolver *r, const struct ast_word *w)
{
	struct str text = glob_unescape(r->arena, w->text), name;

	for (size_t i = 0; i < text.n; i++) {
		if (!glob_variable_at(text, i, &name) || !str_is(name, "profile_name"))
			continue;
		diag_help(r->ds,
			  resolve_report(r, DIAG_PL234, w->span,
					 "AppArmor's variable '@{profile_name}' is never declared "
					 "where the program is said"),
			  "write the policy's name out: " PRISTR, STRARG(r->p->name));
		return;
	}
}

static void header_program(struct resolver *r, const struct ast_stmt *st)
{
	const struct ast_word *w = st->paths ? st->paths : st->words;

	if (!w)
		return;
	if (!str_starts(w->text, "/")) {
		struct diag *d =
			resolve_report(r, DIAG_PL101, w->span,
				       "the program's path '" PRISTR "' is not absolute", WORD(*w));
		diag_help(r->ds, d, "begin it with '/'");
		return;
	}
	if (resolve_glob(r, w, GLOB_PATH))
		forbid_own_name(r, w);
	r->p->program = w->text;
}

static void resolve_header(struct resolver *r, const struct ast_stmt *st)
{
	switch (st->header) {
	case AST_HEADER_PROGRAM: header_program(r, st); return;
	case AST_HEADER_LEVEL: header_level(r, st); return;
	case AST_HEADER_LAYERS: header_layers(r, st); return;
	case AST_HEADER_ARCH: header_arch(r, st); return;
	case AST_HEADER_DEFAULT: verdict_resolve(r, &st->verdict, "default", r->p->dflt); return;
	case AST_HEADER_UNKNOWN: verdict_resolve(r, &st->verdict, "unknown", r->p->unknown); return;
	case AST_HEADER_FOREIGN: verdict_resolve(r, &st->verdict, "foreign", r->foreign); return;
	case AST_HEADER_LOG: r->p->log_refusals = true; return;
	case AST_HEADER_APPARMOR: header_apparmor_resolve(r, st); return;
	case AST_HEADER_NR: break;
	}
	BUG("ast_header");
}

static void default_arch(struct resolver *r, bool said)
{
	int native = arch_native();

	if (r->listed || native < 0)
		return;
	r->listed = ARCH_BIT(native);
	if (said) /* an `arch` line with nothing but errors */
		return;
	struct diag *d = resolve_report(r, DIAG_PL104, r->p->span,
					"no 'arch' line: calls of %s are "
					"decided, all others meet 'foreign'",
					arch_info((enum arch)native)->name);
	diag_help(r->ds, d, "write 'arch %s;'", arch_info((enum arch)native)->name);
}

/*
 * `foreign` answers on machines that the policy does not know by name: where the listed ones
 * do not agree on what an errno's name means, nobody knows what it means there.
 */
static void settle_foreign(struct resolver *r, const struct ast_stmt *st)
{
	int first = -1;

	for (int a = 0; a < ARCH_NR; a++) {
		if (!(r->p->arches & ARCH_BIT(a)))
			continue;
		if (first < 0)
			first = a;
		if (verdict_eq(r->foreign[a], r->foreign[first]))
			continue;
		struct diag *d =
			resolve_report(r, DIAG_PL252, st->verdict.span,
				       "this errno is %u on "
				       "%s and %u on %s: 'foreign' has one answer",
				       r->foreign[first].data, arch_info((enum arch)first)->name,
				       r->foreign[a].data, arch_info((enum arch)a)->name);
		diag_help(r->ds, d, "write the number, or compile for one machine with '--arch'");
		break;
	}
	if (first >= 0)
		r->p->foreign = r->foreign[first];
}

/* `default` and `unknown` of single architectures: lines of a `when arch`. */
static void when_header(struct resolver *r, const struct ast_env *env, const struct ast_stmt *st)
{
	bool dflt = st->header == AST_HEADER_DEFAULT;
	struct verdict *to = dflt ? r->p->dflt : r->p->unknown, own[ARCH_NR];
	const struct ast_stmt **by = dflt ? r->p->dflt_by : r->p->unknown_by;

	memcpy(own, to, sizeof(own));
	verdict_resolve(r, &st->verdict, dflt ? "default" : "unknown", own);
	for (const struct ast_word *w = env->words; w; w = w->next) {
		int a = arch_find(w->text);
		if (a < 0)
			continue; /* compose_items() says so */
		if (by[a]) {
			struct diag *d = resolve_report(r, DIAG_PL100, st->keyword,
							"a second '%s' line for " PRISTR,
							dflt ? "default" : "unknown", WORD(*w));
			diag_note(r->ds, d, by[a]->keyword, "first here");
			return;
		}
		to[a] = own[a];
		by[a] = st;
	}
}

static void when_headers(struct resolver *r, const struct ast_stmt *body)
{
	for (const struct ast_stmt *when = body; when; when = when->next)
		for (const struct ast_stmt *st = when->kind == AST_STMT_WHEN ? when->body : NULL;
		     st; st = st->next)
			if (header_of_arch(when, st))
				when_header(r, when->env, st);
}

/* The line of the AppArmor profile's head, beside the others. */
static void check_head(struct resolver *r, const struct ast_stmt *const first[])
{
	if (!(r->p->layers & LAYER_APPARMOR))
		diag_help(r->ds,
			  resolve_report(
				  r, DIAG_PL130, first[AST_HEADER_APPARMOR]->keyword,
				  "the head of an AppArmor profile is said, and policy '" PRISTR
				  "' does not count on apparmor",
				  STRARG(r->p->name)),
			  "add apparmor to its 'layers', or drop the line");
	if (r->p->head && r->p->head->xattrs && !first[AST_HEADER_PROGRAM])
		diag_help(r->ds,
			  resolve_report(r, DIAG_PL380, r->p->head->xattrs->span,
					 "no program is said that could have these attributes"),
			  "say which one in 'program'");
}

static void resolve_headers(struct resolver *r, const struct ast_stmt *body)
{
	const struct ast_stmt *first[AST_HEADER_NR] = { 0 };

	for (const struct ast_stmt *st = body; st; st = st->next) {
		if (st->kind != AST_STMT_HEADER)
			continue;
		if (first[st->header]) {
			struct diag *d = resolve_report(
				r, DIAG_PL100, st->keyword, "a second '" PRISTR "' line",
				STRARG(span_text(r->ds->sources, st->keyword)));
			diag_note(r->ds, d, first[st->header]->keyword, "first here");
			continue;
		}
		first[st->header] = st;
		resolve_header(r, st);
	}
	when_headers(r, body);
	default_arch(r, first[AST_HEADER_ARCH] != NULL);
	r->p->arches = r->listed;
	if (r->opt->arches)
		r->p->arches &= r->opt->arches;
	if (first[AST_HEADER_FOREIGN])
		settle_foreign(r, first[AST_HEADER_FOREIGN]);
	if (r->p->log_refusals)
		policy_check_log(r->p, r->ds);
	if (first[AST_HEADER_APPARMOR])
		check_head(r, first);
	if (!r->p->arches && r->opt->arches)
		diag_help(r->ds,
			  resolve_report(r, DIAG_PL146, r->p->span,
					 "none of the architectures of --arch is listed by "
					 "policy '" PRISTR "'",
					 STRARG(r->p->name)),
			  "add it to the policy's 'arch' line");
}

const struct ast_stmt *policy_header(const struct policy *p, enum ast_header header)
{
	const struct ast_stmt *st = p->stmt ? p->stmt->body : NULL;

	while (st && (st->kind != AST_STMT_HEADER || st->header != header))
		st = st->next;
	return st;
}

struct span policy_header_span(const struct policy *p, enum ast_header header)
{
	const struct ast_stmt *st = policy_header(p, header);

	return st ? st->keyword : p->span;
}

void policy_check_log(const struct policy *p, struct diags *ds)
{
	if (p->layers & LAYER_SECCOMP)
		return;
	struct diag *d = diag_add(ds, DIAG_PL130, policy_header_span(p, AST_HEADER_LOG),
				  "refusals of system calls are to be logged, and policy '" PRISTR
				  "' does not count on seccomp",
				  STRARG(p->name));
	diag_help(ds, d,
		  "add seccomp to its 'layers', or leave that out: AppArmor logs what it refuses");
}

/* ---- a policy ---- */

static uint64_t named_capabilities(const struct ast_stmt *st)
{
	uint64_t caps = 0;

	for (const struct ast_word *w = st->words; w; w = w->next) {
		int cap = capability_find(w->text);
		if (cap >= 0)
			caps |= UINT64_C(1) << cap;
	}
	return caps;
}

/*
 * The policy's own capability lines are what `when capability` asks about (rule 11), unless
 * --caps says otherwise. Lines inside a `when capability` are not counted: that would be a
 * circle.
 */
static void probe_capabilities(struct resolver *r, struct scope *scope, const struct ast_stmt *body)
{
	if (r->env.caps_known || r->opt->keep_when)
		return;
	uint64_t allowed = 0, denied = 0;
	bool says = false;

	r->probing = true;
	compose_items(r, scope, body, NULL);
	r->probing = false;
	vec_each(&r->items, it) {
		if (it->stmt->kind != AST_STMT_CAPABILITY)
			continue;
		enum ast_action action = it->stmt->verdict.action;
		bool allows = action == AST_ACTION_ALLOW || action == AST_ACTION_LOG;
		says = true;
		if (it->arches)
			*(allows ? &allowed : &denied) |= named_capabilities(it->stmt);
	}
	r->env.caps_known = says || r->env.held_known;
	r->env.caps = says ? allowed & ~denied : r->env.held;
}

static struct policy *new_policy(struct resolver *r, const struct ast_stmt *st)
{
	struct policy *p = ARENA_NEW(r->arena, struct policy);

	p->name = st->name.text;
	p->span = st->name.span;
	p->stmt = st;
	p->level = tables_level;
	p->layers = LAYER_SECCOMP;
	verdict_errno("EPERM", p->dflt);
	verdict_errno("ENOSYS", p->unknown);
	p->foreign = (struct verdict){ VERDICT_KILL_PROCESS, 0 };
	return p;
}

static void resolve_items(struct resolver *r)
{
	vec_each(&r->items, it)
		resolve_resource(r, it);
	compose_check_excepts(r);
	resolve_report_absent(r);
	vec_each(&r->items, it)
		if (it->stmt->kind == AST_STMT_CAPABILITY && it->arches && !resolve_open(it))
			r->p->says_caps = true;
	policy_normalize(r->p);
	resolve_multiplexed(r);
}

static struct policy *resolve_policy(struct resolver *r, struct scope *scope,
				     const struct ast_stmt *st)
{
	size_t errors = r->ds->errors;

	r->p = new_policy(r, st);
	r->listed = 0;
	r->env = r->opt->env;
	resolve_headers(r, st->body);
	r->p->kernel = r->env.kernel_known ? r->env.kernel : r->p->level;
	probe_capabilities(r, scope, st->body);
	compose_items(r, scope, st->body, NULL);
	resolve_items(r);
	if (r->ds->errors == errors) /* conflicts among rules that are wrong would mislead */
		conflict_check(r->arena, r->p, r->ds);
	return r->p;
}

/*
 * A set that no policy of its file uses is checked all the same, as if a policy that refuses by
 * default, counts on every layer and lists every architecture used it.
 */
static void check_set(struct resolver *r, struct set_def *def)
{
	r->p = new_policy(r, def->stmt);
	r->p->layers = LAYER_SECCOMP | LAYER_APPARMOR;
	r->listed = 0;
	for (int a = 0; a < ARCH_NR; a++)
		r->listed |= ARCH_BIT(a);
	r->p->arches = r->listed;
	r->env = (struct environment){
		.caps_known = true, .kernel_known = true, .kernel = tables_level, .host_known = true
	};
	compose_items(r, def->scope, def->stmt->body, def);
	vec_each(&r->items, it)
		resolve_resource(r, it);
	compose_check_excepts(r);
}

static void check_names(struct resolver *r, const struct policies *all)
{
	for (size_t i = 0; i < all->list.n; i++)
		for (size_t k = 0; k < i; k++) {
			const struct policy *p = all->list.v[i], *q = all->list.v[k];
			if (!str_eq(p->name, q->name))
				continue;
			struct diag *d = resolve_report(r, DIAG_PL110, p->span,
							"policy '" PRISTR "' is defined twice",
							STRARG(p->name));
			diag_note(r->ds, d, q->span, "first here");
			break;
		}
}

struct policies *policy_resolve(struct arena *a, struct ast_file *file,
				const struct resolve_options *opt, struct diags *ds)
{
	struct resolver r = { .arena = a, .ds = ds, .opt = opt };
	struct policies *all = ARENA_NEW(a, struct policies);
	struct scope *scope = scope_open(&r, file->source, file);

	for (const struct ast_stmt *st = file->stmts; st; st = st->next) {
		if (st->kind != AST_STMT_POLICY)
			continue;
		if (all->list.n == NAMES_MAX) {
			resolve_too_large(&r, st->keyword, NAMES_MAX, "policies in one file",
					  "put some of them into a file of their own");
			break;
		}
		vec_push(a, &all->list, resolve_policy(&r, scope, st));
	}
	check_names(&r, all);
	vec_each(&scope->sets, def)
		if (!(*def)->used)
			check_set(&r, *def);
	arena_give_back(a, r.items.v, r.items.cap * sizeof(*r.items.v));
	arena_give_back(a, r.parts.v, r.parts.cap * sizeof(*r.parts.v));
	return all;
}
