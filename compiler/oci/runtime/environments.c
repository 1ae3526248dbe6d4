/* SPDX-License-Identifier: Apache-2.0 */
/* Environments: what entries ask of them, and what is left open. */
#include "compiler/base/bug.h"
#include "compiler/oci/runtime/model.h"
#include "compiler/oci/runtime/settle.h"

enum { CAPS_MAX = 5 };

struct environment oci_closed(const struct environment *env)
{
	struct environment e = *env;

	e.caps = env->caps_known ? env->caps : 0;
	e.kernel = env->kernel_known ? env->kernel : UINT16_MAX;
	e.caps_known = e.kernel_known = true;
	return e;
}

unsigned oci_open_fields(struct dd *d, dd_node n, const struct environment *env)
{
	unsigned fields = dd_fields(d, dd_fix(d, n, DD_SYSTEM, 0xff, env->host));

	return (env->caps_known ? 0 : fields & 1u << DD_CAPS) |
	       (env->kernel_known ? 0 : fields & 1u << DD_SYSTEM);
}

enum oci_asks oci_first_asked(unsigned fields)
{
	return fields & 1u << DD_CAPS ? OCI_ASKS_CAPS : OCI_ASKS_KERNEL;
}

int oci_ask_at(struct diags *ds, struct span span, unsigned fields)
{
	bool caps = oci_first_asked(fields) == OCI_ASKS_CAPS;
	struct diag *d = diag_add(ds, DIAG_PL131, span, "which entries apply depends on the %s",
				  caps ? "container's capabilities" : "kernel");

	diag_help(ds, d,
		  caps ? "say them with '--caps docker' (Docker's own), '--caps chown,setuid', "
			 "none or all" :
			 "say it with '--kernel 6.1'");
	return -1;
}

/* How near an entry's name is to a call: of those that ask, the nearest is the one to show. */
enum nearness { NEAR_MATCHES, NEAR_CALL, NEAR_ABOVE, NEAR_NOT };

static enum nearness nearness_of(const struct oci_rule *r, int a, uint32_t nr, const struct call *c)
{
	const struct syscall_info *sys = syscall_by_name(r->name);

	if (a < 0 || !sys || sys->nr[a] < 0 || (uint32_t)sys->nr[a] < nr)
		return NEAR_NOT;
	if ((uint32_t)sys->nr[a] > nr)
		return NEAR_ABOVE; /* runc's stub begins above it */
	return oci_args_hold(r, (enum arch)a, c->args) ? NEAR_MATCHES : NEAR_CALL;
}

static struct span asking_at(const struct oci_profile *p, const struct call *c, enum oci_asks what)
{
	enum nearness best = NEAR_NOT;
	struct span at = NO_SPAN;
	uint32_t nr = c->nr;
	int a = arch_of_call(c->audit_arch, &nr);

	vec_each(&p->rules, r) {
		struct span asks = p->entries.v[r->entry].asks[what];
		enum nearness near = nearness_of(r, a, nr, c);
		if (asks.source == SOURCE_NONE || (at.source != SOURCE_NONE && near >= best))
			continue;
		best = near;
		at = asks;
	}
	return at.source != SOURCE_NONE ? at :
	       what == OCI_ASKS_HOST    ? p->arches_span :
					  p->json->span;
}

int oci_ask_environment(struct diags *ds, const struct oci_profile *p, const struct call *c,
			unsigned fields)
{
	return oci_ask_at(ds, asking_at(p, c, oci_first_asked(fields)), fields);
}

int oci_ask_machine(struct diags *ds, const struct oci_profile *p, const struct call *c)
{
	struct diag *d = diag_add(ds, DIAG_PL131, asking_at(p, c, OCI_ASKS_HOST),
				  "this call depends on the machine, which is not known here");

	diag_help(ds, d, "give --host ARCH");
	return -1;
}

static bool add_kernel(struct oci_asked *in, uint16_t version)
{
	for (size_t i = 0; i < in->nkernels; i++)
		if (in->kernels[i] == version)
			return true;
	if (in->nkernels == ARRAY_SIZE(in->kernels))
		return false;
	in->kernels[in->nkernels++] = version;
	return true;
}

bool oci_collect_asked(const struct oci_profile *p, struct oci_asked *in)
{
	bool fine = add_kernel(in, 0);

	vec_each(&p->rules, r) {
		const struct oci_gate *g = p->entries.v[r->entry].gate;
		in->caps |= g->caps | g->no_caps;
		fine = fine && (!g->min_kernel || add_kernel(in, g->min_kernel)) &&
		       (!g->max_kernel || add_kernel(in, g->max_kernel));
	}
	return fine && __builtin_popcountll(in->caps) <= CAPS_MAX;
}

bool oci_same_rules(const struct oci_profile *p, const struct environment *x,
		    const struct environment *y)
{
	vec_each(&p->rules, r) {
		const struct oci_gate *g = p->entries.v[r->entry].gate;
		if (oci_gate_open(g, x) != oci_gate_open(g, y))
			return false;
	}
	return true;
}
