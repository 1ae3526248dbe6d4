/* SPDX-License-Identifier: Apache-2.0 */
/* AP2: what a profile lets be executed, and what becomes of it. */
#include <string.h>

#include "compiler/apparmor/means.h"
#include "compiler/base/bug.h"
#include "compiler/lint/aa_fix.h"
#include "compiler/lint/aa_probe.h"
#include "compiler/rules/known.h"

static bool is_exec(const struct aa_opened *f)
{
	return f->rule && f->rule->use && f->mode == AA_MODE_ALLOW && f->perms & PERM_X &&
	       f->rule->class == AA_CLASS_FILE;
}

/* Rules count, and what they do not allow is refused. */
static bool enforces(const struct lint *l)
{
	return !(l->aa->profile->header->flags &
		 (AA_FLAG_COMPLAIN | AA_FLAG_UNCONFINED | AA_FLAG_PROMPT | AA_FLAG_DEFAULT_ALLOW));
}

struct execution {
	struct lint *l;
	const struct aa_opened *file;
	enum file_who who;
};

static bool is_by(const void *who, struct str path, const struct aa_answer *answer)
{
	const struct execution *e = who;
	struct aa_verdict v;

	if (!(answer->allow[e->who] & PERM_X))
		return false;
	v = aa_asks_path(e->l, path, PERM_X, e->who);
	return aa_allows(&v) && aa_is_decided_by(&v, e->file->rule->use);
}

/* An execution that this rule lets pass, and how; NULL: others have all of its paths. */
static const char *execution(struct lint *l, const struct aa_opened *f, struct aa_verdict *v)
{
	struct execution e = { l, f, f->owner == AA_OWNER_ONLY ? FILE_OWNER : FILE_OTHER };
	bool decided;
	struct str path = aa_probe_find(l, f->path, is_by, &e, &decided);

	if (!path.p)
		return NULL;
	*v = aa_asks_path(l, path, PERM_X, e.who);
	return aa_path_access(l, path, PERM_X, f->owner == AA_OWNER_ANY ? FILE_WHO_NR : e.who);
}

/* One finding for all rules of a profile that have the same done: where there are several, places. */
struct places {
	struct lint *l;
	struct diag *diag;
	VEC(const struct aa_stmt *) stmts;
};

static void add_place(struct places *p, const struct aa_use *use)
{
	vec_each(&p->stmts, s)
		if (*s == use->stmt)
			return;
	vec_push(p->l->arena, &p->stmts, use->stmt);
	diag_again(p->l->ds, p->diag, aa_place(use));
	diag_also(p->l->ds, p->diag, span_text(p->l->ds->sources, aa_place(use)));
}

/* ---- profiles that are not there ---- */

static const struct glob *attachment(struct lint *l, const struct aa_profile *p)
{
	return p->attached.p ? glob_parse(l->arena, p->attached, GLOB_PATH, NULL, NULL) : NULL;
}

/* May a child of the profile be attached to some path of the rule, or is that not known? */
static bool has_child_for(struct lint *l, const struct glob *path)
{
	size_t budget = GLOB_BUDGET;

	vec_each(&l->aa->profile->children, c) {
		const struct glob *g = attachment(l, *c);
		const char *witness;
		if ((*c)->hat || (*c)->reach != AA_REACH_LIVE)
			continue;
		if ((*c)->attached.p && !g)
			return true;
		if (g && glob_overlap(l->arena, path, g, &budget, &witness) != GLOB_NO)
			return true;
	}
	return false;
}

static bool has_label(const struct aa_profile *const *v, size_t n, struct str label)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i]->label, label) ||
		    has_label((const struct aa_profile *const *)v[i]->children.v, v[i]->children.n,
			      label))
			return true;
	return false;
}

static bool has_name(const struct aa_profile *p, struct str name)
{
	vec_each(&p->children, c)
		if (str_eq((*c)->name, name))
			return true;
	return p->parent && has_name(p->parent, name);
}

/* What stands behind the last "//"; the whole where there is none. */
static struct str last_name(struct str label)
{
	size_t from = 0;

