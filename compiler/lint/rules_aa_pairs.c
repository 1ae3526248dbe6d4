/* SPDX-License-Identifier: Apache-2.0 */
/* AP2: what two profiles are to one another, and rules that another half would have to answer. */
#include <string.h>

#include "compiler/apparmor/objects.h"
#include "compiler/base/bug.h"
#include "compiler/lint/aa_fix.h"
#include "compiler/lint/aa_probe.h"
#include "compiler/lint/aa_risk.h"
#include "compiler/rules/known.h"

/* ---- one program, two profiles ---- */

/* Its attachment is written: a profile that has the path as its name goes before those. */
static bool is_attached(const struct aa_profile *p)
{
	return p->attachment && p->attached.p && p->reach == AA_REACH_LIVE && !p->header->xattrs;
}

/* Its name is the path: the kernel looks no further. */
static bool is_named(const struct aa_policy *all, struct str path)
{
	vec_each(&all->profiles, p)
		if (!(*p)->attachment && (*p)->attached.p && str_eq((*p)->attached, path))
			return true;
	return false;
}

/* Attachments of a file, by profile: what of them is compared. */
struct attachments {
	const struct glob **globs; /* NULL: a text without patterns, or one with '*' */
	size_t budget;
};

/* Without '*' the kernel counts all of a path as what fits, whichever pattern it is. */
static const struct glob *as_counted(struct lint *l, const struct aa_profile *p)
{
	struct str t = p->attached;
	bool pattern = false;

	if (!is_attached(p) || memchr(t.p, '*', t.n))
		return NULL;
	for (size_t i = 0; i < t.n; i++)
		pattern |= strchr("{[?\\", t.p[i]) != NULL;
	return pattern ? glob_parse(l->arena, t, GLOB_PATH, NULL, NULL) : NULL;
}

static bool begins(struct str s, struct str start)
{
	return s.n >= start.n && !memcmp(s.p, start.p, start.n);
}

/*
 * "/opt/a*.sh": what stands before the first '*', and behind it. Of a path the kernel counts the bytes before
 * its automaton comes to a state a second time (match.c, aa_dfa_leftmatch), which is where a byte is taken for
 * the '*'. Of a component that is '*' alone, and of two that begin otherwise, the count is not the same in all kernels
 * (tests/guest).
 */
struct starred {
	struct str before, behind;
};

/* False, too, where a component is a '*' alone, which has one byte at least: what 7.2 makes of those is not the same each time. */
static bool is_starred(struct str t, struct starred *out)
{
	size_t n = 0, rest;

	while (n < t.n && !strchr("*?[{\\", t.p[n]))
		n++;
	for (rest = n; rest < t.n && t.p[rest] == '*';)
		rest++;
	if (!n || rest == n || (t.p[n - 1] == '/' && (rest == t.n || t.p[rest] == '/')))
		return false;
	*out = (struct starred){ { t.p, n }, { t.p + n, t.n - n } };
	return true;
}

/* May what follows the '*' begin with this byte, which then is no sign of the '*' alone? */
static bool may_go_on(const struct starred *x, char byte)
{
	const char any[] = { byte, '*', '?', '[', '\0' };
	struct str t = x->behind;

	while (t.n && *t.p == '*')
		t = (struct str){ t.p + 1, t.n - 1 };
	if (!t.n)
		return false;
	if (*t.p != '{')
		return *t.p == byte || strchr("?[\\", *t.p);
	/* Of what is more than text, its text: "{x,y}" begins with one of its bytes. */
	for (size_t i = 0; i < t.n; i++)
		if (t.p[i] && strchr(any, t.p[i]))
			return true;
	return false;
}

/* The paths of it in which the '*' begins with this byte twice. */
static const struct glob *narrowed(struct lint *l, const struct starred *x, char byte)
{
	const char *text = arena_printf(l->arena, PRISTR "%c%c" PRISTR, STRARG(x->before), byte,
					byte, STRARG(x->behind));

	return glob_parse(l->arena, str_c(text), GLOB_PATH, NULL, NULL);
}

