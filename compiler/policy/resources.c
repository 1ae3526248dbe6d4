/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resource rules: files, capabilities, signals, limits. What no counted layer can enforce is an
 * error (language.md, rule 6).
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/policy/resolve.h"
#include "grammar/apparmor_tree.h"

static enum rule_action rule_action_of(enum ast_action a)
{
	if (a == AST_ACTION_DENY)
		return RULE_DENY;
	if (a == AST_ACTION_QUIET_DENY)
		return RULE_QUIET_DENY;
	return a == AST_ACTION_LOG ? RULE_LOG : RULE_ALLOW;
}

static bool denies(enum rule_action a)
{
	return a == RULE_DENY || a == RULE_QUIET_DENY;
}

/* ---- files ---- */

static const char *const transitions[] = {
	"ix",  "px",  "Px",  "cx",  "Cx",  "ux",  "Ux",  "pix",
	"Pix", "cix", "Cix", "pux", "PUx", "cux", "CUx",
};

/* x is part of a transition. */
static unsigned letter_perm(char c)
{
	return aa_perm_of(c) & ~(unsigned)PERM_X;
}

static bool report_perm(struct resolver *r, const struct ast_word *w, const char *why,
			const char *help)
{
	struct diag *d = resolve_report(r, DIAG_PL133, w->span, "'" PRISTR "': %s", WORD(*w), why);

	diag_help(r->ds, d, "%s", help);
	return false;
}

/* The exec part of "mrix": how many bytes it takes at i; 0: not a transition. */
static size_t find_transition(struct str t, size_t i, char exec[4])
{
	size_t best = 0;

	for (size_t k = 0; k < ARRAY_SIZE(transitions); k++) {
		size_t n = strlen(transitions[k]);
		if (n > best && n <= t.n - i && !memcmp(t.p + i, transitions[k], n)) {
			best = n;
			memcpy(exec, transitions[k], n + 1);
		}
	}
	return best;
}

static bool exec_letters(struct resolver *r, const struct ast_word *w, bool deny, size_t *i,
			 struct file_rule *f)
{
	char exec[4] = "";
	size_t n = find_transition(w->text, *i, exec);

	if (n && deny)
		return report_perm(r, w, "a denied execution has no transition",
				   "write 'x' alone in a deny");
	if (!n && w->text.p[*i] != 'x')
		return report_perm(
			r, w, "not a permission",
			"the letters are r w a l k m and ix px cx ux (Px Cx Ux clean the "
			"environment)");
	if (!n && !deny)
		return report_perm(
			r, w, "execution needs a transition",
			"ix keeps this policy, px changes to the program's own, ux leaves "
			"confinement");
	if (f->exec[0] && strcmp(f->exec, n ? exec : "x"))
		return report_perm(r, w, "two exec transitions in one rule", "keep one of them");
	memcpy(f->exec, n ? exec : "x", n ? n + 1 : 2);
	f->perms |= PERM_X;
	*i += n ? n : 1;
	return true;
}

static bool file_perms(struct resolver *r, const struct ast_stmt *st, struct file_rule *f)
{
	const struct ast_word *w = st->perms;

	if (!w || !w->text.n) {
		resolve_report(r, DIAG_PL133, st->keyword, "a file rule needs permission letters");
		return false;
	}
	for (; w; w = w->next) {
		for (size_t i = 0; i < w->text.n;) {
			unsigned bit = letter_perm(w->text.p[i]);
			if (bit) {
				f->perms |= bit;
				i++;
			} else if (!exec_letters(r, w, denies(f->action), &i, f)) {
				return false;
			}
		}
	}
	if (f->perms & PERM_W && f->perms & PERM_A)
		return report_perm(r, st->perms, "w and a exclude each other",
				   "w already allows to append; a alone allows nothing but that");
	return true;
}

/* `-> ""` would be read as no target at all, which allows more. */
static bool target_named(struct resolver *r, const struct ast_word *target)
{
	if (target->text.n || !target->text.p)
		return true;
	struct diag *d =
		resolve_report(r, DIAG_PL134, target->span, "the name behind '->' is empty");
	diag_help(r->ds, d, "write a profile's name, or leave '->' out");
	return false;
}

/* cx alone has no second way. */
static void warn_of_child(struct resolver *r, const struct ast_stmt *st, const struct file_rule *f)
{
	if (strcmp(f->exec, "cx") && strcmp(f->exec, "Cx"))
		return;
	struct diag *d = resolve_report(r, DIAG_PL236, st->perms->span,
					"'%s' changes to a child of this "
					"profile, and pale writes none: the execution fails",
					f->exec);
	if (f->target.n)
		diag_help(r->ds, d,
			  "load a profile '" PRISTR "//" PRISTR "' beside this one, or write px",
			  STRARG(r->p->name), STRARG(f->target));
	else
		diag_help(
			r->ds, d,
			"write px for the program's own profile, or cix to fall back to this one");
}

