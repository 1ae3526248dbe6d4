/* SPDX-License-Identifier: Apache-2.0 */
/* Files that a text names: includes and abis (parser_lex.l, include_filename; parser_yacc.y, abi_features). */
#include "compiler/apparmor/expand_parts.h"

#include <errno.h>
#include <string.h>

/* ---- names ---- */

/* False: blanks around quotes in <>, or nothing. */
static bool file_name(struct expanding *x, const struct aa_word *w, bool magic, struct str *out)
{
	*out = glob_unescape(x->arena, aa_include_name(w->text, magic));
	return out->n > 0;
}

static void tell_bad_name(struct expanding *x, enum diag_id id, struct span sp,
			  const struct aa_from *from)
{
	struct diag *d = aax_tell(x, id, sp, from, "this names no file");

	diag_help(x->ds, d,
		  "write <abstractions/base>, or a path in double quotes; no blank stands "
		  "between '<' and '\"'");
}

static const char *why(int err)
{
	switch (err) {
	case -EINVAL: return "it is no regular file";
	case -EFBIG: return "it is larger than 16 MiB";
	case -E2BIG: return "the directory has more than 10000 names";
	default: return strerror(-err);
	}
}

static void tell_dirs(const struct expanding *x, struct buf *out)
{
	for (size_t i = 0; i < x->lib->dirs.n && i < 4; i++) {
		buf_puts(out, i ? ", " : " in ");
		buf_safe(out, str_c(x->lib->dirs.v[i]));
	}
}

static struct diag *tell_missing(struct expanding *x, enum diag_id id, struct span sp,
				 const struct scope *scope, struct str name, bool magic)
{
	BUF_AUTO dirs = { 0 };

	if (magic)
		tell_dirs(x, &dirs);
	return aax_tell(x, id, sp, scope->from, "'%s' does not exist%s", aax_shown(x, name),
			dirs.p ? dirs.p : "");
}

/* Names near to a missing one, offered as help. In local/ each file is of one profile: another's is none. */
static bool offer(struct expanding *x, struct diag *d, struct span sp, struct str name, bool magic)
{
	struct suggest s;

	if ((magic && str_starts(name, "local/")) || !diag_suggest_start(x->ds, &s, name))
		return false;
	aa_library_suggest(x->lib, name, magic, &s);
	return diag_suggest(x->ds, d, sp, &s);
}

static void tell_unreadable(struct expanding *x, const struct aa_entry *e, struct span sp,
			    const struct aa_from *from)
{
	enum diag_id id = diag_is_shortage(e->err) ? DIAG_PL020 : DIAG_PL351;

	aax_tell(x, id, sp, from, "'%s' cannot be read: %s", aax_shown(x, str_c(e->path)),
		 why(e->err));
}

static void tell_full(struct expanding *x, struct span sp, const struct aa_from *from)
{
	struct diag *d =
		aax_tell(x, DIAG_PL353, sp, from, "more than %d files are included", AA_FILES_MAX);

	diag_help(x->ds, d, "check fewer profiles at a time");
	x->stopped = true;
}

/* ---- includes ---- */

/* Is it being read, by the same name? Then a block of its own brings it in again and again. */
static bool is_open(const struct aa_from *from, const char *path)
{
	for (; from; from = from->parent)
		if (from->path && !strcmp(from->path, path))
			return true;
	return false;
}

/* What the library told of a file when it was read first; false: it is not to be walked. */
static bool parse_entry(struct expanding *x, struct aa_entry *e, const struct aa_stmt *s,
			const struct scope *scope)
{
	size_t before = x->ds->list.n;
	bool first = !e->file;

	aa_library_parse(x->lib, e, x->ds);
	if (!e->errors)
		return true;
	if (e->told != x->ds) {
		struct diag *d = aax_tell(x, DIAG_PL351, s->word.span, scope->from,
					  "'%s' has errors", aax_shown(x, str_c(e->path)));
		diag_help(x->ds, d, "they were told where it was read first");
		return false;
	}
	/* AppArmor pastes text, so that a brace or rule may begin here and end elsewhere. */
	for (size_t i = before; first && i < x->ds->list.n; i++)
		if (x->ds->list.v[i]->id == DIAG_PL002)
			diag_note(x->ds, x->ds->list.v[i], s->span,
				  "included here: an include holds whole statements");
	return true;
}

