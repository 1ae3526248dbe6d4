/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments of strace's as numbers, by the reader that `pale sim` has; each text is read once. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/policy/policy.h"
#include "grammar/parse.h"
#include "learn/replay/strace_files.h"

enum { VALUES_MAX = 4096 }; /* different texts that are kept */

/* Quotas' commands are what their header makes of two words: QCMD(Q_GETFMT, USRQUOTA). */
static void put_text(struct buf *out, struct str text)
{
	static const char made[] = "QCMD(";
	const char *comma = memchr(text.p, ',', text.n);

	if (!str_starts(text, made) || !comma || text.p[text.n - 1] != ')') {
		buf_add(out, text.p, text.n);
		return;
	}
	buf_add(out, text.p + sizeof(made) - 1, (size_t)(comma - text.p) - sizeof(made) + 1);
	buf_putc(out, '|');
	buf_add(out, comma + 1, (size_t)(text.p + text.n - comma) - 2);
}

/* "prot=PROT_READ": an argument by its name, as strace itself has some of clone's. */
static void put_argument(struct buf *out, const struct strace_line *l, unsigned i,
			 const struct arg_info *args, unsigned nargs)
{
	struct str text = l->args[i];
	size_t name = 0;

	while (name < text.n &&
	       (text.p[name] == '_' || (text.p[name] >= 'a' && text.p[name] <= 'z')))
		name++;
	if (out->p[out->n - 1] != '(')
		buf_putc(out, ',');
	if ((!name || name == text.n || text.p[name] != '=') && i < nargs)
		buf_printf(out, "%s=", args[i].name);
	put_text(out, text);
}

/* Is it one of those whose value is wanted? What has a name may be. */
static bool is_wanted(const struct strace_line *l, unsigned i, unsigned mask)
{
	struct str text = l->args[i];

	for (size_t n = 0; n < text.n; n++)
		if (text.p[n] != '_' && (text.p[n] < 'a' || text.p[n] > 'z'))
			return n && text.p[n] == '=' ? str_starts(text, "flags=") :
						       i < 6 && mask >> i & 1;
	return i < 6 && mask >> i & 1;
}

static void parse_values(struct replay *r, const char *text, struct strace_values *out)
{
	struct arena *a = arena_scratch(r->s->arena);
	struct sources *sources = sources_new(a);
	struct session s = { .arena = a,
			     .sources = sources,
			     .diags = diags_new(a, sources),
			     .telling = r->s->telling };
	struct ast_call_args *c = strace_parse(&s, text);
	struct written_call w;

	if (c && !policy_call_read(a, c, out->arch, &w, s.diags)) {
		out->given = w.given;
		memcpy(out->args, w.call.args, sizeof(out->args));
	}
	arena_free(a);
}

struct strace_values strace_values(struct replay *r, const struct strace_line *l,
				   const struct syscall_info *sys, enum arch arch, unsigned mask)
{
	struct strace_texts *t = &r->texts;
	struct strace_values v = { .arch = arch };
	unsigned nargs;
	const struct arg_info *args = syscall_args(sys, arch, &nargs);
	BUF_AUTO text = { 0 };
	struct table_walk w;
	size_t at;

	buf_printf(&text, "%s(", sys->name);
	for (unsigned i = 0; i < l->nargs; i++)
		if (is_wanted(l, i, mask))
			put_argument(&text, l, i, args, nargs);
	buf_puts(&text, ") ="); /* as strace writes it: of a mode 0600 is octal */
	if (text.failed)
		arena_no_memory(r->s->arena);
	v.text = (struct str){ text.p, text.n };
	w = table_start(hash_bytes(hash_str(v.text), &arch, sizeof(arch)));
	while ((at = table_next(&t->by_text, &w)) != TABLE_END)
		if (t->values.v[at].arch == arch && str_eq(t->values.v[at].text, v.text))
			return t->values.v[at];
	parse_values(r, text.p, &v);
	if (t->values.n < VALUES_MAX) {
		v.text.p = str_dup(r->s->arena, v.text);
		table_add(r->s->arena, &t->by_text, w.hash, t->values.n);
		vec_push(r->s->arena, &t->values, v);
	}
	return v;
}

uint64_t strace_value(struct replay *r, const struct strace_line *l, const struct strace_called *c,
		      unsigned arg, uint64_t otherwise)
{
	struct strace_values v = strace_values(r, l, c->sys, c->arch, 1u << arg);

	return v.given >> arg & 1 ? v.args[arg] : otherwise;
}

/* A name of the domain, or a number and what strace says of it: 0x80 (CLONE_???) */
static bool flag_of(struct str word, const char *domain, enum arch arch, uint64_t *out)
{
	while (word.n && word.p[word.n - 1] == ' ')
		word.n--;
	return !str_u64(word, out) || !constant_find(domain, word, arch, out);
}

bool strace_flags(struct str structure, const char *domain, enum arch arch, uint64_t *out)
{
	static const char mark[] = "{flags=";
	size_t at = sizeof(mark) - 1;

	*out = 0;
	if (!str_starts(structure, mark))
		return false;
	for (;; at++) {
		size_t begin = at;
		uint64_t bits;

		while (at < structure.n && !strchr("|,}/", structure.p[at]))
			at++;
		if (!flag_of((struct str){ structure.p + begin, at - begin }, domain, arch, &bits))
			return false;
		*out |= bits;
		if (at < structure.n && structure.p[at] == '/') {
			const char *end = memmem(structure.p + at, structure.n - at, "*/", 2);

			at = end ? (size_t)(end - structure.p) + 2 : structure.n;
		}
		if (at == structure.n || structure.p[at] != '|')
			return at < structure.n;
	}
}
