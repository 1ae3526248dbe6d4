/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/learn.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "learn/backend.h"

#define PATHS_DEFAULT 16384
#define PATHS_MOST    1000000

static const char *kernel_release(struct arena *a)
{
	struct utsname u;

	return uname(&u) ? "unknown" : arena_strdup(a, u.release);
}

/* The program in /proc/PID/exe is gone when the recording ends: find it as execvp did. */
static struct str resolve_program(struct arena *a, const char *name)
{
	const char *path = getenv("PATH");
	char *real;
	struct str out = { 0 };

	if (strchr(name, '/')) {
		real = realpath(name, NULL);
		out = real ? str_c(arena_strdup(a, real)) : out;
		free(real);
		return out;
	}
	while (path && *path) {
		size_t n = strcspn(path, ":");
		char *full = arena_printf(a, "%.*s/%s", (int)n, n ? path : ".", name);

		if (!access(full, X_OK)) {
			real = realpath(full, NULL);
			out = real ? str_c(arena_strdup(a, real)) : out;
			free(real);
			return out;
		}
		path += n + (path[n] == ':');
	}
	return out;
}

/* What the command starts with: what we have. */
static uint64_t held_capabilities(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	unsigned long long caps = 0;
	char line[256];

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	fclose(f);
	return caps;
}

/* Opens the eBPF backend where it was asked for or can be had; false after a diagnostic. */
static bool choose_backend(struct arena *a, const struct learn_options *opt,
			   const struct target *t, struct watch **w, struct recording *r,
			   struct diags *ds)
{
	bool is_auto = !strcmp(opt->backend, "auto");
	const char *no_bpf = "not asked for", *no_ptrace;
	struct diag *d;

	*w = NULL;
	if (strcmp(opt->backend, "ptrace"))
		*w = trace_bpf_open(a, opt, t, &no_bpf);
	if (*w) {
		r->backend = "ebpf";
		return true;
	}
	if (opt->cgroup || (!is_auto && strcmp(opt->backend, "ptrace"))) {
		d = diag_add(ds, DIAG_PL401, NO_SPAN, "the eBPF backend does not work here: %s",
			     no_bpf);
		diag_help(ds, d, opt->cgroup ? "only eBPF can watch a cgroup" :
					       "'--backend ptrace' needs no privilege");
		return false;
	}
	no_ptrace = trace_ptrace_attach(a, t);
	if (!no_ptrace) {
		r->backend = "ptrace";
		if (is_auto) {
			d = diag_add(ds, DIAG_PL403, NO_SPAN,
				     "recording with ptrace: eBPF is %s", no_bpf);
			diag_help(ds, d, "it is slower, and capabilities are not observed");
		}
		return true;
	}
	d = diag_add(ds, DIAG_PL401, NO_SPAN, "the ptrace backend does not work here: %s",
		     no_ptrace);
	diag_help(ds, d, "nothing was executed; kernel.yama.ptrace_scope or a seccomp filter may "
			 "forbid it");
	return false;
}

static int finish(struct arena *a, const struct learn_options *opt, struct target *t,
		  struct model *m, int *status, struct diags *ds)
{
	struct recording *r = model_recording(m);
	int err = target_exec_errno(t);

	if (err) {
		struct diag *d = diag_add(ds, DIAG_PL400, NO_SPAN, "cannot execute '%s': %s",
					  opt->argv[0], strerror(err));

		diag_help(ds, d, "nothing was recorded");
		*status = err == ENOENT ? 127 : 126;
		return -1;
	}
	if (opt->argv)
		r->program = resolve_program(a, opt->argv[0]);
	model_finish(m);
	if (t->ended)
		*status = target_status(t);
	else if (r->interrupted && opt->stop_signal && *opt->stop_signal)
		*status = opt->cgroup ? 0 : 128 + (int)*opt->stop_signal;
	else
		*status = 0;
	return 0;
}

int learn_run(struct arena *a, const struct learn_options *options, struct recording *out,
	      int *status, struct diags *ds)
{
	struct target t = { .release = -1, .failure = -1 };
	struct learn_options opt = *options;
	struct watch *w = NULL;
	struct model *m;
	int err = 0;

	BUG_ON(!opt.argv == !opt.cgroup);
	if (!opt.max_paths)
		opt.max_paths = PATHS_DEFAULT;
	if (opt.max_paths > PATHS_MOST)
		opt.max_paths = PATHS_MOST;
	*out = (struct recording){ .kernel = kernel_release(a), .host = (enum arch)arch_native(),
				    .caps_held = opt.cgroup ? 0 : held_capabilities() };
	*status = 125;
	m = model_new(a, out, opt.max_paths);
	if (opt.argv)
		err = target_start(opt.argv, &t);
	if (err) {
		diag_add(ds, DIAG_PL402, NO_SPAN, "the command cannot be started: %s",
			 strerror(-err));
		return -1;
	}
	if (!choose_backend(a, &opt, &t, &w, out, ds)) {
		target_drop(&t);
		return -1;
	}
	err = w ? trace_bpf_record(w, &opt, &t, m) : trace_ptrace_record(&opt, &t, m);
	if (w)
		trace_bpf_close(w);
	if (err)
		diag_add(ds, DIAG_PL402, NO_SPAN, "the recording failed: %s", strerror(-err));
	else
		err = finish(a, &opt, &t, m, status, ds);
	target_drop(&t);
	return err ? -1 : 0;
}

/* A child that never runs anything is enough to see whether a backend works. */
static const char *probe(struct arena *a, const char *backend)
{
	static char *const argv[] = { (char *)"true", NULL };
	struct learn_options opt = { .argv = argv, .backend = backend, .max_paths = 16 };
	struct watch *w = NULL;
	struct target t;
	const char *why = NULL;

	if (target_start(argv, &t))
		return "no process can be started";
	if (!strcmp(backend, "ebpf")) {
		w = trace_bpf_open(a, &opt, &t, &why);
		if (w)
			trace_bpf_close(w);
	} else {
		why = trace_ptrace_attach(a, &t);
	}
	target_drop(&t);
	return why;
}

const char *learn_probe_ebpf(struct arena *a)
{
	return probe(a, "ebpf");
}

const char *learn_probe_ptrace(struct arena *a)
{
	return probe(a, "ptrace");
}
