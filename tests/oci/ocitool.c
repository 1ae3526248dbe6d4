/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of this room need of the library:
 *	ocitool write docker|oci FILE [RUNTIME] [approximate]   the JSON
 *	ocitool libseccomp JSON CAPS        the filter that libseccomp builds, on stdout
 *	ocitool compare FILE BPF CAPS [stub|unknown-names]...   policy against filter, call by call
 *	ocitool equal FILE FILE CAPS        two policies, call by call
 *	ocitool everywhere FILE FILE        two policies, all calls in every environment
 *	ocitool apparmor FILE               the profile
 * FILE: a policy or a JSON profile. CAPS: "none" or names with commas; "CAPS@5.10@aarch64" names
 * kernel and machine as well (6.18, this one).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/apparmor/apparmor.h"
#include "compiler/cbpf/cbpf.h"
#include "compiler/oci/runtime/runtime.h"
#include "compiler/oci/write/write.h"
#include "grammar/parse.h"

static struct arena *arena;
static struct sources *sources;
static struct diags *diags;

static _Noreturn void finish(int rc)
{
	BUF_AUTO out = { 0 };

	for (size_t i = 0; i < diags->list.n; i++)
		diag_print_text(diags, diags->list.v[i], false, &out);
	if (out.n)
		fputs(out.p, stderr);
	buf_free(&out);
	arena_free(arena);
	exit(rc);
}

