/* SPDX-License-Identifier: Apache-2.0 */
/* The words of classes.def: looked up, and what is near them where they are not there. */
#include <string.h>

#include "compiler/rules/known.h"
#include "compiler/rules/rules_read.h"
#include "compiler/base/bug.h"

enum side { SIDE_OWN, SIDE_PEER };
enum value_kind { VALUE_WORD, VALUE_WORDS, VALUE_NAME, VALUE_LABEL, VALUE_PATH, VALUE_GLOBS };
enum times { TIMES_ONCE, TIMES_ALONE, TIMES_MANY };

#define EQ  (1u << AA_OP_EQ)
#define SET (1u << AA_OP_SET)
#define IN  (1u << AA_OP_IN)

static const struct cond_row {
	enum aa_class class;
	enum side side;
	const char *word;
	enum aa_cond_id id;
	enum value_kind kind;
	unsigned ops;
	enum times times;
	enum aa_release since;
} cond_rows[] = {
#define COND(class, side, word, id, kind, ops, times, since)                                       \
	{ AA_CLASS_##class, SIDE_##side, word,          AA_COND_##id,                              \
	  VALUE_##kind,     ops,         TIMES_##times, AA_RELEASE_##since },
#include "compiler/rules/classes.def"
};

static const struct aa_perm_row perm_rows[] = {
#define PERM(class, word, bits, since) { AA_CLASS_##class, word, bits, AA_RELEASE_##since },
#include "compiler/rules/classes.def"
};

static const enum aa_release class_since[AA_CLASS_NR] = {
#define CLASS(id, since, shape, owner) [AA_CLASS_##id] = AA_RELEASE_##since,
#include "compiler/rules/classes.def"
};

/* Words that are no names: since when they are known; of those that begin rules, their class. */
static const struct {
	struct str word;
	int class;
	enum aa_release since;
} reserved[] = {
#define RESERVED(word, since)    { { word, sizeof(word) - 1 }, -1, AA_RELEASE_##since },
#define KEYWORD(word, class, fn) { { word, sizeof(word) - 1 }, AA_CLASS_##class, AA_RELEASE_3_0 },
#include "compiler/rules/classes.def"
};

bool aa_is_reserved(const struct aa_reader *rd, struct str word)
{
	if (word.n < 2 || word.p[0] < 'a' || word.p[0] > 'z') /* most are paths */
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
		if (reserved[i].word.n != word.n || reserved[i].word.p[0] != word.p[0])
			continue;
		enum aa_release since =
			reserved[i].class < 0 ? reserved[i].since : class_since[reserved[i].class];

		if (since <= rd->target.release && str_eq(word, reserved[i].word))
			return true;
	}
	return false;
}

bool aa_is_word(const struct aa_item *i)
{
	return i && i->kind == AA_WORD && !i->word.quoted;
}

bool aa_ends_mode(const struct aa_reader *rd, const struct aa_item *i)
{
	const struct source *src = source_of(rd->diags->sources, i->span);

	return !src || i->span.end >= src->text.n ||
	       strchr(" \t\n\v\f\r,", src->text.p[i->span.end]);
}

bool aa_is_name(const struct aa_reader *rd, const struct aa_item *i)
{
	/* Letters are permissions where a blank or ',' follows; in front of '->' or '#' a name. */
	bool name = !aa_ends_mode(rd, i);
	struct str s = i->word.text;
	char c = s.n ? s.p[0] : 0;

	return aa_is_word(i) && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) &&
	       (name || !aa_is_mode(s)) && !aa_is_reserved(rd, s);
}

bool aa_only_variable(const struct aa_word *w)
{
	const char *end = w->text.n ? memchr(w->text.p, '}', w->text.n) : NULL;

	return !w->quoted && str_starts(w->text, "@") && (!end || end + 1 == w->text.p + w->text.n);
}

bool aa_is_mode(struct str s)
{
	static const char single[] = "RrWwaLlMmkXx";
	size_t i = 0;

	while (i < s.n) {
		size_t k = i;

		if (strchr(single, s.p[i])) {
			i++;
			continue;
		}
		k += strchr("PpCc", s.p[k]) != NULL;
		k += k < s.n && strchr("IiUu", s.p[k]) != NULL;
		if (k == i || k >= s.n || (s.p[k] != 'x' && s.p[k] != 'X'))
			return false;
		i = k + 1;
	}
	return s.n > 0;
}

