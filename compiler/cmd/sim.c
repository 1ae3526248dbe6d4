/* SPDX-License-Identifier: Apache-2.0 */
/* pale sim: the verdict on calls, and the line that decided. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "compiler/cbpf/cbpf.h"
#include "compiler/file/decide.h"
#include "compiler/tell/decided.h"
#include "compiler/cmd/options.h"
#include "compiler/cmd/runtime.h"
#include "compiler/tell/loaded.h"
#include "compiler/file/strace.h"
#include "compiler/file/lines.h"
#include "grammar/parse.h"

/* ---- who answers ---- */

struct simulator {
	const struct policy *policy; /* NULL for a foreign program */
	bool as_bpf;
	const struct container *loaded; /* a container's */
	const struct decide
		*decide; /* the policy where its environment is open, or JSON; else NULL */
	const struct environment *env;       /* what of it is known */
	struct cbpf_stack programs[ARCH_NR]; /* by architecture, of its family */
	bool has[ARCH_NR];
};

/*
 * The programs of the policy's families. A call of an architecture of no listed family meets a
 * program of another machine; which one does not matter: to all of them it is foreign.
 */
static int generate_programs(struct session *s, struct simulator *sim)
{
	const char *families[ARCH_NR];
	unsigned n = cbpf_families(sim->policy, families);
	struct cbpf_stack first = { 0 };

	for (unsigned i = 0; i < n; i++) {
		struct cbpf_options opt = { .family = families[i] };
		struct cbpf_stack prog;
		if (cbpf_generate_stack(s->arena, sim->policy, &opt, &prog, s->diags) < 0)
			return -1;
		if (!i)
			first = prog;
		for (int a = 0; a < ARCH_NR; a++) {
			if (strcmp(arch_family((enum arch)a, sim->policy->arches), families[i]))
				continue;
			sim->programs[a] = prog;
			sim->has[a] = true;
		}
	}
	for (int a = 0; a < ARCH_NR; a++)
		if (!sim->has[a])
			sim->programs[a] = first;
	return n ? 0 : -1;
}

/* ---- the specification, where the environment is open ---- */

static struct dd_point point_of(const struct simulator *sim, const struct call *c, enum arch host)
{
	struct environment env = *sim->env;

	env.kernel = env.kernel_known ? env.kernel : tables_level;
	env.host = host;
	return dd_point_of(&env, c);
}

/* The machine that makes calls of this architecture, if it is one as far as the answer goes. */
static bool one_host(const struct simulator *sim, enum arch a, dd_node *n, enum arch *host)
{
	dd_node first = DD_NONE;

	for (int h = 0; h < ARCH_NR; h++) {
		if (sim->env->host_known ? h != (int)sim->env->host : !env_runs((enum arch)h, a))
			continue;
		dd_node here = dd_fix(sim->decide->dd, *n, DD_SYSTEM, 0xff, (uint64_t)h);
		if (first != DD_NONE && here != first)
			return false;
		if (first == DD_NONE || h == (int)a)
			*host = (enum arch)h;
		first = here;
	}
	*n = first;
	return true;
}

/* The file itself, for the place of what asks. */
static const struct oci_profile *profile_of(struct session *s, const struct simulator *sim)
{
	const struct oci_read_options every = { .every_host = true };
	struct oci_profile *p = ARENA_NEW(s->arena, struct oci_profile);

	oci_parse(s->arena, sim->decide->in.json, &every, p);
	return p;
}

/* Where rules hang on what is not known, it must not matter to this call. 0 and *at; or -1, told. */
static int settle_call(struct session *s, const struct simulator *sim, enum arch a,
		       const struct call *c, struct dd_point *at)
{
	struct dd *d = sim->decide->dd;
	dd_node n =
		dd_fix(d, sim->decide->root, DD_CALL, UINT64_MAX, DD_CALL_OF(c->audit_arch, c->nr));
	enum arch host = a;

	for (unsigned i = 0; i < 6; i++)
		n = dd_fix(d, n, (enum dd_field)i, UINT64_MAX, c->args[i]);
	if (!one_host(sim, a, &n, &host))
		return oci_ask_machine(s->diags, profile_of(s, sim), c);
	struct environment env = *sim->env;
	env.host = host;
	unsigned open = oci_open_fields(d, n, &env);
	if (open)
		return oci_ask_environment(s->diags, profile_of(s, sim), c, open);
	*at = point_of(sim, c, host);
	return 0;
}

