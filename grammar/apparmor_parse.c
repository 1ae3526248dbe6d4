/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the generated parser of AppArmor text: tokens in, syntax errors out as diagnostics. */
#include <string.h>

#include "compiler/base/bug.h"
#include "grammar/apparmor_parser.h"
#include "grammar/comments.h"
#include "apparmor.tab.h"

/* ---- words ---- */

struct span aa_span_after(struct span sp)
{
	return (struct span){ sp.source, sp.end, sp.end };
}

static bool ends_in_backslash(const struct aa_word *w)
{
	return w->text.n && w->text.p[w->text.n - 1] == '\\';
}

static void tell_joined(struct aa_parse *p, struct span sp)
{
	struct diag *d =
		diag_add(p->diags, DIAG_PL002, sp,
			 "a quoted word ends in '\\', which AppArmor's parser joins to the "
			 "quote behind it where another one follows");

	diag_help(p->diags, d, "write \\134 for the '\\'");
}

/*
 * To apparmor_parser (parser_lex.l, QUOTED_ID) a quote behind a '\\' ends the word only where no
 * other quote follows in the file, whatever stands before the '\\'. None does, then; but a comment
 * in front may be printed behind it.
 */
static void check_quoted(struct aa_parse *p, const struct aa_word *w)
{
	if (!ends_in_backslash(w))
		return;
	p->joins = true;
	vec_each(&p->comments, c)
		if (memchr((*c)->text.p, '"', (*c)->text.n)) {
			tell_joined(p, w->span);
			return;
		}
}

struct aa_word aa_scan_word(struct aa_parse *p, struct span sp)
{
	struct str text = span_text(p->diags->sources, sp);
	struct aa_word w = { .text = text, .span = sp };

	if (text.n > 1 && text.p[0] == '"' && text.p[text.n - 1] == '"') {
		w.quoted = true;
		w.text = (struct str){ text.p + 1, text.n - 2 };
		check_quoted(p, &w);
	}
	return w;
}

struct aa_word aa_scan_quote(struct aa_parse *p, struct span sp)
{
	struct aa_word w = { .text = span_text(p->diags->sources, sp), .span = sp, .quoted = true };

	if (p->joins)
		tell_joined(p, sp);
	check_quoted(p, &w);
	return w;
}

static uint32_t skip_blanks(const struct source *src, uint32_t at)
{
	while (at < src->text.n && (src->text.p[at] == ' ' || src->text.p[at] == '\t'))
		at++;
	return at;
}

static bool follows(const struct source *src, uint32_t at, const char *what)
{
	size_t n = strlen(what);

	return src->text.n - at >= n && !memcmp(src->text.p + at, what, n);
}

uint32_t aa_scan_hash(struct aa_parse *p, struct span sp)
{
	struct ast_comment *c;
	struct str text;

	if (sp.end > p->src->text.n)
		sp.end = (uint32_t)p->src->text.n; /* behind it stands what aa_parse_rule() adds */
	text = span_text(p->diags->sources, sp);
	if (str_starts(text, "#include")) {
		uint32_t begin = sp.begin + (uint32_t)strlen("#include");
		uint32_t at = skip_blanks(p->src, begin), behind = at + 2;

		if (at == begin || !follows(p->src, at, "if"))
			return begin - sp.begin;
		at = skip_blanks(p->src, behind);
		if (at == behind || !follows(p->src, at, "exists"))
			return begin - sp.begin;
		behind = at + (uint32_t)strlen("exists");
		return skip_blanks(p->src, behind) > behind ? behind - sp.begin : begin - sp.begin;
	}
	c = ARENA_NEW(p->arena, struct ast_comment);
	text = (struct str){ text.p + 1, text.n - 1 };
	while (text.n && strchr(" \t\r", text.p[text.n - 1]))
		text.n--;
	c->text = text;
	c->span = sp;
	if (sp.end == p->src->text.n)
		p->unended = sp;
	vec_push(p->arena, &p->comments, c);
	return 0;
}

