/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recording to a policy: the header, then each kind of statement. Every rule carries its
 * evidence in a comment.
 */
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "compiler/base/bug.h"
#include "learn/client.h"
#include "learn/proposal.h"
#include "learn/unseen.h"

/* ---- the frame ---- */

/*
 * They had their owner's rights while they were recorded, unless their tracer lacked
 * CAP_SYS_PTRACE (security/commoncap.c, cap_bprm_creds_from_file); under no_new_privs they do not.
 */
static void describe_setid(struct proposal *p, struct ast_comment **to)
{
	bool filtered = !strcmp(p->r->run.backend, "seccomp"),
	     had_none = filtered || (!strcmp(p->r->run.backend, "ptrace") &&
				     !(p->r->run.caps_held >> CAP_SYS_PTRACE & 1));

	vec_each(&p->r->files, f) {
		if (!f->setid)
			continue;
		BUF_AUTO safe = { 0 };

		buf_safe(&safe, f->path);
		ast_comment_add(p->a, to,
				"set-id program, without its rights under 'pale run' "
				"(no_new_privs)%s: %s",
				filtered ? " and while it was recorded (so it is with "
					   "'--backend seccomp')" :
				had_none ? " and while it was recorded (traced by a user)" :
					   "",
				safe.p ? safe.p : "");
	}
	vec_each(&p->r->files, f) {
		BUF_AUTO safe = { 0 };

		if (!f->powers)
			continue;
		buf_safe(&safe, f->path);
		ast_comment_add(p->a, to,
				"program with file capabilities, which it does not gain under "
				"'pale run' (no_new_privs): %s",
				safe.p ? safe.p : "");
	}
}

/* What makes it another policy than the one that was wanted. */
static void describe_client(struct proposal *p, struct ast_comment **to)
{
	BUF_AUTO run = { 0 };

	client_list(&run, p->r);
	if (p->r->run.client)
		ast_comment_add(p->a, to,
				"NOT THE WORK: '%s' has it done in another process tree; this is "
				"the client's own doing",
				p->r->run.client);
	else if (run.n)
		ast_comment_add(p->a, to,
				"executed, and their work done in other process trees, unseen: %s",
				run.p);
	propose_describe_runtime(p, to);
}

static bool had_value(const struct recorded_arg *arg, uint64_t value)
{
	vec_each(&arg->values, v)
		if (v->value == value)
			return true;
	return arg->unbounded;
}

/* Was it made with this first argument, or with more different ones than are kept? */
static bool saw_with(const struct proposal *p, const char *call, uint64_t value)
{
	for (enum arch a = 0; a < ARCH_NR; a++) {
		const struct recorded_call *c = proposal_call(p, a, call);
		const struct recorded_arg *first = c ? proposal_arg(c, 0) : NULL;

		if (first && had_value(first, value))
			return true;
	}
	return false;
}

/* seccomp(2), but for its questions, and prctl(PR_SET_SECCOMP). */
static bool installs_filter(const struct proposal *p)
{
	/* Older recordings do not say what was asked of it. */
	for (enum arch a = 0; a < ARCH_NR; a++) {
		const struct recorded_call *c = proposal_call(p, a, "seccomp");

		if (c && !proposal_arg(c, 0))
			return true;
	}
	return saw_with(p, "prctl", PR_SET_SECCOMP) ||
	       saw_with(p, "seccomp", SECCOMP_SET_MODE_FILTER) ||
	       saw_with(p, "seccomp", SECCOMP_SET_MODE_STRICT);
}

/* personality(0xffffffff) asks, and sets nothing. */
static bool reads_are_executable(const struct proposal *p)
{
	for (enum arch a = 0; a < ARCH_NR; a++) {
		const struct recorded_call *c = proposal_call(p, a, "personality");
		const struct recorded_arg *persona = c ? proposal_arg(c, 0) : NULL;

		for (size_t i = 0; persona && i < persona->values.n; i++)
			if (persona->values.v[i].value & READ_IMPLIES_EXEC &&
			    (uint32_t)persona->values.v[i].value != UINT32_MAX)
				return true;
	}
	return false;
}