/* The answer of the file's own meaning; 0, or -1 after saying what is not known. */
static int decide_call(struct session *s, const struct simulator *sim, enum arch a,
		       const struct call *c, struct verdict *v, struct buf *out)
{
	struct dd_point at;
	struct oci_disputed d = { 0 };

	if (settle_call(s, sim, a, c, &at))
		return -1;
	*v = dd_eval_at(sim->decide->dd, sim->decide->root, &at);
	const struct decide_part *part = decide_part_at(sim->decide, &at);
	struct environment env = *sim->env;
	env.host_known = true;
	env.host = (enum arch)(at.at[DD_SYSTEM] & 0xff);
	if (oci_disputed_at(part->disputes, &env, c, &d)) {
		if (!d.known) {
			BUF_AUTO call = { 0 };
			oci_print_call(&call, c->audit_arch, c->nr, c->args);
			struct diag *g = diag_add(
				s->diags, DIAG_PL267, d.second,
				"two entries with different actions match %s, and which decides "
				"depends on libseccomp, which does not say it here",
				call.p);
			diag_note(s->diags, g, d.first, "the other one");
			diag_help(s->diags, g, "make their conditions exclude each other");
			return -1;
		}
		*v = d.says;
	}
	if (out)
		decide_put_why(out, s->sources, sim->decide, &at);
	return 0;
}

/* ---- one call ---- */

/* 0 and *v; -1 after saying why it is not known. out (NULL: not asked): what decided. */
static int answer(struct session *s, const struct simulator *sim, enum arch arch,
		  const struct call *c, struct verdict *v, struct buf *out)
{
	struct decision_why why;

	if (sim->decide)
		return decide_call(s, sim, arch, c, v, out);
	if (sim->loaded) {
		if (container_check(s, sim->loaded, c, true))
			return -1;
		*v = container_eval(sim->loaded, c);
		if (out)
			put_loaded(out, s->sources, sim->loaded, c);
		return 0;
	}
	if (sim->as_bpf) {
		*v = verdict_from_ret(cbpf_run_stack(&sim->programs[arch], c, NULL));
		return 0;
	}
	if (!(sim->policy->layers & LAYER_SECCOMP)) {
		*v = (struct verdict){ VERDICT_ALLOW, 0 };
		if (out)
			put_unfiltered(out, s->sources, sim->policy);
		return 0;
	}
	const struct environment any = { .caps_known = true,
					 .kernel_known = true,
					 .kernel = tables_level,
					 .host_known = true,
					 .host = arch };
	*v = policy_eval_in(sim->policy, &any, c, &why);
	if (out)
		put_decided(out, s->sources, sim->policy, &why);
	return 0;
}

/* The machine's own if the policy lists it, else the first that has the call. */
static enum arch pick_arch(const struct simulator *sim, const struct ast_call_args *c)
{
	unsigned arches = sim->decide ? sim->decide->arches :
			  sim->policy ? sim->policy->arches :
			  sim->loaded ? sim->loaded->held.model->profile->arches :
					~0u;
	const struct syscall_info *sys = c->by_number ? NULL : syscall_by_name(c->name.text);
	int native = arch_native();

	if (native >= 0 && arches & ARCH_BIT(native) && (!sys || sys->nr[native] >= 0))
		return (enum arch)native;
	for (int a = 0; a < ARCH_NR; a++)
		if (arches & ARCH_BIT(a) && (!sys || sys->nr[a] >= 0))
			return (enum arch)a;
	for (int a = 0; a < ARCH_NR; a++)
		if (arches & ARCH_BIT(a))
			return (enum arch)a;
	return ARCH_X86_64;
}

static int sim_call(struct session *s, const struct simulator *sim, const char *text, int arch,
		    struct buf *out)
{
	struct ast_call_args *c = strace_parse(s, text);
	struct written_call w;