uint32_t aa_scan_value(struct aa_parse *p, struct span sp)
{
	static const char ends[] = " \t\r\"!,";
	struct str text = span_text(p->diags->sources, sp);
	uint32_t n = 1;

	while (n < text.n) {
		bool pair = n + 1 < text.n;

		if (pair && text.p[n] == '\\' && strchr(ends, text.p[n + 1]))
			n += 2;
		else if (!strchr(ends, text.p[n]) ||
			 (pair && text.p[n] == ',' && !strchr(ends, text.p[n + 1])))
			n++;
		else
			break;
	}
	return n;
}

bool aa_scan_abi_goes_on(const struct aa_parse *p)
{
	uint32_t at = p->at;

	while (at < p->src->text.n && strchr(" \t\r\n", p->src->text.p[at]))
		at++;
	return follows(p->src, at, ",") || follows(p->src, at, "#");
}

static bool is_sign(const struct source *src, uint32_t at)
{
	return follows(src, at, "=") || follows(src, at, "+=") || follows(src, at, "?=") ||
	       follows(src, at, ":=");
}

bool aa_scan_assigns(const struct aa_parse *p)
{
	return is_sign(p->src, skip_blanks(p->src, p->at));
}

bool aa_scan_sets(const struct aa_parse *p)
{
	uint32_t at = skip_blanks(p->src, p->at);

	while (at < p->src->text.n && strchr("\r\n#", p->src->text.p[at])) {
		while (at < p->src->text.n && p->src->text.p[at] != '\n')
			at++;
		at = at < p->src->text.n ? skip_blanks(p->src, at + 1) : at;
	}
	return is_sign(p->src, at);
}

bool aa_scan_gives(struct aa_parse *p, struct span word)
{
	uint32_t at = skip_blanks(p->src, word.end);
	struct str text = span_text(p->diags->sources, word);

	if (follows(p->src, at, "=")) {
		at = skip_blanks(p->src, at + 1);
		p->group = follows(p->src, at, "(") &&
			   (str_is(text, "peer") || str_is(text, "xattrs"));
		return true;
	}
	if (follows(p->src, at, ":="))
		return true;
	return at > word.end && follows(p->src, at, "in") &&
	       follows(p->src, skip_blanks(p->src, at + 2), "(");
}

bool aa_scan_head(struct aa_parse *p, struct str name)
{
	static const struct {
		const char *name;
		bool prefix;
		enum aa_base base;
	} heads[] = {
		{ "abi", false, AA_BASE_FILE },        { "allow", true, AA_BASE_STMT },
		{ "audit", true, AA_BASE_STMT },       { "change_profile", false, AA_BASE_ANY },
		{ "dbus", false, AA_BASE_RULE },       { "deny", true, AA_BASE_STMT },
		{ "mount", false, AA_BASE_RULE },      { "mqueue", false, AA_BASE_RULE },
		{ "network", false, AA_BASE_NETWORK }, { "other", true, AA_BASE_STMT },
		{ "owner", true, AA_BASE_STMT },       { "prompt", true, AA_BASE_STMT },
		{ "ptrace", false, AA_BASE_RULE },     { "remount", false, AA_BASE_RULE },
		{ "signal", false, AA_BASE_RULE },     { "umount", false, AA_BASE_RULE },
		{ "unix", false, AA_BASE_RULE },       { "unmount", false, AA_BASE_RULE },
		{ "user", true, AA_BASE_STMT },        { "userns", false, AA_BASE_USERNS },
	};

	p->base = AA_BASE_STMT;
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		if (!str_is(name, heads[i].name))
			continue;
		p->base = heads[i].base;
		return heads[i].prefix;
	}
	return false;
}

/* ---- words that releases end at different places ---- */

uint32_t aa_scan_ends(struct aa_parse *p, struct span sp)
{
	struct str text = span_text(p->diags->sources, sp);
	const char *cr = memchr(text.p, '\r', text.n);
	uint32_t n = (uint32_t)text.n;

	if (!cr || cr == text.p || p->base < AA_BASE_NETWORK)
		return n;
	n = (uint32_t)(cr - text.p);
	if (n > 1 && text.p[n - 1] == ',')
		n--;
	if (p->base == AA_BASE_NETWORK)
		vec_push(p->arena, &p->joints, ((struct aa_joint){ .span = sp }));
	return n;
}

