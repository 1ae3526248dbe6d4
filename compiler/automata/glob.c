/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A glob goes the way that it goes in apparmor_parser: text, text with escapes read, with
 * variables opened, with slashes folded, the parser's regular expression, an automaton. Each
 * byte remembers where in the written text it comes from.
 */
#include <string.h>

#include "compiler/automata/glob.h"

enum {
	GLOB_MAX = 4096,         /* bytes as written: no path is longer */
	DEPTH_MAX = 49,          /* nested alternatives, as in the parser */
	VARIABLE_DEPTH_MAX = 16, /* variables in values of variables */
};

struct text {
	struct arena *arena;
	char *p;
	uint32_t *at; /* of each byte: its place in the written glob */
	size_t n, cap;
};

struct reader {
	struct arena *arena;
	struct str written;
	const struct glob_variables *vars;
	struct glob_fault fault;
	bool open;
};

static void grow(struct text *t)
{
	size_t cap = t->cap ? 2 * t->cap : 128;
	char *p = arena_alloc(t->arena, cap);
	uint32_t *places = ARENA_ARRAY(t->arena, uint32_t, cap);

	if (t->n) {
		memcpy(p, t->p, t->n);
		memcpy(places, t->at, t->n * sizeof(*places));
	}
	t->p = p;
	t->at = places;
	t->cap = cap;
}

static inline void put(struct text *t, char c, size_t at)
{
	if (t->n == t->cap)
		grow(t);
	t->p[t->n] = c;
	t->at[t->n++] = (uint32_t)at;
}

static void put_all(struct text *t, const char *s, size_t at)
{
	for (; *s; s++)
		put(t, *s, at);
}

static void blame(struct reader *r, enum glob_fault_kind kind, size_t at, size_t n, const char *why,
		  const char *help)
{
	if (r->fault.kind >= kind)
		return;
	if (at + n > r->written.n)
		n = r->written.n > at ? r->written.n - at : 0;
	r->fault = (struct glob_fault){ kind, at, n, why, help };
}

static bool broken(const struct reader *r)
{
	return r->fault.kind >= GLOB_REFUSED;
}

/* ---- 1: escapes ---- */

static int digit_of(char c, int base)
{
	int v = c >= '0' && c <= '9' ? c - '0' :
		c >= 'a' && c <= 'f' ? c - 'a' + 10 :
		c >= 'A' && c <= 'F' ? c - 'A' + 10 :
				       -1;

	return v < base ? v : -1;
}

/* A byte's number at *i, of at most `most` digits and 255; -1: none. */
static int read_number(struct str s, size_t *i, int base, unsigned most)
{
	int v = -1;

	for (; most && *i < s.n && digit_of(s.p[*i], base) >= 0; most--, ++*i) {
		int next = (v < 0 ? 0 : v) * base + digit_of(s.p[*i], base);
		if (next > 255)
			break;
		v = next;
	}
	return v;
}

/*
 * Behind the backslash at *i - 1: the byte that is meant, and *i behind it. -1: this is not an
 * escape, and the backslash stands by itself. `also`: bytes that stand for themselves.
 */
