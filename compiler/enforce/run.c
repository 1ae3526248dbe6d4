/* SPDX-License-Identifier: Apache-2.0 */
/* enforce_run(): prepare everything, then give it all up at once. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compiler/apparmor/apparmor.h"
#include "compiler/apparmor/needs.h"
#include "compiler/base/bug.h"
#include "compiler/base/program.h"
#include "compiler/cbpf/prove.h"
#include "compiler/enforce/confine.h"

enum { FAILED = 125, CANNOT_EXECUTE = 126, NOT_FOUND = 127 };

static void add_faked(struct span at, const char *what, struct diags *ds)
{
	struct diag *d = diag_add(ds, DIAG_PL310, at,
				  "%s is answered as done and is not: something "
				  "above answers in the kernel's place",
				  what);

	diag_help(ds, d,
		  "look for an errno of 0 in the filters above ('errnoRet': 0 in a container's "
		  "profile; 'pale dump')");
}

/* ---- preparing ---- */

static struct verdict verdict_of(const struct policy *p, long nr, const uint64_t args[6])
{
	struct call c = { .audit_arch = arch_info((enum arch)arch_native())->audit,
			  .nr = (uint32_t)nr };

	memcpy(c.args, args, sizeof(c.args));
	return policy_eval(p, &c, NULL);
}

static bool check_machine(const struct policy *p, struct diags *ds)
{
	const struct arch_info *native = arch_info((enum arch)arch_native());

	if (p->arches & ARCH_BIT((unsigned)arch_native()))
		return true;
	struct diag *d = diag_add(ds, DIAG_PL303, p->span,
				  "policy '" PRISTR "' does not list this "
				  "machine's architecture, %s: every call would be foreign",
				  STRARG(p->name), native->name);
	diag_help(ds, d, "add it: 'arch %s;'", native->name);
	return false;
}

/* The filter stands before execve, so execve itself must pass it. */
static bool check_start(const struct policy *p, struct diags *ds)
{
	static const uint64_t any[6];
	struct verdict v = verdict_of(p, SYS_execve, any);
	BUF_AUTO text = { 0 };

	if (v.kind == VERDICT_ALLOW || v.kind == VERDICT_LOG)
		return true;
	verdict_print(&text, v);
	struct diag *d = diag_add(ds, DIAG_PL304, p->span,
				  "policy '" PRISTR "' answers execve with "
				  "%s, so nothing can start under it",
				  STRARG(p->name), text.p ? text.p : "");
	diag_help(ds, d, "'use start-run;' allows what starting takes");
	return false;
}

/* The first rule, or the line, that answers what no listener can (and the seccomp layer does). */
static bool find_unanswerable(const struct policy *p, struct span *at)
{
	bool lines = !listener_can_answer(p->foreign);

	for (int i = 0; i < ARCH_NR; i++)
		lines |= p->arches & ARCH_BIT(i) &&
			 (!listener_can_answer(p->dflt[i]) || !listener_can_answer(p->unknown[i]));
	*at = p->span;
	vec_each(&p->calls, r) {
		if (listener_can_answer(r->verdict))
			continue;
		*at = r->origin ? r->origin->span : p->span;
		return true;
	}
	return lines;
}

/* Root's exec gets what is in the bounding set; anybody else's, without files' capabilities
 * (no_new_privs), what is ambient. */
static bool keeps_ptrace(const struct plan *plan)
{
	bool root = getuid() == 0 || geteuid() == 0;

	if (plan->drop_caps && !(plan->caps >> CAP_SYS_PTRACE & 1))
		return false;
	return root ? prctl(PR_CAPBSET_READ, CAP_SYS_PTRACE, 0, 0, 0) == 1 :
		      prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_SYS_PTRACE, 0, 0) == 1;
}

/* What --count does not do as `run` alone would. */
static void warn_count(const struct policy *p, const struct plan *plan, struct diags *ds)
{
	struct diag *d;
	struct span at;

	if (find_unanswerable(p, &at)) {
		d = diag_add(ds, DIAG_PL312, at,
			     "a listener cannot do what 'kill-thread' and 'trap' "
			     "say, so the kernel answers these calls and they are not counted");
		diag_help(ds, d, "'--verify' counts them too, and lets them pass");
	}
	if (!keeps_ptrace(plan))
		return;
	d = diag_add(ds, DIAG_PL313, p->span,
		     "the command keeps CAP_SYS_PTRACE: with it a hostile one "
		     "can take over pale, which counts and answers its calls");
	diag_help(ds, d,
		  "start as another user, name the capabilities it needs ('capability "
		  "chown;'), or leave '--count' out: then nothing of pale stays");
}