	for (size_t i = 0; i + 1 < label.n; i++)
		if (label.p[i] == '/' && label.p[i + 1] == '/')
			from = i + 2;
	return (struct str){ label.p + from, label.n - from };
}

/*
 * A child of this profile is named, and this file, in which a profile and its children stand, has
 * none of that name, however it is written. ("p//&q" is no child: it is both, stacked.)
 */
static bool names_no_child(const struct lint *l, struct str target)
{
	const struct aa_policy *p = l->aa->policy;
	struct str own = l->aa->profile->label;
	bool local = target.n > own.n + 2 && target.p[own.n + 2] != '&' &&
		     !memcmp(target.p, own.p, own.n) && !memcmp(target.p + own.n, "//", 2);

	return local && !has_name(l->aa->profile, last_name(target)) &&
	       !has_label((const struct aa_profile *const *)p->profiles.v, p->profiles.n, target);
}

struct missing {
	struct str target; /* "" the path itself */
	struct places places;
};

static void tell_missing(struct lint *l, enum diag_id id, const struct aa_opened *f,
			 const char *access, struct missing *m)
{
	const char *name = str_safe_of(l->arena, m->target);

	m->places.l = l;
	m->places.diag = diag_add(
		l->ds, id, aa_place(f->rule->use),
		m->target.n ?
			"'%s' goes to the profile '%s', which is not there: the execution fails" :
			"'%s' goes to a child profile of that path, and '%s' has none: the "
			"execution fails",
		access, m->target.n ? name : str_safe_of(l->arena, l->aa->profile->label));
	if (f->rule->use->from)
		diag_note(l->ds, m->places.diag, f->rule->use->stmt->head,
			  "the rule, which this includes");
	diag_help(l->ds, m->places.diag,
		  m->target.n ?
			  "write it into this profile, or 'cix' to go on in this one where it "
			  "is not loaded" :
			  "write 'profile NAME PATH { }' into this profile, or 'ix' to go on in "
			  "this one");
	vec_push(l->arena, &m->places.stmts, f->rule->use->stmt);
}

RULE(AP207, "px-target-missing", HIGH, APPARMOR, ap_px_target_missing,
     "a rule executes into a child profile that is not there",
     "`cx` goes to a child of the profile: the one that is attached to the path, or the one that is named "
     "behind '->'. Where there is none the kernel refuses the execution, whatever else the rules say "
     "(\"profile transition not found\"). The parser loads it without a word. Told of children, which stand in "
     "the same file as the profile; what `px` goes to may be in any other file, and of that nothing is "
     "said. `cix` and `cux` have something to fall back on.\n\n"
     "Way out: the child profile; or `ix`, `px`, `cix`.")
void ap_px_target_missing(struct lint *l, enum diag_id id)
{
	VEC(struct missing) told = { .v = NULL };

	if (!enforces(l))
		return;
	vec_each(&l->aa->q->files.list, f) {
		struct missing m = { .target = f->target }, *known = NULL;
		struct aa_verdict v;
		const char *access;
		if (!is_exec(f) || f->alias ||
		    (f->target.n ? f->exec != AA_EXEC_CX && f->exec != AA_EXEC_PX :
				   f->exec != AA_EXEC_CX))
			continue;
		if (f->target.n ? !names_no_child(l, f->target) : has_child_for(l, f->path))
			continue;
		access = execution(l, f, &v);
		if (!access)
			continue;
		vec_each(&told, old)
			if (str_eq(old->target, m.target))
				known = old;
		if (known) {
			add_place(&known->places, f->rule->use);
			continue;
		}
		tell_missing(l, id, f, access, &m);
		vec_push(l->arena, &told, m);
	}
}

/* ---- executed without a profile ---- */

static void tell_free(struct places *p, enum diag_id id, const struct aa_use *use, const char *text,
		      const char *help)
{
	struct lint *l = p->l;

	if (p->diag) {
		add_place(p, use);
		return;
	}
	p->diag = aa_tell(l, id, use, "%s", text);
	if (!p->diag)
		return;
	diag_help(l->ds, p->diag, "%s", help);
	if (id == DIAG_AP209)
		aa_fix_cut(l, p->diag, use, FIX_UNSAFE, FIX_TIGHTER);
	vec_push(l->arena, &p->stmts, use->stmt);
}