/* The same where both have a '*' behind the same text: as many bytes count of both. */
static struct str shared_starred(struct lint *l, struct attachments *at, struct str a, struct str b)
{
	static const char tried[] = "az0";
	struct starred x, y;
	const char *witness;

	if (!is_starred(a, &x) || !is_starred(b, &y) || !str_eq(x.before, y.before))
		return (struct str){ NULL, 0 };
	for (const char *c = tried; *c; c++) {
		const struct glob *g, *h;

		if (may_go_on(&x, *c) || may_go_on(&y, *c))
			continue;
		g = narrowed(l, &x, *c);
		h = narrowed(l, &y, *c);
		if (g && h && glob_overlap_paths(l->arena, g, h, &at->budget, &witness) == GLOB_YES)
			return str_c(witness);
	}
	return (struct str){ NULL, 0 };
}

/* A path to which both are attached, and neither better; p NULL: there is none, or nobody knows. */
static struct str shared_path(struct lint *l, struct attachments *at, size_t i, size_t k)
{
	const struct aa_profile *const *all =
		(const struct aa_profile *const *)l->aa->policy->profiles.v;
	struct str x = all[i]->attached, y = all[k]->attached;
	const struct glob *g = at->globs[i], *h = at->globs[k];
	const char *witness;

	if (str_eq(x, y))
		return x;
	if (g && h) {
		size_t n = g->prefix.n < h->prefix.n ? g->prefix.n : h->prefix.n;
		if (!memcmp(g->prefix.p, h->prefix.p, n) &&
		    glob_overlap_paths(l->arena, g, h, &at->budget, &witness) == GLOB_YES)
			return str_c(witness);
		return (struct str){ NULL, 0 };
	}
	if (memchr(x.p, '*', x.n) && memchr(y.p, '*', y.n))
		return shared_starred(l, at, x, y);
	if (g && !memchr(y.p, '*', y.n) && begins(y, g->prefix) && glob_match(l->arena, g, y))
		return y;
	if (h && !memchr(x.p, '*', x.n) && begins(x, h->prefix) && glob_match(l->arena, h, x))
		return x;
	return (struct str){ NULL, 0 };
}

static const struct aa_profile *earlier_with_same(struct lint *l, struct attachments *at, size_t i,
						  struct str *path)
{
	const struct aa_policy *all = l->aa->policy;
	const struct aa_profile *p = all->profiles.v[i];

	for (size_t k = 0; k < i; k++) {
		const struct aa_profile *q = all->profiles.v[k];
		if (!is_attached(q) || !str_eq(q->ns, p->ns))
			continue;
		*path = shared_path(l, at, i, k);
		if (path->p && !is_named(all, *path))
			return q;
	}
	return NULL;
}

RULE(AP214, "attachment-overlap", HIGH, APPARMOR_FILE, ap_attachment_overlap,
     "two profiles are attached to the same programs: neither is taken",
     "The kernel attaches the profile whose attachment fits a program best; where two fit equally well it "
     "takes none. A program that an unconfined one starts then runs without any profile, and one that "
     "is to be executed with px is refused ('profile transition not found'). Seen on Linux 6.12 with two "
     "profiles of one attachment, in a pattern as with a plain path, of `/bin/{a,b}` beside `/bin/{b,c}`, and, on 6.1 and 7.2 too, of `/opt/a*` "
     "beside `/opt/a*.sh`: of a pattern with '*' what stands before it counts. Told of attachments that are the same "
     "text once variables are opened, of those without '*' that meet, and of those with one that begin with the same text, where no component is '*' alone (of `/opt/*` beside `/opt/*.sh` 6.1 and 6.12 take the first, also for what "
     "both are for, and 7.2 neither); a profile that has the path as its name goes before both, and one "
     "with xattrs may differ by them.\n\n"
     "Way out: one profile; or a narrower attachment for one of the two.")
