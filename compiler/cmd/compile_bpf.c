/* SPDX-License-Identifier: Apache-2.0 */
/* pale compile -t bpf: generate, prove, measure. */
#include <stdlib.h>
#include <string.h>

#include "compiler/cbpf/prove.h"
#include "compiler/cmd/compile.h"

/* The architecture a family's figures are about: the first that the policy lists. */
static enum arch first_arch(const struct policy *p, const char *family)
{
	unsigned a = 0;

	while (!(p->arches & ARCH_BIT(a)) || strcmp(arch_family((enum arch)a, p->arches), family))
		a++;
	return (enum arch)a;
}

/* ---- weights ---- */

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
static void tell_unknown_name(struct diags *ds, const struct source *src, struct str name)
{
	struct suggest near;
	struct diag *d;

	if (ds->errors > ds->cap) { /* not shown */
		diag_add(ds, DIAG_PL204, span_of(src, name), "unknown system call in a trace");
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
static void read_weight(struct diags *ds, const struct source *src, struct str line, enum arch a,
			uint64_t *count, size_t n)
{
	struct str all = line, number = next_word(&line), name = next_word(&line);
	uint64_t value;

	if (number.n == 0 || number.p[0] == '#')
		return;
	if (read_count(number, &value) || name.n == 0 || next_word(&line).n) {
		struct diag *d = diag_add(ds, DIAG_PL204, span_of(src, all),
					  "expected a count and the name of a call");
		diag_help(ds, d, "write lines such as '22 read', with at most three decimals");
		return;
	}
	const struct syscall_info *s = find_call(name);
	if (!s)
		tell_unknown_name(ds, src, name);
	else if (s->nr[a] >= 0 && (size_t)s->nr[a] < n)
		count[s->nr[a]] += value;
}

static void read_weights(struct compilation *c, enum arch a, struct cbpf_weights *out)
{
	const struct source *src = c->weights;
	size_t n = syscall_end(a);
	uint64_t *count = ARENA_ARRAY(c->session->arena, uint64_t, n);
	struct str rest = src->text;
	/* Once for all machine families. */
	struct diags *ds = c->weights_told ? diags_new(c->session->arena, c->session->sources) :
					     c->session->diags;

	c->weights_told = true;
	while (rest.n) {
		const char *end = memchr(rest.p, '\n', rest.n);
		struct str line = { rest.p, end ? (size_t)(end - rest.p) : rest.n };
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		read_weight(ds, src, line, a, count, n);
		size_t taken = end ? (size_t)(end - rest.p) + 1 : rest.n;
		rest = (struct str){ rest.p + taken, rest.n - taken };
	}
	*out = (struct cbpf_weights){ .arch = a, .count = count, .n = n };
}

/* ---- figures ---- */

struct figures {
	unsigned calls, most;
	double average, weighted;
	unsigned allowed, cached; /* numbers always allowed; of them, in the kernel's cache */
};

static bool always_allowed(const struct policy *p, const struct call *k)
{
	struct verdict v = policy_eval(p, k, NULL);
	size_t first, end;
	bool certain = p->dflt[0].kind == VERDICT_ALLOW;
	uint32_t nr = k->nr;
	int a = arch_of_call(k->audit_arch, &nr);

	if (v.kind != VERDICT_ALLOW || a < 0)
		return false;
	policy_calls_of(p, (enum arch)a, k->nr, &first, &end);
	for (size_t i = first; i < end; i++) {
		if (p->calls.v[i].cond && p->calls.v[i].verdict.kind != VERDICT_ALLOW)
			return false;
		certain |= !p->calls.v[i].cond && p->calls.v[i].verdict.kind == VERDICT_ALLOW;
	}
	return certain;
}

/* The kernel's cache covers native and compat numbers; x32 has none. */
static bool is_cached(const struct cbpf_stack *progs, uint32_t audit, uint32_t nr)
{
	for (size_t i = 0; i < progs->n; i++)
		if (!cbpf_const_allow(&progs->v[i], audit, nr))
			return false;
	return true;
}

static void measure_arch(const struct policy *p, const struct cbpf_stack *progs, enum arch a,
			 const struct cbpf_weights *w, struct figures *f)
{
	const struct arch_info *info = arch_info(a);
	uint64_t weight = 0;
	bool first = f->calls == 0;
	double sum = 0, weighted = 0;

	for (uint32_t nr = 0; (nr = syscall_next(a, nr)) != UINT32_MAX; nr++) {
		struct call k = { .audit_arch = info->audit, .nr = info->nr_base + nr };
		unsigned steps;
		if (!policy_knows(p, a, k.nr))
			continue;
		cbpf_run_stack(progs, &k, &steps);
		if (first) {
			f->calls++;
			sum += steps;
			weight += w ? w->count[nr] : 0;
			weighted += w ? (double)w->count[nr] * steps : 0;
		}
		if (info->nr_base || !always_allowed(p, &k))
			continue;
		f->allowed++;
		f->cached += is_cached(progs, info->audit, k.nr);
	}
	if (!first || !f->calls)
		return;
	f->average = sum / f->calls;
	f->weighted = weight ? weighted / (double)weight : 0;
}

static const char *tell_figures(struct compilation *c, const struct policy *p,
				const struct cbpf_stack *progs, const char *family,
				const struct cbpf_proof *proof, const struct cbpf_weights *w)
{
	struct figures f = { 0 };
	BUF_AUTO b = { 0 };
	size_t insns = 0;

	for (unsigned a = 0; a < ARCH_NR; a++)
		if (p->arches & ARCH_BIT(a) &&
		    !strcmp(arch_family((enum arch)a, p->arches), family))
			measure_arch(p, progs, (enum arch)a, w, &f);
	for (size_t i = 0; i < progs->n; i++) {
		f.most += cbpf_longest(&progs->v[i]);
		insns += progs->v[i].n;
	}
	buf_printf(&b, "%zu bytes, ", progs->v[0].n * sizeof(*progs->v[0].insns));
	if (progs->n > 1)
		buf_printf(&b, "first of %zu programs, %zu instructions in all", progs->n, insns);
	else
		buf_printf(&b, "%zu instructions", insns);
	buf_printf(&b, "; executed per call: %.2f on average over %u known %s calls, %u at most",
		   f.average, f.calls, arch_info(first_arch(p, family))->name, f.most);
	if (w)
		buf_printf(&b, ", %.2f on the trace", f.weighted);
	buf_printf(&b, "; proved for all calls (%zu nodes); cacheable: %u of %u always allowed%s",
		   proof->nodes, f.cached, f.allowed, compile_force(c));
	return buf_keep(c->session->arena, &b);
}

/* ---- one family ---- */

#ifdef PALE_PLANT
static unsigned planted_bug(void)
{
	const char *n = getenv("PALE_PLANT");

	return n ? (unsigned)strtoul(n, NULL, 10) : 0;
}
#else
static unsigned planted_bug(void)
{
	return 0;
}
#endif

static bool would_load(struct session *s, const struct policy *p, const struct cbpf_stack *progs)
{
	for (size_t i = 0; i < progs->n; i++) {
		size_t at;
		const char *why = cbpf_check(progs->v[i].insns, progs->v[i].n, &at);
		if (!why)
			continue;
		diag_add(s->diags, DIAG_PL205, p->span,
			 "the generated program would not load: instruction %zu: %s", at, why);
		return false;
	}
	return true;
}

/* NAME.x86_64.bpf; where one program is not enough, NAME.x86_64.2.bpf and so on beside it. */
static void add_artifacts(struct compilation *c, const struct policy *p,
			  const struct cbpf_stack *progs, const char *family, const char *about)
{
	struct arena *arena = c->session->arena;

	for (size_t i = 0; i < progs->n; i++) {
		struct artifact a = { .binary = true, .about = about, .is_part = i > 0 };
		a.name = arena_printf(arena, "%s.%s.bpf", compile_name(c, p), family);
		if (i) {
			a.name = arena_printf(arena, "%s.%s.%zu.bpf", compile_name(c, p), family,
					      i + 1);
			a.about = arena_printf(arena,
					       "%zu bytes, %zu instructions; to be attached "
					       "together with the first",
					       progs->v[i].n * sizeof(*progs->v[i].insns),
					       progs->v[i].n);
		}
		cbpf_write(&progs->v[i], &a.bytes);
		vec_push(arena, &c->artifacts, a);
	}
}

static int compile_family(struct compilation *c, const struct policy *p, const char *family)
{
	struct session *s = c->session;
	struct cbpf_options opt = { .family = family, .plant = planted_bug() };
	struct cbpf_weights w;
	struct cbpf_stack progs;
	struct cbpf_proof proof;

	if (c->weights) {
		read_weights(c, first_arch(p, family), &w);
		opt.weights = &w;
	}
	if (s->diags->errors || cbpf_generate_stack(s->arena, p, &opt, &progs, s->diags) ||
	    !would_load(s, p, &progs) ||
	    cbpf_prove(s->arena, p, progs.v, progs.n, family, &proof, s->diags))
		return EXIT_FOUND;
	add_artifacts(c, p, &progs, family,
		      tell_figures(c, p, &progs, family, &proof, opt.weights));
	return EXIT_OK;
}

/* Flags are an argument of seccomp(2), beside the program. */
static void tell_log(struct compilation *c, const struct policy *p)
{
	struct diag *d =
		diag_add(c->session->diags, DIAG_PL214, policy_header_span(p, AST_HEADER_LOG),
			 "a BPF program cannot say that refusals are logged");

	diag_help(c->session->diags, d,
		  "whoever loads it sets SECCOMP_FILTER_FLAG_LOG, as 'pale run' does");
}

int compile_bpf(struct compilation *c, const struct policy *p)
{
	const char *families[ARCH_NR];
	unsigned n = cbpf_families(p, families);
	int rc = EXIT_OK;

	if (p->log_refusals)
		tell_log(c, p);

	for (unsigned i = 0; i < n && rc == EXIT_OK; i++)
		rc = compile_family(c, p, families[i]);
	return rc;
}
