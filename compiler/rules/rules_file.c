/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about files, in both orders, links, change_profile, and aliases, which are two paths. */
#include <string.h>

#include "compiler/rules/rules_read.h"
#include "compiler/base/bug.h"

/* ---- permission letters (parser_misc.c, parse_sub_perms) ---- */

static const struct {
	unsigned bit;
	char letter;
} perm_letters[] = { { PERM_M, 'm' }, { PERM_R, 'r' }, { PERM_W, 'w' }, { PERM_A, 'a' },
		     { PERM_L, 'l' }, { PERM_K, 'k' }, { PERM_X, 'x' } };

void aa_perms_put(struct buf *out, unsigned perms)
{
	for (size_t i = 0; i < ARRAY_SIZE(perm_letters); i++)
		if (perms & perm_letters[i].bit)
			buf_putc(out, perm_letters[i].letter);
}

unsigned aa_perm_of(char letter)
{
	for (size_t i = 0; i < ARRAY_SIZE(perm_letters); i++)
		if (perm_letters[i].letter == letter)
			return perm_letters[i].bit;
	return 0;
}

/* Some are read as capitals, too; x ends what exec_at reads. */
static unsigned letter_bit(char c)
{
	return aa_perm_of(strchr("RWLM", c) ? (char)(c | 0x20) : c) & ~(unsigned)PERM_X;
}

struct exec_letters {
	enum aa_exec exec;
	bool unsafe;
	size_t n;
};

/* The exec mode at a place of a word of modes (aa_is_mode). */
static struct exec_letters exec_at(struct str s, size_t at)
{
	char c = s.p[at], next = at + 1 < s.n ? (char)(s.p[at + 1] | 0x20) : 0;
	bool child = c == 'c' || c == 'C', user = c == 'u' || c == 'U';
	struct exec_letters e = { AA_EXEC_BARE, c == 'p' || c == 'c' || c == 'u', 3 };

	if (c == 'x' || c == 'X')
		return (struct exec_letters){ AA_EXEC_BARE, false, 1 };
	if (c == 'i' || c == 'I')
		return (struct exec_letters){ AA_EXEC_IX, false, 2 };
	if (next == 'i') {
		e.exec = child ? AA_EXEC_CIX : AA_EXEC_PIX;
	} else if (next == 'u' && !user) {
		e.exec = child ? AA_EXEC_CUX : AA_EXEC_PUX;
	} else {
		e.exec = child ? AA_EXEC_CX : user ? AA_EXEC_UX : AA_EXEC_PX;
		e.n = 2;
	}
	return e;
}

enum aa_exec aa_exec_of(struct str letters, bool *unsafe)
{
	struct exec_letters e = exec_at(letters, 0);

	*unsafe = e.unsafe;
	return e.exec;
}

/* A second exec mode in one word: the same again, `x` behind any, `ix` behind `x`. */
static bool joins(const struct aa_file_rule *f, struct exec_letters e)
{
	if (f->exec == AA_EXEC_NONE || e.exec == AA_EXEC_BARE)
		return true;
	if (e.exec == AA_EXEC_IX)
		return f->exec == AA_EXEC_BARE || f->exec == AA_EXEC_IX;
	return f->exec == e.exec && f->unsafe == e.unsafe;
}

static bool take_exec(struct aa_read *r, struct str s, size_t *at)
{
	struct aa_file_rule *f = &r->rule->file;
	struct exec_letters e = exec_at(s, *at);

	if (!joins(f, e)) {
		diag_help(r->rd->diags,
			  aa_fault(r, DIAG_PL336, r->at->span, "'%s' holds two exec modes",
				   aa_safe(r->rd, s)),
			  "keep one of them");
		return false;
	}
	r->rule->perms |= PERM_X;
	if (e.exec != AA_EXEC_BARE || f->exec == AA_EXEC_NONE) {
		f->exec = e.exec;
		f->unsafe = e.unsafe;
	}
	*at += e.n;
	return true;
}

static void tell_letters(struct aa_read *r)
{
	struct str s = r->at->word.text;
	const char *text = aa_safe(r->rd, s);
	struct diag *d;

	d = aa_fault(r, DIAG_PL335, r->at->span, "'%s' is not what may be done with a file", text);
	if (s.n && strchr("pPcCiIuU", s.p[s.n - 1]))
		diag_help(r->rd->diags, d, "an exec mode ends with x: write '%sx'", text);
	else
		diag_help(
			r->rd->diags, d,
			"the letters are r w a l k m, and to execute ix px cx ux pix cix pux cux");
}