static int read_escape(struct str s, size_t *i, const char *also)
{
	static const char letters[] = "a\ae\033f\fn\nr\rt\t";
	size_t k = *i;
	int v = -1;

	if (k >= s.n || !s.p[k])
		return -1;
	if (digit_of(s.p[k], 8) >= 0) {
		v = read_number(s, &k, 8, 3);
	} else {
		char c = s.p[k++];
		for (size_t l = 0; l + 1 < sizeof(letters); l += 2)
			if (c == letters[l])
				v = letters[l + 1];
		if (c == 'd' || c == 'x')
			v = read_number(s, &k, c == 'd' ? 10 : 16, c == 'd' ? 3 : 2);
		else if (c == '\\' || c == '"' || strchr(also, c))
			v = (unsigned char)c;
	}
	if (v >= 0)
		*i = k;
	return v;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* What is wrong with the escape from `at` to `end`, which gives `v`. */
static void judge_escape(struct reader *r, size_t at, size_t end, int v)
{
	struct str s = r->written;
	char c = at + 1 < s.n ? s.p[at + 1] : '\0';
	size_t n = end - at;

	if (v < 0 && is_word(c))
		blame(r, GLOB_MISREAD, at, 2, "this backslash protects nothing",
		      "a plain letter needs none; a byte is '\\x41' or '\\101'");
	else if (c == '/')
		blame(r, GLOB_MISREAD, at, 2,
		      "behind a backslash a '/' does not fold with its neighbours",
		      "a slash needs no backslash");
	else if (!v)
		blame(r, GLOB_MISREAD, at, n, "it asks for a NUL byte, and no path has one", NULL);
	else if (v > 0 && is_word(c) && !strchr("01234567xd", c))
		blame(r, GLOB_MISREAD, at, n, "not every reader of it knows this escape",
		      "write the byte by its number: '\\012'");
	else if (v > 0 && digit_of(c, 8) >= 0 && n == 3 && end < s.n && digit_of(s.p[end], 8) >= 0)
		blame(r, GLOB_MISREAD, at, n + 1, "there is no byte above \\377", NULL);
	else if (c == 'd' && n == 4 && end < s.n && digit_of(s.p[end], 10) >= 0 && v < 100)
		blame(r, GLOB_MISREAD, at, n + 1, "there is no byte above \\d255", NULL);
	else if (v == '@' && end < s.n && s.p[end] == '{')
		blame(r, GLOB_MISREAD, at, n, "the '@' of this escape begins a variable",
		      "protect the brace: '@\\{'");
}

static void read_escapes(struct reader *r, struct text *out)
{
	struct str s = r->written;

	for (size_t i = 0; i < s.n;) {
		size_t at = i++;
		if (s.p[at] != '\\') {
			put(out, s.p[at], at);
			continue;
		}
		int v = read_escape(s, &i, "");
		judge_escape(r, at, i, v);
		if (v <= 0) { /* kept as it is, a number that gives NUL too */
			for (size_t k = at; k < i; k++)
				put(out, s.p[k], at);
			continue;
		}
		if (strchr("*?[]{}^,\\", v))
			put(out, '\\', at);
		put(out, (char)v, at);
	}
}

struct str glob_unescape(struct arena *a, struct str written)
{
	struct reader r = { .arena = a, .written = written };
	struct text out = { .arena = a };

	read_escapes(&r, &out);
	return (struct str){ out.p ? out.p : "", out.n };
}

/* ---- 2: variables ---- */

const struct glob_variable *glob_variable_find(const struct glob_variables *v, struct str name)
{
	vec_each(&v->list, one)
		if (str_eq(one->name, name))
			return one;
	return NULL;
}

size_t glob_variable_at(struct str s, size_t i, struct str *name)
{
	size_t k = i + 2;

	if (k >= s.n || s.p[i] != '@' || s.p[i + 1] != '{' || !is_word(s.p[k]) ||
	    digit_of(s.p[k], 10) >= 0)
		return 0;
	while (k < s.n && (is_word(s.p[k]) || s.p[k] == '_'))
		k++;
	if (k >= s.n || s.p[k] != '}')
		return 0;
	*name = (struct str){ s.p + i + 2, k - i - 2 };
	return k + 1 - i;
}

bool glob_has_variable(struct str s)
{
	struct str name;

	if (!s.n || !memchr(s.p, '@', s.n))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (glob_variable_at(s, i, &name))
			return true;
		i += s.p[i] == '\\';
	}
	return false;
}

struct opening { /* of one variable in the written glob */
	struct reader *r;
	size_t at, n; /* its place */
	size_t begin; /* of the text since the variable before it */
	VEC(struct str) values;
	size_t bytes; /* of values looked at, and of the text before: values multiply */
	unsigned nested;
};

static void undeclared(const struct opening *o, struct str name)
{
	blame(o->r, GLOB_UNDECLARED, o->at, o->n,
	      arena_printf(o->r->arena, "AppArmor's variable '@{" PRISTR "}' is never declared",
			   STRARG(name)),
	      NULL);
}

