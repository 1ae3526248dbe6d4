/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cmd/recordings.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/file/installed.h"
#include "compiler/base/bug.h"
#include "compiler/cmd/progress.h"
#include "grammar/print.h"
#include "learn/reunite.h"

/* ---- files ---- */

static int tell_unreadable(struct session *s, const char *path, int err)
{
	struct diag *d;

	if (err != -EFBIG)
		return input_unreadable(s, path, err);
	d = diag_add(s->diags, DIAG_PL417, NO_SPAN, "'%s' is larger than a recording can be, 1 GiB",
		     str_safe(s->arena, path));
	diag_help(s->diags, d,
		  "merge fewer runs into one file; a proposal is made of several files");
	return EXIT_FOUND;
}

/* The place is shown in its text, where the text is one of the size that sources have. */
static int tell_fault(struct session *s, const char *path, const struct buf *text,
		      const struct recordings_fault *fault)
{
	struct span span = NO_SPAN;
	const char *where = "";
	struct diag *d;

	if (text->n <= SOURCE_MAX) {
		struct source *src = source_add(s->sources, path, (struct str){ text->p, text->n });
		span = (struct span){
			src->id, (uint32_t)fault->at,
			(uint32_t)(fault->at + fault->n > text->n ? text->n : fault->at + fault->n)
		};
	} else {
		size_t line = 1;
		for (size_t i = 0; i < fault->at; i++)
			line += text->p[i] == '\n';
		where = arena_printf(s->arena, "'%s', line %zu: ", str_safe(s->arena, path), line);
	}
	d = diag_add(s->diags, DIAG_PL417, span, "%s%s", where, fault->what);
	if (fault->help)
		diag_help(s->diags, d, "%s", fault->help);
	return EXIT_FOUND;
}

static int tell_clash(struct session *s, const char *const *paths, const struct recordings_clash *c)
{
	struct diag *d = diag_add(
		s->diags, DIAG_PL418, NO_SPAN,
		"'%s' and '%s' both hold snapshot %llu of run %s, and say different things of it: %s",
		str_safe(s->arena, paths[c->files[0]]), str_safe(s->arena, paths[c->files[1]]),
		(unsigned long long)c->snapshot, c->id, c->what);

	diag_help(s->diags, d,
		  "one of them was edited or damaged: leave it out, or write the run's file anew");
	return EXIT_FOUND;
}

static int load_one(struct session *s, const char *const *paths, size_t i, struct recordings *rs)
{
	struct recordings_fault fault;
	BUF_AUTO text = { 0 };
	int err = source_read(paths[i], RECORDINGS_TEXT, &text);

	if (err)
		return tell_unreadable(s, paths[i], err);
	if (recordings_read(rs, (struct str){ text.n ? text.p : "", text.n }, i, &fault))
		return tell_fault(s, paths[i], &text, &fault);
	return EXIT_OK;
}

int recordings_load(struct session *s, const char *command, const char *const *paths, size_t n,
		    struct recordings *rs)
{
	struct recordings_clash clash;
	struct progress progress;
	int status = EXIT_OK;

	progress_begin(&progress, command, "recordings", n);
	for (size_t i = 0; i < n && status == EXIT_OK; i++) {
		progress_step(&progress, i);
		status = load_one(s, paths, i, rs);
	}
	progress_step(&progress, n);
	if (status == EXIT_OK && recordings_settle(rs, &clash))
		status = tell_clash(s, paths, &clash);
	progress_end(&progress);
	return status;
}

int recordings_write(const struct recordings *rs, const char *path)
{
	BUF_AUTO out = { 0 };

	recordings_print(&out, rs);
	return write_output(path, &out, 0600) ? EXIT_SYSTEM : EXIT_OK;
}

/* ---- the proposal ---- */

const char *const *start_sets(struct arena *a, const char *list)
{
	VEC(const char *) sets = { 0 };

	for (list = list ? list : "run"; *list;) {
		size_t n = strcspn(list, ", ");
		if (n)
			vec_push(a, &sets, arena_printf(a, "start-%.*s", (int)n, list));
		list += n + strspn(list + n, ", ");
	}
	vec_push(a, &sets, NULL);
	return (const char *const *)sets.v;
}