/* What makes the kernel ask AppArmor later, outside of any call that would show it. */
static void describe_later(struct proposal *p, struct ast_comment **to)
{
	if (saw_with(p, "prctl", PR_SET_PDEATHSIG))
		ast_comment_add(
			p->a, to,
			"a signal at its parent's death was asked for (PR_SET_PDEATHSIG)%s",
			p->r->run.peers_observed ?
				": a run in which no parent died first does not show it, and it "
				"takes 'signal NAME -> @{profile_name}'" :
				", which is not recorded: that signal takes 'signal send, receive'");
	if (reads_are_executable(p))
		ast_comment_add(
			p->a, to,
			"READ_IMPLIES_EXEC was set by personality: files that were mapped after "
			"that to be read take 'm' beside 'r'");
}

static bool limits_cores(const struct proposal *p)
{
	for (enum arch a = 0; a < ARCH_NR; a++) {
		const struct recorded_call *c = proposal_call(p, a, "prlimit64");
		const struct recorded_arg *resource = c ? proposal_arg(c, 1) : NULL;

		if (resource && had_value(resource, RLIMIT_CORE))
			return true;
	}
	return saw_with(p, "setrlimit", RLIMIT_CORE);
}

/* Recordings from before rings-seen have files and names alone. */
static const char *rings_seen(const struct recorded_run *run)
{
	if (run->names_observed && run->rings_observed)
		return "what its rings did with files, names and sockets is among the rules, and no "
		       "filter of calls sees it";
	if (run->names_observed)
		return "what went through its rings was not seen, but for files and names";
	if (run->rings_observed)
		return "what went through its rings was not seen, but for sockets";
	return "what went through its rings was not seen";
}

/* What the kernel does for a task in no call that names it: eBPF sees it where names are seen. */
static void describe_unasked(struct proposal *p, struct ast_comment **to)
{
	const struct recorded_run *run = &p->r->run;

	if (proposal_saw(p, "io_uring_setup") || proposal_saw(p, "io_uring_enter"))
		ast_comment_add(p->a, to, "io_uring was used: %s%s", rings_seen(run),
				!proposal_saw(p, "io_uring_setup") || proposal_locks_rings(p) ?
					"" :
					"; ipc_lock, without which its memory counts against "
					"RLIMIT_MEMLOCK, is left out");
	if (!run->names_observed && proposal_saw(p, "fanotify_init"))
		ast_comment_add(
			p->a, to,
			"fanotify was used: the files that read(2) of its events opened, with the "
			"rights that fanotify_init was told, were not seen");
	if (proposal_saw(p, "lsm_set_self_attr"))
		ast_comment_add(p->a, to,
				"lsm_set_self_attr was called: a profile that it changed to takes "
				"change_profile, and was not seen");
	if (!run->no_files && !run->names_observed && !run->core_dumps &&
	    !proposal_replayed(p->r) && strcmp(run->backend, "ptrace") != 0 && limits_cores(p))
		ast_comment_add(
			p->a, to,
			"RLIMIT_CORE was set: whether core dumps were written was not seen; "
			"their files take rw (core(5))");
	if (run->core_dumps)
		ast_comment_add(
			p->a, to,
			"core dumps were written: %llu, to files that were not seen, and take rw "
			"(core(5), core_pattern)",
			(unsigned long long)run->core_dumps);
}