static void open_value(struct opening *o, struct str value, unsigned depth);

/* Each value of the variable that begins at `at`, between what stands around it. */
static void open_inner(struct opening *o, struct str value, size_t at, size_t n, struct str name,
		       unsigned depth)
{
	const struct glob_variable *v = glob_variable_find(o->r->vars, name);

	if (!v || !v->values.n) {
		undeclared(o, name);
		return;
	}
	vec_each(&v->values, inner) {
		size_t length = value.n - n + inner->n;
		if (broken(o->r))
			return;
		char *text = arena_alloc(o->r->arena, length + 1);
		memcpy(text, value.p, at);
		memcpy(text + at, inner->p, inner->n);
		memcpy(text + at + inner->n, value.p + at + n, value.n - at - n);
		open_value(o, (struct str){ text, length }, depth + 1);
	}
}

struct str glob_put_plain(struct arena *a, struct str value, glob_plain *plain, void *data)
{
	struct str name, one;
	size_t done = 0;
	BUF_AUTO out = { 0 };

	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] != '@') {
			i += value.p[i] == '\\';
			continue;
		}
		size_t n = glob_variable_at(value, i, &name);
		if (!n || !plain(data, name, &one) || (one.n && memchr(one.p, '@', one.n)) ||
		    (one.n && one.p[one.n - 1] == '\\') ||
		    out.n + one.n + value.n - done - n > GLOB_OPENED_MAX)
			break;
		buf_add(&out, value.p + done, i - done);
		buf_add(&out, one.p, one.n);
		done = i + n;
		i = done - 1;
	}
	if (!done)
		return value;
	buf_add(&out, value.p + done, value.n - done);
	return (struct str){ buf_keep(a, &out), out.n };
}

/* Its one value, with those in it in turn: they are kept as they were declared. */
static bool plain_value(void *data, struct str name, struct str *value)
{
	struct opening *o = data;
	const struct glob_variable *v = glob_variable_find(o->r->vars, name);

	if (!v || v->values.n != 1 || o->nested >= VARIABLE_DEPTH_MAX)
		return false;
	*value = v->values.v[0];
	o->bytes += value->n + 1;
	if (o->bytes > GLOB_OPENED_MAX)
		return false;
	o->nested++;
	*value = glob_put_plain(o->r->arena, *value, plain_value, o);
	o->nested--;
	return true;
}

/* Variables in values give a value for each of theirs (parser_symtab.c, __expand_variable). */
static void open_value(struct opening *o, struct str value, unsigned depth)
{
	struct str name;

	value = glob_put_plain(o->r->arena, value, plain_value, o);
	o->bytes += value.n + 1;
	if (depth > VARIABLE_DEPTH_MAX || o->bytes > GLOB_OPENED_MAX) {
		blame(o->r, depth > VARIABLE_DEPTH_MAX ? GLOB_RECURSIVE : GLOB_REFUSED, o->at, o->n,
		      depth > VARIABLE_DEPTH_MAX ?
			      "its variables are in each other's values" :
			      "its variables have more than 65536 bytes of values",
		      "write what is meant of the variable");
		return;
	}
	for (size_t i = 0; i < value.n; i++) {
		size_t n = glob_variable_at(value, i, &name);
		if (n) {
			open_inner(o, value, i, n, name, depth);
			return;
		}
		i += value.p[i] == '\\';
	}
	vec_push(o->r->arena, &o->values, value);
}

/* A variable without values: its own name, plainly. */
static void put_name(struct reader *r, struct text *out, struct str name, size_t at)
{
	r->open = true;
	put_all(out, "@\\{", at);
	for (size_t i = 0; i < name.n; i++)
		put(out, name.p[i], at);
	put_all(out, "\\}", at);
}

/* A value; slashes of it that would meet slashes outside may be left out. */
static void put_value(struct text *out, struct str s, size_t at, bool front, bool back)
{
	for (; front && s.n && s.p[0] == '/'; s.p++)
		s.n--;
	while (back && s.n && s.p[s.n - 1] == '/')
		s.n--;
	for (size_t i = 0; i < s.n; i++)
		put(out, s.p[i], at);
}