void ap_attachment_overlap(struct lint *l, enum diag_id id)
{
	const struct aa_policy *all = l->aa->policy;
	struct attachments at = { ARENA_ARRAY(l->arena, const struct glob *, all->profiles.n + 1),
				  GLOB_BUDGET };

	for (size_t i = 0; i < all->profiles.n; i++) {
		const struct aa_profile *p = all->profiles.v[i], *q;
		struct str path;
		struct diag *d;

		at.globs[i] = as_counted(l, p);
		q = is_attached(p) ? earlier_with_same(l, &at, i, &path) : NULL;
		if (!q)
			continue;
		d = diag_add(
			l->ds, id, p->stmt->head,
			"'%s' and '%s' are both attached to '%s': the kernel takes neither, and what "
			"is started there runs without a profile",
			str_safe_of(l->arena, q->label), str_safe_of(l->arena, p->label),
			str_safe_of(l->arena, path));
		diag_note(l->ds, d, q->stmt->head, "the other");
		diag_help(l->ds, d, "attach one of the two alone, or to fewer paths");
	}
}

/* ---- scripts ---- */

static const struct interpreter {
	const char *suffix, *what;
	const char *paths[20];
} interpreters[] = {
	{ ".sh",
	  "shell",
	  { "/usr/bin/dash", "/bin/dash", "/usr/bin/bash", "/bin/bash", "/usr/bin/sh",
	    "/bin/busybox", "/usr/bin/busybox", "/usr/bin/ksh", "/usr/bin/zsh", "/bin/zsh",
	    "/bin/sh" } },
	{ ".py",
	  "Python",
	  { "/usr/bin/python3.8", "/usr/bin/python3.9", "/usr/bin/python3.10",
	    "/usr/bin/python3.11", "/usr/bin/python3.12", "/usr/bin/python3.13",
	    "/usr/bin/python3.14", "/usr/bin/python2.7", "/usr/local/bin/python3",
	    "/usr/local/bin/python3.11", "/usr/local/bin/python3.12", "/usr/local/bin/python3.13",
	    "/usr/local/bin/python3.14", "/usr/bin/python", "/usr/bin/pypy3", "/usr/bin/env",
	    "/usr/bin/python3" } },
	{ ".pl",
	  "Perl",
	  { "/usr/bin/perl", "/usr/local/bin/perl", "/usr/bin/env", "/usr/bin/perl" } },
};

static const struct interpreter *interpreter_of(struct str path)
{
	for (size_t i = 0; i < ARRAY_SIZE(interpreters); i++)
		if (path.n > 3 && !memcmp(path.p + path.n - 3, interpreters[i].suffix, 3))
			return &interpreters[i];
	return NULL;
}

/* The last that is refused, where all are; NULL: one may be mapped. */
static const char *refused_map(struct lint *l, const struct interpreter *it)
{
	const char *access = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(it->paths) && it->paths[i]; i++) {
		access = arena_printf(l->arena, "open %s m", it->paths[i]);
		struct aa_verdict v = aa_asks(l, access, FILE_OTHER);
		if (!aa_refuses(&v))
			return NULL;
	}
	return access;
}

RULE(AP243, "interpreter-missing", WARNING, APPARMOR, ap_interpreter_missing,
     "a script may be executed in the profile, and no interpreter for it mapped",
     "Of a script the kernel executes the interpreter that its first line names, and a confined program that "
     "executes one needs that file read and mapped in the profile in which the script runs: without `mr` the "
     "new program is killed before its first instruction, with 'file_mmap' in the log. `ix` for the "
     "interpreter is not asked for. Seen on Linux 6.12; hassio-addons#2779. Told of names that end in .sh, .py "
     "and .pl, executed with ix, where nothing that usually runs those may be mapped.\n\n"
     "Way out: `/bin/{da,ba,}sh mr,`, or what the first line of the script names.")