struct str aa_plain(const struct aa_reader *rd, const struct aa_word *w)
{
	if (!w->text.n || !memchr(w->text.p, '\\', w->text.n))
		return w->text;
	return glob_unescape(rd->arena, w->text);
}

/* ---- globs ---- */

static struct span fault_span(const struct aa_word *w, const struct glob_fault *f)
{
	struct span sp = w->span;
	uint32_t quote = w->quoted;

	if (sp.end - sp.begin != w->text.n + 2 * quote || !f->n)
		return sp;
	return (struct span){ sp.source, sp.begin + quote + (uint32_t)f->at,
			      sp.begin + quote + (uint32_t)(f->at + f->n) };
}

enum { PLAIN_DEPTH = 24, PLAIN_BYTES = 16384 }; /* half and a quarter of what globs may have */

struct plain {
	const struct glob_variables *vars;
	size_t bytes;
};

static bool is_plain(struct plain *p, struct str s, unsigned depth);

/* A variable stands for its values in braces. */
static bool plain_values(struct plain *p, struct str name, unsigned depth)
{
	const struct glob_variable *v = p->vars ? glob_variable_find(p->vars, name) : NULL;

	if (!v || !v->values.n || depth >= PLAIN_DEPTH)
		return false;
	vec_each(&v->values, value)
		if (!is_plain(p, *value, depth))
			return false;
	return true;
}

/*
 * A glob that cannot be wrong, seen without parsing it: no brackets, no escapes, braces that close
 * and hold a ',' each, variables with such values. False says nothing. `depth`: what is around it.
 */
static bool is_plain(struct plain *p, struct str s, unsigned depth)
{
	bool comma[PLAIN_DEPTH + 1] = { false };
	unsigned open = 0;
	struct str name;

	p->bytes += s.n;
	for (size_t i = 0; i < s.n; i++) {
		size_t n = s.p[i] == '@' ? glob_variable_at(s, i, &name) : 0;
		bool ok = true;

		switch (s.p[i]) {
		case '[':
		case ']':
		case '\\': return false;
		case ',': comma[open] = true; break;
		case '}': ok = open && comma[open--]; break;
		case '{':
			ok = depth + ++open < PLAIN_DEPTH;
			comma[open] = false;
			break;
		case '@': ok = !n || plain_values(p, name, depth + open + 1); break;
		}
		if (!ok)
			return false;
		i += n ? n - 1 : 0;
	}
	return !open && p->bytes < PLAIN_BYTES;
}

static bool cannot_be_wrong(const struct aa_reader *rd, struct str s)
{
	struct plain p = { .vars = rd->variables };

	return s.n < 4096 && is_plain(&p, s, 0);
}

const struct glob *aa_parse_glob(const struct aa_reader *rd, struct str text, enum glob_kind kind,
				 struct glob_fault *fault)
{
	if (rd->known && (!rd->check || aa_known_is_read(rd->known)))
		return aa_known_glob(rd->known, text, kind, rd->variables, fault);
	return glob_parse(rd->arena, text, kind, rd->variables, fault);
}

bool aa_glob_word(const struct aa_reader *rd, const struct aa_word *w, enum glob_kind kind,
		  bool built, struct aa_text *out)
{
	struct glob_fault f = { GLOB_FINE, 0, 0, NULL, NULL };
	bool fatal;
	struct diag *d;

	out->word = w;
	if (rd->check && cannot_be_wrong(rd, w->text))
		return true;
	if (!rd->variables && glob_has_variable(w->text))
		return true; /* parsed once they are expanded */
	bool adds = rd->check && rd->known && !aa_known_is_read(rd->known);
	if (adds && aa_known_right(rd->known, w->text, kind, rd->variables))
		return true;
	out->glob = aa_parse_glob(rd, w->text, kind, &f);
	if (adds && f.kind == GLOB_FINE)
		aa_known_add(rd->known);
	if (f.kind == GLOB_FINE || f.kind == GLOB_UNDECLARED)
		return true;
	fatal = f.kind >= GLOB_REFUSED && built;
	if (f.kind == GLOB_MISREAD)
		d = aa_say(rd, DIAG_PL346, fault_span(w, &f),
			   "AppArmor misreads the pattern '%s': %s", aa_safe(rd, w->text), f.why);
	else
		d = aa_add(rd, DIAG_PL134, fatal ? SEVERITY_ERROR : SEVERITY_HIGH,
			   fault_span(w, &f),
			   arena_printf(rd->arena, "'%s' is not a glob: %s", aa_safe(rd, w->text),
					f.why));
	diag_rule(rd->diags, d, f.kind == GLOB_RECURSIVE ? DIAG_AP107 : DIAG_AP104);
	if (f.help)
		diag_help(rd->diags, d, "%s", f.help);
	return !fatal;
}