/* The item that stands here is a word of letters. */
static bool read_letters(struct aa_read *r)
{
	struct str s = r->at->word.text;

	/* "all" has letters only, and is a keyword since 4.0. */
	if (!aa_is_word(r->at) || !aa_is_mode(s) || aa_is_reserved(r->rd, s)) {
		tell_letters(r);
		return false;
	}
	for (size_t i = 0; i < s.n;) {
		unsigned bit = letter_bit(s.p[i]);

		if (!bit) {
			if (!take_exec(r, s, &i))
				return false;
			continue;
		}
		r->rule->perms |= bit;
		i++;
	}
	if (!aa_ends_mode(r->rd, r->at)) {
		struct span sp = r->at->span, behind = { sp.source, sp.end, sp.end + 1 };
		bool glued = r->at->next && r->at->next->span.begin == sp.end;

		aa_fault(r, DIAG_PL340, glued ? r->at->next->span : behind,
			 "a blank belongs behind '%s'", aa_safe(r->rd, s));
		return false;
	}
	if (r->rule->perms & PERM_W && r->rule->perms & PERM_A) {
		diag_help(r->rd->diags,
			  aa_fault(r, DIAG_PL336, r->at->span, "w and a exclude each other"),
			  "w lets append, too; a lets nothing but that");
		return false;
	}
	aa_next(r);
	return true;
}

/* ---- paths ---- */

static bool begins_label(struct str s)
{
	return s.n && strchr("/@:&", s.p[0]);
}

/* Two words without a blank between them: a path that does not begin as one. */
static bool glued(const struct aa_item *i)
{
	return aa_is_word(i) && i->next && i->next->kind == AA_WORD &&
	       i->next->span.begin == i->span.end && i->next->span.source == i->span.source;
}

static bool tell_path(struct aa_read *r, const struct aa_item *i)
{
	struct span sp = glued(i) ? span_join(i->span, i->next->span) : i->span;

	diag_help(r->rd->diags,
		  aa_fault(r, DIAG_PL134, sp, "the path %s is not absolute",
			   aa_safe(r->rd, span_text(r->rd->diags->sources, sp))),
		  "begin it with '/' or a variable '@{...}'");
	return false;
}

/* Before 5.0 a ':' that a blank follows is a name of its own (parser_lex.l, LABEL). */
static void split_colon(struct aa_read *r)
{
	struct str s = r->at->word.text;
	struct aa_item *colon, *rest;

	if (r->rd->target.release >= AA_RELEASE_5_0 || r->at->word.quoted || s.n < 2 ||
	    s.p[0] != ':' || !strchr(" \t\r\n", s.p[1]))
		return;
	colon = ARENA_NEW(r->rd->arena, struct aa_item);
	*colon = *r->at;
	colon->word.text.n = 1;
	if (s.n > 2) {
		rest = ARENA_NEW(r->rd->arena, struct aa_item);
		*rest = *r->at;
		rest->word.text = (struct str){ s.p + 2, s.n - 2 };
		rest->span.begin += 2;
		rest->word.span = rest->span;
		colon->next = rest;
	}
	r->at = colon;
}

/* The item that stands here is a path. One that is a plain name is taken, and matches nothing. */
static bool read_path(struct aa_read *r, struct aa_text *out)
{
	const struct aa_item *i = r->at;

	if (!i || i->kind != AA_WORD) {
		aa_unexpected(r, "a path");
		return false;
	}
	split_colon(r);
	i = r->at;
	if (!begins_label(i->word.text) && (glued(i) || !aa_is_name(r->rd, i)))
		return tell_path(r, i);
	if (!begins_label(i->word.text) || strchr(":&", i->word.text.p[0]))
		diag_help(r->rd->diags,
			  aa_misread(r, i->span, "'%s' is no path: it matches nothing",
				     aa_safe(r->rd, i->word.text)),
			  "paths begin with '/' or a variable '@{...}'");
	if (!aa_glob(r, &i->word, GLOB_PATH, out))
		return false;
	aa_next(r);
	return true;
}

/* Behind `->`: a name or a path. */
static const struct aa_word *read_arrow(struct aa_read *r)
{
	const struct aa_item *i = r->at;

	if (!i || i->kind != AA_ARROW)
		return NULL;
	aa_next(r);
	return &i->word;
}