int start_sets_check(struct session *s, const char *command, const char *const *starts)
{
	const char *const *dirs = set_directories(s->arena, NULL);

	for (; *starts; starts++) {
		bool found = false;
		for (size_t i = 0; dirs[i] && !found; i++)
			found = !access(arena_printf(s->arena, "%s/%s.pale", dirs[i], *starts),
					R_OK);
		if (!found)
			return usage_error(command_find(command), "--for: there is no set '%s'",
					   *starts);
	}
	return 0;
}

static void tell_large(struct session *s, const struct recording *r, size_t bytes)
{
	struct diag *d = diag_add(s->diags, DIAG_PL412, NO_SPAN,
				  "the proposal has %zu bytes, and no "
				  "command reads more than 16 MiB; its %zu files cost most",
				  bytes, r->files.n);

	diag_help(s->diags, d,
		  "write globs for the directories that hold most of them, or record with a "
		  "smaller --max-paths");
}

/* "web.pale" -> "web-serve.pale" */
static const char *second_path(struct arena *a, const char *path)
{
	size_t n = strlen(path);

	if (n > 5 && !strcmp(path + n - 5, ".pale"))
		n -= 5;
	return arena_printf(a, "%.*s-serve%s", (int)n, path, path + n);
}

int recorded_arch_check(const struct options *o)
{
	if (!o->at[OPT_ARCH].given || recording_holds(o->at[OPT_ARCH].arch))
		return 0;
	return usage_error(o->command,
			   "--arch: no recording can be made one of %s, whose calls have numbers "
			   "beyond %d",
			   arch_info(o->at[OPT_ARCH].arch)->name, RECORDING_NRS - 1);
}

int phases_check(struct session *s, const struct options *o)
{
	const char *output = o->at[OPT_OUTPUT].text, *report = o->at[OPT_REPORT].text,
		   *recording = o->at[OPT_RECORDING].text, *second;

	if (!o->at[OPT_PHASES].given)
		return 0;
	if (!output || !strcmp(output, "-"))
		return usage_error(o->command,
				   "--phases takes -o FILE.pale: the second policy goes "
				   "to FILE-serve.pale beside it");
	second = second_path(s->arena, output);
	if ((report && !strcmp(report, second)) || (recording && !strcmp(recording, second)))
		return usage_error(o->command, "'%s' is where --phases writes the second policy",
				   second);
	return check_writable(second) ? EXIT_SYSTEM : 0;
}

struct proposed {
	struct buf policy, second, page;
	const char *second_to; /* NULL: there is none */
};

/* All or none, where they are files. 0, or -errno, told. */
static int write_proposal(const struct proposal_args *a, const struct proposed *out)
{
	struct output_file files[3];
	bool is_file = a->output && strcmp(a->output, "-") != 0;
	size_t n = 0;
	int err;

	if (a->report)
		files[n++] =
			(struct output_file){ .path = a->report, .text = &out->page, .mode = 0600 };
	if (out->second_to)
		files[n++] = (struct output_file){ .path = out->second_to,
						   .text = &out->second,
						   .mode = 0644 };
	if (!n)
		return write_output(a->output, &out->policy, 0644);
	if (is_file)
		files[n++] = (struct output_file){ .path = a->output,
						   .text = &out->policy,
						   .mode = 0644 };
	err = output_write_all(files, n, tell);
	return err || is_file ? err : write_output(NULL, &out->policy, 0);
}

static void tell_no_phases(struct session *s, const struct proposal_args *a,
			   const struct recording *r)
{
	const char *from = r->run.serve_from;
	struct diag *d = diag_add(
		s->diags, DIAG_PL422, NO_SPAN, "%s: one policy is written, and no '%s'",
		r->run.no_calls        ? "calls were not observed" :
		!from                  ? "where the start ends is not in each recording" :
		strstr(from, "midway") ? "begun midway, so that no end of the start was seen" :
					 "no process came to serve",
		str_safe(s->arena, second_path(s->arena, a->output)));

	diag_help(
		s->diags, d,
		"a process serves from where it accepts connections or waits for them, or READY=1 "
		"is sent; 'pale learn --serve-from WHAT', or SIGUSR2, says it of others");
}

/* The second policy, where it is wanted and can be had. */
static void propose_second(struct session *s, const struct proposal_args *a,
			   const struct recording *r, struct propose_options *opt,
			   struct proposed *out)
{
	if (!a->phases)
		return;
	if (!propose_has_phases(r)) {
		tell_no_phases(s, a, r);
		return;
	}
	opt->part = PROPOSE_SERVE;
	ast_print(&out->second, propose(s->arena, r, opt, s->diags));
	opt->part = PROPOSE_START;
	out->second_to = second_path(s->arena, a->output);
}