void ap_interpreter_missing(struct lint *l, enum diag_id id)
{
	bool told[ARRAY_SIZE(interpreters)] = { false };

	if (!aa_risk_counts(l))
		return;
	vec_each(&l->aa->q->files.list, f) {
		const struct interpreter *it;
		const char *exec, *map;
		struct aa_verdict v;
		struct str path;
		struct diag *d;

		if (!f->rule || !f->rule->use || f->mode != AA_MODE_ALLOW ||
		    f->exec != AA_EXEC_IX || f->alias || !aa_probe_is_one(f->path) ||
		    !aa_is_own(f->rule->use))
			continue;
		path = aa_probe_path(l->arena, f->path);
		it = path.p ? interpreter_of(path) : NULL;
		if (!it || told[it - interpreters])
			continue;
		map = refused_map(l, it);
		v = aa_asks_path(l, path, PERM_X, FILE_OTHER);
		if (!map || !aa_allows(&v) || v.exec.exec != AA_EXEC_IX)
			continue;
		told[it - interpreters] = true; /* one cause: no interpreter of the kind */
		exec = aa_path_access(l, path, PERM_X, FILE_WHO_NR);
		d = aa_tell(l, id, f->rule->use,
			    "'%s' is allowed, and no %s may be mapped to run it: '%s' is refused",
			    exec, it->what, map);
		if (d)
			diag_help(l->ds, d, "write '%s mr,', or what its first line names",
				  it->paths[0]);
	}
}

/* ---- denies of nothing ---- */

static bool may_meet(const struct aa_opened *x, const struct aa_opened *y)
{
	struct str a = x->path->prefix, b = y->path->prefix;

	return !memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
}

static bool allows_some(const struct lint *l, const struct aa_opened *deny, size_t *budget)
{
	vec_each(&l->aa->q->files.list, f) {
		unsigned shared = 0;
		const char *witness;

		if (f->mode != AA_MODE_ALLOW && f->mode != AA_MODE_PROMPT)
			continue;
		if (!may_meet(deny, f))
			continue;
		for (int who = 0; who < FILE_WHO_NR; who++)
			shared |= aa_opened_bits(f, (enum file_who)who) &
				  (aa_opened_bits(deny, (enum file_who)who) | PERM_M | PERM_X);
		if (shared && aa_known_overlap(l->aa->known, l->arena, AA_KNOWN_TEXTS, deny->path,
					       f->path, budget, &witness) != GLOB_NO)
			return true;
	}
	return false;
}

/* One finding for all of a profile. */
static void tell_idle_deny(struct lint *l, enum diag_id id, const struct aa_opened *f,
			   struct diag **first)
{
	enum file_who who = f->owner == AA_OWNER_ONLY ? FILE_OWNER : FILE_OTHER;
	struct str path = aa_probe_path(l->arena, f->path);
	unsigned perm = aa_probe_perm(aa_opened_bits(f, who));

	if (!path.p || !perm)
		return;
	if (*first) {
		diag_again(l->ds, *first, aa_place(f->rule->use));
		aa_fix_cut(l, *first, f->rule->use, FIX_UNSAFE, FIX_ERRNO);
		return;
	}
	*first = diag_add(
		l->ds, id, aa_place(f->rule->use),
		"'%s' is refused without this rule, too: nothing allows it, and the deny keeps the "
		"refusal out of the log and beats rules that are added later",
		aa_path_access(l, path, perm, f->owner == AA_OWNER_ANY ? FILE_WHO_NR : who));
	diag_help(l->ds, *first,
		  "leave it out, unless the log is to be spared of what is tried often");
	aa_fix_cut(l, *first, f->rule->use, FIX_UNSAFE, FIX_ERRNO);
}

RULE(AP202, "deny-redundant", INFO, APPARMOR, ap_deny_redundant,
     "deny rules for files that nothing allows",
     "What no rule allows is refused: a deny of it changes only that the refusal is not logged, and that "
     "no rule that is added later can allow it, be it of an include (cade#27). `deny /etc/passwd r,` as "
     "an afterthought behind 'deny other access' keeps getpwnam() from working for as long as it stands. "
     "To spare the log is what such rules are often for, so this is information. Told of rules about files "
     "that meet no allow rule of the profile, its includes and children's rules not among them.\n\n"
     "Way out: none where it is meant so; else leave it out.")
