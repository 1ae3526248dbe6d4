/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile in one environment, as far as the kernel: our reading of it and, where the library
 * of the named runtime is the one installed here, the filter that it really builds. They are
 * compared for all calls; where they differ the filter is what the kernel would get.
 */
#include <errno.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/cbpf/lift.h"
#include "compiler/oci/library.h"
#include "compiler/oci/model.h"

enum { NODE_BUDGET = 1 << 20, LIMIT_MS = 5000 };

struct loading {
	struct arena *arena;
	struct dd *dd;
	const struct oci_load_options *opt;
	struct oci_profile profile;
	struct span span; /* of the profile, for what is about all of it */
	bool engine;      /* the JSON is still an engine's dialect */
	struct diags *ds;
};

static int refuse(struct loading *l, enum diag_id id, struct span span, const char *text,
		  const char *help)
{
	struct diag *d = diag_add(l->ds, id, span, "%s", text);

	diag_help(l->ds, d, "%s", help);
	return -1;
}

/* What containers cannot be started with (runc InitSeccomp(), crun libcrun_generate_seccomp()). */
static int check_notify(struct loading *l, const struct json *profile)
{
	const struct oci_profile *p = &l->profile;
	bool notify = p->dflt.kind == VERDICT_NOTIFY;

	if (notify)
		return refuse(l, DIAG_PL265, l->span, "runtimes refuse 'SCMP_ACT_NOTIFY' as the default: "
			      "nothing could be started", "name the calls to be notified about");
	vec_each(&p->rules, r) {
		if (p->entries.v[r->entry].verdict.kind != VERDICT_NOTIFY)
			continue;
		notify = true;
		if (l->opt->runtime.kind == OCI_RUNC && str_is(r->name, "write"))
			return refuse(l, DIAG_PL265, r->span, "runc refuses 'SCMP_ACT_NOTIFY' for 'write', "
				      "which it needs to send the listener", "leave 'write' out");
	}
	if (notify && !oci_member(profile, "listenerPath"))
		return refuse(l, DIAG_PL265, l->span, "'SCMP_ACT_NOTIFY' needs 'listenerPath', which this "
			      "profile does not name", "name the listener's socket");
	return 0;
}

/* Is an entry open in some environments only, and env does not say? */
static int check_environment(struct loading *l, dd_node root)
{
	const struct environment *env = &l->opt->env;
	unsigned fields = dd_fields(l->dd, root);

	if (fields & 1u << DD_CAPS && !env->caps_known)
		return refuse(l, DIAG_PL131, l->span, "which entries apply depends on the container's "
			      "capabilities", "say them with '--caps chown,setuid' (or none, or all)");
	if (fields & 1u << DD_SYSTEM && !env->kernel_known)
		return refuse(l, DIAG_PL131, l->span, "which entries apply depends on the kernel",
			      "say it with '--kernel 6.1'");
	return 0;
}

static dd_node fix(struct loading *l, dd_node n)
{
	const struct environment *env = &l->opt->env;

	n = dd_fix(l->dd, n, DD_CAPS, UINT64_MAX, env->caps_known ? env->caps : 0);
	return dd_fix(l->dd, n, DD_SYSTEM, UINT64_MAX, DD_SYSTEM_OF(env->kernel, env->host));
}

static const char *point_text(struct loading *l, const struct dd_point *p, dd_node root)
{
	uint32_t audit = (uint32_t)(p->at[DD_CALL] >> 32), nr = (uint32_t)p->at[DD_CALL];
	BUF_AUTO text = { 0 };

	oci_print_call(&text, audit, nr, p->at);
	if (root != DD_NONE) {
		buf_puts(&text, ": ");
		verdict_print(&text, dd_eval_at(l->dd, root, p));
	}
	return arena_strdup(l->arena, text.p);
}