bool aa_is_built(const struct aa_read *r)
{
	return r->rule->use->reach == AA_REACH_LIVE &&
	       r->rd->target.compiled & 1u << r->rule->class;
}

bool aa_glob(struct aa_read *r, const struct aa_word *w, enum glob_kind kind, struct aa_text *out)
{
	if (aa_glob_word(r->rd, w, kind, aa_is_built(r), out))
		return true;
	r->failed = true;
	return false;
}

/* ---- permissions ---- */

const char *aa_perm_name(enum aa_class c, unsigned bit)
{
	for (size_t i = 0; i < ARRAY_SIZE(perm_rows); i++)
		if (perm_rows[i].class == c && perm_rows[i].bits == bit)
			return perm_rows[i].word;
	return NULL;
}

const struct aa_perm_row *aa_perm_find(enum aa_class c, struct str word)
{
	for (size_t i = 0; i < ARRAY_SIZE(perm_rows); i++)
		if (perm_rows[i].class == c && str_is(word, perm_rows[i].word))
			return &perm_rows[i];
	return NULL;
}

static bool has_letters(enum aa_class c)
{
	return c != AA_CLASS_USERNS && c != AA_CLASS_IO_URING;
}

/* Letters instead of words: r and w, outside of parentheses each at most once. */
static unsigned letters(enum aa_class c, struct str s, bool listed)
{
	unsigned bits = 0;

	if (!has_letters(c) || !s.n || (!listed && s.n > 2))
		return 0;
	for (size_t i = 0; i < s.n; i++) {
		char letter = (char)(listed ? s.p[i] | 0x20 : s.p[i]);
		const char *word =
			letter == 'r' ?
				c == AA_CLASS_PTRACE || c == AA_CLASS_MQUEUE ? "read" : "receive" :
			letter == 'w' ? c == AA_CLASS_PTRACE ? "trace" : "write" :
					NULL;
		const struct aa_perm_row *row = word ? aa_perm_find(c, str_c(word)) : NULL;

		if (!row || (!listed && bits & row->bits))
			return 0;
		bits |= row->bits;
	}
	return bits;
}

static void suggest_perms(enum aa_class c, struct suggest *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(perm_rows); i++)
		if (perm_rows[i].class == c)
			suggest_offer(s, str_c(perm_rows[i].word));
}

static const char *perm_list(const struct aa_reader *rd, enum aa_class c)
{
	BUF_AUTO b = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(perm_rows); i++)
		if (perm_rows[i].class == c)
			buf_printf(&b, "%s%s", b.n ? " " : "", perm_rows[i].word);
	return buf_keep(rd->arena, &b);
}

static void tell_perm(struct aa_read *r, struct str word, struct span sp)
{
	enum aa_class c = r->rule->class;
	struct suggest s;
	struct diag *d = aa_fault(r, DIAG_PL335, sp, "%s rules have no permission '%s'", r->keyword,
				  aa_safe(r->rd, word));

	if (!diag_suggest_start(r->rd->diags, &s, word))
		return;
	suggest_perms(c, &s);
	if (!diag_suggest(r->rd->diags, d, sp, &s))
		diag_help(r->rd->diags, d, "there are %s", perm_list(r->rd, c));
}

static bool take_perm(struct aa_read *r, struct str word, struct span sp, bool listed)
{
	const struct aa_perm_row *row = aa_perm_find(r->rule->class, word);
	unsigned bits = row ? row->bits : letters(r->rule->class, word, listed);

	if (row && !aa_since(r->rd, sp, word, " in this rule", row->since)) {
		r->failed = true;
		return false;
	}
	r->rule->perms |= bits;
	return bits != 0;
}

