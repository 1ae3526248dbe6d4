/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's `includes` and `excludes`: when an entry is in force. */
#include <string.h>

#include "compiler/oci/parse.h"

/* false: it holds on every kernel. */
static bool read_kernel(struct parser *p, const struct json *gate, uint16_t *out)
{
	const struct json *j = oci_member(gate, "minKernel");

	if (!j || (j->kind == JSON_STRING && !j->text.n)) /* moby: "" is 0.0 */
		return false;
	if (j->kind == JSON_STRING && oci_kernel_parse(j->text, out) == 0)
		return true;
	parse_decode_fault(p, OCI_FAULT_KERNEL, j, "minKernel");
	return false;
}

/* none: a word among them that is no capability of anybody. */
static uint64_t read_caps(struct parser *p, const struct json *gate, const char *which, bool *none)
{
	const struct json *list = parse_member(p, gate, "caps", JSON_ARRAY);
	uint64_t caps = 0;
	struct str word;

	for (const struct json *j = parse_items(list); j; j = j->next) {
		if (!parse_element(p, j, "caps", &word))
			continue;
		int cap = oci_capability_find(word);
		if (cap >= 0) {
			caps |= UINT64_C(1) << cap;
			continue;
		}
		struct oci_fault *f = parse_fault(p, OCI_FAULT_CAPABILITY, j->span, false);
		f->word = word;
		f->key = which;
		*none = true;
	}
	return caps;
}

/* The spellings of other readers: SCMP_ARCH_X86_64, x86_64. Hosts that pale lacks are none. */
static bool is_misspelt_host(struct str word)
{
	return str_starts(word, "SCMP_ARCH_") || arch_find(word) >= 0;
}

static unsigned read_hosts(struct parser *p, const struct json *gate, const char *which)
{
	const struct json *list = parse_member(p, gate, "arches", JSON_ARRAY);
	unsigned hosts = 0;
	struct str word;

	for (const struct json *j = parse_items(list); j; j = j->next) {
		if (!parse_element(p, j, "arches", &word))
			continue;
		int a = oci_host_find(word);
		if (a >= 0) {
			hosts |= ARCH_BIT(a);
		} else if (is_misspelt_host(word)) {
			struct oci_fault *f = parse_fault(p, OCI_FAULT_HOST, j->span, false);
			f->word = word;
			f->key = which;
		}
	}
	return hosts;
}

static void read_includes(struct parser *p, const struct json *in, struct oci_gate *g)
{
	bool nobody = false;

	parse_keys(p, in, oci_gate_keys);
	g->caps = read_caps(p, in, "includes", &nobody);
	g->hosts = read_hosts(p, in, "includes");
	read_kernel(p, in, &g->min_kernel);
	bool elsewhere = parse_items(oci_member(in, "arches")) && !g->hosts;
	g->never |= nobody || elsewhere;
	if (nobody)
		parse_drop(
			p,
			"never in force: includes a capability that does not exist by this name");
	else if (elsewhere)
		parse_drop(p, "never in force on the machines of these architectures");
}

static void read_excludes(struct parser *p, const struct json *ex, struct oci_gate *g)
{
	const struct json *kernel = oci_member(ex, "minKernel");
	bool nobody = false;

	parse_keys(p, ex, oci_gate_keys);
	g->no_caps = read_caps(p, ex, "excludes", &nobody);
	g->no_hosts = read_hosts(p, ex, "excludes");
	if (!kernel || read_kernel(p, ex, &g->max_kernel))
		return;
	g->never = true;
	parse_drop(p, "never in force: every kernel is excluded");
}

/* Docker's "arches" are hosts: a call under any ABI of that machine. */
static unsigned arches_of_hosts(unsigned hosts)
{
	unsigned mask = 0;

	for (int h = 0; h < ARCH_NR; h++)
		for (int a = 0; a < ARCH_NR && hosts & ARCH_BIT(h); a++)
			if (!strcmp(arch_info((enum arch)a)->family,
				    arch_info((enum arch)h)->family) &&
			    parse_leads_family((enum arch)h, ARCH_BIT(h)))
				mask |= ARCH_BIT(a);
	return mask;
}

/* includes first, as they are read. */
static struct span asking(const struct json *in, const struct json *ex, const char *key)
{
	const struct json *m = oci_member(in, key);

	m = m ? m : oci_member(ex, key);
	return m ? m->span : NO_SPAN;
}

void parse_gate(struct parser *p, struct oci_entry *e)
{
	struct oci_gate *g = ARENA_NEW(p->arena, struct oci_gate);

	e->gate = g;
	e->arches = p->out->declared;
	if (p->out->in_config)
		return; /* a runtime knows no such keys */
	const struct json *in = parse_member(p, e->json, "includes", JSON_OBJECT);
	const struct json *ex = parse_member(p, e->json, "excludes", JSON_OBJECT);
	e->asks[OCI_ASKS_CAPS] = asking(in, ex, "caps");
	e->asks[OCI_ASKS_KERNEL] = asking(in, ex, "minKernel");
	e->asks[OCI_ASKS_HOST] = asking(in, ex, "arches");
	if (in)
		read_includes(p, in, g);
	if (ex)
		read_excludes(p, ex, g);
	if (parse_items(oci_member(in, "arches")))
		e->arches &= arches_of_hosts(g->hosts);
	e->arches &= ~arches_of_hosts(g->no_hosts);
}
