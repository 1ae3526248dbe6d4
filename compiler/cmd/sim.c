/* SPDX-License-Identifier: Apache-2.0 */
/* pale sim: the verdict on calls, and the line that decided. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "compiler/cmd/ask_apparmor.h"
#include "compiler/cmd/sim_accesses.h"
#include "compiler/cmd/runtime.h"
#include "compiler/file/lines.h"
#include "compiler/file/rawcall.h"
#include "compiler/file/strace.h"
#include "compiler/tell/accessed.h"
#include "compiler/tell/decided.h"
#include "compiler/tell/simulator.h"
#include "grammar/parse.h"

/* ---- one call ---- */

static int sim_call(struct session *s, const struct simulator *sim, const char *text, int arch,
		    struct buf *out)
{
	struct ast_call_args *c = strace_parse(s, text);
	struct written_call w;

	if (!c)
		return -1;
	enum arch on = arch >= 0 ? (enum arch)arch : simulator_arch(sim, c);
	if (policy_call_read(s->arena, c, on, &w, s->diags) < 0)
		return -1;
	BUF_AUTO decided = { 0 };
	struct verdict v;
	if (simulator_answer(s, sim, on, &w.call, &v, &decided))
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
				  rawcall_read((struct str){ line, n }, &arch, &c);
	if (!why && simulator_answer(r->session, r->sim, arch, &c, &v, NULL))
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
	const struct options *all;
	struct access_of accesses; /* of a policy; policy NULL: not yet asked */
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
		.all = o,
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
					    .asked = o->input.asked,
					    .only = o->arch >= 0 ? ARCH_BIT(o->arch) : 0 };
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
	status = sim->as_bpf ? simulator_generate(s, sim) : 0;
	return session_report(s) || status ? EXIT_FOUND : EXIT_OK;
}

/* EXIT_OK, too, after telling what is wrong with the access. */
static int sim_access(struct session *s, const struct simulator *sim, struct sim_options *o,
		      const char *text, struct buf *out)
{
	int status = EXIT_OK;

	if (o->as != AS_POLICY || !sim->policy) {
		apparmor_no_accesses(s, text, o->as == AS_POLICY ? "a program" : "what --as asks");
		return EXIT_OK;
	}
	if (!o->accesses.policy)
		status = apparmor_asking_policy(s, o->all, sim->policy, &o->accesses);
	if (!status)
		access_simulate(s, &o->accesses, text, out);
	return status;
}

static int simulate(struct session *s, struct sim_options *o, char **calls)
{
	struct simulator *sim = ARENA_NEW(s->arena, struct simulator);
	BUF_AUTO out = { 0 };
	int status = open_simulator(s, o, sim);

	if (!status && o->raw)
		status = sim_raw(s, sim);
	for (; !status && *calls; calls++)
		if (aa_access_is(str_c(*calls)))
			status = sim_access(s, sim, o, *calls, &out);
		else
			sim_call(s, sim, *calls, o->arch, &out);
	if (out.n && write_output(NULL, &out, 0))
		status = EXIT_SYSTEM;
	return session_report(s) && !status ? EXIT_FOUND : status;
}

/* ---- accesses of an AppArmor profile ---- */

static int ask_profile(struct session *s, const struct options *o)
{
	struct aa_asking asking;
	const struct access_of of = { .q = &asking };
	BUF_AUTO out = { 0 };

	if (!apparmor_options_fit(o, ASKS_APPARMOR))
		return EXIT_USAGE;
	int status = apparmor_asking(s, o, o->operands[0], &asking);
	if (!status && o->at[OPT_RAW].given)
		status = accesses_raw(s, &asking);
	for (char **text = o->operands + 1; !status && *text; text++)
		access_simulate(s, &of, *text, &out);
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
	if (status < 0 && apparmor_asked(&s, &o, o.operands[0])) {
		status = ask_profile(&s, &o);
	} else if (status < 0 && !apparmor_options_fit(&o, asks_what(o.operands + 1))) {
		status = EXIT_USAGE;
	} else if (status < 0) {
		const char *const *calls = (const char *const *)o.operands + 1;
		sim.input.asked = sim.raw ? NULL : strace_asked(&s, calls, (int)o.n - 1);
		status = simulate(&s, &sim, o.operands + 1);
	}
	return session_end(&s, status);
}