static void read_list(struct aa_read *r)
{
	if (r->rule->class == AA_CLASS_USERNS) {
		aa_unexpected(r, "'create' without parentheses, or ','");
		return;
	}
	for (const struct aa_word *w = r->at->values; w && !r->failed; w = w->next) {
		struct str word = aa_plain(r->rd, w);

		if (take_perm(r, word, w->span, true) || r->failed)
			continue;
		if (r->rule->class != AA_CLASS_IO_URING) {
			tell_perm(r, word, w->span);
			continue;
		}
		diag_help(
			r->rd->diags,
			aa_misread(r, w->span, "the parser passes over '%s'", aa_safe(r->rd, word)),
			"there are %s", perm_list(r->rd, AA_CLASS_IO_URING));
	}
}

/* What a name of a message queue looks like, as against a permission misspelt. */
static bool looks_named(const struct aa_item *i)
{
	return i->word.quoted || (i->word.text.n && strchr("/@0123456789", i->word.text.p[0]));
}

static void read_perms(struct aa_read *r, unsigned shape, struct aa_words_read *out)
{
	const struct aa_item *i = r->at;

	if (i && i->kind == AA_LIST) {
		out->perms = i;
		read_list(r);
	} else if (aa_is_word(i) && take_perm(r, i->word.text, i->word.span, false)) {
		out->perms = i;
	} else if (!r->failed && i && i->kind == AA_WORD && !(shape & TAKES_WORDS) &&
		   !(shape & TAKES_NAME && looks_named(i))) {
		if (!aa_missing_comma(r, i))
			tell_perm(r, i->word.text, i->word.span);
		return;
	}
	if (out->perms && !r->failed)
		aa_next(r);
}

/* ---- conditions ---- */

static const struct cond_row *find_row(enum aa_class c, enum side side, struct str word)
{
	for (size_t i = 0; i < ARRAY_SIZE(cond_rows); i++)
		if (cond_rows[i].class == c && cond_rows[i].side == side &&
		    str_is(word, cond_rows[i].word))
			return &cond_rows[i];
	return NULL;
}

static const char *cond_list(const struct aa_reader *rd, enum aa_class c, enum side side)
{
	BUF_AUTO b = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(cond_rows); i++)
		if (cond_rows[i].class == c && cond_rows[i].side == side)
			buf_printf(&b, "%s%s", b.n ? " " : "", cond_rows[i].word);
	return buf_keep(rd->arena, &b);
}

static bool has_group(enum aa_class c)
{
	return c == AA_CLASS_NETWORK || c == AA_CLASS_UNIX || c == AA_CLASS_DBUS;
}

static void tell_cond(struct aa_read *r, const struct aa_item *i, enum side side)
{
	enum aa_class c = r->rule->class;
	struct str word = i->word.text;
	const char *where = side == SIDE_PEER ? " of the peer" : "", *all;
	struct suggest s;
	struct diag *d = aa_fault(r, DIAG_PL331, i->word.span, "%s has no condition '%s'%s",
				  r->keyword, aa_safe(r->rd, word), where);

	if (side == SIDE_OWN && str_is(word, "peer") && has_group(c)) {
		diag_help(r->rd->diags, d, "the peer has conditions of its own: peer=(label=...)");
		return;
	}
	if (find_row(c, side == SIDE_OWN ? SIDE_PEER : SIDE_OWN, word)) {
		diag_help(r->rd->diags, d,
			  side == SIDE_OWN ?
				  "it is one of the peer: write it in peer=( )" :
				  "it is one of the rule itself: write it before peer=( )");
		return;
	}
	if (!diag_suggest_start(r->rd->diags, &s, word))
		return;
	for (size_t k = 0; k < ARRAY_SIZE(cond_rows); k++)
		if (cond_rows[k].class == c && cond_rows[k].side == side)
			suggest_offer(&s, str_c(cond_rows[k].word));
	if (diag_suggest(r->rd->diags, d, i->word.span, &s))
		return;
	all = cond_list(r->rd, c, side);
	if (*all)
		diag_help(r->rd->diags, d, "there are %s", all);
	else
		diag_help(r->rd->diags, d, "it has none: leave it out");
}

