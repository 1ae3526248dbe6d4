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
#include "compiler/oci/runtime/library.h"
#include "compiler/oci/runtime/model.h"
#include "compiler/oci/runtime/runtime.h"

enum { CPU_S = 5 };

struct loading {
	struct arena *arena;
	struct dd *dd;
	const struct oci_load_options *opt;
	struct environment env; /* opt's, what it leaves open filled in */
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

/* The rule of the call that most entries speak of: it is what costs. NULL: there are none. */
static const struct oci_rule *costliest(struct arena *a, const struct oci_profile *p,
					size_t *entries)
{
	size_t *of = ARENA_ARRAY(a, size_t,
				 syscall_count() + 1); /* by call; the last: no call of the table */
	const struct oci_rule *most = NULL;

	*entries = 0;
	vec_each(&p->rules, r) {
		const struct syscall_info *s = syscall_by_name(r->name);
		size_t *n = &of[s ? (size_t)(s - syscall_at(0)) : syscall_count()];
		if (++*n <= *entries)
			continue;
		*entries = *n;
		most = r;
	}
	return most;
}

static int too_complex(struct loading *l, const char *what)
{
	size_t n;
	const struct oci_rule *r = costliest(l->arena, &l->profile, &n);
	struct diag *d =
		diag_add(l->ds, DIAG_PL290, r ? r->span : l->span,
			 "%s more than %zu decision nodes; '" PRISTR "' has most entries, %zu",
			 what, dd_budget(l->dd), STRARG(r ? r->name : STR("")), n);

	diag_help(l->ds, d,
		  "use fewer entries: join those with the same action, or leave the distinction to "
		  "the default");
	return -1;
}

static dd_node fix(struct loading *l, dd_node n)
{
	const struct environment *env = &l->env;

	n = dd_fix(l->dd, n, DD_CAPS, UINT64_MAX, env->caps);
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
	return buf_keep(l->arena, &text);
}

/* The filter that the installed library builds, as a root. */
static int build(struct loading *l, dd_node *out)
{
	struct oci_child child = { .cpu_s = CPU_S };
	const char *why = NULL;
	struct cbpf prog;
	int rc = oci_child_start(&child, &l->profile, l->env.host, &l->env);

	if (!rc)
		rc = oci_child_finish(&child, l->arena,
				      l->opt->limit_ms ? l->opt->limit_ms : OCI_CHILD_MS, &prog,
				      &why);
	if (rc == -EINVAL)
		return refuse(
			l, DIAG_PL265, l->span,
			arena_printf(l->arena, "%s, so that the container does not start", why),
			"look for entries that name one call and condition with different actions");
	if (rc && rc != -ETIMEDOUT && rc != -EOPNOTSUPP)
		return refuse(l, DIAG_PL020, l->span,
			      arena_printf(l->arena, "libseccomp's filter could not be had: %s",
					   strerror(-rc)),
			      "give the command more of it (ulimit -a)");
	if (rc)
		return refuse(
			l, DIAG_PL231, l->span,
			rc == -ETIMEDOUT ? "libseccomp takes too long to build the filter" :
					   "the installed libseccomp does not know that "
					   "architecture",
			"compare fewer arguments in one rule; containers would start as slowly");
	*out = cbpf_lift(l->dd, l->arena, &prog);
	return 0;
}

/* At the entries that the call meets. */
static void tell_overlap(struct loading *l, const struct oci_model *m, const struct dd_point *p,
			 dd_node built)
{
	struct call c = { .audit_arch = (uint32_t)(p->at[DD_CALL] >> 32),
			  .nr = (uint32_t)p->at[DD_CALL] };
	struct verdict held = dd_eval_at(l->dd, built, p), said = dd_eval_at(l->dd, m->root, p);
	unsigned matching;

	memcpy(c.args, p->at, sizeof(c.args));
	const struct oci_rule *other = oci_model_rule(m, &l->env, &c, said, &matching);
	const struct oci_rule *winner = oci_model_rule(m, &l->env, &c, held, &matching);
	struct diag *d = diag_add(
		l->ds, DIAG_SC153,
		winner ? winner->span :
		other  ? other->span :
			 l->span,
		"two entries with different actions match one call, and libseccomp decides %s",
		point_text(l, p, built));
	if (winner && other)
		diag_note(l->ds, d, other->span, "the other entry");
	diag_help(l->ds, d, "make their conditions exclude each other");
}

/*
 * The library's filter is what the kernel gets. Is it where entries contradict each other, or
 * does it answer what no entry says?
 */
static int take_built(struct loading *l, struct oci_loaded *out, dd_node built, dd_node reading,
		      dd_node undefined)
{
	dd_node said = dd_choose(l->dd, undefined, built, reading);
	struct diag *d;
	struct dd_point p;

	out->root = built;
	if (said == DD_NONE)
		return too_complex(l, "comparing the filter with its entries needs");
	if (said == built) {
		dd_differ_at(l->dd, reading, built, &p);
		tell_overlap(l, out->model, &p, built);
		out->contradicts = true;
		return 0;
	}
	dd_differ_at(l->dd, said, built, &p);
	d = diag_add(l->ds, DIAG_PL266, l->span,
		     "libseccomp builds a filter that the entries do not say: %s",
		     point_text(l, &p, built));
	diag_note(l->ds, d, l->span, "by the entries: %s", point_text(l, &p, reading));
	out->library = true;
	return 0;
}

/* Which of them decides is written in libseccomp's merging, which packagers do not touch. */
static bool same_library(unsigned installed, unsigned named)
{
	return installed && !((installed ^ named) & ~LIBSECCOMP_DEBIAN12);
}

static int settle(struct loading *l, struct oci_loaded *out)
{
	const struct oci_model *m = out->model;
	dd_node built = DD_NONE, reading = fix(l, m->root), undefined = fix(l, m->undefined);
	unsigned installed = oci_libseccomp_installed();

	if (oci_refused(l->arena, m->profile, &l->opt->env, NULL, l->ds))
		return -1;
	out->root = reading;
	out->open = oci_open_fields(l->dd, m->root, &l->opt->env) |
		    oci_open_fields(l->dd, m->undefined, &l->opt->env);
	out->disputed = undefined;
	if (!same_library(installed, m->runtime.libseccomp)) {
		out->undecided = undefined;
		return 0;
	}
	if (installed != m->runtime.libseccomp && undefined == DD_FALSE)
		return 0;
	if (build(l, &built))
		return -1;
	built = fix(l, oci_model_stubbed(m, built));
	if (built == DD_NONE || reading == DD_NONE)
		return too_complex(l, "comparing the filter with its entries needs");
	if (installed != m->runtime.libseccomp) /* other names: only what is disputed is its own */
		built = dd_choose(l->dd, undefined, built, reading);
	if (built == reading)
		return 0;
	return take_built(l, out, built, reading, undefined);
}

int oci_load(struct arena *a, struct dd *d, const struct json *root,
	     const struct oci_load_options *opt, struct oci_loaded *out, struct diags *ds)
{
	struct loading l = {
		.arena = a, .dd = d, .opt = opt, .env = oci_closed(&opt->env), .ds = ds
	};
	const struct json *profile = oci_profile_object(root);
	const struct oci_runtime *rt = &opt->runtime;
	struct oci_read_options read = { .host_known = true,
					 .host = opt->env.host,
					 .docker = true,
					 .runtime = rt,
					 .asked = opt->asked };

	BUG_ON(!opt->env.host_known);
	*out = (struct oci_loaded){ .root = DD_NONE, .disputed = DD_FALSE, .undecided = DD_FALSE };
	l.span = profile ? profile->span : root->span;
	l.engine = profile == root;
	oci_parse(a, root, &read, &l.profile);
	if (!oci_report(&l.profile, &opt->env, ds))
		return -1;
	/* moby's profiles/seccomp before 23.0 does not hand `defaultErrnoRet` over. */
	bool old = l.engine && rt->docker && rt->docker < OCI_VERSION(23, 0, 0);
	if (old && (l.profile.dflt.kind == VERDICT_ERRNO || l.profile.dflt.kind == VERDICT_TRACE))
		l.profile.dflt.data = 1;
	out->model = ARENA_NEW(a, struct oci_model);
	if (oci_model_build(a, d, &l.profile, rt, opt->env.host, out->model))
		return too_complex(&l, "what the entries answer needs");
	struct oci_profile *keep = arena_dup(a, &l.profile, sizeof(l.profile));
	out->model->profile = keep;
	if (keep->has_default && !keep->lost)
		return settle(&l, out);
	/* The report has said so: the container is unconfined. */
	out->root = dd_terminal(d, (struct verdict){ VERDICT_ALLOW, 0 });
	return 0;
}
