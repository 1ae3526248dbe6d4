/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers to the calls that wait at the listener (seccomp_unotify(2)). Every request may be a
 * hostile command's, and whoever made it may be killed at any moment.
 *
 * A signal, SIGSTOP and SIGCONT among them, interrupts each of the listener's calls: the kernel
 * takes its lock interruptibly (kernel/seccomp.c). EINTR is never the end of anything here.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/enforce/listener.h"
#include "compiler/enforce/procfs.h"

static bool still_waits(const struct listener *l, uint64_t id)
{
	int rc;

	do {
		rc = ioctl(l->fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id);
	} while (rc && errno == EINTR);
	return rc == 0;
}

/* No call waits yet, so the kernel's own listener denies that one does. */
void listener_take(struct listener *l)
{
	l->fd = l->shared->listener;
	l->shared->listener = -1;
	if (still_waits(l, 0) || errno != ENOENT)
		listener_fail(l, STEP_FAKED, 0, "a listener");
}

/* ---- counting ---- */

/* More kinds than people read; a command can make them up by the million. */
enum { REFUSALS_MAX = 4096 };

static struct refusal *find_refusal(struct listener *l, const struct seccomp_data *d,
				    const struct decision_why *why)
{
	vec_each(&l->report->refusals, r)
		if (r->audit_arch == d->arch && r->nr == (uint32_t)d->nr && r->why.by == why->by &&
		    r->why.rule == why->rule)
			return r;
	return NULL;
}

static void count_refusal(struct listener *l, const struct decision_why *why, struct verdict v)
{
	const struct seccomp_data *d = &l->request->data;
	struct refusal *r = find_refusal(l, d, why);
	uint32_t nr = (uint32_t)d->nr;
	int arch = arch_of_call(d->arch, &nr);

	l->report->total++;
	if (r) {
		r->count++;
		return;
	}
	if (l->report->refusals.n >= REFUSALS_MAX) {
		l->report->unnamed++;
		return;
	}
	struct refusal new = { .arch = arch < 0 ? ARCH_NR : (enum arch)arch,
			       .audit_arch = d->arch,
			       .nr = (uint32_t)d->nr,
			       .why = *why,
			       .verdict = v,
			       .count = 1,
			       .pid = (int)l->request->pid };
	for (unsigned i = 0; i < 6; i++)
		new.args[i] = d->args[i];
	vec_push(l->arena, &l->report->refusals, new);
}

/* ---- answering ---- */

/* The process a thread belongs to; 0 when it is gone. */
static pid_t process_of(pid_t thread)
{
	char text[PROC_STATUS_MAX];
	uint64_t tgid;

	if (proc_read(thread, "status", text, sizeof(text)) < 0 ||
	    !proc_status_number(text, "Tgid", 10, &tgid))
		return 0;
	return (pid_t)tgid;
}

/*
 * SIGKILL through a descriptor that was opened while the call was known to wait: never another
 * process that got the same number. Where there is no /proc, or no descriptor to be had, the
 * thread's own number does: kill(2) takes it for its process, which waits for us and ends only
 * if somebody else kills it just now.
 */
static bool kill_caller(struct listener *l)
{
	pid_t thread = (pid_t)l->request->pid, process = process_of(thread);
	int fd = process ? (int)syscall(SYS_pidfd_open, process, 0) : -1;
	bool done;

	if (fd < 0)
		done = still_waits(l, l->request->id) && thread > 0 && kill(thread, SIGKILL) == 0;
	else
		done = still_waits(l, l->request->id) &&
		       syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0;
	if (fd >= 0)
		close(fd);
	if (done && (process ? process : thread) == l->command)
		l->command_killed = true;
	return done;
}

/* ENOENT: the caller is gone. EINPROGRESS: it has its answer. Anything else, and nobody else
 * would get one either. */
