/* SPDX-License-Identifier: Apache-2.0 */
/* AP2: patterns that match other paths than they read. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/base/table.h"
#include "compiler/lint/aa_fix.h"
#include "compiler/lint/aa_meant.h"
#include "compiler/lint/aa_probe.h"

static bool is_own_file(const struct aa_opened *f)
{
	return f->rule && f->rule->use && f->rule->class == AA_CLASS_FILE && !f->alias &&
	       aa_is_own(f->rule->use) && !f->rule->file.all;
}

/* What a rule says, of whom it says it. */
struct said {
	unsigned perm;
	enum file_who half, who; /* who: as an access has it */
};

static struct said said_of(const struct aa_opened *f)
{
	struct said s = { .half = f->owner == AA_OWNER_ONLY ? FILE_OWNER : FILE_OTHER };

	s.who = f->owner == AA_OWNER_ANY ? FILE_WHO_NR : s.half;
	s.perm = aa_probe_perm(aa_opened_bits(f, s.half));
	return s;
}

/* The access, where it goes otherwise than the rule says; NULL: as that says, or it says nothing. */
static const char *missed(struct lint *l, const struct aa_opened *f, struct str path)
{
	struct said s = said_of(f);
	struct aa_verdict v;
	bool otherwise;

	if (!s.perm || f->mode == AA_MODE_PROMPT || !path.p || aa_path_fault(path))
		return NULL;
	v = aa_asks_path(l, path, s.perm, s.half);
	otherwise = f->mode == AA_MODE_DENY ? aa_allows(&v) : aa_refuses(&v);
	return otherwise ? aa_path_access(l, path, s.perm, s.who) : NULL;
}

static const char *outcome_of(const struct aa_opened *f)
{
	return f->mode == AA_MODE_DENY ? "allowed" : "refused";
}

static const struct glob *parse(struct lint *l, struct str text)
{
	struct glob_variables vars = aa_profile_variables(l->arena, l->aa->policy, l->aa->profile);
	struct glob_fault fault;
	const struct glob *g = glob_parse(l->arena, text, GLOB_PATH, &vars, &fault);

	return fault.kind == GLOB_FINE ? g : NULL;
}

/* A shortest path of a text; p NULL: it is no glob, or matches none. */
static struct str path_of(struct lint *l, const struct buf *text)
{
	const struct glob *g = parse(l, str_c(buf_keep(l->arena, text)));

	return g ? aa_probe_path(l->arena, g) : (struct str){ NULL, 0 };
}

/* ---- alternatives that lead nowhere ---- */

/* One of "{a,b}": the words at the top of these braces. */
struct alternative {
	size_t open, close; /* the braces */
	struct str word;
};

/* Where what is open at `at` ends; 0: it is no such group, or one with groups or brackets in it. */
static size_t close_of(struct str t, size_t at)
{
	for (size_t i = at + 1; i < t.n; i++) {
		if (strchr("{[\\@", t.p[i]))
			return 0;
		if (t.p[i] == '}')
			return i;
	}
	return 0;
}

/* Does a component "." begin at i, with what stands before the word and behind it? */
static bool is_dot(struct str w, size_t i, bool before, bool behind)
{
	bool starts = i ? w.p[i - 1] == '/' : before;
	bool ends = i + 1 < w.n ? w.p[i + 1] == '/' : behind;

	return w.p[i] == '.' && starts && ends;
}

static bool has_dot(struct str t, const struct alternative *a)
{
	bool before = a->open && t.p[a->open - 1] == '/';
	bool behind = a->close + 1 == t.n || t.p[a->close + 1] == '/';

	for (size_t i = 0; i < a->word.n; i++)
		if (is_dot(a->word, i, before, behind))
			return true;
	return false;
}

/* Two slashes come together: worth a look. */
static bool is_suspicious(struct str t, const struct alternative *a)
{
	bool before = a->open && t.p[a->open - 1] == '/';
	bool behind = a->close + 1 < t.n && t.p[a->close + 1] == '/';
	struct str w = a->word;

	if (!w.n)
		return before && behind;
	return (before && w.p[0] == '/') || (behind && w.p[w.n - 1] == '/');
}