static void warn_listener(const struct policy *p, struct diags *ds)
{
	vec_each(&p->calls, r) {
		if (r->verdict.kind != VERDICT_NOTIFY)
			continue;
		struct diag *d =
			diag_add(ds, DIAG_PL306, r->origin ? r->origin->span : p->span,
				 "nobody listens under 'pale run': the calls that this rule "
				 "notifies of answer ENOSYS");
		diag_help(ds, d, "write 'errno ENOSYS' if that is meant");
		return;
	}
}

/* Those under which another can be attached come first: at most one program decides seccomp(2). */
static const struct sock_fprog *order_filters(struct arena *a, const struct cbpf_stack *progs)
{
	struct sock_fprog *f = ARENA_ARRAY(a, struct sock_fprog, progs->n);
	uint32_t audit = arch_info((enum arch)arch_native())->audit;
	size_t n = 0;

	for (unsigned pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < progs->n; i++) {
			const struct cbpf *p = &progs->v[i];
			if (cbpf_const_allow(p, audit, SYS_seccomp) == (pass == 0))
				f[n++] = (struct sock_fprog){ (unsigned short)p->n, p->insns };
		}
	}
	return f;
}

/* A listener hears one filter, so what it is to hear is one program or none. */
static int make_filter(struct arena *a, const struct policy *p, struct plan *plan, struct diags *ds)
{
	struct cbpf_options opt = { .family = arch_family((enum arch)arch_native(), p->arches) };
	struct cbpf_stack progs = { 0 };
	struct cbpf_proof proof;
	struct cbpf one;

	if (plan->listens) {
		if (cbpf_generate(a, p, &opt, &one, ds))
			return -1;
		progs = (struct cbpf_stack){ &one, 1 };
	} else if (cbpf_generate_stack(a, p, &opt, &progs, ds)) {
		return -1;
	}
	if (cbpf_prove(a, p, progs.v, progs.n, opt.family, &proof, ds))
		return -1;
	plan->filters = order_filters(a, &progs);
	plan->nfilters = progs.n;
	return 0;
}

/* Counted refusals are notifications: the report has them, and the kernel's log would have the answer wrong. */
static void prepare_log(const struct enforce_options *opt, const struct policy *p,
			struct plan *plan, struct diags *ds)
{
	if (opt->mode == ENFORCE_LOG)
		warn_not_logged(p, ds);
	if (opt->mode == ENFORCE_LOG || !(p->log_refusals || opt->log_refusals))
		return;
	if (plan->listens) {
		diag_add(ds, DIAG_PL217, policy_header_span(p, AST_HEADER_LOG),
			 "refusals are counted here and not logged");
		return;
	}
	plan->filter_flags = SECCOMP_FILTER_FLAG_LOG;
	warn_not_logged(p, ds);
}

static int prepare_seccomp(struct arena *a, const struct enforce_options *opt, struct plan *plan,
			   struct diags *ds)
{
	static const uint64_t stderr_args[6] = { STDERR_FILENO };
	const struct policy *p = opt->policy;
	struct verdict tell;

	if (!confine_possible()) {
		add_faked(p->span, "seccomp(2)", ds);
		return -1;
	}
	if (!check_machine(p, ds))
		return -1;
	if ((opt->mode == ENFORCE || opt->mode == ENFORCE_COUNT) && !check_start(p, ds))
		return -1;
	if (opt->mode == ENFORCE)
		warn_listener(p, ds);
	if (opt->mode == ENFORCE_COUNT)
		warn_count(p, plan, ds);
	if (plan->listens)
		p = policy_listening(a, p, opt->mode == ENFORCE_COUNT, plan->path);
	else if (opt->mode == ENFORCE_LOG)
		p = policy_logging(a, p);
	prepare_log(opt, p, plan, ds);
	tell = verdict_of(p, SYS_write, stderr_args);
	plan->may_tell = tell.kind == VERDICT_ALLOW || tell.kind == VERDICT_LOG;
	return make_filter(a, p, plan, ds);
}