int proposal_write(struct session *s, const struct proposal_args *a, const struct recordings *rs,
		   const struct recording *r)
{
	struct propose_options opt = {
		.name = a->name,
		.set_dirs = set_directories(s->arena, NULL),
		.starts = start_sets(s->arena, a->starts ? a->starts : propose_starts(r)),
		.starts_asked = a->starts,
		.exact = a->exact,
		.margin = !a->margin || strcmp(a->margin, "none") != 0,
		.arch = a->arch,
	};
	struct proposed out = { 0 };
	struct ast_file *proposal;
	int err = -1;

	propose_second(s, a, r, &opt, &out);
	proposal = propose(s->arena, r, &opt, s->diags);
	ast_print(&out.policy, proposal);
	if (a->report)
		report_make(s, rs, r, proposal, &out.page);
	if (out.policy.n > SOURCE_MAX)
		tell_large(s, r, out.policy.n);
	if (out.policy.failed || out.second.failed || out.page.failed)
		tell("pale: out of memory");
	else if (!write_proposal(a, &out))
		err = 0;
	else if (a->once && a->output && strcmp(a->output, "-") != 0) {
		tell("pale learn: the run cannot be had again, so the proposal goes to standard "
		     "output");
		(void)write_output(NULL, &out.policy, 0);
		if (out.second_to)
			(void)write_output(NULL, &out.second, 0);
	}
	buf_free(&out.policy);
	buf_free(&out.second);
	buf_free(&out.page);
	return err;
}

void tell_client(struct session *s, const char *client)
{
	struct diag *d = diag_add(s->diags, DIAG_PL415, NO_SPAN,
				  "'%s' has the work done in another "
				  "process tree: what is recorded is the client",
				  client);

	diag_help(s->diags, d,
		  "record the program itself, the container that it starts, 'pale learn --wait "
		  "--container NAME', or the cgroup that the work runs in, '--cgroup DIR'; "
		  "/proc/PID/cgroup shows which that is");
}

/* kernel/trace/bpf_trace.c, __bpf_trace_run(): one program, one CPU, one at a time. */
static const char missed_help[] =
	"; the kernel skips a program that its CPU is in already, as where a task was switched out "
	"of it, which Linux 7 allows: '--backend ptrace' is slower and misses nothing";

bool tell_incomplete(struct session *s, const struct recording *r, const char *help)
{
	bool lacks = r->run.client || run_lossy(&r->run);
	BUF_AUTO losses = { 0 };
	struct diag *d;

	vec_each(&s->diags->list, it)
		lacks |= (*it)->id == DIAG_PL414;
	if (!run_lossy(&r->run))
		return lacks;
	run_losses_print(&losses, &r->run);
	d = diag_add(s->diags, DIAG_PL404, NO_SPAN, "the recording is incomplete: %s",
		     losses.p ? losses.p : "");
	diag_help(s->diags, d, "%s%s%s%s", help,
		  r->run.losses.tracing ? "; eBPF records programs that trace others" : "",
		  r->run.losses.uncounted ? "; perf counted more calls than the programs saw" : "",
		  r->run.losses.ring_dropped || r->run.losses.uncounted ? missed_help : "");
	return true;
}

/* The one in PATH, if it is what was met. */
static const char *installed_maker(struct session *s, const struct recorded_run *run, int kind)
{
	const char *path = runtime_path(s, kind);
	struct stat st;

	if (!path || stat(path, &st))
		return NULL;
	for (size_t i = 0; i < RUN_MAKERS; i++)
		if (run->makers[i].ino == st.st_ino && run->makers[i].dev == st.st_dev)
			return path;
	return NULL;
}

/* What was met called itself by its name alone; its version its program tells, where that was seen. */
void recording_runtime(struct session *s, struct recorded_run *run)
{
	int kind = run->runtime && !strcmp(run->runtime, "crun") ? OCI_CRUN : OCI_RUNC;
	const char *path = run->runtime_program, *version;

	if (run->runtime && !path)
		path = installed_maker(s, run, kind);
	version = run->runtime && path ? runtime_version(s, kind, path) : NULL;
	if (version)
		run->runtime = arena_printf(s->arena, "%s %s", run->runtime, version);
}