/* From there names need not begin with /proc/, and whose links they lead by is not looked at. */
static void describe_processes(struct proposal *p, struct ast_comment **to)
{
	const struct recorded_file *first = NULL;
	BUF_AUTO name = { 0 };
	size_t n = 0;

	if (p->r->run.looks_observed)
		return;
	if (p->r->run.looks_below)
		ast_comment_add(
			p->a, to,
			"directories of other processes below /proc were entered, held with O_PATH, "
			"or made what a link leads to: %llu; what was named from there may ask for "
			"ptrace (read), and was not seen",
			(unsigned long long)p->r->run.looks_below);
	vec_each(&p->r->files, f) {
		if (!f->peers || !f->path.n || f->path.p[f->path.n - 1] != '/')
			continue;
		first = first ? first : f;
		n++;
	}
	if (!first)
		return;
	buf_safe(&name, first->path);
	if (n > 1)
		buf_printf(&name, " and %zu more", n - 1);
	ast_comment_add(p->a, to,
			"directories of other processes were opened: %s; what was named from there "
			"(readlinkat, openat, fstatat) may ask for ptrace (read), and was not seen",
			buf_keep(p->a, &name));
}

/* What was used, and neither seen nor lost: the reader must know of it. */
static void describe_unseen(struct proposal *p, struct ast_comment **to)
{
	const struct recording *r = p->r;

	if (r->run.disconnected)
		ast_comment_add(p->a, to,
				"opened without a path (pipes, sockets, memory files): %llu",
				(unsigned long long)r->run.disconnected);
	if (r->run.odd_numbers)
		ast_comment_add(p->a, to,
				"calls by numbers beyond any table: %llu, left to `unknown`",
				(unsigned long long)r->run.odd_numbers);
	if (p->foreign)
		ast_comment_add(
			p->a, to,
			"calls of another ABI that the kernel does not have: %llu; `foreign` "
			"answers them as it did",
			(unsigned long long)p->foreign);
	if (r->run.unread)
		ast_comment_add(p->a, to,
				"programs that could not be read afterwards, interpreter "
				"unknown: %llu",
				(unsigned long long)r->run.unread);
	if (r->run.memory_programs)
		ast_comment_add(p->a, to,
				"programs executed from memory, which no path and so no rule "
				"allows under AppArmor: %llu",
				(unsigned long long)r->run.memory_programs);
	if (r->run.elsewhere)
		ast_comment_add(p->a, to, "names used %s, links in them not followed: %llu",
				proposal_replayed(r) ? "as programs gave them" :
						       "in a chroot or another mount namespace",
				(unsigned long long)r->run.elsewhere);
	if (strcmp(r->run.backend, "ptrace") != 0 && installs_filter(p))
		ast_comment_add(
			p->a, to,
			"a seccomp filter of its own was installed: calls that it refuses are "
			"not seen by %s, and not here ('--backend ptrace' sees them)",
			!strcmp(r->run.backend, "seccomp") ? "that of the recorder" : "eBPF");
	describe_unasked(p, to);
	describe_processes(p, to);
	if (r->run.unseen_exec)
		ast_comment_add(p->a, to,
				"mappings made executable that could not be looked up (other "
				"threads changed theirs, or Linux before 5.17): %llu; a file among "
				"them needs m",
				(unsigned long long)r->run.unseen_exec);
}

/*
 * Calls that the table has no name for. They are not proposed: a rule by number cannot be written
 * as JSON, and the whole policy would be refused for it.
 */
static void describe_newer(struct proposal *p, struct ast_comment **to)
{
	vec_each(&p->r->calls, c) {
		const struct arch_info *arch = arch_info(c->arch);

		if (syscall_by_nr(c->arch, c->nr) || !(p->arches & ARCH_BIT(c->arch)))
			continue;
		ast_comment_add(p->a, to,
				"call #%u (%s): %llux, not in the table, so newer than Linux %u.%u "
				"or nobody's; left to `unknown`,",
				c->nr, arch->name, (unsigned long long)c->count, tables_level >> 8,
				tables_level & 0xff);
		ast_comment_add(p->a, to,
				"  which refuses it; 'allow #%u;' lets it pass, in BPF and under "
				"'pale run' (JSON has no name for it)",
				c->nr);
	}
}