RULE(AP209, "unconfined-exec", HIGH, APPARMOR, ap_unconfined_exec,
     "a program is executed without any profile",
     "`Ux` and `ux` execute a program outside of every profile: what it does, at whose word, no rule "
     "confines any more. `ux` passes the environment on as it is, with LD_PRELOAD and LD_LIBRARY_PATH in "
     "it, by which the confined program has code of its own run there; `Ux` has the loader drop "
     "those.\n\n"
     "Way out: `Px` with a profile for the program, `Cx` with a child, or `ix`.")
void ap_unconfined_exec(struct lint *l, enum diag_id id)
{
	struct places safe = { .l = l }, unsafe = { .l = l };

	if (!enforces(l))
		return;
	vec_each(&l->aa->q->files.list, f) {
		struct aa_verdict v;
		const char *access;
		if (!is_exec(f) || f->exec != AA_EXEC_UX || f->target.n || f->alias)
			continue;
		access = execution(l, f, &v);
		if (!access || v.exec.exec != AA_EXEC_UX)
			continue;
		tell_free(v.exec.unsafe ? &unsafe : &safe, id, f->rule->use,
			  arena_printf(l->arena,
				       v.exec.unsafe ?
					       "'%s' is allowed, without a profile and with its "
					       "environment as it is, LD_PRELOAD too" :
					       "'%s' is allowed, and without a profile",
				       access),
			  "'Px' with a profile for it, 'Cx' with a child profile, or 'ix'");
	}
}

RULE(AP208, "exec-fallback", WARNING, APPARMOR, ap_exec_fallback,
     "a program is executed without a profile where the one for it is not loaded",
     "`PUx` goes to the program's profile, and where none is loaded to no profile at all: whether the "
     "program is confined hangs on what else the machine has loaded. Nothing tells the difference. `Pix` "
     "falls back on this profile, and is no finding; nor is `CUx` with a child that is there.\n\n"
     "Way out: `Px`, which fails where the profile is missing, or `Pix`.")
void ap_exec_fallback(struct lint *l, enum diag_id id)
{
	struct places p = { .l = l };

	if (!enforces(l))
		return;
	vec_each(&l->aa->q->files.list, f) {
		struct aa_verdict v;
		const char *access;
		bool local = f->exec == AA_EXEC_CUX;
		if (!is_exec(f) || (f->exec != AA_EXEC_PUX && !local) || f->alias ||
		    (local && !f->target.n && has_child_for(l, f->path)) ||
		    (local && f->target.n && !names_no_child(l, f->target)))
			continue;
		access = execution(l, f, &v);
		if (!access)
			continue;
		tell_free(&p, id, f->rule->use,
			  arena_printf(l->arena,
				       "'%s' is allowed, and without a profile wherever the one "
				       "for it is not loaded",
				       access),
			  "'Px' fails there instead, 'Pix' goes on in this profile");
	}
}

/* ---- the program itself ---- */

static bool is_read(const void *who, struct str path, const struct aa_answer *a)
{
	(void)who, (void)path;
	return (a->allow[FILE_OWNER] | a->allow[FILE_OTHER]) & PERM_R;
}

/* Does a rule let something be executed, or anything but libraries be mapped? */
static bool runs_something(const struct lint *l)
{
	vec_each(&l->aa->q->files.list, f)
		if (f->mode == AA_MODE_ALLOW &&
		    (f->perms & PERM_X ||
		     (f->perms & PERM_M && (!f->rule || !f->rule->use || aa_is_own(f->rule->use)))))
			return true;
	return false;
}

/* Who changes into it is executed there, or executes: a container's runtime, aa-exec. */
static void tell_runs_nothing(struct lint *l, enum diag_id id)
{
	static const char access[] = "exec /bin/sh";
	const struct aa_profile *p = l->aa->profile;
	struct aa_verdict v = aa_asks(l, access, FILE_OTHER);
	struct diag *d;

	if (p->parent || runs_something(l) || v.outcome == AA_ALLOWED)
		return;
	d = diag_add(
		l->ds, id, p->stmt->head,
		"no rule lets a program be executed, and the profile is attached to none: what a "
		"container starts in it does not run, '%s' is refused",
		access);
	diag_help(l->ds, d,
		  "write what is executed in it: '/usr/sbin/nginx mrix,', '/bin/sh mrix,'");
}

