/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever the format: read, resolve with what is not known of the environment left open, lift. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/cbpf/lift.h"
#include "compiler/file/decide.h"
#include "compiler/oci/oci.h"

/* ---- policies and profiles ---- */

static dd_node audit_claim(struct dd *dd, uint32_t audit)
{
	return dd_equal(dd, DD_CALL, UINT64_C(0xffffffff) << 32, (uint64_t)audit << 32);
}

/* Where two rows list an architecture, the machine's own row answers. */
static dd_node part_claim(const struct decide *d, size_t i, uint32_t audit)
{
	bool shared = false;

	for (size_t k = 0; k < i; k++)
		for (unsigned a = 0; a < ARCH_NR; a++)
			shared |= d->parts.v[k].policy->arches & ARCH_BIT(a) &&
				  arch_info((enum arch)a)->audit == audit;
	return dd_and(d->dd, audit_claim(d->dd, audit),
		      shared ? dd_equal(d->dd, DD_SYSTEM, 0xff, d->parts.v[i].machine) : DD_TRUE);
}

/* Each part answers for its own architectures; what none of them lists is foreign to all. */
static dd_node join_parts(const struct decide *d)
{
	dd_node root = decision_root(d->parts.v[0].decision, d->parts.v[0].policy->arches);

	for (size_t i = 1; i < d->parts.n; i++) {
		const struct decide_part *part = &d->parts.v[i];
		dd_node own = decision_root(part->decision, part->policy->arches);

		BUG_ON(!verdict_eq(part->policy->foreign, d->parts.v[0].policy->foreign));
		for (unsigned a = 0; a < ARCH_NR; a++)
			if (part->policy->arches & ARCH_BIT(a))
				root = dd_choose(d->dd,
						 part_claim(d, i, arch_info((enum arch)a)->audit),
						 own, root);
	}
	return root;
}

static bool add_part(struct session *s, struct decide *d, const struct policy *p, enum arch machine,
		     const struct oci_disputes *disputes)
{
	struct decide_part part = { p, decision_build_in(s->arena, d->dd, p, s->diags), machine,
				    disputes };

	if (!part.decision)
		return false;
	vec_push(s->arena, &d->parts, part);
	d->arches |= p->arches;
	return true;
}

enum { COMPARED_NOTES = 1000 }; /* a file may have as many as entries */

/* Of the notes behind `told` those that were told before. */
static void drop_repeated(struct diags *ds, size_t told)
{
	size_t kept = told;

	for (size_t i = told; i < ds->list.n; i++) {
		const struct diag *d = ds->list.v[i];
		bool again = told > COMPARED_NOTES;
		for (size_t k = 0; k < kept && !again; k++)
			again = ds->list.v[k]->id == d->id &&
				ds->list.v[k]->span.begin == d->span.begin &&
				!strcmp(ds->list.v[k]->text, d->text);
		if (!again)
			ds->list.v[kept++] = ds->list.v[i];
	}
	ds->list.n = kept;
}

/* One machine's row of archMap; notes that are the same for each row are told once. */
static int add_machine(struct session *s, struct decide *d, const struct decide_options *opt,
		       enum arch host)
{
	size_t told = s->diags->list.n;
	struct input_options input = { .resolve = opt->resolve,
				       .machine_known = true,
				       .machine = host,
				       .runtime = opt->runtime,
				       .asked = opt->asked };
	struct input row = d->in;
	int status = input_resolve(s, &input, &row);

	if (status)
		return status;
	drop_repeated(s->diags, told);
	if (!d->parts.n)
		d->in = row;
	const struct policy *p = input_policy(s, &row, opt->policy);
	return p && add_part(s, d, p, host, row.disputes) ? EXIT_OK : EXIT_FOUND;
}

static int load_machines(struct session *s, struct decide *d, const struct decide_options *opt,
			 unsigned hosts)
{
	int status = EXIT_OK;

	for (unsigned h = 0; h < ARCH_NR && !status; h++)
		if (hosts & ARCH_BIT(h))
			status = add_machine(s, d, opt, (enum arch)h);
	return status;
}

static int load_rules(struct session *s, struct decide *d, const struct decide_options *opt)
{
	struct input_options input = { .resolve = opt->resolve,
				       .runtime = opt->runtime,
				       .asked = opt->asked };
	int status = input_resolve(s, &input, &d->in);

	if (status)
		return status;
	const struct policy *p = input_policy(s, &d->in, opt->policy);
	return p && add_part(s, d, p, (enum arch)0, d->in.disputes) ? EXIT_OK : EXIT_FOUND;
}