static void describe_runs(struct proposal *p, struct ast_comment **to)
{
	const struct recording_runs *runs = p->r->runs;
	const char *from = "one run";

	if (runs && runs->hosts > 1)
		from = arena_printf(p->a, "%zu runs on %u hosts", runs->n, runs->hosts);
	else if (runs)
		from = arena_printf(p->a, "%zu runs", runs->n);
	ast_comment_add(p->a, to, "Proposed by pale learn %s from %s: read it before you use it.",
			PALE_VERSION, from);
	if (p->r->run.unfinished)
		ast_comment_add(p->a, to,
				"UNFINISHED: a snapshot, what the run did after it is not here");
	if (p->opt->part == PROPOSE_SERVE)
		propose_describe_serving(p, p->whole, to);
}

static void describe_estimate(struct proposal *p, struct ast_comment **to)
{
	struct unseen u;

	if (unseen_estimate(p->r, &u))
		ast_comment_add(
			p->a, to,
			"unseen:   about %.0f call%s that further runs would add (%zu made in one "
			"run alone, %zu in two, of %zu: Chao's estimate)",
			u.more, u.more >= 0.5 && u.more < 1.5 ? "" : "s", u.once, u.twice, u.runs);
}

static void describe_elsewhere(struct proposal *p, struct ast_comment **to)
{
	if (!p->said)
		return;
	ast_comment_add(p->a, to,
			"FOR ANOTHER MACHINE: %s; it was recorded on %s, and not seen to run there",
			arch_info(p->r->run.host)->name, arch_info(p->on)->name);
	if (p->said->instead.n)
		ast_comment_add(p->a, to, "what libcs call there instead:");
	proposal_list(p, to, &p->said->instead);
	if (p->said->nothing.n)
		ast_comment_add(p->a, to, "no counterpart there, so left out:");
	proposal_list(p, to, &p->said->nothing);
}

/* Of which calls some were let through without a look, and by which argument. */
static void describe_let_through(struct proposal *p, struct ast_comment **to)
{
	BUF_AUTO text = { 0 };

	if (!strstr(p->r->run.backend, "seccomp"))
		return;
	vec_each(&p->r->calls, c) {
		const struct syscall_info *s = syscall_by_nr(c->arch, c->nr);
		uint64_t bits;
		const char *arg =
			s && c->arch == p->on ? learn_assumes_without(s->name, &bits) : NULL;

		if (arg)
			buf_printf(&text, "%s%s(%s)", text.n ? ", " : "", s->name, arg);
	}
	if (!text.n)
		return;
	ast_comment_add(p->a, to,
			"let through without a look, and not counted, where their argument");
	ast_comment_add(p->a, to, "  makes nothing executable and opens to read alone: %s", text.p);
}

static void describe_without(struct proposal *p, struct ast_comment **to)
{
	const struct recording_runs *runs = p->r->runs;

	if (p->r->run.no_files)
		ast_comment_add(p->a, to, "files: not observed, so `layers` leaves AppArmor out");
	else if (runs && runs->without_files)
		ast_comment_add(
			p->a, to,
			"files: not observed in %zu of %zu runs; what those used, and asked of "
			"AppArmor besides, has no rule here",
			runs->without_files, runs->n);
	if (p->r->run.no_files || (runs && runs->without_files))
		describe_let_through(p, to);
}

static void describe_replayed(struct proposal *p, struct ast_comment **to)
{
	const struct recorded_run *run = &p->r->run;

	if (run->answered_only)
		ast_comment_add(p->a, to,
				"from a kernel's log: only what was refused or logged is here");
	if (run->no_calls)
		ast_comment_add(p->a, to, "calls: not observed, so `layers` leaves seccomp out");
	if (run->no_arguments)
		ast_comment_add(p->a, to,
				"arguments: not observed%s; calls that a log alone has are allowed "
				"with any",
				p->r->runs ? " in each run" : "");
	describe_without(p, to);
	if (run->unkept)
		ast_comment_add(
			p->a, to,
			"records of AppArmor's that recordings have no facts for, and so no "
			"rule is here: %llu",
			(unsigned long long)run->unkept);
}