static bool file_target(struct resolver *r, const struct ast_stmt *st, struct file_rule *f)
{
	f->target = st->target.text;
	if (!f->target.n)
		return target_named(r, &st->target);
	if (glob_has_variable(f->target)) {
		struct diag *d = resolve_report(r, DIAG_PL237, st->target.span,
						"AppArmor opens no variable in "
						"the name of a profile");
		diag_help(r->ds, d, "write the name out");
		return false;
	}
	if (f->exec[0] && strchr("pPcC", f->exec[0]))
		return true;
	struct diag *d = resolve_report(r, DIAG_PL133, st->target.span,
					"only px and cx change to another profile");
	diag_help(r->ds, d, "write px, or leave '-> " PRISTR "' out", WORD(st->target));
	return false;
}

static bool file_path(struct resolver *r, const struct ast_word *w)
{
	if (!str_starts(w->text, "/") && !str_starts(w->text, "@{")) {
		struct diag *d = resolve_report(r, DIAG_PL134, w->span,
						"the path '" PRISTR "' is not absolute", WORD(*w));
		diag_help(r->ds, d, "begin it with '/' or a variable '@{...}'");
		return false;
	}
	return resolve_glob(r, w, GLOB_PATH);
}

static void resolve_files(struct resolver *r, const struct item *it)
{
	const struct ast_stmt *st = it->stmt;
	struct file_rule f = { .action = rule_action_of(st->verdict.action), .owner = st->owner };
	bool ok = file_perms(r, st, &f);

	if (ok && !file_target(r, st, &f))
		ok = false;
	if (ok)
		warn_of_child(r, st, &f);
	for (const struct ast_word *w = st->paths; w; w = w->next) {
		if (!file_path(r, w) || !ok || !it->arches)
			continue;
		f.path = w->text;
		f.origin = resolve_origin(r, it, NULL, w->span);
		vec_push(r->arena, &r->p->files, f);
	}
}

/* ---- capabilities, signals, limits ---- */

static void resolve_capabilities(struct resolver *r, const struct item *it)
{
	for (const struct ast_word *w = it->stmt->words; w; w = w->next) {
		int cap = resolve_capability(r, w);
		if (cap < 0)
			continue;
		if (!it->arches)
			continue;
		vec_push(r->arena, &r->p->caps,
			 ((struct capability_rule){ rule_action_of(it->stmt->verdict.action),
						    (unsigned)cap,
						    resolve_origin(r, it, NULL, w->span) }));
	}
}

static bool signal_access(struct resolver *r, const struct ast_stmt *st, struct signal_rule *s)
{
	s->send = s->receive = !st->perms;
	for (const struct ast_word *w = st->perms; w; w = w->next) {
		if (str_is(w->text, "send"))
			s->send = true;
		else if (str_is(w->text, "receive"))
			s->receive = true;
		else
			return report_perm(r, w, "not what may be done with a signal",
					   "'send' or 'receive'");
	}
	return true;
}

/* A peer is a pattern over the names of profiles. */
static bool signal_peer(struct resolver *r, const struct ast_word *peer)
{
	return resolve_glob(r, peer, GLOB_NAME) && target_named(r, peer);
}

static void resolve_signals(struct resolver *r, const struct item *it)
{
	const struct ast_stmt *st = it->stmt;
	struct signal_rule s = { .action = rule_action_of(st->verdict.action),
				 .signal = -1,
				 .peer = st->target.text };
	uint64_t v;

	if (!signal_access(r, st, &s) || !signal_peer(r, &st->target))
		return;
	if (!st->words && it->arches) {
		s.origin = resolve_origin(r, it, NULL, st->keyword);
		vec_push(r->arena, &r->p->signals, s);
	}
	for (const struct ast_word *w = st->words; w; w = w->next) {
		if (str_is(w->text, "exists")) /* AppArmor's name: is the process there? */
			v = 0;
		else if (!value_word(r, "signal", "signal", w->text, w->span, &v))
			continue;
		if (v > 64) {
			resolve_report(r, DIAG_PL120, w->span,
				       "value out of range: signals are 0..64");
			continue;
		}
		if (!it->arches)
			continue;
		s.signal = (int)v;
		s.origin = resolve_origin(r, it, NULL, w->span);
		vec_push(r->arena, &r->p->signals, s);
	}
}

