/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cmd/recordings.h"

#include <errno.h>
#include <string.h>
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

/* Both or none, where both are files. 0, or -errno, told. */
static int write_proposal(const struct proposal_args *a, const struct buf *policy,
			  const struct buf *page)
{
	struct output_file files[2] = { { .path = a->report, .text = page, .mode = 0600 },
					{ .path = a->output, .text = policy, .mode = 0644 } };
	bool is_file = a->output && strcmp(a->output, "-") != 0;
	int err;

	if (!a->report)
		return write_output(a->output, policy, 0644);
	err = output_write_all(files, is_file ? 2 : 1, tell);
	return err || is_file ? err : write_output(NULL, policy, 0);
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
	BUF_AUTO out = { 0 }, page = { 0 };
	struct ast_file *proposal = propose(s->arena, r, &opt, s->diags);

	ast_print(&out, proposal);
	if (a->report)
		report_make(s, rs, r, proposal, &page);
	if (out.failed || page.failed) {
		tell("pale: out of memory");
		return -1;
	}
	if (out.n > SOURCE_MAX)
		tell_large(s, r, out.n);
	if (!write_proposal(a, &out, &page))
		return 0;
	if (a->once && a->output && strcmp(a->output, "-") != 0) {
		tell("pale learn: the run cannot be had again, so the proposal goes to standard "
		     "output");
		(void)write_output(NULL, &out, 0);
	}
	return -1;
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

/* What was met called itself by its name alone. */
void recording_runtime(struct session *s, struct recorded_run *run)
{
	int kind = run->runtime && !strcmp(run->runtime, "crun") ? OCI_CRUN : OCI_RUNC;
	const char *version = run->runtime ? runtime_version(s, kind) : NULL;

	if (version)
		run->runtime = arena_printf(s->arena, "%s %s", run->runtime, version);
}