/* Does what stands before a variable, from the last one on, end in a slash? 5.0: and in no other. */
static bool behind_slash(const struct opening *o, const struct text *out)
{
	if (!out->n || out->p[out->n - 1] != '/')
		return false;
	if (!o->r->vars || !o->r->vars->by_5_0)
		return true;
	for (size_t i = o->begin; i < out->n; i++)
		if (out->p[i] != '/')
			return true;
	return false;
}

static void open_variable(struct opening *o, struct text *out, struct str name, char next)
{
	bool front = behind_slash(o, out), back = next == '/';
	const struct glob_variable *v = o->r->vars ? glob_variable_find(o->r->vars, name) : NULL;

	if (v)
		vec_each(&v->values, value)
			open_value(o, *value, 1);
	else if (o->r->vars)
		undeclared(o, name);
	bool several = o->values.n > 1;
	bool trims = several || (o->r->vars && o->r->vars->by_5_0);
	if (!o->values.n)
		put_name(o->r, out, name, o->at);
	vec_each(&o->values, value) {
		if (several)
			put(out, value == o->values.v ? '{' : ',', o->at);
		put_value(out, *value, o->at, trims && front, trims && back);
	}
	if (several)
		put(out, '}', o->at);
}

static void open_text(struct reader *r, const struct text *in, struct text *out)
{
	struct str s = { in->p, in->n }, name;
	size_t begin = 0;

	for (size_t i = 0; i < s.n && !broken(r);) {
		size_t n = glob_variable_at(s, i, &name);
		if (n) {
			size_t end = i + n < s.n ? in->at[i + n] : r->written.n;
			struct opening o = { .r = r,
					     .at = in->at[i],
					     .n = end - in->at[i],
					     .begin = begin,
					     .bytes = out->n };
			begin = out->n;
			open_variable(&o, out, name, i + n < s.n ? s.p[i + n] : '\0');
			i += n;
			continue;
		}
		put(out, s.p[i], in->at[i]);
		if (s.p[i] == '\\' && i + 1 < s.n)
			put(out, s.p[i + 1], in->at[i + 1]);
		i += s.p[i] == '\\' ? 2 : 1;
	}
}

/* ---- 3: slashes ---- */

static void fold_slashes(struct text *t)
{
	size_t n = 0, i = 0;

	if (t->n > 1 && t->p[0] == '/' && t->p[1] == '/' && !(t->n > 2 && t->p[2] == '/'))
		n = i = 2;
	for (bool slash = false; i < t->n; i++) {
		if (t->p[i] == '/' && slash)
			continue;
		slash = t->p[i] == '/';
		t->p[n] = t->p[i];
		t->at[n++] = t->at[i];
	}
	t->n = n;
}

/* ---- 4: the parser's regular expression ---- */

struct converter {
	struct reader *r;
	const struct text *in;
	struct text *out;
	size_t i;
	bool escaped, in_class;
	size_t class_at; /* index of the '[' that opened it */
	unsigned depth, commas[DEPTH_MAX + 1];
	size_t brace_at[DEPTH_MAX + 1];
};

static size_t here(const struct converter *c)
{
	return c->in->at[c->i];
}

static void emit(struct converter *c, const char *s)
{
	put_all(c->out, s, here(c));
}

static void emit_byte(struct converter *c, char byte)
{
	put(c->out, byte, here(c));
}

static void misread(struct converter *c, const char *why, const char *help)
{
	blame(c->r, GLOB_MISREAD, here(c), 1, why, help);
}

static void malformed(struct converter *c, size_t i, const char *why)
{
	blame(c->r, GLOB_MALFORMED, c->in->at[i], 1, why, NULL);
}

static void convert_star(struct converter *c)
{
	size_t behind = c->i;
	bool deep = c->i + 1 < c->in->n && c->in->p[c->i + 1] == '*';

	while (behind < c->in->n && c->in->p[behind] == '*')
		behind++;
	if (c->in_class)
		misread(c, "inside brackets AppArmor takes a star for a glob", "protect it: '\\*'");
	if (c->out->n && c->out->p[c->out->n - 1] == '/' &&
	    (behind == c->in->n || c->in->p[behind] == '/'))
		emit(c, "[^/\\x00]");
	emit(c, deep ? "[^\\x00]*" : "[^/\\x00]*");
	c->i += deep;
}