/* The filter that the installed library builds, as a root. */
static int build(struct loading *l, dd_node *out)
{
	struct oci_child child;
	const char *why = NULL;
	struct cbpf prog;
	int rc = oci_child_start(&child, &l->profile, l->opt->env.host, &l->opt->env);

	if (!rc)
		rc = oci_child_finish(&child, l->arena, l->opt->limit_ms ? l->opt->limit_ms : LIMIT_MS,
				      &prog, &why);
	if (rc == -EINVAL)
		return refuse(l, DIAG_PL265, l->span, arena_printf(l->arena, "%s, so that the container does "
								   "not start", why),
			      "look for entries that name one call and condition with different actions");
	if (rc)
		return refuse(l, DIAG_PL231, l->span,
			      rc == -ETIMEDOUT ? "libseccomp takes too long to build the filter" :
						 strerror(-rc),
			      "compare fewer arguments in one rule; containers would start as slowly");
	*out = cbpf_lift(l->dd, l->arena, &prog);
	return 0;
}

static int settle(struct loading *l, struct oci_loaded *out)
{
	const struct oci_model *m = out->model;
	dd_node built, reading = fix(l, m->root), undefined = fix(l, m->undefined);
	struct dd_point p;

	if (fix(l, m->refused) == DD_TRUE)
		return refuse(l, DIAG_PL265, l->span, "two entries give one call and condition different "
			      "actions: libseccomp refuses them, and the container does not start",
			      "leave one of them out");
	out->root = reading;
	if (oci_libseccomp_installed() != m->runtime.libseccomp) {
		if (!dd_witness(l->dd, undefined, &p))
			return 0;
		return refuse(l, DIAG_PL267, l->span,
			      arena_printf(l->arena, "two entries with different actions match %s, and only "
					   "the runtime's own libseccomp can tell which decides: another one is "
					   "installed here", point_text(l, &p, DD_NONE)),
			      "make their conditions exclude each other");
	}
	if (build(l, &built))
		return -1;
	built = fix(l, oci_model_stubbed(m, built));
	if (built == DD_NONE || reading == DD_NONE)
		return refuse(l, DIAG_PL290, l->span, "the filter is too complex to compare",
			      "use fewer entries");
	if (built == reading)
		return 0;
	dd_differ_at(l->dd, reading, built, &p);
	struct diag *d = diag_add(l->ds, DIAG_PL266, l->span, "libseccomp builds a filter that the entries "
				  "do not say: %s", point_text(l, &p, built));
	diag_note(l->ds, d, l->span, "by the entries: %s", point_text(l, &p, reading));
	out->root = built;
	out->library = true;
	return 0;
}

int oci_load(struct arena *a, struct dd *d, const struct json *root,
	     const struct oci_load_options *opt, struct oci_loaded *out, struct diags *ds)
{
	struct loading l = { .arena = a, .dd = d, .opt = opt, .ds = ds };
	const struct json *profile = oci_profile_object(root);
	struct oci_read_options read = { .host_known = true, .host = opt->env.host };
	const struct oci_runtime *rt = &opt->runtime;

	BUG_ON(!opt->env.host_known);
	if (!profile)
		return refuse(&l, DIAG_PL270, root ? root->span : NO_SPAN, "this is no seccomp profile",
			      "a profile has 'defaultAction'");
	l.span = profile->span;
	l.engine = profile == root;
	if (!oci_parse(a, profile, &read, &l.profile, ds))
		return -1;
	/* moby's profiles/seccomp before 23.0 does not hand `defaultErrnoRet` over. */
	bool old = l.engine && rt->docker && rt->docker < OCI_VERSION(23, 0, 0);
	if (old && (l.profile.dflt.kind == VERDICT_ERRNO || l.profile.dflt.kind == VERDICT_TRACE))
		l.profile.dflt.data = 1;
	if (check_notify(&l, profile))
		return -1;
	out->model = ARENA_NEW(a, struct oci_model);
	if (oci_model_build(a, d, &l.profile, rt, opt->env.host, out->model))
		return refuse(&l, DIAG_PL290, l.span, "the entries are too complex to decide",
			      "use fewer entries");
	if (check_environment(&l, dd_fix(d, out->model->root, DD_SYSTEM, 0xff, opt->env.host)))
		return -1;
	struct oci_profile *keep = arena_dup(a, &l.profile, sizeof(l.profile));
	out->model->profile = keep;
	return settle(&l, out);
}