/* Whose names and images anybody chose. */
static void describe_containers(struct proposal *p, struct ast_comment **to)
{
	const struct recorded_run *run = &p->r->run;

	if (run->containers)
		ast_comment_add(p->a, to, "container: %s%s%s", str_safe(p->a, run->containers),
				run->image ? ", image " : "",
				run->image ? str_safe(p->a, run->image) : "");
}

static void describe_capabilities(struct proposal *p, struct ast_comment **to)
{
	const struct recording *r = p->r;

	if (!r->run.caps_observed)
		ast_comment_add(p->a, to, "capabilities: not observed (%s)",
				!strcmp(r->run.backend, "ptrace") ||
						!strcmp(r->run.backend, "seccomp") ?
					"ptrace cannot see them" :
				proposal_replayed(r) ?
					"what was replayed does not show them" :
					"this kernel has no tracepoint for them, and refuses a "
					"program at the end of cap_capable()");
	else if (proposal_saw(p, "capset"))
		ast_comment_add(p->a, to,
				"capset was called: which capabilities it keeps was not seen, and "
				"it fails where the command lacks one of them; those that are "
				"kept and not used are yours to add");
}

static void describe(struct proposal *p, struct ast_stmt *policy, const struct set_list *sets)
{
	const struct recording *r = p->r;
	struct ast_comment **to = &policy->leading;
	bool asks = !r->run.no_files || proposal_replayed(r);
	uint64_t total = 0;
	size_t different = 0;
	BUF_AUTO losses = { 0 };

	vec_each(&r->calls, c) {
		total += c->assumed ? 0 : c->count;
		different += !c->assumed;
	}
	run_losses_print(&losses, &r->run);
	describe_runs(p, to);
	if (r->run.command)
		ast_comment_add(p->a, to, "command:  %s", str_safe(p->a, r->run.command));
	describe_containers(p, to);
	ast_comment_add(p->a, to, "machine:  Linux %s, %s, libc: %s", r->run.kernel,
			arch_info(p->on)->name, r->run.libc);
	ast_comment_add(
		p->a, to, "recorded: backend %s, %s, %llu task%s, %llu call%s, %zu different%s",
		r->run.backend, proposal_time(p->a, r->run.duration_ns),
		(unsigned long long)r->run.processes, r->run.processes == 1 ? "" : "s",
		(unsigned long long)total, total == 1 ? "" : "s", different,
		r->run.left_running ? ", ended by a signal to pale, which the workload outlived" :
		r->run.interrupted  ? ", ended by a signal to pale" :
				      "");
	ast_comment_add(p->a, to, "losses:   %s", losses.p ? losses.p : "");
	describe_estimate(p, to);
	propose_describe_phases(p, p->whole, to);
	describe_elsewhere(p, to);
	describe_client(p, to);
	if (sets->unread)
		ast_comment_add(p->a, to, "sets that could not be read, and so were not used: %zu",
				sets->unread);
	if (r->run.midway)
		ast_comment_add(p->a, to,
				"begun midway: there were processes before, how they started "
				"was not seen");
	describe_capabilities(p, to);
	describe_replayed(p, to);
	describe_unseen(p, to);
	describe_later(p, to);
	propose_lost(p, to);
	if (asks)
		describe_unruled(p, to);
	propose_describe_addresses(p, to);
	if (asks)
		describe_not_asked(p, to);
	describe_setid(p, to);
	if (!p->one_arch)
		ast_comment_add(p->a, to,
				"several ABIs: JSON profiles cannot tell them apart, compile "
				"those with --arch");
	describe_newer(p, to);
}