RULE(AP211, "no-exec-self", WARNING, APPARMOR, ap_no_exec_self,
     "the profile does not let the program that it is for be read, or any be executed",
     "A profile is in force from the moment its program is executed. Where it does not let the program's "
     "own file be read and mapped, a program that another confined one executes is killed before its "
     "first instruction, and a script cannot be opened by its interpreter, whoever starts it; a binary that "
     "an unconfined program starts gets by, as its file was opened under no profile (seen on Linux 6.12). Told "
     "where no path that the profile is attached to may be read, and of profiles that are attached to "
     "nothing, as a container's are, where no rule allows any execution.\n\n"
     "Way out: `/usr/bin/it mr,`; of a container's profile, `ix` for what runs in it.")
void ap_no_exec_self(struct lint *l, enum diag_id id)
{
	const struct aa_profile *p = l->aa->profile;
	const struct glob *g;
	struct str path;
	const char *access;
	struct aa_verdict v;
	struct diag *d;
	bool decided;

	if (!enforces(l) || p->from || p->hat)
		return;
	if (!p->attached.p) {
		tell_runs_nothing(l, id);
		return;
	}
	g = attachment(l, p);
	path = g ? aa_probe_path(l->arena, g) : (struct str){ NULL, 0 };
	if (!path.p || aa_probe_find(l, g, is_read, NULL, &decided).p || !decided)
		return;
	access = aa_path_access(l, path, PERM_R, FILE_WHO_NR);
	v = aa_asks_path(l, path, PERM_R, FILE_OTHER);
	if (!aa_refuses(&v))
		return;
	d = diag_add(l->ds, id, p->stmt->head,
		     "the program's own file may not be read under its profile: '%s' is refused; a "
		     "script does not run so, nor a program that a confined one executes",
		     access);
	diag_help(l->ds, d, "write '%s mr,'", str_safe_of(l->arena, p->attached));
	if (!memchr(p->attached.p, ' ', p->attached.n) &&
	    !memchr(p->attached.p, '"', p->attached.n))
		aa_fix_add(l, d, p, arena_printf(l->arena, PRISTR " mr,", STRARG(p->attached)));
}

static const char *const libraries[] = {
	"/lib/x86_64-linux-gnu/libc.so.6",
	"/usr/lib/x86_64-linux-gnu/libc.so.6",
	"/lib64/libc.so.6",
	"/usr/lib64/libc.so.6",
	"/lib/aarch64-linux-gnu/libc.so.6",
	"/usr/lib/aarch64-linux-gnu/libc.so.6",
	"/lib/ld-musl-x86_64.so.1",
	"/lib/ld-musl-aarch64.so.1",
	"/lib/i386-linux-gnu/libc.so.6",
	"/usr/lib/libc.so.6",
	"/lib/libc.so.6",
};

/* Of other machines, and of what brings its own: Nix, a snap, a flatpak. */
static const char elsewhere[] = "/{,**/}{libc.so.6,ld-musl-*.so.1}";

static bool is_mapped(const void *who, struct str path, const struct aa_answer *a)
{
	(void)who, (void)path;
	return (a->allow[FILE_OWNER] | a->allow[FILE_OTHER]) & PERM_M;
}

/* Does a program run in it: one that it is for, or that it executes and keeps? */
static bool runs(const struct lint *l)
{
	if (l->aa->profile->attached.p)
		return true;
	vec_each(&l->aa->q->files.list, f)
		if (is_exec(f) && f->exec == AA_EXEC_IX)
			return true;
	return false;
}

/* The abstraction uses their variables. */
static void add_tunables(struct lint *l, struct diag *d)
{
	const struct aa_stmt *s = l->aa->file->stmts;
	struct span at = l->aa->profile->stmt->span;

	for (; s; s = s->next)
		if (s->kind == AA_STMT_INCLUDE && str_is(s->word.text, "tunables/global"))
			return;
	at.end = at.begin;
	if (d->fix.edits.n)
		diag_fix(l->ds, d, at, STR("include <tunables/global>\n"));
}

