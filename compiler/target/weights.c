/* SPDX-License-Identifier: Apache-2.0 */
/* compile --weights: how often calls are made, as `strace -c` and the like count them. */
#include "compiler/target/weights.h"

#include <string.h>

/* A name that is no call is looked for in the whole table; kernels have some hundreds of calls. */
enum { UNKNOWN_MAX = 10000 };

struct reading {
	struct diags *ds;
	const struct source *src;
	enum arch arch;
	uint64_t *count; /* by number */
	size_t n;
	size_t unknown; /* names so far */
};

static struct str next_word(struct str *line)
{
	size_t from = 0, to;

	while (from < line->n && (line->p[from] == ' ' || line->p[from] == '\t'))
		from++;
	for (to = from; to < line->n && line->p[to] != ' ' && line->p[to] != '\t'; to++)
		;
	struct str word = { line->p + from, to - from };
	*line = (struct str){ line->p + to, line->n - to };
	return word;
}

static struct span span_of(const struct source *src, struct str s)
{
	uint32_t begin = (uint32_t)(s.p - src->text.p);

	return (struct span){ src->id, begin, begin + (uint32_t)s.n };
}

static const struct syscall_info *find_call(struct str name)
{
	const struct syscall_info *s = syscall_by_name(name);
	const char *alias = s ? NULL : syscall_alias(name);

	return alias ? syscall_by_name(str_c(alias)) : s;
}

/* One that looks like another is a mistake; else it is newer than our table, and counts nothing. */
static void tell_unknown_name(struct reading *r, struct str name)
{
	struct diags *ds = r->ds;
	const struct source *src = r->src;
	struct suggest near;
	struct diag *d;

	if (ds->errors > ds->cap) { /* not shown */
		diag_add(ds, DIAG_PL204, span_of(src, name), "unknown system call in a trace");
		return;
	}
	if (++r->unknown > UNKNOWN_MAX) {
		d = diag_add(ds, DIAG_PL204, span_of(src, name),
			     "more than %d names in a trace that are no calls, '" PRISTR
			     "' is the next",
			     UNKNOWN_MAX, STRARG(name));
		diag_help(ds, d, "name a file with lines such as '22 read', as 'strace -c' counts");
		return;
	}
	suggest_start(&near, name);
	for (size_t i = 0; i < syscall_count() && !libseccomp_since(name).n; i++)
		suggest_offer(&near, str_c(syscall_at(i)->name));
	if (near.best.p) {
		d = diag_add(ds, DIAG_PL204, span_of(src, name),
			     "unknown system call '" PRISTR "' in a trace", STRARG(name));
		diag_help(ds, d, "did you mean '" PRISTR "'?", STRARG(near.best));
		return;
	}
	d = diag_add(ds, DIAG_PL288, span_of(src, name),
		     "'" PRISTR "' is no call up to the level of pale's table: its "
		     "line counts nothing",
		     STRARG(name));
	diag_help(ds, d, "nothing need be done where the kernel traced is newer");
}

/* 12, 0.25: thousandths. */
static int read_count(struct str s, uint64_t *out)
{
	const char *dot = memchr(s.p, '.', s.n);
	struct str whole = { s.p, dot ? (size_t)(dot - s.p) : s.n };
	uint64_t scale = 100;

	if (str_u64(whole, out) || *out > UINT32_MAX)
		return -1;
	*out *= 1000;
	for (size_t i = whole.n + 1; i < s.n; i++, scale /= 10) {
		if (s.p[i] < '0' || s.p[i] > '9' || !scale)
			return -1;
		*out += (uint64_t)(s.p[i] - '0') * scale;
	}
	return dot && whole.n + 1 == s.n ? -1 : 0;
}

/* One line: COUNT NAME; empty lines and # comments pass. Calls of other machines count nothing. */
static void read_weight(struct reading *r, struct str line)
{
	struct str all = line, number = next_word(&line), name = next_word(&line);
	uint64_t value;

	if (number.n == 0 || number.p[0] == '#')
		return;
	if (read_count(number, &value) || name.n == 0 || next_word(&line).n) {
		struct diag *d = diag_add(r->ds, DIAG_PL204, span_of(r->src, all),
					  "expected a count and the name of a call");
		diag_help(r->ds, d, "write lines such as '22 read', with at most three decimals");
		return;
	}
	const struct syscall_info *s = find_call(name);
	if (!s)
		tell_unknown_name(r, name);
	else if (s->nr[r->arch] >= 0 && (size_t)s->nr[r->arch] < r->n)
		r->count[s->nr[r->arch]] += value;
}

void weights_read(struct compilation *c, enum arch a, struct cbpf_weights *out)
{
	struct str rest = c->weights->text;
	struct reading r = { .src = c->weights, .arch = a, .n = syscall_end(a) };

	r.count = ARENA_ARRAY(c->diags->arena, uint64_t, r.n);
	/* Once for all machine families. */
	r.ds = c->weights_told ? diags_new(c->diags->arena, c->diags->sources) : c->diags;
	c->weights_told = true;
	while (rest.n && r.unknown <= UNKNOWN_MAX) {
		const char *end = memchr(rest.p, '\n', rest.n);
		struct str line = { rest.p, end ? (size_t)(end - rest.p) : rest.n };
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		read_weight(&r, line);
		size_t taken = end ? (size_t)(end - rest.p) + 1 : rest.n;
		rest = (struct str){ rest.p + taken, rest.n - taken };
	}
	*out = (struct cbpf_weights){ .arch = a, .count = r.count, .n = r.n };
}
