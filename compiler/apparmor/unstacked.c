/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/apparmor/unstacked.h"

#include <string.h>

enum {
	OPENED_MAX = 1 << 16, /* bytes of a target that are looked at */
	OPENED_DEPTH = 64,    /* variables inside of variables; deeper ones were told before */
};

struct opening {
	const struct aa_reader *rd;
	struct buf *out;
};

/* As the parser opens it: one value stands for itself, of several a brace is made. */
static void open_text(const struct opening *o, struct str s, unsigned depth)
{
	for (size_t i = 0; i < s.n && o->out->n < OPENED_MAX;) {
		struct str name;
		size_t n = glob_variable_at(s, i, &name);
		const struct glob_variable *v =
			n && o->rd->variables ? glob_variable_find(o->rd->variables, name) : NULL;

		if (!v || depth >= OPENED_DEPTH) {
			buf_putc(o->out, s.p[i++]);
			continue;
		}
		for (size_t k = 0; k < v->values.n; k++) {
			if (v->values.n > 1)
				buf_putc(o->out, k ? ',' : '{');
			open_text(o, v->values.v[k], depth + 1);
		}
		if (v->values.n > 1)
			buf_putc(o->out, '}');
		i += n;
	}
}

/* Does it begin with that sign? An escape in front is gone by then. */
static bool begins(struct str *s, char sign)
{
	size_t at = s->n > 1 && s->p[0] == '\\';

	if (at >= s->n || s->p[at] != sign)
		return false;
	*s = (struct str){ s->p + at + 1, s->n - at - 1 };
	return true;
}

/* Each side of the ':' is a pattern of its own. */
static bool is_open(struct str s)
{
	unsigned braces = 0;
	bool class = false;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (class || s.p[i] == '[')
			class = s.p[i] != ']';
		else if (s.p[i] == '{' || s.p[i] == '}')
			braces += s.p[i] == '{' ? 1u : -1u;
	}
	return class || braces;
}

static const char *fault_of(struct str s)
{
	const char *colon;

	if (begins(&s, '&'))
		return "it stacks a profile";
	if (begins(&s, ':')) {
		colon = s.n ? memchr(s.p, ':', s.n) : NULL;
		if (!colon)
			return "its namespace does not end with ':'";
		if (colon == s.p)
			return "its namespace is empty";
		if (is_open((struct str){ s.p, (size_t)(colon - s.p) }))
			return "its namespace ends inside of a bracket";
		s = (struct str){ colon + 1, s.n - (size_t)(colon + 1 - s.p) };
		if (str_starts(s, "//"))
			s = (struct str){ s.p + 2, s.n - 2 };
	}
	return s.n ? NULL : "it names no profile";
}

bool aa_check_unstacked(const struct aa_reader *rd, const struct aa_rule *r)
{
	const struct aa_word *w = r->change.target.word;
	BUF_AUTO text = { 0 };
	struct opening o = { rd, &text };
	const char *fault;
	struct diag *d;

	if (!w)
		return true;
	open_text(&o, glob_unescape(rd->arena, w->text), 0);
	fault = fault_of((struct str){ text.p ? text.p : "", text.n });
	if (!fault)
		return true;
	d = diag_add(rd->diags, DIAG_PL390, w->span,
		     "without domain/stack among the features no parser takes this target: %s",
		     fault);
	for (const struct aa_from *from = r->use->from; from; from = from->parent)
		diag_note(rd->diags, d, from->include->span, "included here");
	diag_help(rd->diags, d,
		  "write NAME or :NAMESPACE:NAME, or name an abi and features that stack profiles");
	return false;
}
