/* SPDX-License-Identifier: Apache-2.0 */
/* Keys: those that nobody reads, and those that stand twice. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/oci/parse.h"

/* Those that are plainly remarks. */
static bool is_remark(struct str key)
{
	return !key.n || key.p[0] == '$' || key.p[0] == '_' || key.p[0] == '/' || key.p[0] == '#' ||
	       str_ieq(key, STR("comment")) || str_ieq(key, STR("description"));
}

static bool has_content(const struct json *j)
{
	return j->kind == JSON_STRING ? j->text.n > 0 :
					j->kind != JSON_NULL && (j->kind < JSON_ARRAY || j->count);
}

/* Docker's own, which a runtime does not know. */
static bool is_engine_key(const char *key)
{
	static const char *const keys[] = { "archMap", "includes", "excludes" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(key, keys[i]))
			return true;
	return false;
}

static bool is_list(const struct json *j)
{
	return j->kind == JSON_ARRAY || j->kind == JSON_OBJECT;
}

static bool same_value(const struct json *x, const struct json *y)
{
	const struct json *a = x->first, *b = y->first;

	if (x->kind != y->kind || x->boolean != y->boolean || !str_eq(x->text, y->text) ||
	    x->count != y->count)
		return false;
	for (; a && b; a = a->next, b = b->next) /* the reader has bounded the depth */
		if (!str_eq(a->key, b->key) || !same_value(a, b))
			return false;
	return true;
}

/* A value that no reader refuses, were it of the type that is wanted: pale looks at the last alone. */
static bool is_harmless(const struct json *j)
{
	bool words = j->kind == JSON_ARRAY;

	for (const struct json *w = j->first; w; w = w->next)
		words &= w->kind == JSON_STRING;
	return words || j->kind == JSON_STRING || j->kind == JSON_NULL ||
	       (j->kind == JSON_NUMBER && j->is_u64);
}

/* Does Go forget the earlier value? Elements it decodes into the old ones: strings alone replace. */
static bool replaces(const struct json *old, const struct json *new)
{
	bool alike = old->kind == new->kind || old->kind == JSON_NULL || new->kind == JSON_NULL;

	if (!alike || !is_harmless(old) || str_ieq(new->key, STR("minKernel")))
		return false;
	return !is_list(old) || !old->count || is_harmless(new);
}

/* A config.json goes to the runtime as it is; engines read profiles, and are written in Go. */
static bool crun_reads(const struct parser *p)
{
	return p->out->in_config && p->out->runtime.kind == OCI_CRUN;
}

/* No answer can be given: what the profile says is another thing to each reader. */
static struct oci_fault *unusable_word(struct parser *p, enum oci_fault_kind kind, struct span span,
				       struct str word)
{
	struct oci_fault *f = parse_fault(p, kind, span, false);

	f->word = word;
	p->out->unusable = true;
	return f;
}

static struct oci_fault *unusable(struct parser *p, enum oci_fault_kind kind, const struct json *m)
{
	return unusable_word(p, kind, m->key_span, m->key);
}

static bool has_nul(struct str word)
{
	return word.n && memchr(word.p, '\0', word.n);
}

/* "bpf\0x" is bpf to libseccomp, and "linux\0x" is linux to crun. */
static void check_nul(struct parser *p, const struct json *m)
{
	const struct json *w = m->kind == JSON_ARRAY ? m->first : NULL;

	if (has_nul(m->key))
		unusable(p, OCI_FAULT_NUL_BYTE, m);
	if (m->kind == JSON_STRING && has_nul(m->text))
		unusable_word(p, OCI_FAULT_NUL_BYTE, m->span, m->text);
	for (; w; w = w->next)
		if (w->kind == JSON_STRING && has_nul(w->text))
			unusable_word(p, OCI_FAULT_NUL_BYTE, w->span, w->text);
}

/*
 * crun takes keys as they are spelt, and of two the first (yajl) or the last (json-c). true: there is
 * no answer, and a third one adds nothing to that.
 */
static bool check_twice(struct parser *p, const struct json *before, const struct json *m)
{
	struct oci_fault *f;

	if (same_value(before, m) && str_eq(before->key, m->key))
		f = parse_fault(p, OCI_FAULT_KEY_SAME, m->key_span, false);
	else if (crun_reads(p))
		f = unusable(p, OCI_FAULT_KEY_OF_CRUN, m);
	else
		f = replaces(before, m) ? parse_fault(p, OCI_FAULT_KEY_TWICE, m->key_span, false) :
					  unusable(p, OCI_FAULT_KEY_MERGED, m);
	f->word = m->key;
	f->other = before->key_span;
	return f->kind == OCI_FAULT_KEY_OF_CRUN || f->kind == OCI_FAULT_KEY_MERGED;
}

static void check_key(struct parser *p, const struct json *m, const char *key)
{
	enum oci_fault_kind kind = OCI_FAULT_KEY_CASE;

	if (!key && is_remark(m->key))
		return;
	if (!key)
		kind = OCI_FAULT_KEY;
	else if (p->out->in_config && is_engine_key(key) && has_content(m))
		kind = OCI_FAULT_DIALECT;
	else if (str_is(m->key, key))
		return;
	struct oci_fault *f = kind == OCI_FAULT_KEY_CASE && crun_reads(p) ?
				      unusable(p, OCI_FAULT_KEY_OF_CRUN, m) :
				      parse_fault(p, kind, m->key_span, false);
	f->word = m->key;
	f->key = key;
}

void parse_keys(struct parser *p, const struct json *object, const char *const *known)
{
	const struct json *before[16] = { 0 }; /* by place in `known` */
	bool hopeless[ARRAY_SIZE(before)] = { false };

	for (const struct json *m = object->first; object->kind == JSON_OBJECT && m; m = m->next) {
		const char *key = oci_key_find(m, known);
		check_key(p, m, key);
		if ((key && strcmp(key, "comment") != 0) || has_nul(m->key))
			check_nul(p, m);
		for (size_t i = 0; key && i < ARRAY_SIZE(before) && known[i]; i++) {
			if (known[i] != key)
				continue;
			if (before[i] && !hopeless[i])
				hopeless[i] = check_twice(p, before[i], m);
			before[i] = m;
		}
	}
}

/* The objects around linux.seccomp: of other keys there nothing is said. */
void parse_outer_keys(struct parser *p, const struct json *object, const char *key)
{
	const struct json *before = NULL;
	bool hopeless = false;

	for (const struct json *m = object->first; object->kind == JSON_OBJECT && m; m = m->next)
		if (has_nul(m->key) && !strcmp(m->key.p, key))
			unusable(p, OCI_FAULT_NUL_BYTE, m);
	for (const struct json *m = object->first; (m = json_find_fold(m, key)); m = m->next) {
		if (!str_is(m->key, key))
			check_key(p, m, key);
		if (before && !hopeless)
			hopeless = check_twice(p, before, m);
		before = m;
	}
}