	if (!c)
		return -1;
	enum arch on = arch >= 0 ? (enum arch)arch : pick_arch(sim, c);
	if (policy_call_read(s->arena, c, on, &w, s->diags) < 0)
		return -1;
	BUF_AUTO decided = { 0 };
	struct verdict v;
	if (answer(s, sim, on, &w.call, &v, &decided))
		return -1;
	verdict_print(out, v);
	buf_printf(out, "  %s  %s", str_safe(s->arena, text), arch_info(on)->name);
	if (decided.n)
		buf_printf(out, "  %s", decided.p);
	buf_putc(out, '\n');
	return 0;
}

/* ---- --raw ---- */

enum { RAW_LINE_MAX = 1024, RAW_BUFFER = 1 << 16 };

struct raw {
	const struct simulator *sim;
	struct session *session;
	uint64_t line;
	struct str out[VERDICT_NR]; /* how verdicts without data are spelt */
	char buffer[RAW_BUFFER];    /* output */
	size_t n;
};

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

static unsigned hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - (unsigned)'0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10u : 16;
}

static bool read_digits(struct str w, uint64_t *out)
{
	uint64_t v = 0;

	if (w.n > 2 && w.p[0] == '0' && (w.p[1] == 'x' || w.p[1] == 'X')) {
		if (w.n > 18)
			return false;
		for (size_t i = 2; i < w.n; i++) {
			unsigned d = hex_digit((unsigned char)w.p[i]);
			if (d > 15)
				return false;
			v = v << 4 | d;
		}
		*out = v;
		return true;
	}
	for (size_t i = 0; i < w.n; i++) {
		unsigned d = (unsigned char)w.p[i] - '0';
		if (d > 9 || v > (UINT64_MAX - d) / 10)
			return false;
		v = v * 10 + d;
	}
	*out = v;
	return w.n > 0;
}

/* Decimal, hex or negative; a negative one down to -2^63. */
static bool read_number(struct str w, uint64_t *out)
{
	bool negative = w.n && w.p[0] == '-';

	if (negative)
		w = (struct str){ w.p + 1, w.n - 1 };
	if (!read_digits(w, out) || (negative && *out > UINT64_C(1) << 63))
		return false;
	if (negative)
		*out = 0 - *out;
	return true;
}

/* NULL, or what is wrong. */
static const char *read_line(const char *p, const char *end, enum arch *arch, struct call *c)
{
	uint64_t nr = 0;

	for (unsigned field = 0; field < 8; field++) {
		p = skip_blanks(p, end);
		const char *word = p;
		while (p < end && *p != ' ' && *p != '\t' && *p != '\r')
			p++;
		struct str w = { word, (size_t)(p - word) };
		if (!w.n)
			return "a line is ARCH NR A0 A1 A2 A3 A4 A5";
		if (!field) {
			int a = arch_find(w);
			if (a < 0)
				return "no architecture has this name";
			*arch = (enum arch)a;
		} else if (!read_number(w, field == 1 ? &nr : &c->args[field - 2])) {
			return "not a number, or one of more than 64 bits";
		}
	}
	if (skip_blanks(p, end) != end)
		return "more than eight fields";
	if (nr > UINT32_MAX && nr < UINT64_C(0xffffffff80000000))
		return "numbers of calls have 32 bits";
	c->audit_arch = arch_info(*arch)->audit;
	c->nr = (uint32_t)nr;
	/* x32's numbers may be written with their bit or, as in the table, without. */
	if (*arch == ARCH_X32 && c->nr < arch_info(ARCH_X32)->nr_base)
		c->nr += arch_info(ARCH_X32)->nr_base;
	return NULL;
}

static int raw_flush(struct raw *r)
{
	bool ok = fwrite(r->buffer, 1, r->n, stdout) == r->n;

	r->n = 0;
	return ok ? 0 : -1;
}