static void add_headers(struct proposal *p)
{
	struct ast_stmt *s;

	if (p->r->run.program) {
		s = proposal_header(p, AST_HEADER_PROGRAM);
		s->paths = ast_word_new(p->a, generalize_escape(p->a, str_c(p->r->run.program)));
	}
	s = proposal_header(p, AST_HEADER_LEVEL);
	ast_words_add(p->a, &s->words, "linux");
	s->version = *ast_word_new(
		p->a, arena_printf(p->a, "%u.%u", tables_level >> 8, tables_level & 0xff));
	s = proposal_header(p, AST_HEADER_LAYERS);
	if (!p->r->run.no_calls)
		ast_words_add(p->a, &s->words, "seccomp");
	if (proposal_on_apparmor(p))
		ast_words_add(p->a, &s->words, "apparmor");
	if (p->r->run.no_files)
		ast_comment_add(p->a, &s->trailing, "no apparmor: files were not observed");
	s = proposal_header(p, AST_HEADER_ARCH);
	for (enum arch a = 0; a < ARCH_NR; a++)
		if (p->arches & ARCH_BIT(a))
			ast_words_add(p->a, &s->words, arch_info(a)->name);
	propose_attached(p);
	s = proposal_header(p, AST_HEADER_DEFAULT);
	s->verdict = ast_verdict_of(p->a, (struct verdict){ VERDICT_ERRNO, 1 });
	s = proposal_header(p, AST_HEADER_UNKNOWN);
	s->verdict = proposal_nosys(p);
	s = proposal_header(p, AST_HEADER_FOREIGN);
	s->verdict = p->foreign ? proposal_nosys(p) :
				  ast_verdict_of(p->a, (struct verdict){ VERDICT_KILL_PROCESS, 0 });
}

static void add_calls(struct proposal *p, enum arch a, bool has_start)
{
	propose_calls(p, a);
	if (!p->opt->only_facts)
		propose_implied(p, a, has_start);
	if (p->opt->part == PROPOSE_SERVE)
		propose_imply_running(p, a);
	if (p->opt->part == PROPOSE_START)
		propose_loading(p, a);
	if (p->opt->margin)
		propose_margin(p, a);
}

/* The calls of one architecture among several stand in a block of their own. */
static void propose_arch_block(struct proposal *p, enum arch a, bool has_start)
{
	struct ast_body inner = { .arena = p->a }, *outer = p->body;
	struct ast_stmt *st;
	struct ast_env *env;

	p->group = "";
	st = proposal_add(p, AST_STMT_WHEN);
	env = ARENA_NEW(p->a, struct ast_env);
	env->kind = AST_ENV_ARCH;
	env->span = NO_SPAN;
	env->words = ast_word_new(p->a, arch_info(a)->name);
	st->env = env;
	p->body = &inner;
	add_calls(p, a, has_start);
	st->body = inner.first;
	p->body = outer;
}