static bool within_bounds(struct expanding *x, const struct aa_entry *e, const struct aa_stmt *s,
			  const struct scope *scope)
{
	unsigned depth = scope->from ? scope->from->depth + 1 : 1;
	struct diag *d;

	if (is_open(scope->from, e->path)) {
		d = aax_tell(x, DIAG_PL352, s->word.span, scope->from, "'%s' includes itself",
			     aax_shown(x, str_c(e->path)));
		diag_help(x->ds, d, "AppArmor's parser would read it until its memory ends");
		return false;
	}
	if (depth > AA_INCLUDE_DEPTH) {
		d = aax_tell(x, DIAG_PL004, s->word.span, scope->from,
			     "more than %d includes inside one another", AA_INCLUDE_DEPTH);
		diag_help(x->ds, d, "include the last of them from the first file");
		return false;
	}
	x->flat += (e->source ? e->source->text.n : 0) + s->span.end - s->span.begin;
	if (x->flat <= AA_FLAT_MAX)
		return true;
	if (!x->stopped) {
		d = aax_tell(x, DIAG_PL353, s->word.span, scope->from,
			     "with its includes the file is more than 64 MiB");
		diag_help(x->ds, d,
			  "every profile and child includes its files anew: include fewer");
	}
	x->stopped = true;
	return false;
}

static void read_entry(struct expanding *x, struct aa_entry *e, const struct aa_stmt *s,
		       const struct scope *scope)
{
	struct scope inner = *scope;
	struct aa_from *from;

	if (!within_bounds(x, e, s, scope) || !parse_entry(x, e, s, scope))
		return;
	from = ARENA_NEW(x->arena, struct aa_from);
	from->parent = scope->from;
	from->include = s;
	from->path = e->path;
	from->depth = scope->from ? scope->from->depth + 1 : 1;
	inner.from = from;
	aax_tell_joints(x, e->file, from);
	x->walk(x, e->file->stmts, &inner);
}

/*
 * The parser puts all files of a directory on a stack and reads the last one first; those that the
 * block has already are left out.
 */
static void read_directory(struct expanding *x, struct aa_entry *dir, const struct aa_stmt *s,
			   const struct scope *scope)
{
	VEC(struct aa_entry *) files = { 0 };

	if (dir->dangling) {
		struct diag *d = aax_tell(x, DIAG_PL351, s->word.span, scope->from,
					  "'%s' is a link that leads nowhere",
					  aax_shown(x, str_c(dir->dangling)));
		diag_help(x->ds, d, "AppArmor's parser gives up on a directory that holds one");
	}
	vec_each(&dir->paths, path) {
		struct aa_entry *e = NULL;
		if (aa_seen_find(scope->seen, *path))
			continue;
		e = aa_library_entry(x->lib, *path);
		if (!e) {
			tell_full(x, s->word.span, scope->from);
			return;
		}
		if (e->kind != AA_ENTRY_FILE) {
			tell_unreadable(x, e, s->word.span, scope->from);
			continue;
		}
		aa_seen_add(x->lib->arena, scope->seen, e->path);
		vec_push(x->arena, &files, e);
	}
	for (size_t i = files.n; i-- && !x->stopped;)
		read_entry(x, files.v[i], s, scope);
}

/* The parser follows includes in branches that do not hold, and has the file then. */
static void tell_skip(struct expanding *x, const struct aa_stmt *s, const struct scope *scope)
{
	struct diag *d = aax_tell(x, DIAG_PL360, s->word.span, scope->from,
				  "this file is not included: a branch or block before it, of "
				  "which nothing is left, has it");

	diag_help(x->ds, d, "include it in front of the branch");
}

void aax_follow(struct expanding *x, const struct aa_stmt *s, const struct scope *scope)
{
	struct aa_found found;
	struct str name;
	struct diag *d;

	if (!file_name(x, &s->word, s->magic, &name)) {
		tell_bad_name(x, DIAG_PL350, s->word.span, scope->from);
		return;
	}
	scope->seen->dead = scope->reach != AA_REACH_LIVE;
	found = aa_library_find(x->lib, name, s->magic, scope->seen);
	if (found.full) {
		tell_full(x, s->word.span, scope->from);
	} else if (found.skip) {
		if (found.dead && scope->reach == AA_REACH_LIVE)
			tell_skip(x, s, scope);
	} else if (!found.entry) {
		if (s->if_exists)
			return;
		d = tell_missing(x, DIAG_PL350, s->word.span, scope, name, s->magic);
		if (!offer(x, d, s->word.span, name, s->magic))
			diag_help(x->ds, d,
				  s->magic ? "give the directory that has it with -I, or write "
					     "'include if exists'" :
					     "without '<' it is a path from the working directory: "
					     "write <NAME> for one that -I has, or 'include if "
					     "exists'");
	} else if (found.entry->kind == AA_ENTRY_UNREADABLE) {
		tell_unreadable(x, found.entry, s->word.span, scope->from);
	} else if (found.entry->kind == AA_ENTRY_DIRECTORY) {
		read_directory(x, found.entry, s, scope);
	} else {
		read_entry(x, found.entry, s, scope);
	}
}