static int raw_put(struct raw *r, struct verdict v)
{
	char text[32];
	int n;

	if (r->n + sizeof(text) > sizeof(r->buffer) && raw_flush(r) < 0)
		return -1;
	if (v.kind != VERDICT_ERRNO && v.kind != VERDICT_TRAP && v.kind != VERDICT_TRACE) {
		memcpy(r->buffer + r->n, r->out[v.kind].p, r->out[v.kind].n);
		r->n += r->out[v.kind].n;
	} else {
		n = snprintf(text, sizeof(text), "%s(%u)",
			     v.kind == VERDICT_ERRNO ? "ERRNO" :
			     v.kind == VERDICT_TRAP  ? "TRAP" :
						       "TRACE",
			     v.data);
		memcpy(r->buffer + r->n, text, (size_t)n);
		r->n += (size_t)n;
	}
	r->buffer[r->n++] = '\n';
	return 0;
}

static int raw_line(struct raw *r, const char *line, size_t n)
{
	struct call c;
	struct verdict v;
	enum arch arch = ARCH_X86_64;
	const char *why;

	r->line++;
	why = n >= RAW_LINE_MAX ? "it has more than 1023 bytes" :
				  read_line(line, line + n, &arch, &c);
	if (!why && answer(r->session, r->sim, arch, &c, &v, NULL))
		return EXIT_FOUND;
	if (!why)
		return raw_put(r, v) < 0 ? EXIT_SYSTEM : EXIT_OK;
	struct diag *d =
		diag_add(r->session->diags, DIAG_PL141, NO_SPAN, "line %llu of standard input: %s",
			 (unsigned long long)r->line, why);
	diag_help(r->session->diags, d, "such as: x86_64 41 2 1 0 0 0 0");
	return EXIT_FOUND;
}

static int sim_raw(struct session *s, const struct simulator *sim)
{
	static const char *const plain[VERDICT_NR] = {
		[VERDICT_KILL_PROCESS] = "KILL_PROCESS",
		[VERDICT_KILL_THREAD] = "KILL_THREAD",
		[VERDICT_NOTIFY] = "NOTIFY",
		[VERDICT_LOG] = "LOG",
		[VERDICT_ALLOW] = "ALLOW",
	};
	struct raw *r = arena_alloc(s->arena, sizeof(*r));
	int status = EXIT_OK, more = 0;
	struct lines lines;
	struct str line;
	bool cut;

	r->sim = sim;
	r->session = s;
	for (int k = 0; k < VERDICT_NR; k++)
		r->out[k] = str_c(plain[k]);
	lines_open(&lines, s->arena, STDIN_FILENO, RAW_BUFFER);
	while (!status && (more = lines_next(&lines, &line, &cut)) > 0)
		status = raw_line(r, line.p, line.n);
	if (more < 0) {
		tell("pale sim: standard input: %s", strerror(-more));
		return EXIT_SYSTEM;
	}
	if (raw_flush(r) < 0 || fflush(stdout)) {
		tell("pale sim: cannot write: %s", strerror(errno));
		return EXIT_SYSTEM;
	}
	return status;
}

/* ---- the command ---- */

enum sim_as { AS_POLICY, AS_BPF, AS_RUNC, AS_CRUN }; /* in the order of options.def */

struct sim_options {
	struct input_options input;
	const char *policy, *file;
	enum sim_as as;
	struct oci_runtime loads; /* AS_RUNC, AS_CRUN */
	bool raw;
	int arch;
};

/* -1: go on; else the exit status. */
static int read_options(struct session *s, const struct options *o, struct sim_options *out)
{
	*out = (struct sim_options){
		.policy = o->at[OPT_POLICY].text,
		.file = o->operands[0],
		.as = (enum sim_as)o->at[OPT_SIM_AS].word,
		.raw = o->at[OPT_RAW].given,
		.arch = o->at[OPT_ARCH].given ? (int)o->at[OPT_ARCH].arch : -1,
	};
	if (environment_options(o, &out->input.resolve))
		return EXIT_USAGE;
	if (out->raw && o->n != 1)
		return usage_error(o->command, "--raw takes one FILE and no calls");
	if (!out->raw && o->n < 2)
		return usage_error(o->command, "a FILE and calls are needed");
	if (out->raw && !strcmp(out->file, "-"))
		return usage_error(o->command,
				   "--raw reads its lines from standard input: name a FILE");
	if (out->as < AS_RUNC)
		return runtime_given(s, o, &out->input.runtime);
	return runtime_loader(s, o, out->as == AS_CRUN ? OCI_CRUN : OCI_RUNC, &out->loads);
}

