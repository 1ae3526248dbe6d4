/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in the kernel's log. A filter asks for it (SECCOMP_FILTER_FLAG_LOG; LOG and kills
 * are logged unasked), and the machine has the last word: actions that actions_logged does not
 * list are not logged (kernel/seccomp.c, seccomp_log()).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "compiler/enforce/confine.h"

static const char actions_logged[] = "/proc/sys/kernel/seccomp/actions_logged";

static const char *const action_words[VERDICT_ALLOW] = {
	[VERDICT_KILL_PROCESS] = "kill_process",
	[VERDICT_KILL_THREAD] = "kill_thread",
	[VERDICT_TRAP] = "trap",
	[VERDICT_ERRNO] = "errno",
	[VERDICT_NOTIFY] = "user_notif",
	[VERDICT_TRACE] = "trace",
	[VERDICT_LOG] = "log",
};

/* Bits of verdict kinds: all that the policy answers. */
static unsigned answered_kinds(const struct policy *p)
{
	unsigned kinds = 1u << p->foreign.kind;

	for (int a = 0; a < ARCH_NR; a++)
		kinds |= 1u << p->dflt[a].kind | 1u << p->unknown[a].kind;
	vec_each(&p->calls, r)
		kinds |= 1u << r->verdict.kind;
	return kinds;
}

/* One line of words, blanks between them. */
static bool has_word(const char *line, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = strstr(line, word); at; at = strstr(at + 1, word))
		if ((at == line || at[-1] == ' ') && (!at[n] || strchr(" \n", at[n])))
			return true;
	return false;
}

/* 0, or -errno. A filter above may answer with an errno of 0: no file is a standard stream, or empty. */
static int read_line(char *to, size_t size)
{
	int fd = open(actions_logged, O_RDONLY | O_CLOEXEC), err = errno;
	ssize_t n = fd > STDERR_FILENO ? read(fd, to, size - 1) : -1;

	if (fd < 0)
		return -err;
	err = n < 0 ? errno : EIO;
	if (fd <= STDERR_FILENO)
		return -EBADF;
	close(fd);
	to[n > 0 ? n : 0] = '\0';
	return n > 0 ? 0 : -err;
}

void warn_not_logged(const struct policy *p, struct diags *ds)
{
	unsigned kinds = answered_kinds(p);
	struct span at = policy_header_span(p, AST_HEADER_LOG);
	BUF_AUTO missing = { 0 };
	struct diag *d;
	char line[256];
	int err = read_line(line, sizeof(line));

	if (err) {
		d = diag_add(ds, DIAG_PL216, at,
			     "whether the kernel logs refusals cannot be told: %s: %s",
			     actions_logged, strerror(-err));
		diag_help(ds, d, "refused calls may leave no record");
		return;
	}
	for (enum verdict_kind k = 0; k < VERDICT_ALLOW; k++)
		if (kinds >> k & 1 && !has_word(line, action_words[k]))
			buf_printf(&missing, "%s%s", missing.n ? " " : "", action_words[k]);
	if (!missing.n)
		return;
	d = diag_add(ds, DIAG_PL216, at, "this machine's kernel does not log '%s'", missing.p);
	diag_help(ds, d,
		  "such calls leave no record until %s lists that too (sysctl "
		  "kernel.seccomp.actions_logged)",
		  actions_logged);
}