/* Of the machines those that make such calls: what another one's row says is not asked. All, if none does. */
static unsigned asked_machines(unsigned machines, unsigned only)
{
	unsigned asked = 0;

	for (unsigned h = 0; h < ARCH_NR; h++)
		for (unsigned a = 0; a < ARCH_NR; a++)
			if (machines & ARCH_BIT(h) && only & ARCH_BIT(a) &&
			    !strcmp(arch_info((enum arch)h)->family,
				    arch_info((enum arch)a)->family))
				asked |= ARCH_BIT(h);
	return asked ? asked : machines;
}

/* ---- programs ---- */

/* An architecture is listed where the answers differ from those to one that nobody has. */
static unsigned program_arches(struct dd *dd, dd_node root)
{
	unsigned arches = 0;

	for (unsigned a = 0; a < ARCH_NR; a++) {
		const struct arch_info *info = arch_info((enum arch)a);
		/* All its numbers, where x32's bit tells them from x86_64's. */
		uint64_t mask = UINT64_C(0xffffffffc0000000);
		dd_node own =
			dd_fix(dd, root, DD_CALL, mask, DD_CALL_OF(info->audit, info->nr_base));
		dd_node nobodys = dd_fix(dd, root, DD_CALL, mask, DD_CALL_OF(0, info->nr_base));

		if (own != nobodys)
			arches |= ARCH_BIT(a);
	}
	return arches ? arches : (1u << ARCH_NR) - 1;
}

static int load_program(struct session *s, struct decide *d)
{
	struct diag *g;

	d->kind = "BPF program";
	if (cbpf_read(s->arena, d->in.source, &d->prog, s->diags) < 0)
		return EXIT_FOUND;
	d->root = cbpf_lift(d->dd, s->arena, &d->prog);
	if (d->root != DD_NONE) {
		d->arches = program_arches(d->dd, d->root);
		return EXIT_OK;
	}
	g = diag_add(s->diags, DIAG_PL295, (struct span){ d->in.source->id, 0, 0 },
		     "what this program answers is not decided: it computes more than %d decision "
		     "nodes hold",
		     DECIDE_BUDGET);
	diag_help(s->diags, g, "'pale sim' still answers for single calls");
	return EXIT_FOUND;
}

/* ---- any file ---- */

static int load_any(struct session *s, const char *path, const struct decide_options *options,
		    struct decide *d)
{
	struct decide_options opt = *options;
	unsigned machines = 0;
	int status = input_open(s, path, &d->in);

	opt.resolve.keep_when = true;
	if (status)
		return status;
	d->name = d->in.source->name;
	d->shown = str_safe(s->arena, d->name);
	d->kind = "policy";
	if (d->in.format == INPUT_BPF)
		return load_program(s, d);
	if (d->in.format == INPUT_JSON) {
		d->kind = "JSON profile";
		machines = opt.resolve.env.host_known ?
				   0 :
				   asked_machines(oci_machines(d->in.json), opt.only);
	}
	return machines ? load_machines(s, d, &opt, machines) : load_rules(s, d, &opt);
}

int decide_load(struct session *s, struct dd *dd, const char *path,
		const struct decide_options *opt, struct decide *out)
{
	*out = (struct decide){ .name = path, .dd = dd, .root = DD_NONE };
	out->shown = str_safe(s->arena, path);
	int status = load_any(s, path, opt, out);

	if (!status && out->parts.n)
		out->root = join_parts(out);
	if (!status && out->root == DD_NONE) {
		bool steps = dd_size(dd) < DECIDE_BUDGET; /* dd_new(): 32 a node */
		struct diag *g =
			diag_add(s->diags, DIAG_PL295, NO_SPAN,
				 "what '%s' answers is not decided: it needs more than %zu %s",
				 out->name, steps ? (size_t)DECIDE_BUDGET * 32 : DECIDE_BUDGET,
				 steps ? "steps to join its decisions" : "decision nodes");
		diag_help(s->diags, g, "'pale sim' still answers for single calls");
		status = EXIT_FOUND;
	}
	return status;
}

const struct decide_part *decide_part_at(const struct decide *d, const struct dd_point *at)
{
	uint32_t audit = (uint32_t)(at->at[DD_CALL] >> 32);
	const struct decide_part *found = NULL;

	vec_each(&d->parts, part)
		for (unsigned a = 0; a < ARCH_NR; a++)
			if (part->policy->arches & ARCH_BIT(a) &&
			    arch_info((enum arch)a)->audit == audit &&
			    (!found || (at->at[DD_SYSTEM] & 0xff) == part->machine))
				found = part;
	return found ? found : d->parts.n ? &d->parts.v[0] : NULL;
}

const struct policy *decide_policy(const struct decide *d, const struct dd_point *at)
{
	const struct decide_part *part = decide_part_at(d, at);

	return part ? part->policy : NULL;
}