RULE(AP212, "missing-base", WARNING, APPARMOR, ap_missing_base,
     "programs run under the profile, and no C library may be mapped",
     "Nearly every program is linked with a C library: the loader reads /etc/ld.so.cache and maps libc.so.6 "
     "before anything else happens. A profile that lets neither be done, of any place where glibc and "
     "musl are, starts only static programs. `abstractions/base` has those rules.\n\n"
     "Way out: `include <abstractions/base>`.")
void ap_missing_base(struct lint *l, enum diag_id id)
{
	const struct aa_profile *p = l->aa->profile;
	struct aa_verdict v;
	const char *access = NULL;
	struct diag *d;
	bool decided;

	if (!enforces(l) || p->from || p->hat || !runs(l))
		return;
	for (size_t i = ARRAY_SIZE(libraries); i-- > 0;) {
		access = arena_printf(l->arena, "open %s m", libraries[i]);
		v = aa_asks(l, access, FILE_OTHER);
		if (aa_allows(&v))
			return;
	}
	if (aa_probe_find(l, glob_parse(l->arena, str_c(elsewhere), GLOB_PATH, NULL, NULL),
			  is_mapped, NULL, &decided)
		    .p ||
	    !decided)
		return;
	d = diag_add(
		l->ds, id, p->stmt->head,
		"programs run under this profile, and no C library may be mapped: '%s' is refused",
		access);
	diag_help(l->ds, d, "write 'include <abstractions/base>'");
	aa_fix_add(l, d, p, "include <abstractions/base>");
	add_tunables(l, d);
}

/* ---- written, and executed ---- */

/* A device has no code, and nor has a directory. */
static bool has_code(struct str path)
{
	return path.p[path.n - 1] != '/' &&
	       (!str_starts(path, "/dev/") || str_starts(path, "/dev/shm/"));
}

static bool is_written_and_run(const void *who, struct str path, const struct aa_answer *a)
{
	(void)who;
	for (unsigned half = 0; half < FILE_WHO_NR; half++) {
		unsigned allow = a->allow[half] & ~a->varies[half];
		if (allow & (PERM_W | PERM_A) && allow & (PERM_X | PERM_M))
			return has_code(path);
	}
	return false;
}

/* `file,`, or both about all paths: that everything may be done is another finding. */
static bool is_everything(struct lint *l, const struct aa_opened *f)
{
	static const char any[] = "/a/b.c/d-1";

	return f->path->prefix.n < 2 &&
	       glob_match(l->arena, f->path, (struct str){ any, sizeof(any) - 1 });
}

static bool does_everything(struct lint *l)
{
	unsigned perms = 0;

	vec_each(&l->aa->q->files.list, f)
		if (f->mode == AA_MODE_ALLOW && is_everything(l, f))
			perms |= f->perms;
	return perms & (PERM_W | PERM_A) && perms & (PERM_X | PERM_M);
}

/* May its paths begin with anything, as those of a pattern that names their end alone? */
static bool begins_anywhere(struct lint *l, const struct glob *any, const struct glob *g)
{
	size_t budget = GLOB_BUDGET;
	const char *path;

	return g->prefix.n < 2 && aa_known_overlap(l->aa->known, l->arena, AA_KNOWN_TEXTS, g, any,
						   &budget, &path) != GLOB_NO;
}

static bool may_meet(const struct aa_opened *w, const struct aa_opened *x)
{
	struct str a = w->path->prefix, b = x->path->prefix;

	return !memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
}

static bool runs_code(const struct aa_opened *x)
{
	return x->rule && x->rule->use && x->mode == AA_MODE_ALLOW && x->perms & (PERM_X | PERM_M);
}

/* What may be run, once for all that may be written. */
struct run_list {
	struct running {
		const struct aa_opened *file;
		struct glob_heads heads;
	} * v;
	size_t n, cap;
};

static void find_running(struct lint *l, struct run_list *out)
{
	vec_each(&l->aa->q->files.list, x)
		if (runs_code(x))
			vec_push(l->arena, out,
				 ((struct running){
					 x, aa_known_heads(l->aa->known, l->arena, x->path) }));
}