/* ---- abi ---- */

/* default_features.c of 5.0.2, as far as classes go. */
#define ABI_DEFAULT                                                                                \
	"dbus signal ptrace caps rlimit capability mount network {af_unix} file "                  \
	"domain {stack {}}"

static void tell_no_abi(struct expanding *x, const struct aa_word *w, struct str name, bool magic,
			const struct scope *scope)
{
	struct diag *d = tell_missing(x, DIAG_PL364, w->span, scope, name, magic);
	const char *since = aa_features_shipped(name);

	if (since)
		diag_help(x->ds, d,
			  "AppArmor %s and later bring it: give the directory that has it with -I",
			  since);
	else if (!offer(x, d, w->span, name, magic))
		diag_help(x->ds, d, "AppArmor 5.0 brings 3.0, 4.0 and 5.0 in its directory abi");
}

/* The features of the file that is named; NULL: none, *told or the block had it before. */
static const struct aa_features *abi_file(struct expanding *x, const struct aa_word *w,
					  struct str name, bool magic, const struct scope *scope)
{
	struct aa_found found = aa_library_find(x->lib, name, magic, scope->seen);
	const struct aa_features *f;

	if (found.skip)
		return NULL;
	if (found.full) {
		tell_full(x, w->span, scope->from);
		return NULL;
	}
	if (!found.entry) {
		tell_no_abi(x, w, name, magic, scope);
		return NULL;
	}
	if (found.entry->kind != AA_ENTRY_FILE || !found.entry->source) {
		struct diag *d = aax_tell(
			x, DIAG_PL364, w->span, scope->from, "'%s' holds no features: %s",
			aax_shown(x, str_c(found.entry->path)),
			found.entry->kind == AA_ENTRY_UNREADABLE ? why(found.entry->err) :
								   "it is no regular file");
		diag_help(x->ds, d, "an abi is a file: abi <abi/4.0>,");
		return NULL;
	}
	f = found.entry->features;
	if (!f)
		f = aa_features_read(x->lib->arena, found.entry->source->text);
	found.entry->features = f;
	if (!f)
		aax_tell(x, DIAG_PL364, w->span, scope->from,
			 "'%s' is more than the %d bytes that AppArmor reads of features",
			 aax_shown(x, str_c(found.entry->path)), AA_FEATURES_MAX);
	return f;
}

static void take_abi(struct expanding *x, const struct aa_word *w, const struct aa_features *f,
		     const struct scope *scope)
{
	struct aa_policy *p = x->p;
	struct diag *d;

	if (!scope->profile && !p->abi) {
		p->abi = w;
		p->abi_from = scope->from;
		p->features = f;
		return;
	}
	/* Abstractions name theirs, which is nobody's fault. */
	if (scope->from || (p->features && f && str_eq(p->features->text, f->text)))
		return;
	d = aax_tell(x, DIAG_PL360, w->span, scope->from,
		     p->abi ? "this abi has no effect: another is named before" :
			      "an abi inside a profile has no effect");
	if (p->abi)
		diag_note(x->ds, d, p->abi->span, "this one holds for the whole file");
	diag_help(x->ds, d, "one file has one abi, in front of the first profile");
}

void aax_abi(struct expanding *x, const struct aa_stmt *s, const struct scope *scope)
{
	const struct aa_word *written = aa_abi_read(&x->rd, s);
	struct aa_word *w = ARENA_NEW(x->arena, struct aa_word);
	const struct aa_features *f = NULL;
	struct str name;
	bool magic;

	if (!written)
		return;
	*w = *written;
	magic = !w->quoted && w->text.n > 1 && w->text.p[0] == '<';
	if (magic)
		w->text = (struct str){ w->text.p + 1, w->text.n - 2 };
	if (!file_name(x, w, magic, &name)) {
		tell_bad_name(x, DIAG_PL364, w->span, scope->from);
		return;
	}
	if (magic && str_is(name, "kernel")) {
		take_abi(x, w, x->kernel, scope);
		return;
	}
	if (magic && str_is(name, "default") && x->p->target.release >= AA_RELEASE_5_0) {
		take_abi(x, w, aa_features_read(x->arena, str_c(ABI_DEFAULT)), scope);
		return;
	}
	f = abi_file(x, w, name, magic, scope);
	if (f)
		take_abi(x, w, f, scope);
}