static bool send_answer(struct listener *l, int error, bool go_on)
{
	struct seccomp_notif_resp *resp = l->response;
	int rc;

	memset(resp, 0, l->sizes.seccomp_notif_resp);
	resp->id = l->request->id;
	resp->error = -error;
	resp->flags = go_on ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
	do {
		rc = ioctl(l->fd, SECCOMP_IOCTL_NOTIF_SEND, resp);
	} while (rc && errno == EINTR);
	if (rc && errno != ENOENT && errno != EINPROGRESS)
		return listener_fail(l, STEP_LISTENER, errno, "answering");
	return rc == 0;
}

static bool answer_as_policy(struct listener *l, struct verdict v)
{
	switch (v.kind) {
	case VERDICT_KILL_PROCESS:
		/* One that cannot be killed (another user's) still does not get its call. */
		return kill_caller(l) || send_answer(l, ENOSYS, false);
	case VERDICT_ERRNO: return send_answer(l, v.data, false);
	case VERDICT_TRACE: /* the command's start, and nobody traces it */
	case VERDICT_NOTIFY: return send_answer(l, ENOSYS, false);
	case VERDICT_LOG: /* the command's start, or an execve that looks like it */
	case VERDICT_ALLOW: return send_answer(l, 0, true);
	case VERDICT_KILL_THREAD:
	case VERDICT_TRAP:
	case VERDICT_NR: break;
	}
	BUG("a notification for what the filter itself answers");
}

/* ---- the command's start ---- */

static bool is_start(const struct listener *l)
{
	const struct seccomp_data *d = &l->request->data;

	return !l->released && (pid_t)l->request->pid == l->command && d->nr == SYS_execve &&
	       d->arch == arch_info((enum arch)arch_native())->audit &&
	       d->args[0] == (uintptr_t)l->plan->path;
}

static bool count_filters(pid_t tid, uint64_t *n)
{
	char text[PROC_STATUS_MAX];

	return proc_read(tid, "status", text, sizeof(text)) >= 0 &&
	       proc_status_number(text, "Seccomp_filters", 10, n);
}

/* Since Linux 5.9 /proc shows how many filters there are: the child has ours over our own. */
static bool check_filters(struct listener *l)
{
	uint64_t before, now;

	if (!count_filters(0, &before) || !count_filters(l->command, &now) || now > before)
		return true;
	return listener_fail(l, STEP_FAKED, 0, "seccomp(2)");
}

/*
 * The child waits in its execve, so it has run nothing yet, and its listener needs no free
 * descriptor any more.
 */
static bool may_start(struct listener *l)
{
	struct failure f;

	if (!check_filters(l))
		return false;
	if (!limit_descriptors(l->plan, l->command, &f))
		return listener_fail(l, f.step, f.err, f.detail);
	return true;
}

void listener_answer(struct listener *l)
{
	struct decision_why why = { 0 };
	struct verdict v;
	struct call c;

	memset(l->request, 0, l->sizes.seccomp_notif);
	if (ioctl(l->fd, SECCOMP_IOCTL_NOTIF_RECV, l->request)) {
		if (errno == ENOENT) /* interrupted or killed before we could look */
			l->report->lost++;
		else if (errno != EINTR)
			listener_fail(l, STEP_LISTENER, errno, "receiving");
		return;
	}
	c.audit_arch = l->request->data.arch;
	c.nr = (uint32_t)l->request->data.nr;
	for (unsigned i = 0; i < 6; i++)
		c.args[i] = l->request->data.args[i];
	v = policy_eval(l->plan->policy, &c, &why);
	bool starts = is_start(l), counts = verdict_refuses(v) || v.kind == VERDICT_NOTIFY;
	if (starts && !may_start(l))
		return;
	bool told = l->mode == ENFORCE_VERIFY ? send_answer(l, 0, true) : answer_as_policy(l, v);
	l->released |= starts && told;
	if (told && counts)
		count_refusal(l, &why, v);
	else if (!told && !l->failed)
		l->report->lost++;
}