static int open_bpf(struct session *s, struct source *src, struct simulator *sim)
{
	struct cbpf prog;

	if (cbpf_read(s->arena, src, &prog, s->diags) < 0)
		return -1;
	sim->as_bpf = true;
	for (int a = 0; a < ARCH_NR; a++)
		sim->programs[a] =
			(struct cbpf_stack){ arena_dup(s->arena, &prog, sizeof(prog)), 1 };
	return 0;
}

static int open_decide(struct session *s, const struct sim_options *o, struct simulator *sim)
{
	const struct decide_options opt = { .resolve = o->input.resolve,
					    .policy = o->policy,
					    .runtime = o->input.runtime,
					    .asked = o->input.asked };
	struct decide *d = ARENA_NEW(s->arena, struct decide);
	int status = decide_load(s, dd_new(s->arena, DECIDE_BUDGET), o->file, &opt, d);

	if (status)
		return status;
	forget_disputes(s->diags);
	sim->decide = d;
	sim->policy = d->parts.v[0].policy;
	sim->env = &o->input.resolve.env;
	/* What hangs on nothing and is disputed by nobody is asked of the rules alone. */
	if (d->parts.n == 1 && !d->parts.v[0].disputes &&
	    !(dd_fields(d->dd, d->root) & (1u << DD_CAPS | 1u << DD_SYSTEM)))
		sim->decide = NULL;
	return session_report(s) ? EXIT_FOUND : EXIT_OK;
}

static int open_simulator(struct session *s, const struct sim_options *o, struct simulator *sim)
{
	struct input in;
	int status;

	if (o->as >= AS_RUNC) {
		struct container *l = ARENA_NEW(s->arena, struct container);
		status = container_load(s, o->file, &o->input, o->policy, &o->loads, l);
		session_report(s);
		sim->policy = l->policy;
		sim->loaded = l;
		return status;
	}
	status = input_open(s, o->file, &in);
	if (!status && in.format == INPUT_JSON && o->as == AS_POLICY)
		return open_decide(s, o, sim);
	if (!status && in.format != INPUT_BPF)
		status = input_resolve(s, &o->input, &in);
	if (status)
		return status;
	if (in.format == INPUT_BPF) {
		if (open_bpf(s, in.source, sim) == 0)
			return EXIT_OK;
		session_report(s);
		return EXIT_FOUND;
	}
	sim->policy = input_policy(s, &in, o->policy);
	if (!sim->policy)
		return EXIT_FOUND;
	sim->as_bpf = o->as == AS_BPF;
	status = sim->as_bpf ? generate_programs(s, sim) : 0;
	return session_report(s) || status ? EXIT_FOUND : EXIT_OK;
}

static int simulate(struct session *s, const struct sim_options *o, char **calls)
{
	struct simulator *sim = ARENA_NEW(s->arena, struct simulator);
	BUF_AUTO out = { 0 };
	int status = open_simulator(s, o, sim);

	if (!status && o->raw)
		status = sim_raw(s, sim);
	for (; !status && *calls; calls++)
		sim_call(s, sim, *calls, o->arch, &out);
	if (out.n && write_output(NULL, &out, 0))
		status = EXIT_SYSTEM;
	return session_report(s) && !status ? EXIT_FOUND : status;
}

int cmd_sim(int argc, char **argv)
{
	struct sim_options sim;
	struct options o = { 0 };
	struct session s;

	session_open(&s);
	int status = options_read(&s, argc, argv, &o);
	if (status < 0)
		status = read_options(&s, &o, &sim);
	if (status < 0) {
		const char *const *calls = (const char *const *)o.operands + 1;
		sim.input.asked = sim.raw ? NULL : strace_asked(&s, calls, (int)o.n - 1);
		status = simulate(&s, &sim, o.operands + 1);
	}
	return session_end(&s, status);
}