void ap_deny_redundant(struct lint *l, enum diag_id id)
{
	size_t budget = GLOB_BUDGET;
	struct diag *first = NULL;

	if (!aa_risk_counts(l))
		return;
	vec_each(&l->aa->q->files.list, f)
		if (f->rule && f->rule->use && f->mode == AA_MODE_DENY && !f->alias &&
		    f->rule->class == AA_CLASS_FILE && !f->rule->file.all &&
		    aa_is_own(f->rule->use) && !allows_some(l, f, &budget))
			tell_idle_deny(l, id, f, &first);
}

/* ---- signals and traces, which both sides must allow ---- */

/* One side's words, and the other's, of one access. */
static const struct side {
	enum aa_class class;
	unsigned perm;
	const char *mine, *theirs;
} sides[] = {
	{ AA_CLASS_SIGNAL, AA_SIGNAL_SEND, "signal send term", "signal receive term" },
	{ AA_CLASS_SIGNAL, AA_SIGNAL_RECEIVE, "signal receive term", "signal send term" },
	{ AA_CLASS_PTRACE, AA_PTRACE_TRACE, "ptrace trace", "ptrace tracedby" },
	{ AA_CLASS_PTRACE, AA_PTRACE_TRACEDBY, "ptrace tracedby", "ptrace trace" },
	{ AA_CLASS_PTRACE, AA_PTRACE_READ, "ptrace read", "ptrace readby" },
	{ AA_CLASS_PTRACE, AA_PTRACE_READBY, "ptrace readby", "ptrace read" },
};

/* The profile of the file that the rule's peer is, said without a pattern; NULL: it is no such. */
static const struct aa_profile *find_label(const struct aa_profile *const *v, size_t n,
					   struct str label)
{
	for (size_t i = 0; i < n; i++) {
		const struct aa_profile *p = v[i], *q;

		if (str_eq(p->label, label))
			return p->reach == AA_REACH_LIVE ? p : NULL;
		q = find_label((const struct aa_profile *const *)p->children.v, p->children.n,
			       label);
		if (q)
			return q;
	}
	return NULL;
}

/* Letters that stand for themselves in a glob, and in an access without quotes. */
static bool is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./",
			    s.p[i]))
			return false;
	return s.n > 0;
}

static const struct aa_profile *peer_of(struct lint *l, const struct aa_rule *r)
{
	const struct aa_cond *c = aa_rule_cond(r, AA_COND_PEER, false);
	const struct aa_policy *all = l->aa->policy;

	if (!c || c->values->next || !is_plain(c->values->text) || !is_plain(l->aa->profile->label))
		return NULL;
	return find_label((const struct aa_profile *const *)all->profiles.v, all->profiles.n,
			  c->values->text);
}

/* A stack of profiles has a label of all of them, which peers see: "p//&q". */
static bool is_stacked(struct lint *l, const struct aa_profile *p)
{
	struct str text = source_of(l->ds->sources, p->stmt->head)->text;
	const char *word = arena_printf(l->arena, "&" PRISTR, STRARG(p->label));

	return memmem(text.p, text.n, word, strlen(word)) != NULL;
}

/* Does the peer refuse its half? Its rules are asked as this profile's are. */
static bool peer_refuses(struct lint *l, const struct aa_profile *peer, const char *access)
{
	struct diags *own = diags_new(l->arena, l->ds->sources);
	const struct aa_asking *mine = l->aa->q;
	struct aa_access read = aa_reads(l, access);
	struct aa_asking *q = ARENA_NEW(l->arena, struct aa_asking);
	struct aa_verdict v;

	if (peer == l->aa->profile)
		v = aa_ask(mine, &read, FILE_OTHER);
	else if (aa_asking_open(l->arena, NULL, l->aa->policy, peer, own, q))
		v = aa_ask(q, &read, FILE_OTHER);
	else
		return false;
	return aa_refuses(&v);
}

RULE(AP219, "peer-asymmetry", WARNING, APPARMOR, ap_peer_asymmetry,
     "a signal or trace that one profile allows and the one that it names does not",
     "Signals and ptrace are asked of both: the sender's profile must have 'send' and the receiver's "
     "'receive', of a tracer 'trace' and of the other 'tracedby'. Where both profiles stand in one file, "
     "and one names the other, whose rules do not allow their half, the rule does nothing. `signal send "
     "peer=p` in p itself needs 'receive', too. Profiles that are stacked on others somewhere in the file are not told of.\n\n"
     "Way out: the other half in the other profile.")