/*
 * A path that this rule lets be written, and some rule be run; p NULL: there is none. First what two
 * rules have in common, then, where a deny or an owner stands against that, any path.
 */
static struct str find_written(struct lint *l, const struct aa_opened *w,
			       const struct run_list *run)
{
	const struct aa_asking *q = l->aa->q;
	struct aa_known *known = l->aa->known;
	struct glob_heads heads = aa_known_heads(known, l->arena, w->path);
	bool look = false;
	size_t budget = GLOB_BUDGET;

	vec_each(run, code) {
		const struct aa_opened *x = code->file;
		const char *text;
		struct str path;
		if (!may_meet(w, x) || !glob_heads_meet(&heads, &code->heads) ||
		    aa_known_overlap(known, l->arena, AA_KNOWN_PATHS, w->path, x->path, &budget,
				     &text) != GLOB_YES)
			continue;
		path = str_c(text);
		if (!aa_path_fault(path) &&
		    is_written_and_run(NULL, path, aa_means_path(&q->means, path)))
			return path;
		look |= !aa_probe_is_one(w->path) && !aa_probe_is_one(x->path);
	}
	if (!look)
		return (struct str){ NULL, 0 };
	return aa_probe_find(l, w->path, is_written_and_run, NULL, &look);
}

static void tell_written(struct lint *l, enum diag_id id, struct str path)
{
	const struct aa_answer *a = aa_means_path(&l->aa->q->means, path);
	enum file_who who = FILE_OTHER;
	unsigned w, x;
	struct diag *d;

	if (!(a->allow[who] & (PERM_W | PERM_A)) || !(a->allow[who] & (PERM_X | PERM_M)))
		who = FILE_OWNER;
	w = a->allow[who] & PERM_W ? PERM_W : PERM_A;
	x = a->allow[who] & PERM_X ? PERM_X : PERM_M;
	enum file_who said = a->allow[0] == a->allow[1] ? FILE_WHO_NR : who;
	const char *write = aa_path_access(l, path, w, said);
	const char *run = aa_path_access(l, path, x, said);
	struct aa_verdict vw = aa_asks_path(l, path, w, who), vx = aa_asks_path(l, path, x, who);
	const struct aa_use *by_w = aa_decides(&vw), *by_x = aa_decides(&vx);
	if (!aa_allows(&vw) || !aa_allows(&vx) || !by_w || !by_x)
		return;
	if (!aa_is_own(by_w) && !aa_is_own(by_x))
		return;
	d = aa_tell(l, id, aa_is_own(by_x) ? by_x : by_w,
		    "what the program writes it may run: '%s' is allowed, and '%s' is allowed",
		    write, run);
	if (!d)
		return;
	if (by_w->stmt != by_x->stmt && aa_is_own(by_x))
		diag_note(l->ds, d, aa_place(by_w), "this lets it be written");
	else if (by_w->stmt != by_x->stmt)
		diag_note(l->ds, d, aa_place(by_x), "this lets it be run");
	diag_help(l->ds, d,
		  "let nothing be executed or mapped where the program writes, or write elsewhere");
}

RULE(AP210, "write-and-exec", HIGH, APPARMOR, ap_write_and_exec,
     "the program may write a file, and then execute or map it",
     "A path that may be written and executed, or mapped as code, lets whoever gets the program to write a "
     "file there have it run: the profile confines what that code does, and no longer which code it is. "
     "Two rules are enough, one for `/srv/** rw`, one for `/srv/bin/* ix`. Told with a path that both is allowed "
     "for; not of `file,`, of which other findings speak, nor of what may be written by its end alone (`/**.pcap`).\n\n"
     "Way out: directories of programs and of data kept apart; a deny of 'w' on the former.")
