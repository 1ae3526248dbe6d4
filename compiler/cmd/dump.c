/* SPDX-License-Identifier: Apache-2.0 */
/* pale dump: the filters that the kernel holds for a running process. */
#include "compiler/cmd/dump.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/cbpf/lift.h"
#include "compiler/cmd/options.h"
#include "compiler/file/raise.h"

/* ---- reading, also for `why` ---- */

static int tell_failure(const char *command, pid_t pid, int err, const char *step)
{
	const char *reason = strerror(-err), *way = "";

	if (err == -ESRCH) {
		tell("pale %s: there is no process %d", command, (int)pid);
		return EXIT_SYSTEM;
	}
	if (err == -ECHILD) {
		tell("pale %s: process %d has ended and is a zombie; threads of it that live on "
		     "stand in /proc/%d/task",
		     command, (int)pid, (int)pid);
		return EXIT_SYSTEM;
	}
	if (err == -EPERM && !strncmp(step, "attach", 6))
		way = "; it needs root (CAP_SYS_ADMIN and CAP_SYS_PTRACE), and a process that no "
		      "debugger or tracer holds";
	else if (err == -EACCES || err == -EPERM)
		way = "; it needs CAP_SYS_ADMIN, and no filter on pale itself";
	else if (err == -EIO || err == -EINVAL)
		way = "; this kernel may be built without CONFIG_CHECKPOINT_RESTORE";
	tell("pale %s: cannot %s (%d): %s%s", command, step, (int)pid, reason, way);
	return EXIT_SYSTEM;
}

int dump_read(struct session *s, const char *command, pid_t pid, struct held *out)
{
	const char *step = "read it";
	int err = held_read(s->arena, pid, out, &step);

	if (err)
		return tell_failure(command, pid, err, step);
	if (out->mode == HELD_FILTERS)
		return EXIT_OK;
	struct diag *d =
		diag_add(s->diags, DIAG_PL282, NO_SPAN,
			 out->mode == HELD_NONE ?
				 "process %d (%s) has no seccomp filter" :
				 "process %d (%s) is in strict mode: read, write, _exit and "
				 "sigreturn, and no filter",
			 (int)pid, out->name);
	diag_help(s->diags, d, "threads have filters of their own: 'ls /proc/%d/task' shows them",
		  (int)pid);
	session_report(s);
	return EXIT_FOUND;
}

dd_node dump_root(struct session *s, struct dd *dd, const struct held *h)
{
	dd_node root = DD_NONE;

	vec_each(&h->filters, prog) {
		dd_node n = cbpf_lift(dd, s->arena, prog);
		root = prog == h->filters.v || n == DD_NONE ? n : dd_stack(dd, n, root);
		if (root == DD_NONE)
			break;
	}
	return root;
}

/* ---- writing ---- */

struct dump_options {
	pid_t pid;
	const char *as, *output, *name;
	bool approximate;
};

/* "3 of 4 filters", and whether there is one. */
static bool put_logging(struct buf *out, const struct held *h)
{
	size_t n = 0;

	vec_each(&h->logs, logs)
		n += *logs;
	if (n == h->logs.n)
		buf_puts(out, n == 1 ? "the filter" : "every filter");
	else
		buf_printf(out, "%zu of %zu filters", n, h->logs.n);
	return n > 0;
}

/* Flags are an argument of seccomp(2), beside the program. */
static void tell_logging(struct session *s, const struct held *h)
{
	BUF_AUTO which = { 0 };

	if (!put_logging(&which, h))
		return;
	struct diag *d = diag_add(s->diags, DIAG_PL214, NO_SPAN,
				  "a BPF program cannot say that refusals are logged, which %.*s "
				  "asks for",
				  (int)which.n, which.p);
	diag_help(s->diags, d, "whoever loads it sets SECCOMP_FILTER_FLAG_LOG, as 'pale run' does");
	session_report(s);
}

/* A policy says it of all that it refuses: true where all filters do. */
static bool all_log(struct session *s, const struct held *h)
{
	BUF_AUTO which = { 0 };
	bool all = true, some = put_logging(&which, h);

	vec_each(&h->logs, logs)
		all &= *logs;
	if (all || !some)
		return all;
	struct diag *d = diag_add(s->diags, DIAG_PL242, NO_SPAN,
				  "%.*s have what they refuse logged, and a policy says it of all: "
				  "left out",
				  (int)which.n, which.p);
	diag_help(s->diags, d, "'--as text' shows which; 'log refusals;' logs all");
	return false;
}

/* FILE.1.bpf and on, in one step; those of a dump that had more of them go. */
static int write_programs(struct session *s, const struct dump_options *o, const struct held *h,
			  struct buf *bytes)
{
	VEC(struct output_file) files = { 0 };
	parts_list parts = { 0 };
	path_list gone = { 0 };
	struct output_parts old = { .prefix = arena_printf(s->arena, "%s.", o->output),
				    .last = h->filters.n };