void ap_peer_asymmetry(struct lint *l, enum diag_id id)
{
	if (!aa_risk_counts(l))
		return;
	vec_each(&l->aa->q->rules, it) {
		const struct aa_rule *r = *it;
		const struct aa_profile *peer = NULL;

		if ((r->class == AA_CLASS_SIGNAL || r->class == AA_CLASS_PTRACE) &&
		    r->prefix.mode == AA_MODE_ALLOW && aa_is_own(r->use))
			peer = peer_of(l, r);
		if (peer && (is_stacked(l, peer) || is_stacked(l, l->aa->profile)))
			continue;
		for (size_t i = 0; peer && i < ARRAY_SIZE(sides); i++) {
			const struct side *s = &sides[i];
			const char *mine = arena_printf(l->arena, "%s peer=" PRISTR, s->mine,
							STRARG(peer->label));
			const char *theirs = arena_printf(l->arena, "%s peer=" PRISTR, s->theirs,
							  STRARG(l->aa->profile->label));
			struct aa_verdict v;
			struct diag *d;

			if (s->class != r->class || !(r->perms & s->perm))
				continue;
			v = aa_asks(l, mine, FILE_OTHER);
			if (!aa_allows(&v) || !peer_refuses(l, peer, theirs))
				continue;
			d = aa_tell(l, id, r->use,
				    "'%s' needs both sides, and the profile '" PRISTR
				    "' does not allow '%s'",
				    mine, STRARG(peer->label), theirs);
			if (d)
				diag_help(l->ds, d, "write '%s,' there", theirs);
		}
	}
}

/* ---- text that tools do not read ---- */

static bool is_path_rule(const struct aa_stmt *s)
{
	return s->kind == AA_STMT_RULE && s->items && s->items->kind == AA_WORD &&
	       s->items->word.text.n && strchr("/@", s->items->word.text.p[0]);
}

static bool same_line(const struct source *src, const struct aa_stmt *s, const struct aa_stmt *next)
{
	size_t from = s->span.end, to = next->span.begin;

	return from <= to && !memchr(src->text.p + from, '\n', to - from);
}

/* Nesting is bounded by the parser. */
static void find_lines(struct lint *l, enum diag_id id, const struct aa_stmt *s,
		       struct diag **first)
{
	for (; s; s = s->next) {
		find_lines(l, id, s->body, first);
		find_lines(l, id, s->otherwise, first);
		if (!s->next || !is_path_rule(s) || !is_path_rule(s->next) ||
		    !same_line(source_of(l->ds->sources, s->span), s, s->next))
			continue;
		if (*first) {
			diag_again(l->ds, *first, s->next->head);
			continue;
		}
		*first = diag_add(l->ds, id, s->next->head,
				  "a second rule in one line: the parser takes it, and aa-logprof, "
				  "aa-enforce and the other tools stop at it, for all profiles");
		diag_help(l->ds, *first, "write a line for each, as 'pale fmt' does");
	}
}

RULE(AP241, "tools-cannot-read", INFO, APPARMOR_FILE, ap_tools_cannot_read,
     "two file rules in one line, which AppArmor's tools do not read",
     "The tools of apparmor-utils (aa-logprof, aa-genprof, aa-enforce, aa-complain) read profiles by "
     "lines, with a reader of their own. `/a r,  /b r,` in one line ends them with 'Syntax Error: Unknown "
     "line found', whatever profile they were called for, as they read all in the folder (3.0.8 was "
     "asked; apparmor.d#1130). Words that are newer than the installed tools, such as userns or prompt, end "
     "them alike, and are not told: newer tools read them.\n\n"
     "Way out: a line for each rule; `pale fmt -i` writes them so.")
void ap_tools_cannot_read(struct lint *l, enum diag_id id)
{
	struct diag *first = NULL;

	find_lines(l, id, l->aa->file->stmts, &first);
}