/* One '/' where two come together, also at the start, where the parser leaves two; no component ".". */
static void put_folded(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '/' && b->n > 1 && b->p[b->n - 1] == '.' && b->p[b->n - 2] == '/')
			b->n--;
		if (s.p[i] != '/' || !b->n || b->p[b->n - 1] != '/')
			buf_putc(b, s.p[i]);
	}
}

/* A path of the text with this alternative alone, between braces as it was. */
static struct str kept(struct lint *l, struct str t, const struct alternative *a)
{
	BUF_AUTO b = { 0 };

	buf_add(&b, t.p, a->open);
	buf_printf(&b, "{" PRISTR "," PRISTR "}", STRARG(a->word), STRARG(a->word));
	buf_add(&b, t.p + a->close + 1, t.n - a->close - 1);
	return path_of(l, &b);
}

/* One as it was meant: as if it stood there plainly. */
static const char *meant_text(struct lint *l, struct str t, const struct alternative *a)
{
	BUF_AUTO b = { 0 };

	put_folded(&b, (struct str){ t.p, a->open });
	put_folded(&b, a->word);
	put_folded(&b, (struct str){ t.p + a->close + 1, t.n - a->close - 1 });
	if (b.n > 1 && b.p[b.n - 1] == '.' && b.p[b.n - 2] == '/')
		b.n--;
	return buf_keep(l->arena, &b);
}

/* Where a pattern stands: f of rules for files, else r. */
struct holder {
	enum diag_id id;
	const struct aa_opened *f;
	const struct aa_rule *r;
	const struct aa_word *word;
	struct aa_meant *meant; /* of r's class */
};

/* A link by that path, its own or that of what it leads to, and the other one as the rule has it. */
static const char *missed_link(struct lint *l, const struct holder *h, struct str path)
{
	const struct aa_file_rule *file = &h->r->file;
	bool name = h->word == file->path.word;
	const struct glob *g = name ? file->link.glob : h->f->path;
	struct str other = g ? aa_probe_path(l->arena, g) : STR("/a");
	struct aa_verdict v;
	BUF_AUTO b = { 0 };

	if (!path.p || !other.p)
		return NULL;
	buf_puts(&b, "link ");
	aa_access_put_path(&b, name ? path : other);
	buf_puts(&b, " ");
	aa_access_put_path(&b, name ? other : path);
	const char *access = buf_keep(l->arena, &b);
	if (!aa_may_ask(l, access, &v))
		return NULL;
	return (h->f->mode == AA_MODE_DENY ? aa_allows(&v) : aa_refuses(&v)) ? access : NULL;
}

static const char *missed_by(struct lint *l, const struct holder *h, const struct alternative *a)
{
	const char *text = meant_text(l, h->word->text, a);
	const struct glob *g;
	struct str path;

	if (!h->f)
		return aa_meant_object(l, h->meant, h->r, h->word, text);
	g = parse(l, str_c(text));
	path = g ? aa_probe_path(l->arena, g) : (struct str){ NULL, 0 };
	if (h->word == h->r->file.path.word && said_of(h->f).perm)
		return missed(l, h->f, path);
	return h->f->perms & PERM_L ? missed_link(l, h, path) : NULL;
}

static void look_at_alternative(struct lint *l, const struct holder *h, const struct alternative *a)
{
	struct str t = h->word->text;
	bool dots = has_dot(t, a);
	const char *access;
	struct diag *d;

	if (!(dots || is_suspicious(t, a)) || kept(l, t, a).p)
		return;
	access = missed_by(l, h, a);
	if (!access)
		return;
	d = aa_tell(l, h->id, h->r->use,
		    "the alternative '%s' gives only paths with %s in them, which the kernel "
		    "never asks about: '%s' is %s",
		    str_safe_of(l->arena, a->word), dots ? "a component '.'" : "'//'", access,
		    h->r->prefix.mode == AA_MODE_DENY ? "allowed" : "refused");
	if (d)
		diag_help(l->ds, d, "%s",
			  dots ? "leave the './' out" :
				 "write each '/' on one side of the braces alone, or two rules");
}