static int prepare_apparmor(struct arena *a, const struct policy *p, struct plan *plan,
			    struct diags *ds)
{
	struct apparmor_options opt = { 0 };
	BUF_AUTO text = { 0 };

	if (!profile_supported()) {
		struct diag *d = diag_add(ds, DIAG_PL300, p->span,
					  "policy '" PRISTR "' counts on AppArmor, which this "
					  "kernel does not have or has switched off",
					  STRARG(p->name));
		diag_help(ds, d, "'--layers seccomp' runs it knowingly without that layer");
		return -1;
	}
	if (apparmor_write(a, p, &opt, &text, ds))
		return -1;
	if (!apparmor_parser_fits(p, ds))
		return -1;
	if (profile_load(p, (struct str){ text.p, text.n }, ds))
		return -1;
	plan->profile = apparmor_profile_name(a, p);
	return 0;
}

static uint64_t caps_kept(const struct policy *p)
{
	uint64_t keep = 0, deny = 0;

	vec_each(&p->caps, c) {
		bool kept = c->action == RULE_ALLOW || c->action == RULE_LOG;

		*(kept ? &keep : &deny) |= UINT64_C(1) << c->cap;
	}
	return keep & ~deny;
}

/* setrlimit(2): the kernel counts the processes of every user but root, the real one. */
static void note_limits(const struct policy *p, struct diags *ds)
{
	vec_each(&p->limits, l) {
		if (l->rlimit != RLIMIT_NPROC || getuid() != 0)
			continue;
		struct diag *d = diag_add(ds, DIAG_PL311, l->origin ? l->origin->span : p->span,
					  "'limit nproc' does not hold root: the kernel counts no "
					  "processes of user id 0");
		diag_help(ds, d, "start as another user, or bound the cgroup's pids.max");
	}
}

/* AppArmor last: it is the one step that changes something outside this process. */
static int prepare(struct arena *a, const struct enforce_options *opt, struct plan *plan,
		   struct diags *ds)
{
	const struct policy *p = opt->policy;
	int code = program_find(a, opt->argv[0], &plan->path, ds);

	if (code)
		return code;
	plan->policy = p;
	plan->argv = opt->argv;
	plan->listens = opt->mode == ENFORCE_VERIFY || opt->mode == ENFORCE_COUNT;
	plan->layers = opt->layers ? opt->layers : p->layers;
	/* AppArmor refuses the capabilities that a policy does not name; so does the bounding
	 * set, also where AppArmor itself is left out. */
	plan->drop_caps = p->says_caps || ((plan->layers | p->layers) & LAYER_APPARMOR);
	plan->caps = caps_kept(p);
	note_limits(p, ds);
	if ((plan->layers & LAYER_SECCOMP) && prepare_seccomp(a, opt, plan, ds))
		return FAILED;
	if ((plan->layers & LAYER_APPARMOR) && prepare_apparmor(a, p, plan, ds))
		return FAILED;
	return 0;
}

/* ---- doing ---- */

/* A process, or the listener beside it, and no step of confining. */
static void report_process(struct span at, const struct failure *f, int *status, struct diags *ds)
{
	const char *why = f->step == STEP_ENDED ? sigabbrev_np(f->err) : strerror(f->err);
	struct diag *d;

	if (f->step == STEP_LISTENER) {
		d = diag_add(ds, DIAG_PL315, at,
			     "the listener fails while %s: %s; the command was "
			     "killed, and what is left of it gets ENOSYS for each refused call",
			     f->detail, why);
		diag_help(ds, d, "'pale run' without '--count' needs no listener");
		return;
	}
	if (f->step == STEP_START) {
		d = diag_add(ds, DIAG_PL314, at, "a process for the command cannot be started: %s",
			     why);
		if (f->err == EAGAIN)
			diag_help(ds, d,
				  "the user has as many as 'ulimit -u', or the cgroup's "
				  "pids.max, lets there be");
		return;
	}
	*status = 128 + f->err;
	d = diag_add(ds, DIAG_PL314, at,
		     "the process for the command was ended by SIG%s before it was the command",
		     why ? why : "?");
	if (f->err == SIGSYS)
		diag_help(ds, d,
			  "a seccomp filter above ends whoever makes a call that confining takes");
}