static void convert_bracket(struct converter *c)
{
	if (c->in->p[c->i] == '[') {
		if (!c->in_class)
			c->class_at = c->i;
		c->in_class = true;
	} else {
		size_t inside = c->i - c->class_at - 1;
		if (!c->in_class)
			malformed(c, c->i, "']' closes nothing");
		else if (!inside || (inside == 1 && c->in->p[c->i - 1] == '^'))
			misread(c,
				"the first ']' inside brackets is one of them to some and closes "
				"them to others",
				"protect it: '\\]'");
		c->in_class = false;
	}
	emit_byte(c, c->in->p[c->i]);
}

static void convert_brace(struct converter *c)
{
	if (c->in_class) {
		emit_byte(c, c->in->p[c->i]);
	} else if (c->in->p[c->i] == '{') {
		if (c->depth == DEPTH_MAX) {
			malformed(c, c->i, "alternatives are nested too deep");
			return;
		}
		c->commas[++c->depth] = 0;
		c->brace_at[c->depth] = c->i;
		emit(c, "(");
	} else if (!c->depth) {
		malformed(c, c->i, "'}' closes nothing");
	} else {
		if (!c->commas[c->depth])
			malformed(c, c->brace_at[c->depth], "alternatives need a comma: '{a,b}'");
		c->depth--;
		emit(c, ")");
	}
}

static void convert_comma(struct converter *c)
{
	if (c->escaped && c->in_class) {
		misread(c,
			"inside brackets AppArmor takes the backslash before a comma for one of "
			"them",
			"a comma needs no backslash there");
		emit(c, "\\,");
	} else if (c->depth && !c->in_class && !c->escaped) {
		c->commas[c->depth]++;
		emit(c, "|");
	} else {
		emit(c, ",");
	}
}

/* A byte that is no glob's; a backslash before it is an escape left over, or dropped. */
static void convert_plain(struct converter *c)
{
	char byte = c->in->p[c->i];
	size_t end = c->i;

	if (byte && strchr(".+|()", byte))
		emit(c, "\\");
	if (c->escaped && read_escape((struct str){ c->in->p, c->in->n }, &end, "") >= 0) {
		misread(c, "a backslash and an escape behind it are read as one", NULL);
		emit(c, "\\");
		for (; c->i < end; c->i++)
			emit_byte(c, c->in->p[c->i]);
		c->i--;
		return;
	}
	if (c->in_class && byte == '-' && (c->escaped || c->r->written.p[here(c)] == '\\'))
		misread(c,
			"inside brackets AppArmor drops the backslash, and the '-' makes a range",
			"put a '-' first: '[-az]'");
	emit_byte(c, byte);
}

static void convert_caret(struct converter *c)
{
	if (c->in_class && c->escaped && c->in->p[c->i] == '^' && c->i == c->class_at + 2)
		misread(c, "AppArmor drops the backslash, and the '^' turns the class around",
			"put another byte first: '[a^]'");
	if (!c->in_class)
		emit(c, "\\");
	emit_byte(c, c->in->p[c->i]);
}

static void convert_question(struct converter *c)
{
	if (c->in_class && !c->escaped)
		misread(c, "inside brackets AppArmor takes a '?' for a glob", "protect it: '\\?'");
	emit(c, c->escaped ? "?" : "[^/\\x00]");
}

static void convert_one(struct converter *c)
{
	char byte = c->in->p[c->i];
	char protected[] = { '\\', byte, '\0' };

	if (c->escaped && byte && strchr("*[]{}\\", byte))
		emit(c, protected);
	else if (byte == '*')
		convert_star(c);
	else if (byte == '?')
		convert_question(c);
	else if (byte == '[' || byte == ']')
		convert_bracket(c);
	else if (byte == '{' || byte == '}')
		convert_brace(c);
	else if (byte == ',')
		convert_comma(c);
	else if (byte == '^' || byte == '$')
		convert_caret(c);
	else
		convert_plain(c);
}