static uint64_t parse_caps(const char *list)
{
	uint64_t caps = 0;
	char *copy = arena_strdup(arena, list), *save;

	copy[strcspn(copy, "@")] = '\0';
	for (char *w = strtok_r(copy, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
		int cap = strcmp(w, "none") ? capability_find(str_c(w)) : -1;
		if (cap >= 0)
			caps |= UINT64_C(1) << cap;
	}
	return caps;
}

static struct environment environment_of(const char *caps)
{
	struct environment env = { .caps_known = true,
				   .caps = parse_caps(caps),
				   .kernel_known = true,
				   .kernel = KERNEL_VERSION_OF(6, 18),
				   .host_known = true,
				   .host = (enum arch)arch_native() };
	unsigned major, minor;
	char host[32];

	if (sscanf(strchrnul(caps, '@'), "@%u.%u@%31s", &major, &minor, host) == 3) {
		int h = arch_find(str_c(host));
		env.kernel = KERNEL_VERSION_OF(major, minor);
		env.host = h < 0 ? env.host : (enum arch)h;
	}
	return env;
}

static unsigned only_arches; /* of policies loaded from now on; 0: as listed */

static const struct policy *load(const char *path, const char *caps)
{
	struct resolve_options opt = { .keep_when = !caps };
	struct oci_read_options read = { .every_host = !caps };
	struct source *src;
	struct ast_file *file;

	opt.arches = only_arches;
	if (caps) {
		opt.env = environment_of(caps);
		read.host_known = true;
		read.host = opt.env.host;
	}
	if (source_load(sources, path, &src) < 0) {
		fprintf(stderr, "cannot read %s\n", path);
		finish(3);
	}
	size_t n = strspn(src->text.p, " \t\r\n");
	if (src->text.p[n] == '{') {
		opt.foreign = true;
		struct json *root = json_parse(arena, src, diags);
		file = root && !diags->errors ? oci_read(arena, root, src, &read, NULL, diags) :
						NULL;
	} else {
		file = pale_parse_source(arena, src, diags);
	}
	struct policies *all =
		file && !diags->errors ? policy_resolve(arena, file, &opt, diags) : NULL;
	if (!all || diags->errors || !all->list.n)
		finish(1);
	return all->list.v[0];
}

static int write_json(int argc, char **argv)
{
	struct oci_write_options opt = { 0 };
	BUF_AUTO out = { 0 };

	opt.dialect = strcmp(argv[2], "oci") ? OCI_DIALECT_DOCKER : OCI_DIALECT_OCI;
	if (oci_runtime_parse(str_c(argc > 4 ? argv[4] : oci_runtime_default), -1, &opt.runtime))
		return 2;
	opt.approximate = argc > 5;
	const struct policy *p = load(argv[3], "none");
	int rc = oci_write(arena, p, &opt, &out, diags);
	if (!rc)
		fwrite(out.p, 1, out.n, stdout);
	return rc ? 1 : 0;
}

static int build_filter(char **argv)
{
	struct environment env = environment_of(argv[3]);
	struct source *src;
	struct cbpf prog;
	const char *why = "";

	if (source_load(sources, argv[2], &src) < 0)
		return 3;
	int rc = oci_libseccomp(arena, src->text, (enum arch)arch_native(), &env, 20, &prog, &why);
	if (rc) {
		fprintf(stderr, "libseccomp: %d %s\n", rc, why);
		return 1;
	}
	fwrite(prog.insns, sizeof(*prog.insns), prog.n, stdout);
	return 0;
}

/* ---- comparing ---- */

struct points { /* interesting values, one list an argument */
	VEC(uint64_t) v[6];
};

static void add_point(struct points *p, unsigned arg, uint64_t v)
{
	for (size_t i = 0; i < p->v[arg].n; i++)
		if (p->v[arg].v[i] == v)
			return;
	vec_push(arena, &p->v[arg], v);
}

static void cond_points(struct points *p, const struct cond *c)
{
	if (!c)
		return;
	if (c->kind != COND_CMP) {
		cond_points(p, c->left);
		cond_points(p, c->right);
		return;
	}
	uint64_t v = c->cmp.value;
	add_point(p, c->cmp.arg, v);
	add_point(p, c->cmp.arg, v - 1);
	add_point(p, c->cmp.arg, v + 1);
	add_point(p, c->cmp.arg, v | ~c->cmp.mask);
	add_point(p, c->cmp.arg, v ^ (c->cmp.mask & -c->cmp.mask));
	add_point(p, c->cmp.arg, v ^ UINT64_C(1) << 32);
	add_point(p, c->cmp.arg, (v & UINT32_MAX) | UINT64_C(0xdeadbeef) << 32);
}

static bool exempt(const struct policy *p, enum arch a, uint32_t nr, bool names)
{
	const struct syscall_info *sys = syscall_by_nr(a, nr - arch_info(a)->nr_base);

	(void)p;
	if (!names || !sys)
		return false;
	/* Debian 12's build knows more than 2.5.4. */
	return !libseccomp_knows((2u << 16 | 5u << 8 | 4u) | LIBSECCOMP_DEBIAN12, str_c(sys->name));
}

struct tally {
	uint64_t compared, differ;
};

typedef uint32_t answer_fn(const void *ctx, const struct call *c);

static void compare_call(const struct policy *p, answer_fn *answer, const void *ctx, struct call *c,
			 struct tally *t)
{
	uint32_t want = verdict_to_ret(policy_eval(p, c, NULL)), got = answer(ctx, c);

	t->compared++;
	if (want == got)
		return;
	if (t->differ++ >= 10)
		return;
	printf("arch %#x nr %u (%#jx, %#jx, %#jx): policy %#x, filter %#x\n", c->audit_arch, c->nr,
	       (uintmax_t)c->args[0], (uintmax_t)c->args[1], (uintmax_t)c->args[2], want, got);
}

static void compare_number(const struct policy *p, answer_fn *answer, const void *ctx, enum arch a,
			   uint32_t nr, struct tally *t)
{
	struct points pts = { 0 };
	size_t first, end, count[6], total = 1;

	for (unsigned i = 0; i < 6; i++) {
		add_point(&pts, i, 0);
		add_point(&pts, i, UINT64_MAX);
	}
	policy_calls_of(p, a, nr, &first, &end);
	for (size_t i = first; i < end; i++)
		cond_points(&pts, p->calls.v[i].cond);
	for (unsigned i = 0; i < 6; i++) {
		count[i] = pts.v[i].n > 2 ? pts.v[i].n : 1;
		if (total < 200000)
			total *= count[i];
	}
	for (size_t k = 0; k < total && k < 200000; k++) {
		struct call c = { .audit_arch = arch_info(a)->audit, .nr = nr };
		size_t rest = k;
		for (unsigned i = 0; i < 6; i++) {
			c.args[i] = pts.v[i].v[rest % count[i]];
			rest /= count[i];
			if (arch_info(a)->bits == 32)
				c.args[i] = (uint32_t)c.args[i];
		}
		compare_call(p, answer, ctx, &c, t);
	}
}

static void compare_all(const struct policy *p, answer_fn *answer, const void *ctx, bool names,
			const char *family, struct tally *t)
{
	for (int i = 0; i < ARCH_NR; i++) {
		enum arch a = (enum arch)i;
		uint32_t base = arch_info(a)->nr_base;
		if (!(p->arches & ARCH_BIT(i)) || (family && strcmp(arch_info(a)->family, family)))
			continue;
		for (uint32_t nr = base; nr < base + 1100; nr++)
			if (!exempt(p, a, nr, names))
				compare_number(p, answer, ctx, a, nr, t);
		compare_number(p, answer, ctx, a, base + 0x3ffffff0, t);
	}
}

static uint32_t filter_answer(const void *ctx, const struct call *c)
{
	return cbpf_run(ctx, c, NULL);
}

static uint32_t policy_answer(const void *ctx, const struct call *c)
{
	return verdict_to_ret(policy_eval(ctx, c, NULL));
}

static uint32_t decision_answer(const void *ctx, const struct call *c)
{
	return verdict_to_ret(decision_eval(ctx, c));
}

static int tell(const struct tally *t)
{
	printf("%ju compared, %ju differ\n", (uintmax_t)t->compared, (uintmax_t)t->differ);
	return t->differ || !t->compared;
}

static int compare_filter(int argc, char **argv)
{
	static struct sock_filter insns[1 << 16];
	struct tally t = { 0, 0 };
	int fd = open(argv[3], O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, insns, sizeof(insns));

	if (fd >= 0)
		close(fd);
	if (n <= 0 || n % (ssize_t)sizeof(insns[0]))
		return 3;
	struct cbpf prog = { .insns = insns, .n = (size_t)n / sizeof(insns[0]) };
	const struct policy *p = load(argv[2], argv[4]);
	compare_all(p, filter_answer, &prog, argc > 5, arch_info((enum arch)arch_native())->family,
		    &t);
	return tell(&t);
}

static int compare_policies(char **argv)
{
	struct tally t = { 0, 0 };
	const struct policy *x = load(argv[2], argv[4]);

	only_arches = x->arches; /* a machine's own part of a policy for several */
	const struct policy *y = load(argv[3], argv[4]);
	if (x->arches != y->arches) {
		puts("architectures differ");
		return 1;
	}
	compare_all(x, policy_answer, y, false, NULL, &t);
	compare_all(y, policy_answer, x, false, NULL, &t);
	struct decision *d = decision_build(arena, x, diags);
	if (!d)
		return 1;
	compare_all(x, decision_answer, d, false, NULL, &t);
	return tell(&t);
}

/* ---- in every environment ---- */

static void tell_point(struct dd *dd, dd_node x, dd_node y, enum arch a, enum arch host)
{
	struct dd_point at;
	BUF_AUTO text = { 0 };

	dd_differ_at(dd, x, y, &at);
	verdict_print(&text, dd_eval_at(dd, x, &at));
	buf_puts(&text, " against ");
	verdict_print(&text, dd_eval_at(dd, y, &at));
	uint32_t nr = (uint32_t)at.at[DD_CALL];
	int of = arch_of_call((uint32_t)(at.at[DD_CALL] >> 32), &nr);
	const struct syscall_info *sys = of < 0 ? NULL : syscall_by_nr((enum arch)of, nr);
	printf("%s on %s: %s(%#jx, %#jx, %#jx) caps %#jx kernel %#x: %s\n", arch_info(a)->name,
	       arch_info(host)->name, sys ? sys->name : "-", (uintmax_t)at.at[0],
	       (uintmax_t)at.at[1], (uintmax_t)at.at[2], (uintmax_t)at.at[DD_CAPS],
	       (unsigned)(at.at[DD_SYSTEM] >> 8), text.p);
}

/* A register of a 32-bit machine has nothing above. */
static dd_node only_low(struct dd *dd, dd_node n, enum arch a)
{
	static const uint64_t high = UINT64_C(0xffffffff) << 32, zeros[6];
	const uint64_t mask[6] = { high, high, high, high, high, high };

	return arch_info(a)->bits == 32 ? dd_restrict(dd, n, mask, zeros) : n;
}

/* Each architecture on each machine that makes its calls: one diagram against one. */
static int compare_everywhere(char **argv)
{
	const struct policy *x = load(argv[2], NULL), *y = load(argv[3], NULL);
	struct dd *dd = dd_new(arena, 1 << 22);
	struct decision *dx = decision_build_in(arena, dd, x, diags);
	struct decision *dy = decision_build_in(arena, dd, y, diags);
	struct tally t = { 0, 0 };

	if (!dx || !dy)
		return 1;
	if (x->arches != y->arches) {
		puts("architectures differ");
		return 1;
	}
	for (int a = 0; a < ARCH_NR; a++) {
		if (!(x->arches & ARCH_BIT(a)))
			continue;
		dd_node nx = only_low(dd, decision_root(dx, ARCH_BIT(a)), (enum arch)a);
		dd_node ny = only_low(dd, decision_root(dy, ARCH_BIT(a)), (enum arch)a);
		for (int h = 0; h < ARCH_NR; h++) {
			if (!env_runs((enum arch)h, (enum arch)a))
				continue;
			dd_node hx = dd_fix(dd, nx, DD_SYSTEM, 0xff, (uint64_t)h);
			dd_node hy = dd_fix(dd, ny, DD_SYSTEM, 0xff, (uint64_t)h);
			t.compared++;
			if (hx == DD_NONE || hx != hy)
				t.differ++;
			if (hx != DD_NONE && hy != DD_NONE && hx != hy)
				tell_point(dd, hx, hy, (enum arch)a, (enum arch)h);
		}
	}
	return tell(&t);
}

static int write_apparmor(char **argv)
{
	struct apparmor_options opt = { 0 };
	BUF_AUTO out = { 0 };
	const struct policy *p = load(argv[2], "none");
	int rc = apparmor_write(arena, p, &opt, &out, diags);

	if (!rc)
		fwrite(out.p, 1, out.n, stdout);
	return rc ? 1 : 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int rc = 2;

	arena = arena_new(NULL);
	sources = sources_new(arena);
	diags = diags_new(arena, sources);
	if (!strcmp(what, "write") && argc >= 4)
		rc = write_json(argc, argv);
	else if (!strcmp(what, "libseccomp") && argc == 4)
		rc = build_filter(argv);
	else if (!strcmp(what, "compare") && argc >= 5)
		rc = compare_filter(argc, argv);
	else if (!strcmp(what, "equal") && argc == 5)
		rc = compare_policies(argv);
	else if (!strcmp(what, "everywhere") && argc == 4)
		rc = compare_everywhere(argv);
	else if (!strcmp(what, "apparmor") && argc == 3)
		rc = write_apparmor(argv);
	finish(rc);
}
