/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON to entries and rules, every value looked at where it stands, and nothing said: what is
 * wrong becomes a fault, with what a runtime does about it. The shapes are those of moby
 * (profiles/seccomp), the OCI runtime specification and runc (libcontainer/specconv,
 * libcontainer/seccomp); tests/oci/test_one_reader.py holds them against the real runc and crun.
 */
#include "compiler/base/bug.h"
#include "compiler/oci/parse.h"

static void read_flags(struct parser *p)
{
	struct oci_profile *out = p->out;
	const struct oci_runtime *rt = &out->runtime;
	const struct json *flags = parse_member(p, out->json, "flags", JSON_ARRAY);
	bool handed = oci_flags_handed(rt, out->in_config);
	struct str word;

	if (parse_items(flags) && rt->kind == OCI_RUNC && rt->version < OCI_VERSION(1, 2, 0))
		parse_fault(p, OCI_FAULT_FLAGS, flags->span, handed);
	for (const struct json *j = parse_items(flags); j; j = j->next) {
		bool known = false;
		if (!parse_element(p, j, "flags", &word))
			continue;
		for (const char *const *f = oci_flag_names; *f; f++)
			known |= str_is(word, *f);
		if (handed && str_is(word, oci_flag_log))
			out->logs_span = j->span;
		if (!known || (!oci_flag_taken(rt, word) && !out->nfaults[OCI_FAULT_FLAGS]))
			parse_fault(p, OCI_FAULT_FLAG, j->span, handed)->word = word;
	}
}

static void read_listener(struct parser *p)
{
	const struct json *path = parse_member(p, p->out->json, "listenerPath", JSON_STRING);
	const struct json *meta = parse_member(p, p->out->json, "listenerMetadata", JSON_STRING);

	if ((!path || !path->text.n) && meta && meta->text.n)
		parse_fault(p, OCI_FAULT_METADATA, meta->span, false);
}

/*
 * Where none was named it is the default on this machine. What other machines run nobody knows:
 * there it is one that knows all words (runc 1.1 does not know RISCV64, and starts on no such).
 */
static void choose_runtime(struct parser *p)
{
	struct oci_runtime *rt = &p->out->runtime;

	if (p->opt->runtime) {
		*rt = *p->opt->runtime;
		return;
	}
	BUG_ON(oci_runtime_parse(str_c(oci_runtime_default), -1, rt));
	if ((int)p->host != arch_native())
		rt->version = rt->libseccomp = OCI_VERSION(255, 0, 0);
}

static struct parser start(struct arena *a, const struct json *root,
			   const struct oci_read_options *opt, struct oci_profile *out)
{
	static const struct oci_read_options plain;
	int native = arch_native();
	struct parser p = { .arena = a,
			    .out = out,
			    .opt = opt ? opt : &plain,
			    .at = OCI_NO_ENTRY,
			    .host = native >= 0 ? (enum arch)native : ARCH_X86_64 };

	*out = (struct oci_profile){ .root = root,
				     .json = oci_profile_object(root),
				     .asked = p.opt->asked,
				     .logs_span = NO_SPAN };
	if (p.opt->host_known)
		p.host = p.opt->host;
	out->host = p.host;
	choose_runtime(&p);
	return p;
}

void oci_parse(struct arena *a, const struct json *root, const struct oci_read_options *opt,
	       struct oci_profile *out)
{
	struct parser p = start(a, root, opt, out);

	if (!out->json) {
		out->json = root;
		parse_decode_fault(&p, OCI_FAULT_TYPE, root, "profile")->want = JSON_OBJECT;
		return;
	}
	out->in_config = out->json != root;
	if (out->in_config) {
		parse_outer_keys(&p, root, "linux");
		for (const struct json *m = root->first; (m = json_find_fold(m, "linux"));
		     m = m->next)
			parse_outer_keys(&p, m, "seccomp");
	}
	parse_keys(&p, out->json, oci_profile_keys);
	parse_default(&p);
	parse_arches(&p);
	read_flags(&p);
	read_listener(&p);
	parse_entries(&p, parse_member(&p, out->json, "syscalls", JSON_ARRAY));
	if (out->lost)
		parse_lost(&p);
}

/* Does each reader see the same in every entry? */
static bool is_alike(const struct oci_profile *x, const struct oci_profile *y)
{
	const struct oci_runtime *a = &x->runtime, *b = &y->runtime;

	return x->host == y->host && a->kind == b->kind && a->version == b->version &&
	       a->libseccomp == b->libseccomp && a->docker == b->docker && x->asked == y->asked &&
	       !x->podman && !x->lost && x->json == y->json;
}

void oci_parse_as(struct arena *a, const struct oci_profile *first,
		  const struct oci_read_options *opt, struct oci_profile *out)
{
	struct parser p = start(a, first->root, opt, out);
	unsigned arches = first->arches;

	if (!is_alike(first, out)) {
		oci_parse(a, first->root, opt, out);
		return;
	}
	*out = *first;
	/* What is added goes into arrays of its own. */
	out->faults.cap = out->faults.n;
	out->dropped.cap = out->dropped.n;
	out->dropped_entry.cap = out->dropped_entry.n;
	parse_choose_arches(&p);
	if (out->arches != arches)
		parse_rules_again(&p);
}