/* `:ns:name`, behind a '&' perhaps. */
static bool has_namespace(struct str s)
{
	const char *end;

	if (s.n && s.p[0] == '&')
		s = (struct str){ s.p + 1, s.n - 1 };
	if (s.n < 2 || s.p[0] != ':')
		return false;
	end = memchr(s.p + 1, ':', s.n - 1);
	return end && end > s.p + 1 && end + 1 < s.p + s.n;
}

/* ---- what goes together ---- */

/* What the rule says by itself, and what it says in its blocks: both have to be right. */
static void check_exec(struct aa_read *r)
{
	struct aa_file_rule *f = &r->rule->file;
	const struct aa_prefix *p = &r->rule->prefix;
	bool deny = p->mode == AA_MODE_DENY && p->own == AA_MODE_DENY;
	bool denies = p->mode == AA_MODE_DENY || p->own == AA_MODE_DENY;
	struct span sp = r->rule->use->stmt->head;

	if (f->exec == AA_EXEC_NONE)
		return;
	if (denies && (f->exec != AA_EXEC_BARE || f->unsafe)) {
		diag_help(r->rd->diags,
			  aa_fault(r, DIAG_PL336, sp, "a denied execution has no mode"),
			  "write 'x' alone in a deny");
		return;
	}
	if (deny || f->exec != AA_EXEC_BARE)
		return;
	/* 3.0 takes the target for the mode. */
	if (r->rd->target.release == AA_RELEASE_3_0 && f->target.word) {
		f->exec = AA_EXEC_PX;
		return;
	}
	/* `unsafe x` passes for a mode (parser_misc.c, ALL_AA_EXEC_TYPE); x_to_label() has none. */
	diag_help(
		r->rd->diags,
		f->unsafe ? aa_misread(r, sp, "'unsafe x' lets nothing be executed") :
			    aa_fault(r, DIAG_PL336, sp, "'x' alone says not how to execute"),
		"ix keeps this profile, px changes to the program's own, cx to a child, ux leaves "
		"confinement; 'x' alone stands in a deny");
}

/* A target changes every mode to one that goes there. */
static void apply_target(struct aa_read *r)
{
	struct aa_file_rule *f = &r->rule->file;
	const char *as = f->exec == AA_EXEC_IX ? "pix" : f->exec == AA_EXEC_UX ? "px" : NULL;
	struct diag *d;

	if (!f->target.word)
		return;
	if (!(r->rule->perms & PERM_X)) {
		d = aa_misread(r, f->target.word->span,
			       "nothing is executed here: '->' has "
			       "no effect");
		diag_help(r->rd->diags, d, "leave it out, or write px or cx");
	} else if (as && r->rule->prefix.mode != AA_MODE_DENY) {
		d = aa_misread(r, f->target.word->span, "the parser reads this as '%s -> %s'", as,
			       aa_safe(r->rd, f->target.word->text));
		diag_help(r->rd->diags, d, "write that, or leave '->' out");
		f->exec = f->exec == AA_EXEC_IX ? AA_EXEC_PIX : AA_EXEC_PX;
	}
}

static bool conflict(struct aa_read *r, struct span sp, const char *why, const char *help)
{
	diag_help(r->rd->diags, aa_fault(r, DIAG_PL336, sp, "%s", why), "%s", help);
	return false;
}

/* Permissions first: `l subset /a -> /b`. */
static bool perms_first(struct aa_read *r)
{
	struct aa_file_rule *f = &r->rule->file;
	const struct aa_word *target;
	struct span sp = r->at->span;

	if (!read_letters(r))
		return false;
	if (aa_item_is(r->at, "subset")) {
		f->subset = true;
		if (r->rule->perms != PERM_L)
			return conflict(r, sp, "only links can be subsets", "write l alone");
		aa_next(r);
	}
	if (!read_path(r, &f->path))
		return false;
	target = read_arrow(r);
	if (!target || !(r->rule->perms & PERM_L)) {
		f->target.word = target;
		return true;
	}
	if (r->rule->perms & PERM_X)
		return conflict(r, target->span, "'->' of l and of an exec mode are two things",
				"write two rules");
	if (has_namespace(target->text))
		return conflict(r, target->span, "a link leads to a path, not into a namespace",
				"write the path");
	return aa_glob(r, target, GLOB_PATH, &f->link);
}

/*
 * A ',' behind the path, and letters behind that: `deny /dev/x, wl,`. What goes is the ','; the
 * letters are read as a rule of their own, which is told no more.
 */