static const char *policy_name(struct proposal *p)
{
	const char *name = p->opt->name ? p->opt->name : p->r->run.name;
	const char *more = p->opt->part == PROPOSE_SERVE ? "-serve" : "";
	char *out;

	if (!name)
		name = "workload";
	out = arena_printf(p->a, "%s%s%s", *name >= '0' && *name <= '9' ? "_" : "", name, more);
	for (char *c = out; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", *c))
			*c = '-';
	return *out && *out != '-' ? out : arena_printf(p->a, "p%s", out);
}

/*
 * The sets of the ways to start it. Their mappings are anonymous and never both writable and
 * executable, so where the policy has a condition of its own on mmap it serves them too.
 */
static bool use_starts(struct proposal *p, const struct set_list *sets, enum arch a)
{
	bool execve = false;

	if (p->opt->part == PROPOSE_SERVE)
		return true; /* it has started */
	for (size_t i = 0; p->opt->starts && p->opt->starts[i]; i++) {
		struct set_use u = { .set = propose_find_set(sets, p->opt->starts[i]) };

		if (!u.set && !p->opt->starts_asked)
			continue; /* execve alone is then said to be implied */
		if (!u.set) {
			diag_help(p->ds,
				  diag_add(p->ds, DIAG_PL405, NO_SPAN, "there is no set '%s'",
					   p->opt->starts[i]),
				  "'pale list sets' lists those that there are");
			continue;
		}
		if (p->one_arch && propose_is_special(p, "mmap", a) &&
		    propose_set_holds(u.set, "mmap"))
			ast_words_add(p->a, &u.except, "mmap");
		propose_start(p, &u, a);
		execve = true;
	}
	return execve;
}

static void propose_resources(struct proposal *p)
{
	if (proposal_on_apparmor(p))
		propose_files(p);
	if (p->opt->part != PROPOSE_SERVE)
		propose_capabilities(p);
	if (!proposal_on_apparmor(p))
		return;
	propose_signals(p);
	propose_rules(p);
}

static void propose_body(struct proposal *p, const struct set_list *sets)
{
	enum arch first = p->one_arch ? p->r->run.host : p->r->calls.v[0].arch;
	bool has_start;

	if (!p->opt->only_facts)
		add_headers(p);
	p->group = "";
	if (p->r->run.no_calls) {
		propose_sockets(p);
		propose_resources(p);
		return;
	}
	has_start = use_starts(p, sets, first) || p->opt->only_facts;
	if (p->one_arch) {
		enum arch a = first;

		propose_sets(p, sets, a);
		propose_sockets(p);
		add_calls(p, a, has_start);
	} else {
		propose_sockets(p);
		for (enum arch a = 0; a < ARCH_NR; a++)
			if (p->arches & ARCH_BIT(a))
				propose_arch_block(p, a, has_start);
	}
	propose_resources(p);
}

/* Somebody who asks whether an ABI is there tries a number that none has: it needs no rules. */
static void find_arches(struct proposal *p)
{
	/* The program itself starts by the host's own execve. */
	p->arches = ARCH_BIT(p->r->run.host);
	vec_each(&p->r->calls, c)
		if (syscall_by_nr(c->arch, c->nr))
			p->arches |= ARCH_BIT(c->arch);
	p->foreign = p->r->run.foreign_numbers;
	vec_each(&p->r->calls, c)
		if (!(p->arches & ARCH_BIT(c->arch)))
			p->foreign = count_add(p->foreign, c->count);
}

struct ast_file *propose(struct arena *a, const struct recording *r,
			 const struct propose_options *opt, struct diags *ds)
{
	struct proposal *p = ARENA_NEW(a, struct proposal);
	struct ast_body top = { .arena = a }, body = { .arena = a };
	struct ast_file *file = ARENA_NEW(a, struct ast_file);
	struct ast_stmt *policy = ast_add(&top, AST_STMT_POLICY);
	struct set_list sets = { 0 };
	struct elsewhere said = { 0 };
	struct recording there, serving;

	p->whole = r;
	if (opt->part == PROPOSE_SERVE) {
		propose_serving(a, r, &serving);
		r = &serving;
	}
	p->on = r->run.host;
	if (opt->arch && *opt->arch != r->run.host) {
		elsewhere_make(a, r, *opt->arch, &there, &said);
		p->said = &said;
		r = &there;
	}
	p->a = a;
	p->r = r;
	p->opt = opt;
	p->ds = ds;
	p->body = &body;
	p->sets.arena = a;
	find_arches(p);
	p->one_arch = !(p->arches & (p->arches - 1));
	p->mux_sockets = proposal_call(p, ARCH_I386, "socketcall") != NULL;
	policy->name = *ast_word_new(a, policy_name(p));
	for (size_t i = 0; opt->set_dirs && opt->set_dirs[i]; i++)
		propose_load_sets(p, opt->set_dirs[i], &sets);
	describe(p, policy, &sets);
	propose_body(p, &sets);
	policy->body = body.first;
	policy->next = p->sets.first;
	file->stmts = policy;
	buf_free(&said.instead);
	buf_free(&said.nothing);
	return file;
}