static void report_failure(const struct plan *plan, const struct failure *f, int *status,
			   struct diags *ds)
{
	struct span at = plan->policy->span;
	const char *why = strerror(f->err);
	struct diag *d;

	*status = FAILED;
	switch (f->step) {
	case STEP_LIMIT:
		diag_add(ds, DIAG_PL307, at, "the limit '%s' cannot be set: %s", f->detail, why);
		return;
	case STEP_CAPABILITY:
		if (f->detail)
			d = diag_add(ds, DIAG_PL308, at, "capabilities cannot be lowered: %s", why);
		else
			d = diag_add(ds, DIAG_PL308, at,
				     "capability %u (%s) cannot be taken from the bounding set: %s",
				     f->cap,
				     capability_name(f->cap) ? capability_name(f->cap) : "?", why);
		diag_help(ds, d,
			  "root needs CAP_SETPCAP for that; start as another user, or name "
			  "the capability in the policy");
		return;
	case STEP_APPARMOR:
		diag_add(ds, DIAG_PL309, at, "the AppArmor profile '%s' cannot be entered: %s",
			 f->detail, why);
		return;
	case STEP_NO_NEW_PRIVS:
		diag_add(ds, DIAG_PL309, at, "no_new_privs cannot be set: %s", why);
		return;
	case STEP_FILTER:
		d = diag_add(ds, DIAG_PL309, at, "the kernel does not take the filter: %s", why);
		if (f->err == EBUSY)
			diag_help(
				ds, d,
				"a filter above has a listener already, and the kernel allows one: "
				"'pale run' without '--count' and '--verify' needs none");
		if (f->err == EMFILE)
			diag_help(ds, d, "no descriptor is left for the listener: 'ulimit -n'");
		return;
	case STEP_START:
	case STEP_ENDED:
	case STEP_LISTENER: report_process(at, f, status, ds); return;
	case STEP_FAKED: add_faked(at, f->detail, ds); return;
	case STEP_EXEC:
		*status = f->err == ENOENT ? NOT_FOUND : CANNOT_EXECUTE;
		diag_add(ds, f->err == ENOENT ? DIAG_PL301 : DIAG_PL302, NO_SPAN,
			 "'%s' cannot be executed: %s", plan->path, why);
		return;
	}
	BUG("step");
}

/*
 * Behind the filter: what the policy allows is all there is, so no allocation and no stdio.
 * exit_group may be refused too; then the trap instruction ends the process.
 */
static _Noreturn void end_behind_filter(const struct plan *plan, int err, const char *text)
{
	if (plan->may_tell)
		(void)!write(STDERR_FILENO, text, strlen(text));
	syscall(SYS_exit_group, err == ENOENT ? NOT_FOUND : CANNOT_EXECUTE);
	syscall(SYS_exit, err == ENOENT ? NOT_FOUND : CANNOT_EXECUTE);
	for (;;)
		__builtin_trap();
}

static int replace_process(struct arena *a, const struct plan *plan, struct failure *f)
{
	BUF_AUTO name = { 0 };
	const char *text;

	buf_safe(&name, str_c(plan->path));
	text = arena_printf(a, "pale run: the kernel does not execute '%s'\n",
			    name.p ? name.p : "");
	if (!confine_process(plan, f))
		return -1;
	if (plan->nfilters && confine_filter(plan, f) < 0)
		return -1;
	/* Between the filter and the program's first instruction: this call and no other. */
	syscall(SYS_execve, plan->path, plan->argv, environ);
	if (plan->nfilters)
		end_behind_filter(plan, errno, text);
	*f = (struct failure){ .step = STEP_EXEC, .err = errno };
	return -1;
}

int enforce_run(struct arena *a, const struct enforce_options *opt, struct enforce_report *report,
		int *status, struct diags *ds)
{
	struct plan plan = { 0 };
	struct failure f = { 0 };
	int rc;

	*status = prepare(a, opt, &plan, ds);
	if (*status)
		return -1;
	if (plan.listens)
		listener_not_held(a, opt->policy, report);
	if (opt->ready)
		opt->ready(opt->ready_arg);
	if (opt->mode == ENFORCE || opt->mode == ENFORCE_LOG)
		rc = replace_process(a, &plan, &f);
	else
		rc = listen_run(a, opt, &plan, report, status, &f);
	if (rc)
		report_failure(&plan, &f, status, ds);
	return rc;
}