static void cut_comma(struct aa_read *r, struct diag *d)
{
	static const char blanks[] = " \t", letters[] = "rwalkmxipPcCuU";
	struct span path = r->rule->file.path.word->span;
	struct span comma = { path.source, path.end, path.end };
	struct str text = r->rd->from ? STR("") : source_of(r->rd->diags->sources, comma)->text;
	uint32_t at = comma.begin + 1;

	while (at < text.n && strchr(blanks, text.p[at]))
		at++;
	uint32_t first = at;
	while (at < text.n && strchr(letters, text.p[at]))
		at++;
	if (at == first || at >= text.n || text.p[at] != ',' || text.p[comma.begin] != ',')
		return;
	diag_help(r->rd->diags, d, "take the ',' behind the path away");
	comma.end++;
	diag_fix(r->rd->diags, d, comma, STR(""));
}

/* Path first. Before 5.0 what stands behind `->` was no link's. */
static bool path_first(struct aa_read *r)
{
	struct aa_file_rule *f = &r->rule->file;
	const struct aa_word *target;

	if (!read_path(r, &f->path))
		return false;
	if (!r->at || r->at->kind != AA_WORD || begins_label(r->at->word.text)) {
		struct diag *d = aa_fault(r, DIAG_PL340, f->path.word->span,
					  "no permissions stand behind the path '%s'",
					  aa_safe(r->rd, f->path.word->text));
		if (!r->at) {
			diag_rule(r->rd->diags, d, DIAG_AP102);
			diag_help(r->rd->diags, d,
				  "a rule ends at its ',': permissions stand before that");
			cut_comma(r, d);
		}
		return false;
	}
	if (!read_letters(r))
		return false;
	target = read_arrow(r);
	if (target && r->rule->perms & PERM_L && !(r->rule->perms & PERM_X) &&
	    r->rd->target.release >= AA_RELEASE_4_1_8)
		return aa_glob(r, target, GLOB_PATH, &f->link);
	f->target.word = target;
	return true;
}

/* Executions conflict, and that is looked for where nothing else is. */
static void parse_now(struct aa_read *r, struct aa_text *t)
{
	struct glob_fault fault = { GLOB_FINE, 0, 0, NULL, NULL };

	if (t->word && !t->glob)
		t->glob = aa_parse_glob(r->rd, t->word->text, GLOB_PATH, &fault);
}

/* `safe` and `unsafe` in front of it, as far as they are read. */
static void read_rule(struct aa_read *r, bool safe, bool unsafe)
{
	struct aa_file_rule *f = &r->rule->file;
	bool perms =
		aa_is_word(r->at) && aa_is_mode(r->at->word.text) && aa_ends_mode(r->rd, r->at);

	if (!(perms ? perms_first(r) : path_first(r)))
		return;
	if ((safe || unsafe) && !(r->rule->perms & PERM_X)) {
		conflict(r, r->rule->use->stmt->head, "'safe' and 'unsafe' are about executing",
			 "leave the word out, or write an exec mode");
		return;
	}
	if (safe || unsafe)
		f->unsafe = unsafe;
	apply_target(r);
	check_exec(r);
	if (r->rule->perms & PERM_X && r->rd->check) {
		parse_now(r, &f->path);
		parse_now(r, &f->link);
	}
}

void aa_read_file(struct aa_read *r)
{
	struct aa_file_rule *f = &r->rule->file;
	bool file = !strcmp(r->keyword, "file"), safe = !strcmp(r->keyword, "safe");
	bool unsafe = !strcmp(r->keyword, "unsafe");

	if (file && !r->at) {
		f->all = true;
		f->exec = AA_EXEC_IX;
		r->rule->perms = PERM_R | PERM_W | PERM_A | PERM_L | PERM_K | PERM_M | PERM_X;
		check_exec(r);
		return;
	}
	if (file && (aa_item_is(r->at, "safe") || aa_item_is(r->at, "unsafe"))) {
		safe = aa_item_is(r->at, "safe");
		unsafe = !safe;
		aa_next(r);
	}
	if (!r->at) {
		aa_unexpected(r, "a path or permissions");
		return;
	}
	read_rule(r, safe, unsafe);
}

void aa_read_path(struct aa_read *r)
{
	read_rule(r, false, false);
}

