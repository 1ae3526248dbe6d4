/* SPDX-License-Identifier: Apache-2.0 */
/* Which architectures a profile is for: `architectures`, Docker's archMap, the machine's own. */
#include <string.h>

#include "compiler/oci/parse.h"

/* handed: the runtime of this machine gets the word. Its bit; 0: pale has no table for it. */
static unsigned read_arch(struct parser *p, const struct json *j, const char *what, bool handed)
{
	struct str word;

	if (!parse_element(p, j, what, &word))
		return 0;
	const struct oci_arch_word *w = oci_arch_word_find(word);
	struct oci_word name = { .text = word, .span = j->span };
	int a = oci_arch_find(word);
	bool refused = handed && !oci_arch_taken(&p->out->runtime, w);
	enum oci_fault_kind kind = OCI_FAULT_ARCH;

	vec_push(p->arena, &p->out->arch_names, name);
	if (a >= 0)
		p->out->declared |= ARCH_BIT(a);
	if (w && !refused) {
		if (handed && w->big_endian != arch_info(p->host)->big_endian) {
			kind = OCI_FAULT_BYTE_ORDER;
			refused = true;
		} else if (a < 0 && handed) {
			kind = OCI_FAULT_ARCH_LEFT;
		} else {
			return a < 0 ? 0 : ARCH_BIT(a);
		}
	}
	struct oci_fault *f = parse_fault(p, kind, j->span, refused);
	f->word = word;
	f->number = (uint64_t)p->host;
	return a < 0 ? 0 : ARCH_BIT(a);
}

static unsigned read_arches(struct parser *p, const struct json *list, const char *what,
			    bool handed)
{
	unsigned arches = 0;

	for (const struct json *j = parse_items(list); j; j = j->next)
		arches |= read_arch(p, j, what, handed);
	return arches;
}

static int lowest_arch(unsigned arches)
{
	for (int a = 0; a < ARCH_NR; a++)
		if (arches & ARCH_BIT(a))
			return a;
	return -1;
}

/* Docker takes the first row of the machine that the engine runs on, and no other. */
static void read_rows(struct parser *p, const struct json *map)
{
	unsigned *rows = p->out->rows;
	bool seen = false;

	for (const struct json *row = parse_items(map); row; row = row->next) {
		if (row->kind != JSON_NULL && !parse_expect(p, row, JSON_OBJECT, "archMap"))
			continue;
		parse_keys(p, row, oci_row_keys);
		const struct json *name = parse_member(p, row, "architecture", JSON_STRING);
		const struct json *subs = parse_member(p, row, "subArchitectures", JSON_ARRAY);
		int a = name ? oci_arch_find(name->text) : -1;
		bool ours = a >= 0 && (enum arch)a == p->host && !seen;
		seen |= ours;
		if (!name)
			parse_fault(p, OCI_FAULT_MAP_ROW, row->span, false);
		unsigned arches = name ? read_arch(p, name, "architecture", ours) : 0;
		arches |= read_arches(p, subs, "subArchitectures", ours);
		if (a >= 0 && !rows[a])
			rows[a] = arches;
	}
}

/* `others`: the architectures that other rows have. */
bool parse_leads_family(enum arch a, unsigned others)
{
	return !strcmp(arch_info(a)->name, arch_family(a, others));
}

/* Machines that an entry asks for: the profile is for them too, with or without a row. */
static unsigned named_hosts(const struct json *profile)
{
	const struct json *calls = oci_member(profile, "syscalls");
	unsigned hosts = 0;

	for (const struct json *e = calls && calls->kind == JSON_ARRAY ? calls->first : NULL; e;
	     e = e->next) {
		const struct json *in = oci_member(e, "includes"), *list = oci_member(in, "arches");
		for (const struct json *j = list && list->kind == JSON_ARRAY ? list->first : NULL;
		     j; j = j->next) {
			int h = j->kind == JSON_STRING ? oci_host_find(j->text) : -1;
			if (h >= 0 && parse_leads_family((enum arch)h, ARCH_BIT(h)))
				hosts |= ARCH_BIT(h);
		}
	}
	return hosts;
}

unsigned oci_machines(const struct json *root)
{
	const struct json *map = oci_member(oci_profile_object(root), "archMap");
	unsigned machines = 0;

	if (!map || map->kind != JSON_ARRAY)
		return 0;
	for (const struct json *row = map->first; row; row = row->next) {
		const struct json *name =
			row->kind == JSON_OBJECT ? oci_member(row, "architecture") : NULL;
		int a = name && name->kind == JSON_STRING ? oci_arch_find(name->text) : -1;
		if (a >= 0)
			machines |= ARCH_BIT(a);
	}
	return machines ? machines | named_hosts(oci_profile_object(root)) : 0;
}

/*
 * All rows of archMap at once. A machine makes calls of its own family only, so the rows of
 * two families do not touch; those of machines that are compat architectures of another (i386)
 * say nothing about what that one decides.
 */
static unsigned every_row(const struct oci_profile *p)
{
	unsigned arches = 0;

	for (int h = 0; h < ARCH_NR; h++)
		arches |= parse_leads_family((enum arch)h, arches) ? p->rows[h] : 0;
	return arches ? arches | named_hosts(p->json) : 0;
}

/* true: the machine's own was not listed. */
static bool add_own(const struct parser *p, unsigned arches, bool every)
{
	struct oci_profile *out = p->out;
	/* libseccomp starts every filter with the machine's own architecture. A profile that
	 * lists other families only is for another machine. */
	int lowest = lowest_arch(arches);
	bool same_family =
		!every && lowest >= 0 &&
		!strcmp(arch_info((enum arch)lowest)->family, arch_info(p->host)->family);

	out->arches = arches;
	if (arches && !same_family && !p->opt->host_known)
		return false;
	out->arches |= ARCH_BIT(p->host);
	return arches && !(arches & ARCH_BIT(p->host));
}

bool parse_choose_arches(struct parser *p)
{
	struct oci_profile *out = p->out;
	const struct json *map = out->in_config ? NULL : oci_member(out->json, "archMap");
	bool mapped = map && map->kind == JSON_ARRAY && parse_items(map);
	bool every = p->opt->every_host && !p->opt->host_known && mapped;

	out->listed = out->named | (every ? every_row(out) : out->rows[p->host]);
	return add_own(p, out->listed, every);
}

void parse_arches(struct parser *p)
{
	struct oci_profile *out = p->out;
	const struct json *list = parse_member(p, out->json, "architectures", JSON_ARRAY);
	const struct json *map =
		out->in_config ? NULL : parse_member(p, out->json, "archMap", JSON_ARRAY);
	bool mapped = parse_items(map) != NULL, listed = parse_items(list) != NULL;

	if (mapped && listed) {
		uint32_t at = p->at;
		p->at = OCI_NO_ENTRY;
		parse_fault(p, OCI_FAULT_ARCH_AND_MAP, list->key_span, true)->other = map->key_span;
		p->at = at;
	}
	out->arches_span = list ? list->span : map ? map->span : out->json->span;
	read_rows(p, map);
	out->named = read_arches(p, list, "architectures", true);
	out->arches_written = out->arch_names.n > 0;
	if (!out->arches_written)
		out->declared = ARCH_BIT(p->host);
	if (parse_choose_arches(p))
		parse_fault(p, OCI_FAULT_ARCH_ADDED, out->arches_span, false)->word =
			str_c(arch_info(p->host)->name);
}