static void convert(struct reader *r, const struct text *in, struct text *out)
{
	struct converter c = { .r = r, .in = in, .out = out };

	for (; c.i < in->n && !broken(r); c.i++) {
		if (in->p[c.i] == '\\' && !c.escaped) {
			c.escaped = true;
			continue;
		}
		convert_one(&c);
		c.escaped = false;
	}
	if (c.in_class)
		malformed(&c, c.class_at, "'[' is never closed");
	if (c.depth)
		malformed(&c, c.brace_at[c.depth], "'{' is never closed");
	if (c.escaped)
		malformed(&c, in->n - 1, "it ends in a backslash");
}

/* ---- the regular expression to an automaton ---- */

struct regex {
	struct reader *r;
	struct str s;
	const uint32_t *at;
	size_t i;
	struct nfa *nfa;
	unsigned has; /* GLOB_HAS_* */
};

enum { TOKEN_END = 0, TOKEN_BYTE = 256 }; /* else the byte itself, with its meaning */

/* The next token, without taking it; *value of TOKEN_BYTE, *end behind it. */
static int regex_peek(const struct regex *x, unsigned char *value, size_t *end)
{
	*end = x->i + 1;
	if (x->i >= x->s.n)
		return TOKEN_END;
	char c = x->s.p[x->i];
	*value = (unsigned char)c;
	switch (c) {
	case '*':
	case '+':
	case '.':
	case '|':
	case '^':
	case '-':
	case '[':
	case ']':
	case '(':
	case ')': return c;
	default: break;
	}
	if (c == '\\') {
		int v = read_escape(x->s, end, "*+.|^$-[](){}");
		if (v >= 0)
			*value = (unsigned char)v;
	}
	return TOKEN_BYTE;
}

static bool regex_take(struct regex *x, int token)
{
	unsigned char value;
	size_t end;

	if (regex_peek(x, &value, &end) != token)
		return false;
	x->i = end;
	return true;
}

static void unreadable(struct regex *x, size_t class_at)
{
	size_t at = x->at[class_at];
	size_t end = x->i < x->s.n ? x->at[x->i] + 1 : x->r->written.n;

	blame(x->r, GLOB_REFUSED, at, end > at ? end - at : 1,
	      "AppArmor cannot read these brackets",
	      "a '-' that is no range stands first: '[-az]'; ranges do not follow one another");
}

/* One byte inside brackets; `first`: in the first place, where ']' and '-' may stand, '^' not. */
static bool class_byte(struct regex *x, bool first, unsigned char *value)
{
	size_t end;
	int token = regex_peek(x, value, &end);

	if (token == TOKEN_END || (token == '-' && !first) || (token == ']' && !first) ||
	    (token == '^' && first))
		return false;
	x->i = end;
	return true;
}

static bool regex_class(struct regex *x, struct byte_set *set)
{
	bool negated = regex_take(x, '^');
	bool first = !(negated && regex_take(x, '^'));
	unsigned char low, high;

	x->has |= negated ? GLOB_HAS_NEGATED : GLOB_HAS_CLASS;
	if (!first) /* "[^^": the second one is a byte */
		byte_set_add(set, '^', '^');
	while (first || !regex_take(x, ']')) {
		if (!class_byte(x, first, &low))
			return false;
		high = low;
		if (regex_take(x, '-') && !class_byte(x, false, &high))
			return false;
		byte_set_add(set, low < high ? low : high, low < high ? high : low);
		first = false;
	}
	if (negated)
		byte_set_invert(set);
	return true;
}

static uint32_t regex_alternatives(struct regex *x, uint32_t from);