static bool limit_value(struct resolver *r, const struct ast_value *v, uint64_t *out)
{
	if (v && v->kind == AST_VALUE_NUMBER && !v->negative) {
		*out = v->number;
		return true;
	}
	if (v && v->kind == AST_VALUE_NAME &&
	    (str_is(v->text, "infinity") || str_is(v->text, "unlimited") ||
	     str_is(v->text, "RLIM_INFINITY"))) {
		*out = UINT64_MAX;
		return true;
	}
	struct diag *d = resolve_report(r, DIAG_PL120, v ? v->span : r->p->span,
					"value out of range: a limit is a number or 'infinity'");
	diag_help(r->ds, d, "as setrlimit(2) counts it: bytes, seconds, files, ...");
	return false;
}

static void resolve_limit(struct resolver *r, const struct item *it)
{
	const struct ast_word *w = it->stmt->words;
	uint64_t id, value;

	if (!w || !limit_value(r, it->stmt->value, &value) ||
	    !value_word(r, "rlimit", "limit", w->text, w->span, &id) || !it->arches)
		return;
	if (id > 15) {
		resolve_report(r, DIAG_PL120, w->span, "value out of range: limits are 0..15");
		return;
	}
	vec_push(r->arena, &r->p->limits,
		 ((struct limit_rule){ str_dup(r->arena, w->text), (int)id, value,
				       resolve_origin(r, it, NULL, w->span) }));
}

/* ---- which layer ---- */

static const char *stmt_name(struct resolver *r, const struct ast_stmt *st)
{
	switch (st->kind) {
	case AST_STMT_CALLS: return "a rule on system calls";
	case AST_STMT_NAMESPACE: return "'namespace'";
	case AST_STMT_FILE: return "'file'";
	case AST_STMT_SIGNAL: return "'signal'";
	case AST_STMT_APPARMOR:
		return arena_printf(r->arena, "'" PRISTR "'", WORD(st->rule->items->word));
	case AST_STMT_CAPABILITY: return "an audited 'capability'";
	default: /* enforced without a layer, or by either */ return NULL;
	}
}

static unsigned needed_layer(const struct ast_stmt *st)
{
	if (st->kind == AST_STMT_CALLS || st->kind == AST_STMT_NAMESPACE)
		return LAYER_SECCOMP;
	if (st->kind == AST_STMT_FILE || st->kind == AST_STMT_SIGNAL ||
	    st->kind == AST_STMT_APPARMOR)
		return LAYER_APPARMOR;
	/* Bounding sets refuse; only AppArmor audits what it lets pass. */
	if (st->kind == AST_STMT_CAPABILITY && st->verdict.action == AST_ACTION_LOG)
		return LAYER_APPARMOR;
	return 0;
}

static void check_layer(struct resolver *r, const struct item *it)
{
	unsigned need = needed_layer(it->stmt);

	if (!need || r->p->layers & need)
		return;
	const char *layer = need == LAYER_SECCOMP ? "seccomp" : "apparmor";
	struct diag *d = resolve_report(r, DIAG_PL130, it->stmt->keyword,
					"no layer that this policy counts on enforces %s",
					stmt_name(r, it->stmt));
	diag_help(r->ds, d, "add %s to 'layers', or drop the rule", layer);
}

static bool speaks_of_calls(enum ast_stmt_kind kind)
{
	return kind == AST_STMT_CALLS || kind == AST_STMT_NETWORK || kind == AST_STMT_NAMESPACE;
}

/* A rule of files, capabilities, signals, limits or AppArmor's other classes; it goes where r->p is. */
static void resolve_plain(struct resolver *r, const struct item *it)
{
	switch (it->stmt->kind) {
	case AST_STMT_FILE: resolve_files(r, it); return;
	case AST_STMT_CAPABILITY: resolve_capabilities(r, it); return;
	case AST_STMT_SIGNAL: resolve_signals(r, it); return;
	case AST_STMT_APPARMOR: resolve_other(r, it); return;
	case AST_STMT_LIMIT: resolve_limit(r, it); return;
	default: BUG("item of a kind that holds no rule");
	}
}

void resolve_resource(struct resolver *r, const struct item *it)
{
	struct policy *whole = r->p;

	check_layer(r, it);
	if (it->by_arch && (!speaks_of_calls(it->stmt->kind) ||
			    (it->stmt->kind == AST_STMT_NETWORK && r->p->layers & LAYER_APPARMOR)))
		diag_help(r->ds,
			  resolve_report(r, DIAG_PL132, it->stmt->keyword,
					 "'when arch' asks how a call is made; this rule is "
					 "not about calls alone"),
			  "'when host' asks about the machine");
	switch (it->stmt->kind) {
	case AST_STMT_CALLS: resolve_calls(r, it); return;
	case AST_STMT_NETWORK: resolve_network(r, it); return;
	case AST_STMT_NAMESPACE: resolve_namespace(r, it); return;
	default: break;
	}
	/* A resource rule cannot carry a condition. */
	if (resolve_open(it))
		r->p = resolve_left_out(r);
	resolve_plain(r, it);
	r->p = whole;
}