static bool check_op(struct aa_read *r, const struct aa_item *i, const struct cond_row *row)
{
	static const char *const names[AA_OP_NR] = {
		[AA_OP_EQ] = "'='", [AA_OP_SET] = "':='", [AA_OP_IN] = "'in'"
	};
	BUF_AUTO b = { 0 };

	if (i->op != AA_OP_NONE && row->ops & 1u << i->op)
		return true;
	for (int op = AA_OP_EQ; op < AA_OP_NR; op++)
		if (row->ops & 1u << op)
			buf_printf(&b, "%s%s", b.n ? " or " : "", names[op]);
	if (i->op == AA_OP_NONE)
		diag_help(r->rd->diags,
			  aa_fault(r, DIAG_PL332, i->span, "'%s' gives nothing", row->word),
			  "write %s=VALUE", row->word);
	else
		diag_help(r->rd->diags,
			  aa_fault(r, DIAG_PL332, i->span, "'%s' of %s takes %s, not %s", row->word,
				   r->keyword, b.p ? b.p : "", names[i->op]),
			  "write %s=VALUE", row->word);
	return false;
}

static bool check_times(struct aa_read *r, const struct aa_item *i, const struct cond_row *row)
{
	vec_each(&r->rule->conds, c) {
		struct diag *d;

		if (row->times == TIMES_MANY || c->id != row->id ||
		    (row->times == TIMES_ONCE && c->peer != (row->side == SIDE_PEER)))
			continue;
		d = aa_fault(r, DIAG_PL334, i->span, "a second '%s'", row->word);
		diag_note(r->rd->diags, d, c->item->span, "the first stands here");
		diag_help(r->rd->diags, d, "keep one, or write two rules");
		return false;
	}
	return true;
}

/* Several values where one belongs: some classes refuse them, others read the first. */
static bool check_values(struct aa_read *r, const struct aa_item *i, const struct cond_row *row)
{
	enum aa_class c = row->class;

	if (!i->values) {
		aa_fault(r, DIAG_PL333, i->span, "'%s' has no value", row->word);
		return false;
	}
	if (row->side == SIDE_PEER && i->values->quoted && !i->values->text.n) {
		diag_help(r->rd->diags,
			  aa_fault(r, DIAG_PL333, i->values->span,
				   "the parser reads no empty value in parentheses"),
			  "leave '%s' out", row->word);
		return false;
	}
	if (!i->values->next || row->kind == VALUE_WORDS || row->kind == VALUE_GLOBS)
		return true;
	if (row->side == SIDE_OWN &&
	    (c == AA_CLASS_NETWORK || c == AA_CLASS_MQUEUE || c == AA_CLASS_PIVOT_ROOT)) {
		diag_help(r->rd->diags,
			  aa_misread(r, i->values->next->span,
				     "the parser reads the first value of '%s' and passes "
				     "over the others",
				     row->word),
			  "write a rule for each");
		return true;
	}
	diag_help(r->rd->diags,
		  aa_fault(r, DIAG_PL333, i->values->next->span, "'%s' takes one value", row->word),
		  "write a rule for each%s", row->kind == VALUE_WORD ? "" : ", or one glob: {a,b}");
	return false;
}

static bool is_glob(enum value_kind k)
{
	return k == VALUE_NAME || k == VALUE_LABEL || k == VALUE_PATH || k == VALUE_GLOBS;
}

/* Of io_uring's labels the parser opens no variable, and has a brace around one word (io_uring.cc). */
static bool has_unopened(struct aa_read *r, const struct aa_word *w)
{
	if (r->rule->class != AA_CLASS_IO_URING || !aa_is_built(r) || !glob_has_variable(w->text))
		return false;
	diag_help(r->rd->diags,
		  aa_fault(r, DIAG_PL333, w->span,
			   "the parser opens no variable in a label of io_uring, as in '%s'",
			   aa_safe(r->rd, w->text)),
		  "write its values: label={a,b}, or a rule for each");
	return true;
}

/* Of network rules the parser looks at interfaces itself, and no kernel so far at labels. */
static bool read_glob(struct aa_read *r, const struct aa_word *w, const struct cond_row *row,
		      struct aa_text *out)
{
	enum glob_kind kind = row->kind == VALUE_PATH ? GLOB_PATH : GLOB_NAME;

	if (has_unopened(r, w))
		return false;
	if (row->class != AA_CLASS_NETWORK)
		return aa_glob(r, w, kind, out);
	r->failed |= !aa_glob_word(r->rd, w, kind, row->id == AA_COND_INTERFACE, out);
	return !r->failed;
}