static uint32_t regex_term(struct regex *x, uint32_t from)
{
	size_t begin = x->i;
	struct byte_set set = { { 0 } };
	unsigned char value;
	size_t end;
	int token = regex_peek(x, &value, &end);

	x->i = end;
	if (token == '(') {
		uint32_t to = regex_alternatives(x, from);
		if (!regex_take(x, ')'))
			unreadable(x, begin);
		return to;
	}
	if (token == '[') {
		if (!regex_class(x, &set))
			unreadable(x, begin);
	} else if (token == '*' || token == '+' || token == '.') { /* never written by convert() */
		unreadable(x, begin);
	} else {
		byte_set_add(&set, value, value);
	}
	return nfa_step(x->nfa, from, &set);
}

static uint32_t regex_terms(struct regex *x, uint32_t from)
{
	unsigned char value;
	size_t end;

	while (!broken(x->r)) {
		int token = regex_peek(x, &value, &end);
		if (token == TOKEN_END || token == '|' || token == ')')
			break;
		uint32_t to = regex_term(x, from);
		bool star = regex_take(x, '*');
		x->has |= star ? GLOB_HAS_STAR : 0;
		from = star ? nfa_star(x->nfa, from, to) : to;
	}
	return from;
}

static uint32_t regex_alternatives(struct regex *x, uint32_t from)
{
	uint32_t join = nfa_open(x->nfa);

	for (bool more = true; more && !broken(x->r);) {
		uint32_t branch = nfa_open(x->nfa);
		uint32_t end = regex_terms(x, branch);
		more = regex_take(x, '|');
		uint32_t rest = more ? nfa_open(x->nfa) : NFA_NONE;
		nfa_fork(x->nfa, end, join, NFA_NONE);
		nfa_fork(x->nfa, from, branch, rest);
		from = rest;
	}
	return join;
}

/* GLOB_HAS_* of what was built. */
static unsigned build(struct reader *r, const struct text *t, struct nfa *nfa)
{
	struct regex x = { .r = r, .s = { t->p, t->n }, .at = t->at, .nfa = nfa };
	uint32_t end = regex_terms(&x, nfa_open(nfa));

	if (!broken(r) && x.i < x.s.n)
		unreadable(&x, x.i);
	nfa->nodes.v[end].op = NFA_END;
	return x.has;
}

/* The bytes that every match begins with. */
static struct str prefix_of(struct arena *a, const struct nfa *n)
{
	char *p = arena_alloc(a, n->nodes.n);
	size_t length = 0;

	for (uint32_t at = 0; n->nodes.v[at].op == NFA_STEP; at = n->nodes.v[at].a) {
		const struct byte_set *set = &n->sets.v[n->nodes.v[at].set];
		unsigned char c = byte_set_pick(set);
		struct byte_set one = { { 0 } };
		byte_set_add(&one, c, c);
		if (!c || memcmp(&one, set, sizeof(one)))
			break;
		p[length++] = (char)c;
	}
	return (struct str){ p, length };
}

_Static_assert(sizeof(struct nfa_node) == 2 * sizeof(uint64_t), "nodes are hashed as they lie");

static uint64_t hash_words(uint64_t h, const void *words, size_t n)
{
	const uint64_t *w = words;

	for (size_t i = 0; i < n; i++)
		h = (h ^ w[i]) * UINT64_C(0x9e3779b97f4a7c15) ^ h >> 29;
	return h;
}

static uint64_t hash_nfa(const struct nfa *nfa)
{
	uint64_t h = hash_words(nfa->nodes.n, nfa->nodes.v, 2 * nfa->nodes.n);

	return hash_words(h, nfa->sets.v, 4 * nfa->sets.n);
}

/* False: it does not begin so. */
static bool follow_alias(const struct glob_alias *alias, struct text *t)
{
	struct text out = { .arena = t->arena };
	size_t n = alias->from.n;

	if (t->n < n || memcmp(t->p, alias->from.p, n))
		return false;
	for (size_t i = 0; i < alias->to.n; i++)
		put(&out, alias->to.p[i], 0);
	for (size_t i = n; i < t->n; i++)
		put(&out, t->p[i], t->at[i]);
	*t = out;
	return true;
}

