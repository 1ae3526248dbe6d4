/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the generated parser: tokens in, syntax errors out as diagnostics. */
#include "grammar/parse.h"

#include <errno.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/base/suggest.h"
#include "grammar/comments.h"
#include "grammar/parser.h"
#include "policy.tab.h"

static const struct keyword {
	const char *text;
	int token;
} keywords[] = {
#define KEYWORD(text, token) { text, T_##token },
#include "grammar/keywords.def"
#undef KEYWORD
};

static const struct keyword *find_keyword(struct str s)
{
	size_t lo = 0, hi = ARRAY_SIZE(keywords);

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int r = str_cmp(s, str_c(keywords[mid].text));

		if (!r)
			return &keywords[mid];
		if (r < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

/* ---- tokens ---- */

struct span scan_span(const struct parse *p, uint32_t begin)
{
	return (struct span){ p->src->id, begin, p->at };
}

struct span parse_span_after(struct span sp)
{
	return (struct span){ sp.source, sp.end, sp.end };
}

int scan_word(struct str text)
{
	const struct keyword *k = find_keyword(text);

	return k ? k->token : T_WORD;
}

bool pale_resource_is_call(struct str word)
{
	static const char *const calls[] = { "mount", "umount", "pivot_root", "ptrace" };

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (str_is(word, calls[i]))
			return true;
	return false;
}

/* What comes next and is neither blank nor comment; the end of the text: '\0'. */
static uint32_t skip_space(const struct source *src, uint32_t at)
{
	struct str t = src->text;

	while (at < t.n && strchr(" \t\r\n#", t.p[at])) {
		if (t.p[at] == '#')
			while (at < t.n && t.p[at] != '\n')
				at++;
		at += at < t.n;
	}
	return at;
}

/*
 * Of ptrace alone: does a list of accesses stand there, `(read, trace)`, and no condition on the
 * call? Those compare, or ask by a word.
 */
static bool is_list(struct str t)
{
	static const char *const asks[] = { "has", "in", "lacks", "not", "reg" };
	size_t i = 1;

	while (i < t.n && t.p[i] != ')') {
		size_t begin = i;

		while (i < t.n && t.p[i] >= 'a' && t.p[i] <= 'z')
			i++;
		for (size_t k = 0; k < ARRAY_SIZE(asks); k++)
			if (str_is((struct str){ t.p + begin, i - begin }, asks[k]))
				return false;
		if (i == begin && !strchr(" \t\r\n,", t.p[i++]))
			return false;
	}
	return i > 1 && i < t.n;
}

bool scan_is_resource(const struct parse *p, struct span word)
{
	struct str name = span_text(p->diags->sources, word);
	uint32_t at;

	if (!p->in_stmt || p->head == HEAD_RESOURCE)
		return true;
	if (p->head != HEAD_PREFIX)
		return false;
	if (!pale_resource_is_call(name))
		return true;
	at = skip_space(p->src, word.end);
	if (at == p->src->text.n || strchr(";,}", p->src->text.p[at]))
		return false;
	if (p->src->text.p[at] != '(')
		return true;
	return str_is(name, "ptrace") &&
	       is_list((struct str){ p->src->text.p + at, p->src->text.n - at });
}

struct ast_value *scan_number(struct parse *p, struct span sp)
{
	struct ast_value *v = ARENA_NEW(p->arena, struct ast_value);
	struct str digits = span_text(p->diags->sources, sp);
	struct diag *d;
	int err;

	v->kind = AST_VALUE_NUMBER;
	v->span = sp;
	v->text = digits;
	if (digits.n && digits.p[0] == '-') {
		v->negative = true;
		digits.p++;
		digits.n--;
	}
	err = str_u64(digits, &v->number);
	if (!err && v->negative && v->number > (uint64_t)INT64_MAX + 1)
		err = -ERANGE;
	if (err == -ERANGE) {
		diag_add(p->diags, DIAG_PL003, sp, "the number '" PRISTR "' does not fit 64 bits",
			 STRARG(v->text));
	} else if (err) {
		d = diag_add(p->diags, DIAG_PL003, sp, "'" PRISTR "' is not a number",
			     STRARG(v->text));
		diag_help(p->diags, d,
			  "numbers are decimal without leading zeros (38) or hexadecimal (0x26)");
	}
	return v;
}

/* Only \" is undone: other escapes belong to the glob (AppArmor reads them). */
struct ast_word scan_quoted(struct parse *p, struct span sp)
{
	struct str raw = span_text(p->diags->sources, sp);
	char *text = arena_alloc(p->arena, raw.n);
	size_t n = 0;

	for (size_t i = 1; i + 1 < raw.n; i++) {
		if (raw.p[i] == '\\' && raw.p[i + 1] != '"' && i + 2 < raw.n)
			text[n++] = raw.p[i++];
		else if (raw.p[i] == '\\')
			i++;
		text[n++] = raw.p[i];
	}
	return (struct ast_word){ .text = { text, n }, .span = sp };
}

struct ast_word scan_unclosed(struct parse *p, struct span sp)
{
	diag_add(p->diags, DIAG_PL002, sp, "the quote '\"' does not end on its line");
	return (struct ast_word){ .text = span_text(p->diags->sources, sp), .span = sp };
}

void scan_glob_end(struct parse *p, struct span sp)
{
	struct diag *d;

	if (!p->globs)
		return;
	d = diag_add(p->diags, DIAG_PL002, sp, "a '{' of this path is not closed");
	diag_help(p->diags, d, "alternatives are written {a,b}; a literal brace \\{");
}

bool scan_in_word(const struct parse *p)
{
	struct str t = p->src->text;
	unsigned open = 0;
	bool quoted = false;

	for (uint32_t i = p->begin; i < p->at; i++) {
		quoted ^= t.p[i] == '"';
		open += !quoted && t.p[i] == '(';
		open -= !quoted && open && t.p[i] == ')';
	}
	return open && p->at < t.n && !strchr(" \t\r\n}", t.p[p->at]);
}

struct span scan_trimmed(const struct parse *p, struct span sp)
{
	while (sp.end > sp.begin && strchr(" \t\r\n", p->src->text.p[sp.end - 1]))
		sp.end--;
	return sp;
}

void scan_comment(struct parse *p, struct span sp)
{
	struct ast_comment *c = ARENA_NEW(p->arena, struct ast_comment);
	struct str text = span_text(p->diags->sources, sp);

	text.p++;
	text.n--;
	if (text.n && text.p[0] == ' ') {
		text.p++;
		text.n--;
	}
	while (text.n && strchr(" \t\r", text.p[text.n - 1]))
		text.n--;
	c->text = text;
	c->span = sp;
	vec_push(p->arena, &p->comments, c);
}

/* How far the statement may still be a rule of a resource. */
static enum parse_head head_with(const struct parse *p, int token)
{
	bool prefix = token == T_ALLOW || token == T_LOG || token == T_DENY;

	if (!p->in_stmt)
		return prefix ? HEAD_PREFIX : token == T_QUIET ? HEAD_QUIET : HEAD_OTHER;
	if ((p->head == HEAD_QUIET && token == T_DENY) ||
	    (p->head == HEAD_PREFIX && token == T_ANY))
		return HEAD_RESOURCE;
	return HEAD_OTHER;
}

/* Brackets open now: what is nested too deeply, and whether a statement is under way. */
static void track_brackets(struct parse *p, int token, struct span loc)
{
	switch (token) {
	case T_LPAREN: p->parens++; break;
	case T_LBRACE:
		if (p->parens) {
			p->parens++;
			break;
		}
		p->braces++;
		if (p->braces <= PARSE_DEPTH_MAX)
			p->open[p->braces] = loc;
		break;
	case T_RPAREN: p->parens -= p->parens > 0; break;
	case T_RBRACE:
		if (p->parens)
			p->parens--;
		else
			p->braces -= p->braces > 0;
		break;
	case T_SEMI: p->parens = 0; break;
	}
	p->in_stmt = p->call_mode ||
		     (token != T_SEMI && (p->parens || (token != T_LBRACE && token != T_RBRACE)));
}

static int end_here(struct parse *p, struct span *loc)
{
	p->stopped = true;
	*loc = scan_span(p, p->at);
	return T_END;
}

int parse_next_token(struct parse *p, union PALE_STYPE *lval, struct span *loc)
{
	if (!p->started) {
		p->started = true;
		p->in_stmt = p->call_mode;
		*loc = p->prev;
		return p->call_mode ? T_START_CALL : T_START_FILE;
	}
	if (p->stopped || p->diags->errors >= p->diags->cap)
		return end_here(p, loc);
	if (p->missing_semi) {
		p->missing_semi = false;
		p->replay = true;
		*loc = parse_span_after(p->before);
		return T_SEMI;
	}
	if (p->replay) {
		p->replay = false;
		*lval = *p->token_value;
		*loc = p->prev;
		return p->token_kind;
	}
	int token = pale_scan(lval, loc, p, p->scanner);

	p->head = head_with(p, token);
	track_brackets(p, token, *loc);
	if (p->braces + p->parens > PARSE_DEPTH_MAX) {
		struct diag *d =
			diag_add(p->diags, DIAG_PL004, *loc,
				 "more than %d brackets inside one another", PARSE_DEPTH_MAX);
		diag_help(p->diags, d,
			  "write several rules, or take away brackets that change nothing");
		return end_here(p, loc);
	}
	p->before = p->prev;
	p->prev = *loc;
	p->token_kind = token;
	*p->token_value = *lval;
	return token;
}

/* ---- syntax errors ---- */

void parse_error_expect(struct parse_error *e, bool is_name, const char *symbol)
{
	if (is_name)
		e->name = true;
	if (e->n < ARRAY_SIZE(e->expected))
		e->expected[e->n++] = symbol;
}

void parse_gave_up(struct parse *p, struct span sp, const char *what)
{
	(void)what; /* all that the skeleton ever says here is that its stack is full */
	if (!p->stopped)
		diag_add(p->diags, DIAG_PL004, sp, "nested too deeply");
	p->stopped = true;
}

static bool expects(const struct parse_error *e, const char *symbol)
{
	for (unsigned i = 0; i < e->n; i++)
		if (!strcmp(e->expected[i], symbol))
			return true;
	return false;
}

/* Drops the symbols that `fits` from the list and, when there was one, puts `text` first. */
static void collapse(struct parse_error *e, bool (*fits)(const char *symbol), const char *text)
{
	unsigned n = 0;
	bool any = false;

	for (unsigned i = 0; i < e->n; i++) {
		if (fits(e->expected[i]))
			any = true;
		else
			e->expected[n++] = e->expected[i];
	}
	e->n = n;
	if (!any || !text || n == ARRAY_SIZE(e->expected))
		return;
	memmove(e->expected + 1, e->expected, n * sizeof(*e->expected));
	e->expected[0] = text;
	e->n++;
}

static const char resource_symbol[] = "a resource ('mount', 'ptrace', ...)"; /* policy.y */

static bool is_keyword(const char *symbol)
{
	return find_keyword(str_c(symbol)) || !strcmp(symbol, resource_symbol);
}

/* Words that are no names: `not` where a name may stand is still worth listing. */
static bool is_name_like(const char *symbol)
{
	static const char *const never[] = {
		"and", "any", "has", "in", "lacks", "not", "or", "reg"
	};

	if (!strcmp(symbol, "a name") || !strcmp(symbol, "a resource"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (!strcmp(symbol, never[i]))
			return false;
	return is_keyword(symbol);
}

static bool is_comparison(const char *symbol)
{
	static const char *const all[] = { "==", "!=", "<", "<=", ">", ">=", "in", "has", "lacks" };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (!strcmp(symbol, all[i]))
			return true;
	return false;
}

/* What a person would call the list: four words say more than forty. */
static void simplify_expected(struct parse_error *e)
{
	if (expects(e, "=="))
		collapse(e, is_comparison, "a comparison ('==', 'in', 'has', ...)");
	if (e->name)
		collapse(e, is_name_like, "a name");
	else if (expects(e, "allow") && expects(e, "use"))
		collapse(e, is_keyword, "a statement ('allow', 'file', 'use', ...)");
	else if (expects(e, "allow") && expects(e, "kill"))
		collapse(e, is_keyword, "a verdict ('allow', 'errno EPERM', 'kill', ...)");
}

static void put_expected(struct buf *out, const struct parse_error *e)
{
	for (unsigned i = 0; i < e->n && i < 4; i++) {
		const char *sym = e->expected[i];
		bool plain = !strncmp(sym, "a ", 2) || !strcmp(sym, "end of file");

		buf_puts(out, !i ? ", expected " : i + 1 == e->n ? " or " : ", ");
		buf_printf(out, plain ? "%s" : "'%s'", sym);
	}
	if (e->n > 4)
		buf_puts(out, ", ...");
}

static bool suggest_keyword(const struct parse_error *e, struct str word, struct suggest *s)
{
	suggest_start(s, word);
	for (unsigned i = 0; i < e->n; i++)
		if (is_keyword(e->expected[i]) && (!e->name || !is_name_like(e->expected[i])))
			suggest_offer(s, str_c(e->expected[i]));
	for (size_t k = 0; k < ARRAY_SIZE(keywords) && expects(e, resource_symbol); k++)
		if (keywords[k].token == T_RESOURCE)
			suggest_offer(s, str_c(keywords[k].text));
	return s->best.p != NULL;
}

static bool same_line(const struct parse *p, uint32_t from, uint32_t to)
{
	return !memchr(p->src->text.p + from, '\n', to - from);
}

/*
 * A statement that simply goes on with the next line: said where the ';' belongs. The parser
 * throws the offending token away, so it is given a ';' and then that token once more: the
 * next statement is not lost.
 */
static bool tell_missing_semi(struct parse *p, const struct parse_error *e)
{
	struct span at = parse_span_after(p->before);
	bool closes = p->token_kind == T_RBRACE || p->token_kind == T_END;
	struct diag *d;

	if (p->call_mode || !expects(e, ";") || p->before.end > e->span.begin ||
	    (!closes && same_line(p, p->before.end, e->span.begin)))
		return false;
	d = diag_add(p->diags, DIAG_PL002, at, "missing ';'");
	diag_help(p->diags, d, "every statement ends with ';'");
	p->missing_semi = !closes && p->token_kind != T_LBRACE;
	return true;
}

static const char *help_for(const struct parse *p, const struct parse_error *e, struct str text)
{
	bool statement = expects(e, "allow") && expects(e, "use") && !e->name;

	if (str_is(text, "=") && expects(e, "=="))
		return "a comparison is written '=='";
	if (str_is(text, "&") && p->parens)
		return "conditions are joined by 'and'; a mask is written (flags & MASK) == VALUE";
	if (str_is(text, "|") && p->parens)
		return "conditions are joined by 'or'";
	if (str_is(text, "!"))
		return "a condition is turned round by 'not'";
	if (expects(e, "a path") && p->token_kind == T_WORD)
		return "a path begins with '/' or '@{', or stands in double quotes";
	if (statement && p->token_kind == T_PATH)
		return "a file rule begins with 'file' and the permissions: file r /etc/hosts;";
	if (!e->name && expects(e, "policy") && expects(e, "include") && !expects(e, "allow"))
		return "statements stand inside 'policy NAME { ... }' or 'set NAME { ... }'";
	if (expects(e, "==") && (str_is(text, ")") || str_is(text, ",")))
		return "a condition names its argument: socket(domain == AF_INET)";
	return NULL;
}

void parse_syntax_error(struct parse *p, struct parse_error *e)
{
	struct str text = span_text(p->diags->sources, e->span);
	bool at_end = p->token_kind == T_END;
	const char *help;
	struct suggest s;
	struct diag *d;
	BUF_AUTO list = { 0 };

	if (p->stopped || tell_missing_semi(p, e))
		return;
	if (p->token_kind == T_WORD && suggest_keyword(e, text, &s)) {
		d = diag_add(p->diags, DIAG_PL002, e->span,
			     "unknown keyword '" PRISTR "'; did you mean '" PRISTR "'?",
			     STRARG(text), STRARG(s.best));
		if (!s.rival && s.distance <= 1)
			diag_fix_word(p->diags, d, e->span, text, s.best);
		return;
	}
	help = help_for(p, e, text);
	simplify_expected(e);
	put_expected(&list, e);
	if (text.n > 60)
		text.n = 60; /* the excerpt shows the rest */
	if (at_end)
		d = diag_add(p->diags, DIAG_PL002, e->span, "unexpected end of file%s",
			     list.p ? list.p : "");
	else
		d = diag_add(p->diags, DIAG_PL002, e->span, "unexpected '" PRISTR "'%s",
			     STRARG(text), list.p ? list.p : "");
	if (at_end && p->braces && p->braces <= PARSE_DEPTH_MAX)
		diag_note(p->diags, d, p->open[p->braces], "this '{' is not closed");
	if (help)
		diag_help(p->diags, d, "%s", help);
}

/* ---- entries ---- */

/* A policy is UTF-8 text without NUL bytes; said before the parser trips over it. */
static bool check_text(const struct source *src, struct diags *ds)
{
	struct str t = src->text;

	if (t.n > SOURCE_MAX) {
		diag_add(ds, DIAG_PL001, NO_SPAN, "'%s' is larger than 16 MiB", src->name);
		return false;
	}
	for (size_t i = 0, len; i < t.n; i += len) {
		struct span sp = { src->id, (uint32_t)i, (uint32_t)i + 1 };

		len = utf8_len(t.p + i, t.n - i);
		if (len && t.p[i])
			continue;
		if (t.p[i])
			diag_add(ds, DIAG_PL001, sp, "byte 0x%02x is not UTF-8 text",
				 (unsigned char)t.p[i]);
		else
			diag_add(ds, DIAG_PL001, sp, "a NUL byte: this is not text");
		return false;
	}
	return true;
}

static bool run_parser(struct parse *p)
{
	struct str text = p->src->text;
	uint32_t skip = str_starts(text, "\xef\xbb\xbf") ? 3 : 0; /* a byte order mark */
	char *copy;

	if (!check_text(p->src, p->diags))
		return false;
	struct arena *scratch = arena_scratch(p->arena);
	copy = arena_alloc(scratch, text.n + 2); /* flex writes into it and wants two NULs */
	memcpy(copy, text.p + skip, text.n - skip);
	p->at = skip;
	p->prev = p->before = scan_span(p, skip);
	p->token_value = ARENA_NEW(p->arena, union PALE_STYPE);
	p->scanner = scan_open(p, copy, text.n - skip);
	bool parsed = !pale_parse(p);
	arena_free(scratch);
	return parsed;
}

static struct comment_site site_of(void *stmt)
{
	struct ast_stmt *s = stmt;
	bool body =
		s->kind == AST_STMT_POLICY || s->kind == AST_STMT_SET || s->kind == AST_STMT_WHEN;

	return (struct comment_site){
		.span = s->span,
		.close = s->span.end,
		.blank_before = &s->blank_before,
		.leading = &s->leading,
		.trailing = &s->trailing,
		.inner = body ? &s->inner : NULL,
		.body = s->body,
		.next = s->next,
	};
}

struct ast_file *pale_parse_source(struct arena *a, struct source *src, struct diags *ds)
{
	struct parse *p = ARENA_NEW(a, struct parse);
	struct ast_file *file = ARENA_NEW(a, struct ast_file);

	p->arena = a;
	p->src = src;
	p->diags = ds;
	run_parser(p);
	file->source = src;
	file->stmts = p->top.first;
	file->comments = (struct comment_list){ p->comments.v, p->comments.n };
	comments_attach(src, file->comments, file->stmts, site_of, &file->trailer);
	return file;
}

struct ast_call_args *pale_parse_call(struct arena *a, struct source *src, struct diags *ds)
{
	struct parse *p = ARENA_NEW(a, struct parse);
	size_t errors = ds->errors;

	p->arena = a;
	p->src = src;
	p->diags = ds;
	p->call_mode = true;
	p->call = ARENA_NEW(a, struct ast_call_args);
	return run_parser(p) && ds->errors == errors ? p->call : NULL;
}