void ap_write_and_exec(struct lint *l, enum diag_id id)
{
	const struct aa_asking *q = l->aa->q;
	struct run_list run = { .v = NULL };
	struct glob_fault fault = { .kind = GLOB_FINE };
	const struct glob *any;

	if (!enforces(l) || does_everything(l))
		return;
	find_running(l, &run);
	any = aa_known_glob(l->aa->known, str_c("/pale-any{,*,/**}"), GLOB_PATH, NULL, &fault);
	vec_each(&q->files.list, w) {
		struct str path;
		if (!w->rule || !w->rule->use || w->mode != AA_MODE_ALLOW || w->alias ||
		    !(w->perms & (PERM_W | PERM_A)) || begins_anywhere(l, any, w->path) ||
		    (str_starts(w->path->prefix, "/dev/") && !has_code(w->path->prefix)))
			continue;
		path = find_written(l, w, &run);
		if (path.p)
			tell_written(l, id, path);
	}
}

/* ---- rules that another release refuses ---- */

/* A class in brackets is a glob for 3.0, and as exact as a name from 4.0 on (means.h). */
static bool is_exact_since_4_0(const struct aa_opened *f)
{
	return aa_is_exact(AA_RELEASE_4_0, f->path) && !aa_is_exact(AA_RELEASE_3_0, f->path);
}

/* Of those that say how to execute, those that another one's exactness may set against it. */
static bool hangs_on_release(const struct lint *l)
{
	vec_each(&l->aa->q->files.list, f)
		if (is_exec(f) && is_exact_since_4_0(f))
			return true;
	return false;
}

static void tell_version(struct lint *l, enum diag_id id, const struct aa_conflict *c,
			 enum aa_release release)
{
	const struct aa_use *one = c->one->rule ? c->one->rule->use : NULL;
	const struct aa_use *two = c->two->rule ? c->two->rule->use : NULL;
	bool old = release == AA_RELEASE_3_0;
	struct diag *d;

	if (!one || !two)
		return;
	if (!aa_is_own(one) && aa_is_own(two)) {
		two = one;
		one = c->two->rule->use;
	}
	d = aa_tell(
		l, id, one,
		"apparmor %s refuses this profile: two rules disagree about how to execute '%s'",
		old ? "3.0" : "4.0 and later", str_safe_of(l->arena, c->path));
	if (!d)
		return;
	diag_note(l->ds, d, aa_place(two), "this is the other");
	diag_help(
		l->ds, d,
		old ? "apparmor 3.0 takes a class in brackets for a pattern like any other: write the "
		      "names out, {b,c} for [bc]" :
		      "from apparmor 4.0 on a class in brackets counts as exact as a name: take the "
		      "name out of it");
}

RULE(AP226, "x-conflict-by-version", WARNING, APPARMOR, ap_x_conflict_by_version,
     "rules about executing that one release of the parser takes and another refuses",
     "Where two rules say differently how a path is executed, an exact one goes before one with stars, and "
     "two of a kind are an error. What is exact changed: 3.0 takes a class in brackets for a pattern, 4.0 "
     "and later for exact. So `/a/* ix, /a/[bc] px,` loads from 4.0 on and not with 3.0, and `/a/[bc] ix, "
     "/a/b px,` with 3.0 alone (3.0.8, 4.1.8, 5.0.2 and 6.0 were asked). Told is what the release that lint "
     "reads for takes and the other does not.\n\n"
     "Way out: write the names out, `/a/{b,c} px,`, without the one that has a rule of its own.")
void ap_x_conflict_by_version(struct lint *l, enum diag_id id)
{
	enum aa_release other = l->aa->release < AA_RELEASE_4_0 ? AA_RELEASE_5_0 : AA_RELEASE_3_0;
	VEC(struct aa_opened) execs = { .v = NULL };
	struct aa_means_pool *pool;
	struct aa_means means;

	if (!hangs_on_release(l))
		return;
	vec_each(&l->aa->q->files.list, f) {
		if (f->priority && other == AA_RELEASE_3_0)
			return; /* 3.0 does not read it at all */
		if (f->perms & PERM_X)
			vec_push(l->arena, &execs, *f);
	}
	pool = aa_means_pool_new(l->arena);
	means = aa_means_build(pool, other, execs.v, execs.n);
	struct aa_conflicts found = aa_means_conflicts(l->arena, &means, execs.v, execs.n);
	aa_decided(l, found.decided);
	vec_each(&found.list, c)
		if (!c->varies)
			tell_version(l, id, c, other);
}