static bool read_cond(struct aa_read *r, const struct aa_item *i, enum side side)
{
	const struct cond_row *row = find_row(r->rule->class, side, i->word.text);
	struct aa_cond c = { .op = i->op, .peer = side == SIDE_PEER, .item = i };

	if (!row) {
		tell_cond(r, i, side);
		return false;
	}
	if (!aa_since(r->rd, i->word.span, i->word.text, " as a condition of this rule",
		      row->since)) {
		r->failed = true;
		return false;
	}
	if (!check_op(r, i, row) || !check_values(r, i, row) || !check_times(r, i, row))
		return false;
	c.id = row->id;
	c.values = i->values;
	for (const struct aa_word *w = i->values; w && is_glob(row->kind); w = w->next) {
		struct aa_text text = { 0 };

		if (!read_glob(r, w, row, &text))
			return false;
		vec_push(r->rd->arena, &c.texts, text);
		if (row->kind != VALUE_GLOBS)
			break;
	}
	vec_push(r->rd->arena, &r->rule->conds, c);
	return true;
}

bool aa_read_conds(struct aa_read *r)
{
	for (; r->at && r->at->kind == AA_COND; aa_next(r))
		if (!read_cond(r, r->at, SIDE_OWN))
			return false;
	return true;
}

void aa_no_group(struct aa_read *r, const char *name)
{
	diag_help(r->rd->diags,
		  aa_fault(r, DIAG_PL331, r->at->span, "'%s' of %s gives no conditions", name,
			   r->keyword),
		  "write %s=VALUE", name);
}

static void read_group(struct aa_read *r, unsigned shape)
{
	struct str name = r->at->word.text;

	/* The parser asks for no name of io_uring's. */
	if (!(shape & TAKES_GROUP) && find_row(r->rule->class, SIDE_OWN, name)) {
		aa_no_group(r, aa_safe(r->rd, name));
		return;
	}
	if (!(shape & TAKES_GROUP) ||
	    (!str_is(name, "peer") && r->rule->class != AA_CLASS_IO_URING)) {
		tell_cond(r, r->at, SIDE_OWN);
		return;
	}
	if (r->rule->class == AA_CLASS_NETWORK &&
	    !aa_since(r->rd, r->at->span, name, " of network rules", AA_RELEASE_4_0)) {
		r->failed = true;
		return;
	}
	for (const struct aa_item *i = r->at->conds; i; i = i->next)
		if (!read_cond(r, i, SIDE_PEER))
			return;
	aa_next(r);
}

/* ---- the shape that most classes have ---- */

/* From 4.0 on the words of network rules may be quoted (parser_lex.l, NETWORK_MODE). */
static bool takes_word(const struct aa_read *r)
{
	bool quoted = r->rule->class == AA_CLASS_NETWORK && r->rd->target.release >= AA_RELEASE_4_0;

	return r->at && r->at->kind == AA_WORD && (quoted || !r->at->word.quoted);
}

static void read_words(struct aa_read *r, struct aa_words_read *out)
{
	for (; takes_word(r) && out->nwords < ARRAY_SIZE(out->words); aa_next(r))
		out->words[out->nwords++] = r->at;
}

/* A word behind all that a rule takes. */
static void tell_rest(struct aa_read *r, const struct aa_words_read *out)
{
	struct diag *d;

	if (!aa_is_word(r->at) || !out->perms || !aa_perm_find(r->rule->class, r->at->word.text) ||
	    r->rule->class == AA_CLASS_USERNS) {
		aa_end(r);
		return;
	}
	if (aa_missing_comma(r, r->at))
		return;
	d = aa_fault(r, DIAG_PL340, r->at->span, "a second permission, '%s'",
		     aa_safe(r->rd, r->at->word.text));
	diag_help(r->rd->diags, d, "several stand in parentheses, behind '%s': (send, receive)",
		  r->keyword);
}

bool aa_read_shape(struct aa_read *r, unsigned shape, struct aa_words_read *out)
{
	memset(out, 0, sizeof(*out));
	read_perms(r, shape, out);
	if (!r->failed && shape & TAKES_WORDS)
		read_words(r, out);
	if (!r->failed)
		aa_read_conds(r);
	if (!r->failed && r->at && r->at->kind == AA_GROUP)
		read_group(r, shape);
	if (!r->failed && shape & TAKES_NAME && r->at && r->at->kind == AA_WORD) {
		out->name = r->at;
		aa_next(r);
	}
	if (!r->failed && r->at)
		tell_rest(r, out);
	return !r->failed;
}