	vec_push(s->arena, &parts, old);
	for (size_t i = 0; i < h->filters.n; i++) {
		cbpf_write(&h->filters.v[i], &bytes[i]);
		struct output_file f = { .text = &bytes[i], .mode = 0644 };
		f.path = arena_printf(s->arena, "%s%zu.bpf", old.prefix, i + 1);
		vec_push(s->arena, &files, f);
	}
	if (output_write_parts(s->arena, files.v, files.n, &parts, &gone, tell))
		return EXIT_SYSTEM;
	vec_each(&gone, it)
		tell("pale dump: %s: removed: a filter of a dump before", *it);
	return EXIT_OK;
}

static int dump_programs(struct session *s, const struct dump_options *o, const struct held *h)
{
	if (h->filters.n > 1 && (!o->output || !strcmp(o->output, "-"))) {
		tell("pale dump: process %d has %zu filters: name files with -o FILE (they "
		     "become FILE.1.bpf and on)",
		     (int)o->pid, h->filters.n);
		return EXIT_USAGE;
	}
	tell_logging(s, h);
	if (h->filters.n == 1) {
		BUF_AUTO bytes = { 0 };
		cbpf_write(&h->filters.v[0], &bytes);
		return write_output(o->output, &bytes, 0644) ? EXIT_SYSTEM : EXIT_OK;
	}
	struct buf *bytes = ARENA_ARRAY(s->arena, struct buf, h->filters.n);
	int status = write_programs(s, o, h, bytes);
	for (size_t i = 0; i < h->filters.n; i++)
		buf_free(&bytes[i]);
	return status;
}

static int dump_text(const struct dump_options *o, const struct held *h)
{
	BUF_AUTO out = { 0 };

	for (size_t i = 0; i < h->filters.n; i++) {
		buf_printf(&out, "%s# filter %zu of %zu, %zu instructions%s\n", i ? "\n" : "",
			   i + 1, h->filters.n, h->filters.v[i].n,
			   h->logs.v[i] ? ", what it refuses is logged" : "");
		cbpf_disassemble(&h->filters.v[i], &out);
	}
	return write_output(o->output, &out, 0644) < 0 ? EXIT_SYSTEM : EXIT_OK;
}

/* "nginx", "tmux: server" -> tmux-server */
static const char *legal_name(struct arena *a, const char *comm)
{
	char *name = arena_strdup(a, comm), *to = name;

	for (const char *p = name; *p; p++) {
		bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '_';
		if (letter || (to > name && *p >= '0' && *p <= '9'))
			*to++ = *p;
		else if (to > name && to[-1] != '-' && p[1])
			*to++ = '-';
	}
	while (to > name && to[-1] == '-')
		to--;
	*to = '\0';
	return *name ? name : "dumped";
}

static int dump_policy(struct session *s, const struct dump_options *o, const struct held *h)
{
	BUF_AUTO out = { 0 };
	size_t n = 0;

	vec_each(&h->filters, prog)
		n += prog->n;
	struct raise_options opt = {
		.name = o->name ? o->name : legal_name(s->arena, h->name),
		.comment = arena_printf(s->arena,
					"what the kernel held for process %d: %zu filter%s of "
					"%zu instructions",
					(int)o->pid, h->filters.n, h->filters.n == 1 ? "" : "s", n),
		.what = arena_printf(s->arena, "process %d", (int)o->pid),
		.span = NO_SPAN,
		.log_refusals = all_log(s, h),
		.machine = (enum arch)arch_native(),
		.approximate = o->approximate,
	};
	struct dd *dd = dd_new(s->arena, RAISE_BUDGET);
	int status = raise_policy(s, dd, dump_root(s, dd, h), &opt, &out);
	session_report(s);
	if (status)
		return status;
	return write_output(o->output, &out, 0644) < 0 ? EXIT_SYSTEM : EXIT_OK;
}

static int dump(struct session *s, const struct dump_options *o)
{
	struct held h;
	int status = dump_read(s, "dump", o->pid, &h);

	if (status)
		return status;
	if (!strcmp(o->as, "bpf"))
		return dump_programs(s, o, &h);
	return !strcmp(o->as, "text") ? dump_text(o, &h) : dump_policy(s, o, &h);
}

/* -1: go on; else the exit status. */
static int read_options(const struct options *o, struct dump_options *out)
{
	const struct option_value *as = &o->at[OPT_DUMP_AS];

	*out = (struct dump_options){
		.pid = (pid_t)o->at[OPT_PID].number,
		.as = as->given ? as->text : "policy",
		.output = o->at[OPT_OUTPUT].text,
		.name = o->at[OPT_NAME].text,
		.approximate = o->at[OPT_APPROXIMATE].given,
	};
	if (!out->pid || o->n)
		return usage_error(o->command, "whose filters? --pid P");
	if (out->name && !policy_name_is_legal(out->name))
		return usage_error(o->command, "'%s' cannot name a policy", out->name);
	return -1;
}

int cmd_dump(int argc, char **argv)
{
	struct options o = { 0 };
	struct dump_options d;
	struct session s;

	session_open(&s);
	int status = options_read(&s, argc, argv, &o);
	if (status < 0)
		status = read_options(&o, &d);
	return session_end(&s, status < 0 ? dump(&s, &d) : status);
}
