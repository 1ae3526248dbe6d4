/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Confining: system calls only, in the process that becomes the command. The order matters:
 * limits and capabilities first (the filter would refuse the calls that set them), then
 * AppArmor's change on exec, which an unconfined process may ask for with or without
 * no_new_privs, then no_new_privs, which lets an unprivileged process load the filter.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sys/apparmor.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compiler/enforce/confine.h"

static bool fail(struct failure *f, enum step step, const char *detail)
{
	*f = (struct failure){ .step = step, .err = errno, .detail = detail };
	return false;
}

/* "At most": a limit never goes up. */
static bool set_limit(const struct limit_rule *l, struct failure *f)
{
	__rlimit_resource_t what = (__rlimit_resource_t)l->rlimit;
	rlim_t most = l->value == UINT64_MAX ? RLIM_INFINITY : (rlim_t)l->value;
	struct rlimit r;

	if (getrlimit(what, &r))
		return fail(f, STEP_LIMIT, l->resource);
	r.rlim_cur = r.rlim_cur < most ? r.rlim_cur : most;
	r.rlim_max = r.rlim_max < most ? r.rlim_max : most;
	return setrlimit(what, &r) ? fail(f, STEP_LIMIT, l->resource) : true;
}

static bool lower_sets(uint64_t keep)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &h, d))
		return false;
	for (unsigned i = 0; i < 2; i++) {
		uint32_t mask = (uint32_t)(keep >> (32 * i));

		d[i].effective &= mask;
		d[i].permitted &= mask;
		d[i].inheritable &= mask;
	}
	return syscall(SYS_capset, &h, d) == 0;
}

/*
 * The bounding set goes while CAP_SETPCAP is still there. Without it a process that is not
 * root can do without: under no_new_privs no exec gives it a capability that lower_sets() took.
 * Root's exec regains what is in the bounding set, so there it is a failure.
 */
static bool drop_capabilities(uint64_t keep, struct failure *f)
{
	bool root = getuid() == 0 || geteuid() == 0;

	for (unsigned cap = 0; cap < 64; cap++) {
		int there = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (there < 0)
			break; /* past the last that this kernel knows */
		if (keep >> cap & 1)
			continue;
		/* Ambient goes with permitted and inheritable, but say it: kernels before 4.3
		 * have none and answer EINVAL. */
		(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, cap, 0, 0);
		if (there && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && root) {
			fail(f, STEP_CAPABILITY, NULL);
			f->cap = cap;
			return false;
		}
	}
	return lower_sets(keep) ? true : fail(f, STEP_CAPABILITY, "sets");
}

bool confine_process(const struct plan *plan, struct failure *f)
{
	vec_each(&plan->policy->limits, l)
		if (!set_limit(l, f))
			return false;
	if (plan->drop_caps && !drop_capabilities(plan->caps, f))
		return false;
	if (plan->profile && aa_change_onexec(plan->profile))
		return fail(f, STEP_APPARMOR, plan->profile);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fail(f, STEP_NO_NEW_PRIVS, NULL);
	return true;
}

int confine_filter(const struct plan *plan)
{
	long rc = 0;

	for (size_t i = 0; i < plan->nfilters && rc >= 0; i++)
		rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, plan->filter_flags,
			     &plan->filters[i]);
	return (int)rc;
}
