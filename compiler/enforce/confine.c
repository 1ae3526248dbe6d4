/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Confining: system calls only, in the process that becomes the command. The order matters:
 * capabilities first (the filter would refuse the calls that set them), then AppArmor's change
 * on exec, which an unconfined process may ask for with or without no_new_privs, then
 * no_new_privs, which lets an unprivileged process load the filter. Limits come last of these:
 * a low one of open files is in the way of all that is written and read under /proc.
 *
 * A filter above us may answer a call with an errno of 0: to the caller it has succeeded, and
 * nothing was done. So nothing is believed: where there is a way to read back it is read back,
 * into a place that holds something else before, and where there is none the same call is made
 * with what the kernel must refuse. /proc is asked too, where it can be read.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compiler/enforce/confine.h"
#include "compiler/enforce/libapparmor.h"
#include "compiler/enforce/procfs.h"

static bool fail(struct failure *f, enum step step, const char *detail)
{
	*f = (struct failure){ .step = step, .err = errno, .detail = detail };
	return false;
}

static bool fail_faked(struct failure *f, const char *what)
{
	*f = (struct failure){ .step = STEP_FAKED, .detail = what };
	return false;
}

bool confine_possible(void)
{
	return syscall(SYS_seccomp, UINT32_MAX, 0, NULL) < 0;
}

/* ---- limits ---- */

/* "At most": a limit never goes up. pid 0: our own. */
static bool set_limit(pid_t pid, const struct limit_rule *l, struct failure *f)
{
	__rlimit_resource_t what = (__rlimit_resource_t)l->rlimit;
	rlim_t most = l->value == UINT64_MAX ? RLIM_INFINITY : (rlim_t)l->value;
	struct rlimit r = { RLIM_INFINITY, RLIM_INFINITY }, now = r;

	if (prlimit(pid, what, NULL, &r))
		return fail(f, STEP_LIMIT, l->resource);
	r.rlim_cur = r.rlim_cur < most ? r.rlim_cur : most;
	r.rlim_max = r.rlim_max < most ? r.rlim_max : most;
	if (prlimit(pid, what, &r, NULL) || prlimit(pid, what, NULL, &now))
		return fail(f, STEP_LIMIT, l->resource);
	/* Older kernels make one second of no second at all (do_prlimit()). */
	if (what == RLIMIT_CPU && !most && now.rlim_cur == 1)
		now.rlim_cur = 0;
	return now.rlim_cur <= most && now.rlim_max <= most ? true : fail_faked(f, "prlimit(2)");
}

static bool set_limits(const struct plan *plan, struct failure *f)
{
	vec_each(&plan->policy->limits, l)
		if (!(plan->listens && l->rlimit == RLIMIT_NOFILE) && !set_limit(0, l, f))
			return false;
	return true;
}

bool limit_descriptors(const struct plan *plan, pid_t pid, struct failure *f)
{
	vec_each(&plan->policy->limits, l)
		if (l->rlimit == RLIMIT_NOFILE && !set_limit(pid, l, f))
			return false;
	return true;
}

/* ---- capabilities ---- */

static uint64_t both_words(uint32_t low, uint32_t high)
{
	return low | (uint64_t)high << 32;
}

static bool lower_sets(uint64_t keep, struct failure *f)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2], now[2];

	if (syscall(SYS_capget, &h, d))
		return fail(f, STEP_CAPABILITY, "sets");
	for (unsigned i = 0; i < 2; i++) {
		uint32_t mask = (uint32_t)(keep >> (32 * i));

		d[i].effective &= mask;
		d[i].permitted &= mask;
		d[i].inheritable &= mask;
		now[i] = (struct __user_cap_data_struct){ UINT32_MAX, UINT32_MAX, UINT32_MAX };
	}
	if (syscall(SYS_capset, &h, d) || syscall(SYS_capget, &h, now))
		return fail(f, STEP_CAPABILITY, "sets");
	uint64_t left = both_words(now[0].effective, now[1].effective) |
			both_words(now[0].permitted, now[1].permitted) |
			both_words(now[0].inheritable, now[1].inheritable);
	return left & ~keep ? fail_faked(f, "capset(2)") : true;
}

/*
 * The bounding set goes while CAP_SETPCAP is still there. Without it a process that is not
 * root can do without: under no_new_privs no exec gives it a capability that lower_sets() took.
 * Root's exec regains what is in the bounding set, so there it is a failure.
 */
static bool lower_bounding(unsigned cap, bool root, struct failure *f)
{
	/* Ambient goes with permitted and inheritable, but say it: kernels before 4.3 have none
	 * and answer EINVAL. */
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, cap, 0, 0);
	if (!prctl(PR_CAPBSET_READ, cap, 0, 0, 0))
		return true;
	if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0)) {
		if (!root)
			return true;
		fail(f, STEP_CAPABILITY, NULL);
		f->cap = cap;
		return false;
	}
	return prctl(PR_CAPBSET_READ, cap, 0, 0, 0) ? fail_faked(f, "PR_CAPBSET_DROP") : true;
}

/* What /proc shows, where it shows something. */
static bool check_shown(uint64_t keep, bool root, struct failure *f)
{
	static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapAmb", "CapBnd" };
	char text[PROC_STATUS_MAX];
	uint64_t shown;

	if (proc_read(0, "status", text, sizeof(text)) < 0)
		return true;
	for (unsigned i = 0; i < (root ? 5 : 4); i++)
		if (proc_status_number(text, sets[i], 16, &shown) && shown & ~keep)
			return fail_faked(f, sets[i]);
	return true;
}

static bool drop_capabilities(uint64_t keep, struct failure *f)
{
	bool root = getuid() == 0 || geteuid() == 0;

	if (prctl(PR_CAPBSET_READ, UINT32_MAX, 0, 0, 0) >= 0) /* no kernel has that one */
		return fail_faked(f, "PR_CAPBSET_READ");
	for (unsigned cap = 0; cap < 64; cap++) {
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) < 0)
			break; /* past the last that this kernel knows */
		if (!(keep >> cap & 1) && !lower_bounding(cap, root, f))
			return false;
	}
	return lower_sets(keep, f) && check_shown(keep, root, f);
}

/* ---- all of it ---- */

bool confine_process(const struct plan *plan, struct failure *f)
{
	if (plan->drop_caps && !drop_capabilities(plan->caps, f))
		return false;
	if (plan->profile && libapparmor_onexec(plan->profile))
		return fail(f, STEP_APPARMOR, plan->profile);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fail(f, STEP_NO_NEW_PRIVS, NULL);
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return fail_faked(f, "no_new_privs");
	return set_limits(plan, f);
}

/*
 * First an empty program, which the kernel refuses, then ours, from one and the same place:
 * whatever stands above sees the same arguments twice and answers alike. What answers 0 to the
 * first has not asked the kernel.
 */
static int attach(unsigned flags, const struct sock_fprog *filter, struct failure *f)
{
	struct sock_fprog prog = { 0 };
	long rc = -1;

	for (unsigned i = 0; i < 2; i++) {
		rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
		if (i == 0 && rc >= 0) {
			fail_faked(f, "seccomp(2)");
			return -1;
		}
		prog = *filter;
	}
	if (rc < 0)
		fail(f, STEP_FILTER, NULL);
	return (int)rc;
}

int confine_filter(const struct plan *plan, struct failure *f)
{
	int rc = 0;

	for (size_t i = 0; i < plan->nfilters && rc >= 0; i++)
		rc = attach(plan->filter_flags, &plan->filters[i], f);
	return rc;
}