static const struct glob *read_glob(struct reader *r, enum glob_kind kind,
				    const struct glob_alias *alias)
{
	struct text plain = { .arena = r->arena }, opened = plain, regex = plain;
	struct glob *g = ARENA_NEW(r->arena, struct glob);

	g->text = r->written;
	g->nfa.arena = r->arena;
	if (r->written.n > GLOB_MAX) {
		blame(r, GLOB_MALFORMED, 0, r->written.n, "it is longer than 4096 bytes",
		      "no path is: write several rules");
		return NULL;
	}
	read_escapes(r, &plain);
	open_text(r, &plain, &opened);
	if (alias && !broken(r) && !follow_alias(alias, &opened)) {
		r->fault.kind = GLOB_FINE;
		return NULL;
	}
	if (kind == GLOB_PATH)
		fold_slashes(&opened);
	g->opened = (struct str){ opened.p ? opened.p : "", opened.n };
	if (!broken(r))
		convert(r, &opened, &regex);
	if (!broken(r))
		g->has = build(r, &regex, &g->nfa);
	g->open = r->open;
	if (broken(r))
		return NULL;
	g->prefix = prefix_of(r->arena, &g->nfa);
	g->hash = hash_nfa(&g->nfa);
	return g;
}

const struct glob *glob_parse(struct arena *a, struct str written, enum glob_kind kind,
			      const struct glob_variables *vars, struct glob_fault *fault)
{
	return glob_parse_alias(a, written, kind, vars, NULL, fault);
}

const struct glob *glob_parse_alias(struct arena *a, struct str written, enum glob_kind kind,
				    const struct glob_variables *vars,
				    const struct glob_alias *alias, struct glob_fault *fault)
{
	struct reader r = { .arena = a, .written = written, .vars = vars };
	const struct glob *g = read_glob(&r, kind, alias);

	if (fault)
		*fault = r.fault;
	return g;
}

uint32_t glob_behind(const struct glob *g, size_t n)
{
	uint32_t at = 0;

	while (n--)
		at = g->nfa.nodes.v[at].a;
	return at;
}

enum { MATCH_NODES = 256 }; /* of a glob that is matched without the arena */

/* Their sets under work, in memory of the caller's; the marks are clear. */
static void open_states(struct nfa_states states[2], uint32_t *memory, size_t nodes)
{
	for (unsigned i = 0; i < 2; i++, memory += 4 * nodes + 1)
		states[i] = (struct nfa_states){ .held = memory + nodes,
						 .stack = memory + 2 * nodes,
						 .mark = memory,
						 .turn = 1 };
}

static bool run_match(const struct glob *g, struct nfa_states states[2], struct str path)
{
	struct nfa_states *now = &states[0], *then = &states[1], *swap;
	const struct nfa *nfa = &g->nfa;

	nfa_states_add(now, nfa, glob_behind(g, g->prefix.n));
	for (size_t i = g->prefix.n; i < path.n && now->n; i++) {
		nfa_states_clear(then);
		for (size_t k = 0; k < now->n; k++) {
			const struct nfa_node *node = &nfa->nodes.v[now->held[k]];
			if (node->op == NFA_STEP &&
			    byte_set_has(&nfa->sets.v[node->set], (unsigned char)path.p[i]))
				nfa_states_add(then, nfa, node->a);
		}
		swap = now;
		now = then;
		then = swap;
	}
	for (size_t k = 0; k < now->n; k++)
		if (nfa->nodes.v[now->held[k]].op == NFA_END)
			return true;
	return false;
}

bool glob_match(struct arena *a, const struct glob *g, struct str path)
{
	uint32_t few[2 * (4 * MATCH_NODES + 1)], *memory = few;
	size_t nodes = g->nfa.nodes.n;
	struct nfa_states states[2];

	if (path.n < g->prefix.n || (g->prefix.n && memcmp(path.p, g->prefix.p, g->prefix.n)))
		return false;
	if (nodes > MATCH_NODES)
		memory = ARENA_ARRAY(a, uint32_t, 2 * (4 * nodes + 1));
	open_states(states, memory, nodes);
	for (unsigned i = 0; i < 2; i++)
		memset(states[i].mark, 0, nodes * sizeof(uint32_t));
	return run_match(g, states, path);
}