void aa_read_link(struct aa_read *r)
{
	struct aa_file_rule *f = &r->rule->file;
	const struct aa_word *target;

	r->rule->perms = PERM_L;
	if (aa_item_is(r->at, "subset")) {
		f->subset = true;
		aa_next(r);
	}
	if (!read_path(r, &f->path))
		return;
	target = read_arrow(r);
	if (target)
		aa_glob(r, target, GLOB_PATH, &f->link);
	else
		aa_unexpected(r, "'->' and the path that it leads to");
}

/* ---- change_profile ---- */

/*
 * With a program the rule is an entry with 'x', which each block around looks at as at a file's,
 * and 'unsafe' passes for the mode (parser_yacc.y, add_prefix); 3.0 by the rule's own words.
 */
static void fit_blocks(struct aa_read *r, const struct aa_word *exec)
{
	const struct aa_use *use = r->rule->use;
	bool own = use->blocks && r->rd->target.release < AA_RELEASE_4_0;
	unsigned blocks = own ? 1u << use->prefix.own : use->blocks;
	bool deny = blocks & 1u << AA_MODE_DENY, other = blocks & ~(1u << AA_MODE_DENY);
	bool unsafe = r->rule->change.unsafe;

	if (use->reach == AA_REACH_FALSE || !(unsafe ? deny : other))
		return;
	diag_help(r->rd->diags,
		  aa_fault(r, DIAG_PL336, exec->span,
			   unsafe ? "in a block that denies the parser takes 'unsafe' for a mode" :
				    "in a block the parser takes this program for one that is "
				    "executed in no mode"),
		  "write the rule outside of the block");
}

void aa_read_change_profile(struct aa_read *r)
{
	struct aa_change_rule *c = &r->rule->change;
	const struct aa_item *word = r->at;
	const struct aa_word *target;

	c->safe = aa_item_is(r->at, "safe");
	c->unsafe = aa_item_is(r->at, "unsafe");
	if (c->safe || c->unsafe)
		aa_next(r);
	if (r->at && r->at->kind == AA_WORD) {
		if (!str_starts(r->at->word.text, "/") && !str_starts(r->at->word.text, "@{")) {
			tell_path(r, r->at);
			return;
		}
		if (!aa_glob(r, &r->at->word, GLOB_NAME, &c->exec))
			return;
		fit_blocks(r, &r->at->word);
		aa_next(r);
	} else if (c->safe || c->unsafe) {
		conflict(r, word->span, "'safe' and 'unsafe' are about a program that is executed",
			 "name it behind the word, or leave the word out");
		return;
	}
	target = read_arrow(r);
	if (target)
		aa_glob(r, target, GLOB_NAME, &c->target);
}

/* ---- aliases and abi ---- */

static bool tell_shape(const struct aa_reader *rd, const struct aa_stmt *st, const char *form)
{
	diag_help(rd->diags, aa_say(rd, DIAG_PL340, st->span, "not the form of this statement"),
		  "write %s", form);
	return false;
}

/* What the parser reads as a path there: any word that it does not know otherwise. */
static bool alias_path(const struct aa_reader *rd, const struct aa_item *i)
{
	struct str s = i->word.text;

	if (begins_label(s) || aa_is_name(rd, i))
		return true;
	diag_help(rd->diags,
		  aa_say(rd, DIAG_PL134, i->span, "the path '%s' is not absolute", aa_safe(rd, s)),
		  "begin it with '/'");
	return false;
}

bool aa_alias_read(const struct aa_reader *rd, const struct aa_stmt *st, struct aa_alias *out)
{
	const struct aa_item *from = st->items ? st->items->next : NULL;
	const struct aa_item *to = from ? from->next : NULL;

	if (st->prefix || !from || from->kind != AA_WORD || !to || to->kind != AA_ARROW || to->next)
		return tell_shape(rd, st, "alias /from -> /to,");
	if (!alias_path(rd, from))
		return false;
	if (aa_only_variable(&from->word)) {
		diag_help(rd->diags,
			  aa_say(rd, DIAG_PL134, from->span, "a variable alone has no alias"),
			  "write its value, or a path behind it");
		return false;
	}
	out->from = from->word;
	out->to = to->word;
	return true;
}

const struct aa_word *aa_abi_read(const struct aa_reader *rd, const struct aa_stmt *st)
{
	const struct aa_item *file = st->items ? st->items->next : NULL;

	if (!st->prefix && file && file->kind == AA_WORD && !file->next)
		return &file->word;
	tell_shape(rd, st, "abi <abi/5.0>,");
	return NULL;
}
