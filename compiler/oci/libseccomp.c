/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the machine's libseccomp makes of a profile: the rules are handed over as runc does
 * (libcontainer/seccomp/seccomp_linux.go), in a child with a time limit, since
 * seccomp_rule_add() can take minutes and is not ours to trust.
 */
#include <errno.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler/cbpf/cbpf.h"
#include "compiler/oci/internal.h"

enum { CHILD_REFUSED = 10, CHILD_NO_NATIVE = 11 };

static uint32_t scmp_arch(enum arch a)
{
	switch (a) {
	case ARCH_X86_64:
		return SCMP_ARCH_X86_64;
	case ARCH_X32:
		return SCMP_ARCH_X32;
	case ARCH_I386:
		return SCMP_ARCH_X86;
	case ARCH_AARCH64:
		return SCMP_ARCH_AARCH64;
	case ARCH_NR:
		break;
	}
	return 0;
}

static struct scmp_arg_cmp scmp_arg(const struct oci_arg *a)
{
	static const enum scmp_compare ops[OCI_OP_NR] = {
		[OCI_NE] = SCMP_CMP_NE, [OCI_LT] = SCMP_CMP_LT, [OCI_LE] = SCMP_CMP_LE,
		[OCI_EQ] = SCMP_CMP_EQ, [OCI_GE] = SCMP_CMP_GE, [OCI_GT] = SCMP_CMP_GT,
		[OCI_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
	};

	if (a->op == OCI_MASKED_EQ)
		return (struct scmp_arg_cmp){ a->index, ops[a->op], a->mask, a->value };
	return (struct scmp_arg_cmp){ a->index, ops[a->op], a->value, 0 };
}

/* In an order of their own: a name without a number here gets a pseudo number, as in runc. */
static int add_rule(scmp_filter_ctx ctx, const struct oci_profile *p, const struct oci_rule *r)
{
	struct scmp_arg_cmp args[6];
	char name[64];
	const struct oci_entry *e = &p->entries.v[r->entry];

	if (r->name.n >= sizeof(name) || r->nwritten > 6 || verdict_eq(e->verdict, p->dflt))
		return 0;
	memcpy(name, r->name.p, r->name.n);
	name[r->name.n] = '\0';
	int nr = seccomp_syscall_resolve_name(name);
	if (nr == __NR_SCMP_ERROR)
		return 0;
	for (uint32_t i = 0; i < r->nwritten; i++)
		args[i] = scmp_arg(&r->written[i]);
	return seccomp_rule_add_array(ctx, verdict_to_ret(e->verdict), nr, r->nwritten, args);
}

static int build(const struct oci_profile *p, enum arch native, const struct environment *env, int fd)
{
	scmp_filter_ctx ctx = seccomp_init(verdict_to_ret(p->dflt));

	if (!ctx)
		return CHILD_REFUSED;
	if (seccomp_arch_native() != scmp_arch(native)) {
		/* Another machine's: its own architecture replaces ours. */
		if (seccomp_arch_add(ctx, scmp_arch(native)) ||
		    seccomp_arch_remove(ctx, seccomp_arch_native()))
			return CHILD_NO_NATIVE;
	}
	for (int a = 0; a < ARCH_NR; a++) {
		int err = p->arches & ARCH_BIT(a) ? seccomp_arch_add(ctx, scmp_arch((enum arch)a)) : 0;
		if (err && err != -EEXIST)
			return CHILD_REFUSED;
	}
	for (size_t i = 0; i < p->rules.n; i++) {
		const struct oci_rule *r = &p->rules.v[i];
		if (r->derived || !oci_gate_open(p->entries.v[r->entry].gate, env))
			continue;
		if (add_rule(ctx, p, r))
			return CHILD_REFUSED;
	}
	return seccomp_export_bpf(ctx, fd) ? CHILD_REFUSED : 0;
}

/* Waits for the child at most limit_ms; kills and reaps it past that. Its status, or -errno. */
static int wait_child(pid_t pid, unsigned limit_ms)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0), status, ready = 1;

	if (fd >= 0) {
		struct pollfd poller = { .fd = fd, .events = POLLIN };
		do
			ready = poll(&poller, 1, (int)limit_ms);
		while (ready < 0 && errno == EINTR);
		close(fd);
	}
	if (ready <= 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (ready <= 0)
		return -ETIMEDOUT;
	return WIFEXITED(status) ? WEXITSTATUS(status) : CHILD_REFUSED;
}

static int read_program(struct arena *a, int fd, struct cbpf *out)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	size_t size = (size_t)st.st_size;
	struct sock_filter *insns = arena_alloc(a, size + 1);
	if (size % sizeof(*insns) || pread(fd, insns, size, 0) != (ssize_t)size)
		return -EIO;
	*out = (struct cbpf){ .insns = insns, .n = size / sizeof(*insns) };
	return 0;
}

static int run_child(struct arena *a, const struct oci_profile *p, enum arch native,
		     const struct environment *env, unsigned limit_ms, struct cbpf *out,
		     const char **why)
{
	int fd = memfd_create("pale-filter", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	pid_t pid = fork();
	if (pid == 0)
		_exit(build(p, native, env, fd));
	int rc = pid < 0 ? -errno : wait_child(pid, limit_ms);
	if (rc == 0)
		rc = read_program(a, fd, out);
	close(fd);
	if (rc > 0) {
		*why = "libseccomp refuses one of the rules";
		return -EINVAL;
	}
	return rc;
}

int oci_libseccomp(struct arena *a, struct str json, enum arch native,
		   const struct environment *env, unsigned limit_ms, struct cbpf *out,
		   const char **why)
{
	static const struct environment nothing;
	struct sources *sources = sources_new(a);
	struct diags *ds = diags_new(a, sources);
	struct source *src = source_add(sources, "<profile>", json);
	struct json *root = json_parse(a, src, ds);
	struct oci_read_options opt = { .host_known = true, .host = native };
	struct oci_profile p = { 0 };

	*why = "the text is no profile";
	const struct json *profile = oci_profile_object(root);
	if (!profile || ds->errors || !oci_parse(a, profile, &opt, &p, ds))
		return -EINVAL;
	return run_child(a, &p, native, env ? env : &nothing, limit_ms, out, why);
}