static void look_at_word(struct lint *l, struct holder h, const struct aa_word *word)
{
	struct alternative a;
	struct str t;

	if (!word)
		return;
	h.word = word;
	t = word->text;
	for (a.open = 0; a.open < t.n; a.open++) {
		size_t from = a.open + 1;
		if (t.p[a.open] == '\\')
			break;
		if (t.p[a.open] != '{' || (a.open && t.p[a.open - 1] == '@'))
			continue;
		a.close = close_of(t, a.open);
		for (size_t i = from; a.close && i <= a.close; i++) {
			if (t.p[i] != ',' && i != a.close)
				continue;
			a.word = (struct str){ t.p + from, i - from };
			look_at_alternative(l, &h, &a);
			from = i + 1;
		}
	}
}

RULE(AP228, "dead-alternative", HIGH, APPARMOR, ap_dead_alternative,
     "an alternative between braces that matches no path",
     "The parser makes one '/' of several where they stand in the text, but not where braces bring them "
     "together: of `/{,usr/,/nix/store/x/}lib/**` the third word matches `//nix/store/x/lib/...`, and "
     "no kernel asks about a path with '//' in it. `/a/{,b}/c` matches `/a//c` likewise, and never "
     "`/a/c`; so does `/a/{b,./c}`, where the text alone (`/a/./c`) is told as AP244. Told where the path that was meant is answered otherwise than the rule "
     "says: of rules for files, of links and what they lead to, of what is mounted, unmounted and made the root (of a mount's source nothing: it "
     "need be no path).\n\n"
     "Way out: `/{,usr/,nix/store/x/}lib/**`, `/a/{,b/}c`.")
void ap_dead_alternative(struct lint *l, enum diag_id id)
{
	struct aa_meant mounts = { .pool = NULL }, roots = { .pool = NULL };

	vec_each(&l->aa->q->files.list, f) {
		struct holder h = { .id = id, .f = f, .r = f->rule };

		if (!is_own_file(f))
			continue;
		look_at_word(l, h, f->rule->file.path.word);
		look_at_word(l, h, f->rule->file.link.word);
	}
	vec_each(&l->aa->q->rules, it) {
		const struct aa_rule *r = *it;
		struct holder h = { .id = id, .r = r };
		const struct aa_cond *old;

		if (!r->use || !aa_is_own(r->use) || r->prefix.mode == AA_MODE_PROMPT)
			continue;
		h.meant = r->class == AA_CLASS_MOUNT ? &mounts : &roots;
		if (r->class == AA_CLASS_MOUNT)
			look_at_word(l, h, r->mount.point.word);
		if (r->class != AA_CLASS_PIVOT_ROOT)
			continue;
		old = aa_rule_cond(r, AA_COND_OLDROOT, false);
		look_at_word(l, h, r->pivot.root.word);
		look_at_word(l, h, old ? old->values : NULL);
	}
}

/* ---- numbers ---- */

static const char digits[] = "[0-9][0-9]*";

/* "cpu[0-9][0-9]*": behind a letter, and no third digit before it. */
static size_t digits_at(struct str t)
{
	size_t n = sizeof(digits) - 1;

	for (size_t i = 1; i + n <= t.n; i++) {
		char before = t.p[i - 1];
		bool letter = (before >= 'a' && before <= 'z') || (before >= 'A' && before <= 'Z');
		if (letter && !memcmp(t.p + i, digits, n) &&
		    (i + n == t.n || !strchr("*[", t.p[i + n])))
			return i;
	}
	return 0;
}

RULE(AP230, "digit-glob", WARNING, APPARMOR, ap_digit_glob, "`[0-9][0-9]*` is two digits at least",
     "In a pattern '*' is any text, and not 'the one before, any number of times': `cpu[0-9][0-9]*` "
     "matches cpu10 and cpu10x, and neither cpu4 nor cpu9. Told behind a letter, where a path with one "
     "digit is answered otherwise than the rule says.\n\n"
     "Way out: `cpu[0-9]*`, or `cpu[0-9]{,[0-9]}` for one or two digits.")