/* Bytes of the boolean variable that it begins with; 0: none. Any other joins what follows. */
static size_t boolean_length(struct str s)
{
	static const char name[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	bool braces = s.n > 1 && s.p[1] == '{';
	size_t i = 1 + braces;

	if (!s.n || s.p[0] != '$')
		return 0;
	while (i < s.n && memchr(name, s.p[i], sizeof(name) - 1))
		i++;
	if (i < s.n && braces && s.p[i] == '}')
		return i + 1;
	return braces || i == 1 ? 0 : i;
}

static bool is_word_then_cr(struct str s, const char *word)
{
	size_t n = strlen(word);

	return s.n > n && s.p[n] == '\r' && str_starts(s, word);
}

struct aa_older aa_scan_older(struct aa_parse *p, struct span sp)
{
	struct str s = span_text(p->diags->sources, sp);
	size_t n = boolean_length(s);
	bool ends = p->token_kind == T_BOOLEAN || p->token_kind == T_VARIABLE;
	struct aa_older o = { AA_OLDER_WORD, (uint32_t)s.n };

	if (n && n < s.n && strchr("\r{", s.p[n]))
		o = (struct aa_older){ AA_OLDER_BOOLEAN, (uint32_t)n };
	else if (!p->line && is_word_then_cr(s, "not"))
		o = (struct aa_older){ AA_OLDER_NOT, 3 };
	else if (!p->line && is_word_then_cr(s, "defined"))
		o = (struct aa_older){ AA_OLDER_DEFINED, 7 };
	else if (!p->line && ends && s.p[0] == '{')
		o = (struct aa_older){ AA_OLDER_BRACE, 1 };
	else if (p->line && p->token_kind == T_ASSIGN && is_word_then_cr(s, "true"))
		o.n = 4;
	else if (p->line && p->token_kind == T_ASSIGN && is_word_then_cr(s, "false"))
		o.n = 5;
	if (o.n < s.n)
		vec_push(p->arena, &p->joints, ((struct aa_joint){ .span = sp, .test = true }));
	return o;
}

/* ---- tokens ---- */

static int end_here(struct aa_parse *p, struct span *loc)
{
	p->stopped = true;
	*loc = (struct span){ p->src->id, p->at, p->at };
	return T_END;
}

int aa_next_token(struct aa_parse *p, union AA_STYPE *lval, struct span *loc)
{
	int token;

	if (p->stopped || p->diags->errors >= p->diags->cap)
		return end_here(p, loc);
	token = aa_scan(lval, loc, p, p->scanner);
	if (token == T_LBRACE || token == T_LPAREN) {
		if (++p->depth > AA_DEPTH_MAX) {
			aa_gave_up(p, *loc);
			return end_here(p, loc);
		}
		p->open[p->depth] = *loc;
	} else if (token == T_RBRACE || token == T_RPAREN) {
		p->depth -= p->depth > 0;
	}
	p->before = p->prev;
	p->before_kind = p->token_kind;
	p->prev = *loc;
	p->token_kind = token;
	return token;
}

/* ---- syntax errors ---- */

void aa_error_expect(struct aa_error *e, const char *symbol)
{
	if (e->n < ARRAY_SIZE(e->expected))
		e->expected[e->n++] = symbol;
}

static bool expects(const struct aa_error *e, const char *symbol)
{
	for (unsigned i = 0; i < e->n; i++)
		if (!strcmp(e->expected[i], symbol))
			return true;
	return false;
}

void aa_gave_up(struct aa_parse *p, struct span sp)
{
	struct diag *d;

	if (p->stopped)
		return;
	p->stopped = true;
	if (p->depth > AA_DEPTH_MAX) {
		d = diag_add(p->diags, DIAG_PL004, sp, "more than %d brackets inside one another",
			     AA_DEPTH_MAX);
		diag_help(p->diags, d,
			  "write several rules, or take away brackets that change nothing");
		return;
	}
	/* The parser's stack is full of what waits for its end: `not not ...`, `else if ...`. */
	d = diag_add(p->diags, DIAG_PL004, sp, "too many of 'else' or 'not' behind one another");
	diag_help(p->diags, d, "write several conditions, each with an end of its own");
}

void aa_too_long(struct aa_parse *p, struct span sp)
{
	if (p->stopped)
		return;
	p->stopped = true;
	diag_help(p->diags,
		  diag_add(p->diags, DIAG_PL004, sp,
			   "more than %d of 'and', 'or' and 'not' in one condition", AA_CHAIN_MAX),
		  "write conditions inside one another, or several");
}

void aa_stray_brace(struct aa_parse *p, struct span sp)
{
	struct diag *d;

	if (p->unopened) {
		p->unopened = false;
		return;
	}
	d = diag_add(p->diags, DIAG_PL002, sp, "'}' closes nothing");
	diag_rule(p->diags, d, DIAG_AP103);
	diag_help(p->diags, d, "a profile is written: profile NAME { ... }");
}

static bool same_line(const struct aa_parse *p, uint32_t from, uint32_t to)
{
	return !memchr(p->src->text.p + from, '\n', to - from);
}

static bool ends_in_cr(const struct aa_parse *p, struct span sp)
{
	return sp.end > sp.begin && p->src->text.p[sp.end - 1] == '\r';
}

/* What stands where a rule should have ended: the place of the missing ',' is behind the last word. */
static bool tell_missing_comma(struct aa_parse *p, const struct aa_error *e)
{
	struct span at = aa_span_after(p->before);
	bool ends = p->token_kind == T_RBRACE || p->token_kind == T_END ||
		    p->token_kind == T_PREFIX || p->token_kind == T_INCLUDE ||
		    p->token_kind == T_IF || p->token_kind == T_VARIABLE || p->token_kind == T_EOL;
	struct diag *d;

	if (!expects(e, ",") || !ends || p->before.end > e->span.begin)
		return false;
	if (p->token_kind == T_END && p->depth)
		return false; /* that the block is not closed says more */
	if (p->token_kind == T_INCLUDE &&
	    (p->before_kind == T_PREFIX || same_line(p, p->before.end, e->span.begin))) {
		d = diag_add(p->diags, DIAG_PL002, e->span, "an include inside a rule");
		diag_help(p->diags, d, "an include is a whole statement, on a line of its own");
		return true;
	}
	d = diag_add(p->diags, DIAG_PL002, at, "missing ','");
	diag_rule(p->diags, d, DIAG_AP102);
	diag_help(
		p->diags, d,
		ends_in_cr(p, p->before) ?
			"to AppArmor's parser the '\\r' at the line's end is part of the word, and "
			"the ',' with it: end lines with '\\n' alone" :
			"every rule ends with ','");
	if (!ends_in_cr(p, p->before))
		diag_fix(p->diags, d, at, STR(","));
	return true;
}

static const char *help_for(const struct aa_parse *p, const struct aa_error *e, struct str text)
{
	if (p->token_kind == T_JUNK && str_is(text, "\""))
		return "a quote that is not closed";
	if (text.n > 1 && str_starts(text, ","))
		return "a blank or the line's end belongs behind ','";
	if (str_starts(text, "#"))
		return "AppArmor's parser has no comments inside this: put it in front, on a line "
		       "of its own";
	if (str_is(text, ",") && expects(e, "end of line"))
		return "a variable's values are parted by blanks and end with the line, without ','";
	if (p->token_kind == T_JUNK)
		return "a name is letters, digits and '_'; a path begins with '/' or '@{', or stands in double quotes";
	if (expects(e, "{"))
		return "a blank belongs in front of '{'";
	return NULL;
}

/* In a policy a rule has no block, and ';' ends it. */
static void fit_expected(struct aa_error *e)
{
	unsigned n = 0;

	for (unsigned i = 0; i < e->n; i++)
		if (strcmp(e->expected[i], "{") != 0)
			e->expected[n++] = strcmp(e->expected[i], ",") ? e->expected[i] : ";";
	e->n = n;
}

static void put_expected(struct buf *out, const struct aa_error *e)
{
	for (unsigned i = 0; i < e->n && i < 4; i++) {
		const char *sym = e->expected[i];
		bool plain = !strncmp(sym, "a ", 2) || !strncmp(sym, "end of", 6);

		buf_puts(out, !i ? ", expected " : i + 1 == e->n ? " or " : ", ");
		buf_printf(out, plain ? "%s" : "'%s'", sym);
	}
	if (e->n > 4)
		buf_puts(out, ", ...");
}

/* From it on the rule's end was no more than a comment. */
static bool tell_hash(const struct aa_parse *p)
{
	if (!p->one || !p->comments.n)
		return false;
	diag_help(p->diags,
		  diag_add(p->diags, DIAG_PL002, p->comments.v[0]->span, "'#' amid a rule"),
		  "a comment begins behind a blank");
	return true;
}

void aa_syntax_error(struct aa_parse *p, struct aa_error *e)
{
	struct str text = span_text(p->diags->sources, e->span);
	const char *help;
	struct diag *d;
	BUF_AUTO list = { 0 };
	BUF_AUTO safe = { 0 };

	if (p->stopped || tell_hash(p) || (!p->one && tell_missing_comma(p, e)))
		return;
	if (p->one)
		fit_expected(e);
	help = help_for(p, e, text);
	put_expected(&list, e);
	if (text.n > 60)
		text.n = 60; /* the excerpt shows the rest */
	buf_safe(&safe, text);
	if (p->token_kind == T_END && p->one)
		d = diag_add(p->diags, DIAG_PL002, (struct span){ p->src->id, p->end, p->end + 1 },
			     "the rule ends too early%s", list.p ? list.p : "");
	else if (p->token_kind == T_END)
		d = diag_add(p->diags, DIAG_PL002, e->span, "unexpected end of file%s",
			     list.p ? list.p : "");
	else if (p->token_kind == T_EOL)
		d = diag_add(p->diags, DIAG_PL002, e->span, "the line ends too early%s",
			     list.p ? list.p : "");
	else
		d = diag_add(p->diags, DIAG_PL002, e->span, "unexpected '%s'%s",
			     safe.p ? safe.p : "", list.p ? list.p : "");
	if (p->token_kind == T_END && p->depth && p->depth <= AA_DEPTH_MAX) {
		diag_note(p->diags, d, p->open[p->depth], "this is not closed");
		diag_rule(p->diags, d, DIAG_AP103);
	}
	if (help)
		diag_help(p->diags, d, "%s", help);
}

/* ---- entry ---- */

/* Paths are bytes, so text need not be UTF-8; but no path holds a NUL. */
static bool check_text(const struct source *src, struct diags *ds)
{
	const char *nul;

	if (src->text.n > SOURCE_MAX) {
		diag_add(ds, DIAG_PL001, NO_SPAN, "'%s' is larger than 16 MiB", src->name);
		return false;
	}
	nul = src->text.n ? memchr(src->text.p, 0, src->text.n) : NULL;
	if (nul) {
		uint32_t at = (uint32_t)(nul - src->text.p);

		diag_add(ds, DIAG_PL001, (struct span){ src->id, at, at + 1 },
			 "a NUL byte: this is not text");
	}
	return !nul;
}

/* The text of p->src from `begin` on, with room for what flex writes: it wants two NULs. */
static void run_scanner(struct aa_parse *p, uint32_t begin, char *text, size_t n)
{
	p->at = begin;
	p->prev = p->before = (struct span){ p->src->id, begin, begin };
	p->head = true;
	p->scanner = aa_scan_open(p, text, n);
	aa_parse(p);
}

static void run_parser(struct aa_parse *p)
{
	struct str text = p->src->text;
	struct arena *scratch;
	char *copy;

	if (!check_text(p->src, p->diags))
		return;
	scratch = arena_scratch(p->arena);
	copy = arena_alloc(scratch, text.n + 2);
	if (text.n)
		memcpy(copy, text.p, text.n);
	run_scanner(p, 0, copy, text.n);
	arena_free(scratch);
}

static struct comment_site site_of(void *stmt)
{
	struct aa_stmt *s = stmt;
	bool body = s->kind == AA_STMT_PROFILE || s->kind == AA_STMT_BLOCK || s->kind == AA_STMT_IF;

	return (struct comment_site){
		.span = s->span,
		.open = s->block.begin + 1,
		.close = s->block.end - 1,
		.blank_before = &s->blank_before,
		.leading = &s->leading,
		.trailing = &s->trailing,
		.opening = body ? &s->opening : NULL,
		.inner = body ? &s->inner : NULL,
		.body = s->body,
		.other = s->otherwise,
		.next = s->next,
	};
}

struct aa_file *aa_parse_source(struct arena *a, struct source *src, struct diags *ds)
{
	struct aa_parse *p = ARENA_NEW(a, struct aa_parse);
	struct aa_file *file = ARENA_NEW(a, struct aa_file);

	p->arena = a;
	p->src = src;
	p->diags = ds;
	p->unended = NO_SPAN;
	run_parser(p);
	file->source = src;
	file->unended = p->unended;
	file->joints = p->joints.v;
	file->njoints = p->joints.n;
	file->stmts = p->top.first;
	file->comments = (struct comment_list){ p->comments.v, p->comments.n };
	comments_attach(src, file->comments, file->stmts, site_of, &file->trailer);
	return file;
}

bool aa_file_ends(const struct aa_file *file, struct diags *ds)
{
	struct diag *d;

	if (file->unended.source == SOURCE_NONE)
		return true;
	d = diag_add(
		ds, DIAG_PL002, file->unended,
		"a comment ends the file without a line end, and AppArmor's parser refuses that");
	diag_help(ds, d, "'pale fmt -i' ends it with one");
	return false;
}

/* ---- a rule in a policy ---- */

static bool tell_open_words(struct aa_parse *p, const struct aa_word *w)
{
	for (; w; w = w->next) {
		if (!ends_in_backslash(w))
			continue;
		diag_help(p->diags,
			  diag_add(p->diags, DIAG_PL002, w->span,
				   "a word ends in '\\', which AppArmor's parser joins to what is "
				   "written behind it"),
			  "write \\134 for the '\\'");
		return true;
	}
	return false;
}

/* In a file a line's end may stand behind such a word; what is compiled of a policy has none. */
static bool tell_open_items(struct aa_parse *p, const struct aa_item *i)
{
	bool told = false;

	for (; i; i = i->next) {
		told |= tell_open_words(p, &i->word);
		told |= tell_open_words(p, i->values);
		for (const struct aa_item *c = i->conds; c; c = c->next)
			told |= tell_open_words(p, &c->word) || tell_open_words(p, c->values);
	}
	return told;
}

/* What is read as two rules: the first one ends with ','. */
static void tell_comma(struct diags *ds, const struct aa_stmt *first, uint32_t end)
{
	struct span comma = { first->span.source, first->span.end - 1, first->span.end };
	struct diag *d = diag_add(ds, DIAG_PL002, comma, "a rule of a policy ends with ';'");
	bool last = !first->next->items && first->next->span.end > end;

	if (last)
		diag_help(ds, d, "take the ',' away");
	else
		diag_help(ds, d, "write ';' for ','");
	diag_fix(ds, d, comma, last ? STR("") : STR(";"));
}

static struct aa_stmt *only_rule(struct aa_parse *p)
{
	struct aa_stmt *s = p->top.first;

	if (!s)
		return NULL;
	if (tell_hash(p))
		return NULL;
	if (s->kind != AA_STMT_RULE) {
		diag_help(p->diags, diag_add(p->diags, DIAG_PL002, s->block, "a rule has no block"),
			  "a rule of a policy is one statement, which ends with ';'");
	} else if (s->next) {
		tell_comma(p->diags, s, p->end);
	} else if (!tell_open_items(p, s->items)) {
		return s;
	}
	return NULL;
}

struct aa_stmt *aa_parse_rule(struct arena *a, struct source *src, struct span at, const char *text,
			      struct diags *ds)
{
	struct arena *scratch = arena_scratch(a);
	size_t n = at.end - at.begin, errors = ds->errors;
	struct aa_parse *p = ARENA_NEW(scratch, struct aa_parse);
	char *copy = arena_alloc(scratch, n + 3);
	struct aa_stmt *s;

	memcpy(copy, text, n);
	copy[n] = ','; /* for the ';' */
	p->arena = a;
	p->src = src;
	p->diags = ds;
	p->unended = NO_SPAN;
	p->one = true;
	p->end = at.end;
	run_scanner(p, at.begin, copy, n + 1);
	s = ds->errors == errors ? only_rule(p) : NULL;
	arena_free(scratch);
	return s;
}
