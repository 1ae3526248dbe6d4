/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loaded RUNTIME CAPS KERNEL JSON [FILTER]...: what our model says the kernel holds once the
 * runtime has loaded the profile, against the filters that it does hold (oldest first), for all
 * calls. "equal N" (N: nodes of the answer), "chosen N" and "library N" where libseccomp's own
 * filter is the model (entries contradict each other; it builds otherwise than they say), "differ CALL: model X, kernel Y", or
 * "refused" and the diagnostics. CAPS: hex; KERNEL: 6.18.
 *	loaded installed - - -: the libseccomp here, as --runtime names it
 *	loaded prove POLICY JSON RUNTIME [LIMIT_MS]: is the JSON the policy? 0, or 1 and why not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/cbpf/lift.h"
#include "compiler/oci/runtime/library.h"
#include "compiler/oci/runtime/model.h"
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

static struct source *load_source(const char *path)
{
	struct source *src;

	if (source_load(sources, path, &src) < 0) {
		fprintf(stderr, "cannot read %s\n", path);
		finish(3);
	}
	return src;
}

static dd_node lift(struct dd *d, const char *path)
{
	struct cbpf prog;

	if (cbpf_read(arena, load_source(path), &prog, diags) < 0)
		finish(3);
	return cbpf_lift(d, arena, &prog);
}

static dd_node fix(struct dd *d, dd_node n, const struct environment *env)
{
	n = dd_fix(d, n, DD_CAPS, UINT64_MAX, env->caps);
	return dd_fix(d, n, DD_SYSTEM, UINT64_MAX, DD_SYSTEM_OF(env->kernel, env->host));
}

static int tell_difference(struct dd *d, dd_node model, dd_node kernel)
{
	struct dd_point at;
	BUF_AUTO text = { 0 };

	dd_differ_at(d, model, kernel, &at);
	buf_puts(&text, "differ ");
	oci_print_call(&text, (uint32_t)(at.at[DD_CALL] >> 32), (uint32_t)at.at[DD_CALL], at.at);
	buf_puts(&text, ": model ");
	verdict_print(&text, dd_eval_at(d, model, &at));
	buf_puts(&text, ", kernel ");
	verdict_print(&text, dd_eval_at(d, kernel, &at));
	puts(text.p);
	return 1;
}

static int compare(int argc, char **argv)
{
	struct oci_load_options opt = { .limit_ms = 20000 };
	struct source *src = load_source(argv[4]);
	struct json *root = json_parse(arena, src, diags);
	struct dd *d = dd_new(arena, 1 << 20);
	struct oci_loaded loaded;
	unsigned major, minor;

	if (oci_runtime_parse(str_c(argv[1]), -1, &opt.runtime) ||
	    sscanf(argv[3], "%u.%u", &major, &minor) != 2)
		return 2;
	opt.env = (struct environment){ .caps_known = true,
					.caps = strtoull(argv[2], NULL, 16),
					.kernel_known = true,
					.kernel = KERNEL_VERSION_OF(major, minor),
					.host_known = true,
					.host = (enum arch)arch_native() };
	if (!root || diags->errors || oci_load(arena, d, root, &opt, &loaded, diags)) {
		puts("refused");
		return 1;
	}
	dd_node kernel = DD_NONE;
	for (int i = 5; i < argc; i++) {
		dd_node one = lift(d, argv[i]);
		kernel = i == 5 ? one : dd_stack(d, one, kernel);
	}
	if (argc > 5 && kernel == DD_NONE)
		return 3;
	if (argc > 5 && kernel != loaded.root)
		return tell_difference(d, loaded.root, kernel);
	/* The entries' own answers are what is shown everywhere else: hold them to it as well. */
	if (!loaded.library && !loaded.contradicts &&
	    loaded.root != fix(d, loaded.model->root, &opt.env))
		return 3;
	printf("%s %zu\n",
	       loaded.library     ? "library" :
	       loaded.contradicts ? "chosen" :
				    "equal",
	       dd_size(d));
	return 0;
}

static int prove(int argc, char **argv)
{
	struct oci_write_options opt = { .limit_ms = argc > 5 ? (unsigned)atoi(argv[5]) : 0 };
	struct resolve_options resolve = { .env = { .caps_known = true,
						    .kernel_known = true,
						    .kernel = KERNEL_VERSION_OF(6, 18),
						    .host_known = true,
						    .host = (enum arch)arch_native() } };
	struct ast_file *file = pale_parse_source(arena, load_source(argv[2]), diags);
	struct policies *all = file ? policy_resolve(arena, file, &resolve, diags) : NULL;

	if (!all || diags->errors || !all->list.n ||
	    oci_runtime_parse(str_c(argv[4]), -1, &opt.runtime))
		return 2;
	return oci_prove(arena, all->list.v[0], &opt, load_source(argv[3])->text, diags) ? 1 : 0;
}

static int installed(void)
{
	unsigned v = oci_libseccomp_installed();

	printf("%u.%u.%u%s\n", v >> 16 & 0xff, v >> 8 & 0xff, v & 0xff,
	       v & LIBSECCOMP_DEBIAN12 ? "-1+deb12u1" : "");
	return v ? 0 : 1;
}

int main(int argc, char **argv)
{
	int rc = 2;

	arena = arena_new(NULL);
	sources = sources_new(arena);
	diags = diags_new(arena, sources);
	if (argc >= 5 && !strcmp(argv[1], "prove"))
		rc = prove(argc, argv);
	else if (argc >= 5 && !strcmp(argv[1], "installed"))
		rc = installed();
	else if (argc >= 5)
		rc = compare(argc, argv);
	finish(rc);
}