void ap_digit_glob(struct lint *l, enum diag_id id)
{
	vec_each(&l->aa->q->files.list, f) {
		BUF_AUTO one = { 0 };
		const char *access;
		struct diag *d;
		struct str t;
		size_t at;
		if (!is_own_file(f) || !(f->path->has & GLOB_HAS_CLASS) || !f->rule->file.path.word)
			continue;
		t = f->rule->file.path.word->text;
		at = digits_at(t);
		if (!at)
			continue;
		buf_add(&one, t.p, at);
		buf_putc(&one, '4');
		buf_add(&one, t.p + at + sizeof(digits) - 1, t.n - at - (sizeof(digits) - 1));
		access = missed(l, f, path_of(l, &one));
		if (!access)
			continue;
		d = aa_tell(l, id, f->rule->use, "'%s' asks for two digits at least: '%s' is %s",
			    digits, access, outcome_of(f));
		if (!d)
			continue;
		const struct aa_word *w = f->rule->file.path.word;
		uint32_t from = w->span.begin + (uint32_t)at;
		diag_help(l->ds, d, "write '[0-9]*' for one digit and anything behind it");
		if (!w->quoted)
			aa_fix_word(l, d, f->rule->use,
				    (struct span){ w->span.source, from,
						   from + (uint32_t)sizeof(digits) - 1 },
				    "[0-9]*", FIX_OTHER);
	}
}

/* ---- directories ---- */

/* Of a system laid out by the FHS, and of each of them the kernel asks with a '/' at the end. */
static const char *const directories[] = {
	"/boot",    "/dev",     "/etc",       "/home",      "/media",     "/mnt",
	"/opt",     "/proc",    "/root",      "/run",       "/srv",       "/sys",
	"/tmp",     "/usr",     "/usr/bin",   "/usr/lib",   "/var",       "/var/lib",
	"/var/log", "/var/tmp", "/usr/share", "/usr/local", "/var/cache",
};

/* /proc/net and /proc/self are links: the kernel asks about what they lead to. */
static bool is_link(struct str path)
{
	return str_starts(path, "/proc/net") || str_starts(path, "/proc/self");
}

static bool is_directory(struct str path)
{
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		if (str_is(path, directories[i]))
			return true;
	return false;
}

/* A path without a '/' at its end, which a directory may have. */
static bool may_be_directory(const struct aa_opened *f)
{
	struct str path = f->path->prefix;

	return is_own_file(f) && !(f->perms & PERM_X) && aa_probe_is_one(f->path) && path.n >= 2 &&
	       path.p[path.n - 1] != '/' && !is_link(path);
}

/* Such paths, and of each the first rule of the file's own that names, letter by letter, something below it. */
struct directory {
	struct str path;
	const struct aa_opened *below;
};

struct directory_list {
	VEC(struct directory) list;
	struct table table;
};

static struct directory *find_directory(struct directory_list *all, uint64_t hash, struct str path)
{
	struct table_walk walk = table_start(hash);

	for (size_t at; (at = table_next(&all->table, &walk)) != TABLE_END;)
		if (str_eq(all->list.v[at].path, path))
			return &all->list.v[at];
	return NULL;
}

/* Each path is walked once, a '/' after the other: of a profile of 100,000 rules no two are compared. */
static void find_below(const struct aa_asking *q, struct directory_list *all)
{
	vec_each(&q->files.list, f) {
		struct str p = f->path->prefix;
		uint64_t hash = HASH_START;
		if (!is_own_file(f))
			continue;
		for (size_t i = 0; i + 1 < p.n; i++) {
			struct directory *d;
			hash = hash_bytes(hash, p.p + i, 1);
			if (p.p[i + 1] != '/')
				continue;
			d = find_directory(all, hash, (struct str){ p.p, i + 1 });
			if (d && !d->below)
				d->below = f;
		}
	}
}

static void find_directories(struct lint *l, struct directory_list *all)
{
	vec_each(&l->aa->q->files.list, f) {
		struct str path = f->path->prefix;
		uint64_t hash = hash_bytes(HASH_START, path.p, path.n);
		if (!may_be_directory(f) || find_directory(all, hash, path))
			continue;
		table_add(l->arena, &all->table, hash, all->list.n);
		vec_push(l->arena, &all->list, ((struct directory){ path, NULL }));
	}
	find_below(l->aa->q, all);
}

