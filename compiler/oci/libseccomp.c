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
#include "compiler/oci/write.h"

enum { CHILD_REFUSED = 10, CHILD_NO_NATIVE = 11, LIMIT_MS = 5000 };

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

/* ---- is it what the policy says? ---- */

struct probe {
	struct writer *w;
	const struct cbpf *prog;
	const struct syscall_info *sys;
	enum arch arch;
	dd_node node; /* in the environment that the filter was built for */
};

static bool tell_filter(const struct probe *pr, const struct call *c, struct verdict want,
			uint32_t got)
{
	BUF_AUTO text = { 0 };

	verdict_print(&text, verdict_from_ret(got));
	buf_puts(&text, " and not ");
	verdict_print(&text, want);
	struct diag *d = diag_add(pr->w->ds, DIAG_PL229, oci_rule_span(pr->w, pr->arch, c->nr),
				  "the filter that libseccomp builds of this JSON answers %s for "
				  "'%s'(%#jx, %#jx, %#jx, ...) on %s", text.p, pr->sys->name,
				  (uintmax_t)c->args[0], (uintmax_t)c->args[1], (uintmax_t)c->args[2],
				  arch_info(pr->arch)->name);
	diag_help(pr->w->ds, d, "compare fewer arguments in one rule, or compile to '-t bpf'");
	return false;
}

static bool probe_call(const struct probe *pr, const uint64_t args[6])
{
	struct call c = { .audit_arch = arch_info(pr->arch)->audit, .nr = oci_number(pr->sys, pr->arch) };

	for (unsigned i = 0; i < 6; i++)
		c.args[i] = arch_info(pr->arch)->bits == 32 ? (uint32_t)args[i] : args[i];
	struct verdict want = dd_eval(pr->w->d->dd, pr->node, c.args);
	uint32_t got = cbpf_run(pr->prog, &c, NULL);
	return got == verdict_to_ret(want) || tell_filter(pr, &c, want, got);
}

/* A cube's corners, and every neighbour across one of its bits. */
static bool probe_cube(const struct probe *pr, const struct oci_cube *entry)
{
	const struct dd_cube *cube = &entry->c;
	uint64_t args[6];

	memcpy(args, cube->value, sizeof(args));
	for (uint64_t near = 0; entry->ordered && near < 3; near++) {
		args[entry->arg] = entry->bound + near - 1;
		if (!probe_call(pr, args))
			return false;
		args[entry->arg] ^= UINT64_C(1) << 32;
		if (!probe_call(pr, args))
			return false;
	}
	if (!probe_call(pr, args))
		return false;
	for (unsigned i = 0; i < 6; i++)
		args[i] |= ~cube->mask[i];
	if (!probe_call(pr, args))
		return false;
	for (unsigned i = 0; i < 6; i++)
		for (uint64_t left = cube->mask[i]; left; left &= left - 1) {
			args[i] ^= left & -left;
			bool same = probe_call(pr, args);
			args[i] ^= left & -left;
			if (!same)
				return false;
		}
	return true;
}

static bool probe_name(struct writer *w, const struct cbpf *prog, const struct oci_view *v,
		       const struct env_cube *where, const struct syscall_info *sys, enum arch a)
{
	static const uint64_t low[6], high[6] = { UINT64_MAX, UINT64_MAX, UINT64_MAX,
						  UINT64_MAX, UINT64_MAX, UINT64_MAX };
	const struct oci_name *name = oci_name_find(w, sys);
	struct probe pr = { w, prog, sys, a, DD_NONE };

	pr.node = dd_fix(w->d->dd, oci_arch_node(w, v, a, sys), DD_CAPS, UINT64_MAX, where->caps);
	pr.node = oci_fix(w, pr.node, where);
	if (pr.node == DD_NONE)
		return false;
	if (!probe_call(&pr, low) || !probe_call(&pr, high))
		return false;
	for (size_t i = 0; name && i < name->pieces.n; i++)
		if (oci_gates_meet(&name->pieces.v[i].gate, where) &&
		    !probe_cube(&pr, &name->pieces.v[i].cube))
			return false;
	return true;
}

/* Does this machine's libseccomp number the name there as the table does? */
static bool library_knows(const struct syscall_info *sys, enum arch a)
{
	return seccomp_syscall_resolve_name_arch(scmp_arch(a), sys->name) >= 0;
}

bool oci_check_filter(struct writer *w, struct str text, const struct oci_view *v,
		      const struct env_cube *where)
{
	const struct environment env = { .caps_known = true, .caps = where->caps,
					 .kernel_known = true, .kernel = where->first,
					 .host_known = true, .host = v->host };
	const char *why = NULL;
	struct cbpf prog;
	int rc = oci_libseccomp(w->arena, text, v->host, &env, LIMIT_MS, &prog, &why);

	if (rc == -EINVAL) {
		diag_add(w->ds, DIAG_PL229, w->p->span, "%s of the JSON written for %s", why,
			 arch_info(v->host)->name);
		return false;
	}
	if (rc) {
		struct diag *d = diag_add(w->ds, DIAG_PL231, w->p->span,
					  "libseccomp's filter for %s was not compared: %s",
					  arch_info(v->host)->name,
					  rc == -ETIMEDOUT ? "it took too long to build" : strerror(-rc));
		diag_help(w->ds, d, "a runtime may take as long to start a container");
		return true;
	}
	for (size_t i = 0; i < syscall_count(); i++) {
		const struct syscall_info *sys = syscall_at(i);
		if (oci_is_approximated(w, sys) || !oci_runtime_knows(w, sys))
			continue;
		for (int a = 0; a < ARCH_NR; a++)
			if (v->arches & ARCH_BIT(a) && sys->nr[a] >= 0 &&
			    library_knows(sys, (enum arch)a) &&
			    !probe_name(w, &prog, v, where, sys, (enum arch)a))
				return false;
	}
	return true;
}
