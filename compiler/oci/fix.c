/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/oci/fix.h"

#include <stdlib.h>

#include "grammar/json_cut.h"

static int compare_spans(const void *x, const void *y)
{
	const struct span *a = x, *b = y;

	return (a->begin > b->begin) - (a->begin < b->begin);
}

/* The first that does not begin before it. */
static size_t first_place(const span_list *sorted, struct span at)
{
	size_t low = 0, high = sorted->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (sorted->v[mid].begin < at.begin)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static const struct json *calls_of(const struct oci_profile *p)
{
	const struct json *list = p->json ? oci_member(p->json, "syscalls") : NULL;

	return list && list->kind == JSON_ARRAY ? list : NULL;
}

/* Elements of its `names` that are meant, and whether others stay. */
static size_t pick_at(const struct json *names, const span_list *meant, struct arena *a,
		      json_list *out)
{
	size_t found = 0, i = first_place(meant, names->span);

	if (i == meant->n || meant->v[i].begin >= names->span.end)
		return 0; /* none stands in it */
	for (const struct json *j = names->first; j && i < meant->n; j = j->next) {
		while (i < meant->n && meant->v[i].begin < j->span.begin)
			i++;
		if (i < meant->n && meant->v[i].begin == j->span.begin) {
			vec_push(a, out, j);
			found++;
		}
	}
	return found;
}

void oci_fix_cut_names(const struct oci_profile *p, struct diags *ds, struct diag *d,
		       const span_list *names)
{
	const struct json *calls = calls_of(p);
	json_list entries = { 0 };
	size_t found = 0;

	if (!calls || !names->n)
		return;
	qsort(names->v, names->n, sizeof(*names->v), compare_spans);
	vec_each(&p->entries, e) {
		const struct json *list = e->list;
		json_list cut = { 0 };
		if (!list || !pick_at(list, names, ds->arena, &cut))
			continue;
		found += cut.n;
		if (cut.n == list->count && !oci_member(e->json, "name"))
			vec_push(ds->arena, &entries, e->json);
		else
			json_fix_cut(ds, d, list, &cut);
	}
	if (entries.n)
		json_fix_cut(ds, d, calls, &entries);
	if (found != names->n)
		diag_fix_drop(d);
}

void oci_fix_cut_words(const struct oci_profile *p, struct diags *ds, struct diag *d,
		       const struct group *words, bool (*of)(const struct oci_entry *e))
{
	bool *calls = ARENA_ARRAY(ds->arena, bool, syscall_count());
	span_list places = { 0 };

	vec_each(&words->hits, h) {
		const struct syscall_info *sys = syscall_by_name(h->text);
		if (sys)
			calls[syscall_index(sys)] = true;
	}
	vec_each(&p->entries, e) {
		if (of && !of(e))
			continue;
		vec_each(&e->names, n)
			if (n->sys ? calls[syscall_index(n->sys)] : group_has(words, n->text))
				vec_push(ds->arena, &places, n->span);
	}
	oci_fix_cut_names(p, ds, d, &places);
}

void oci_fix_cut_args(const struct oci_profile *p, struct diags *ds, struct diag *d,
		      const span_list *args)
{
	if (!args->n)
		return;
	qsort(args->v, args->n, sizeof(*args->v), compare_spans);
	vec_each(&p->entries, e) {
		const struct json *list = oci_member(e->json, "args");
		json_list cut = { 0 };
		if (list && list->kind == JSON_ARRAY && pick_at(list, args, ds->arena, &cut))
			json_fix_cut(ds, d, list, &cut);
	}
}

/* What begins there, and what it stands in. Nesting is bounded by the parser. */
static const struct json *find_at(const struct json *in, struct span at, const struct json **parent)
{
	for (const struct json *j = in->first; j; j = j->next) {
		const struct json *found = NULL;
		if (j->span.begin == at.begin ||
		    (in->kind == JSON_OBJECT && j->key_span.begin == at.begin)) {
			*parent = in;
			return j;
		}
		if (j->span.begin < at.begin && at.begin < j->span.end)
			found = find_at(j, at, parent);
		if (found)
			return found;
	}
	return NULL;
}

void oci_fix_cut_at(const struct oci_profile *p, struct diags *ds, struct diag *d, struct span at)
{
	const struct json *parent = NULL, *found = find_at(p->root, at, &parent);
	json_list cut = { 0 };

	if (!found)
		return;
	vec_push(ds->arena, &cut, found);
	json_fix_cut(ds, d, parent, &cut);
}

void oci_fix_add_entry(const struct oci_profile *p, struct diags *ds, struct diag *d,
		       const char *entry)
{
	const struct json *calls = calls_of(p);
	struct str text = str_c(entry);

	if (calls)
		json_fix_append(ds, d, calls, &text, 1);
}

static const struct json *largest_allow(const struct oci_profile *p)
{
	const struct json *best = NULL;

	vec_each(&p->entries, e) {
		const struct json *list = e->list;
		if (!e->readable || e->verdict.kind != VERDICT_ALLOW || e->args.n ||
		    !oci_gate_any(e->gate) || !list)
			continue;
		best = best && best->count >= list->count ? best : list;
	}
	return best;
}

void oci_fix_allow(const struct oci_profile *p, struct diags *ds, struct diag *d,
		   const struct group *names)
{
	const struct json *list = largest_allow(p), *calls = calls_of(p);
	struct str *texts = ARENA_ARRAY(ds->arena, struct str, names->hits.n + 1);
	BUF_AUTO entry = { 0 };

	if (!calls || !names->hits.n)
		return;
	buf_puts(&entry, "{ \"names\": [");
	for (size_t i = 0; i < names->hits.n; i++) {
		texts[i] = str_c(
			arena_printf(ds->arena, "\"" PRISTR "\"", STRARG(names->hits.v[i].text)));
		buf_printf(&entry, "%s" PRISTR, i ? ", " : "", STRARG(texts[i]));
		diag_fix_call(ds, d, names->hits.v[i].text);
	}
	buf_puts(&entry, "], \"action\": \"SCMP_ACT_ALLOW\" }");
	if (list) {
		json_fix_append(ds, d, list, texts, names->hits.n);
		return;
	}
	struct str one = str_c(buf_keep(ds->arena, &entry));
	json_fix_append(ds, d, calls, &one, 1);
}

void oci_fix_errno(const struct oci_profile *p, struct diags *ds, struct diag *d, const char *call,
		   unsigned err)
{
	diag_fix_call(ds, d, str_c(call));
	oci_fix_add_entry(p, ds, d,
			  arena_printf(ds->arena,
				       "{ \"names\": [\"%s\"], \"action\": \"SCMP_ACT_ERRNO\", "
				       "\"errnoRet\": %u }",
				       call, err));
}