static void tell_slash(struct lint *l, enum diag_id id, const struct aa_opened *f,
		       const struct aa_opened *other, const char *access)
{
	struct diag *d;

	d = aa_tell(
		l, id, f->rule->use,
		"a directory is asked about with a '/' at its end, which this rule has not: '%s' "
		"is %s",
		access, outcome_of(f));
	if (!d)
		return;
	if (other)
		diag_note(l->ds, d, aa_place(other->rule->use), "what this says lies in it");
	diag_help(l->ds, d, "write a '/' at the end of the path");
	const struct aa_word *w = f->rule->file.path.word;
	if (!w || w->quoted)
		return;
	aa_fix_word(l, d, f->rule->use, (struct span){ w->span.source, w->span.end, w->span.end },
		    "/", FIX_OTHER);
}

RULE(AP213, "dir-slash", WARNING, APPARMOR, ap_dir_slash,
     "a rule for a directory without a '/' at its end",
     "The kernel asks about a directory with a '/' behind its name, to list, make or remove it; a rule "
     "without one is about a file of that name, and so about nothing: `/etc r,` does not let /etc be "
     "listed. Told of the directories of every system, and where another rule of the profile speaks of "
     "what lies in it.\n\n"
     "Way out: `/etc/ r,`, and `/etc/** r,` for what lies in it.")
void ap_dir_slash(struct lint *l, enum diag_id id)
{
	struct directory_list all = { 0 };

	find_directories(l, &all);
	vec_each(&l->aa->q->files.list, f) {
		const struct aa_opened *other;
		const char *access;
		struct str path = f->path->prefix;
		if (!may_be_directory(f))
			continue;
		other = find_directory(&all, hash_bytes(HASH_START, path.p, path.n), path)->below;
		if (!other && !is_directory(path))
			continue;
		access = missed(l, f, str_c(arena_printf(l->arena, PRISTR "/", STRARG(path))));
		if (access)
			tell_slash(l, id, f, other, access);
	}
}

/* ---- rules that say the same ---- */

static bool same_way(const struct aa_opened *x, const struct aa_opened *y)
{
	return x->mode == y->mode && x->audit == y->audit && x->priority == y->priority &&
	       x->owner == y->owner && x->exec == y->exec && x->unsafe == y->unsafe &&
	       x->subset == y->subset && str_eq(x->target, y->target) && !x->link && !y->link;
}

static bool same_text(const struct aa_opened *x, const struct aa_opened *y)
{
	return str_eq(x->path->text, y->path->text) && x->perms == y->perms;
}

static uint64_t hash_of(const struct aa_opened *f)
{
	uint64_t h = hash_bytes(HASH_START, f->path->text.p, f->path->text.n);

	return hash_bytes(h, &f->perms, sizeof(f->perms));
}

static const struct aa_opened *find_first(const struct aa_asking *q, const struct table *seen,
					  const struct aa_opened *f)
{
	struct table_walk walk = table_start(hash_of(f));
	const struct aa_opened *first = NULL;

	for (size_t at; (at = table_next(seen, &walk)) != TABLE_END;) {
		const struct aa_opened *old = &q->files.list.v[at];
		if (same_text(f, old) && same_way(f, old) && f->rule != old->rule &&
		    (!first || old < first))
			first = old;
	}
	return first;
}

RULE(AP204, "duplicate-rule", INFO, APPARMOR, ap_duplicate_rule,
     "the same file rule stands twice in a profile",
     "Two file rules with the same path, permissions and words in front say what one of them says. "
     "Nothing is wrong with what the profile means; who narrows the one later wonders why the other "
     "still allows it.\n\n"
     "Way out: take one away.")
void ap_duplicate_rule(struct lint *l, enum diag_id id)
{
	const struct aa_asking *q = l->aa->q;
	struct table seen = { 0 }; /* of the files' list, each that repeats none */

	for (size_t i = 0; i < q->files.list.n; i++) {
		const struct aa_opened *f = &q->files.list.v[i], *old;
		struct diag *d;
		if (!is_own_file(f))
			continue;
		old = find_first(q, &seen, f);
		if (!old) {
			table_add(l->arena, &seen, hash_of(f), i);
			continue;
		}
		d = aa_tell(l, id, f->rule->use, "this rule stands here a second time");
		if (!d)
			continue;
		diag_note(l->ds, d, old->rule->use->stmt->head, "the first one");
		aa_fix_cut(l, d, f->rule->use, FIX_SAFE, FIX_SAME);
	}
}
