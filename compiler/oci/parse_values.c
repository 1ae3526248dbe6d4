/* SPDX-License-Identifier: Apache-2.0 */
/* Values of the kind that is wanted, and the faults of those that are not. */
#include "compiler/oci/parse.h"

struct oci_fault *parse_fault(struct parser *p, enum oci_fault_kind kind, struct span span,
			      bool stops)
{
	struct oci_profile *out = p->out;
	struct oci_fault f = {
		.kind = kind, .stops = stops, .entry = p->at, .span = span, .other = NO_SPAN
	};

	if (stops && p->at == OCI_NO_ENTRY)
		out->stops = true;
	else if (stops)
		out->entries.v[p->at].stops = true;
	p->spare = f;
	if (++out->nfaults[kind] > OCI_FAULTS_MAX)
		return &p->spare;
	vec_push(p->arena, &out->faults, f);
	return &out->faults.v[out->faults.n - 1];
}

/* A fault of the text as JSON: whoever decodes it gives up, whatever entries are in force. */
struct oci_fault *parse_decode_fault(struct parser *p, enum oci_fault_kind kind,
				     const struct json *j, const char *key)
{
	uint32_t at = p->at;

	p->at = OCI_NO_ENTRY;
	struct oci_fault *f = parse_fault(p, kind, j->span, true);
	p->at = at;
	f->key = key;
	return f;
}

void parse_too_many(struct parser *p, struct span span, const char *what, uint64_t most)
{
	if (p->out->unusable)
		return;
	struct oci_fault *f = parse_fault(p, OCI_FAULT_TOO_MANY, span, false);
	f->key = what;
	f->number = most;
	p->out->unusable = true;
}

bool parse_expect(struct parser *p, const struct json *j, enum json_kind kind, const char *what)
{
	if (j->kind == kind)
		return true;
	parse_decode_fault(p, OCI_FAULT_TYPE, j, what)->want = kind;
	return false;
}

/* o[key] where it is there and of this kind. */
const struct json *parse_member(struct parser *p, const struct json *o, const char *key,
				enum json_kind kind)
{
	const struct json *m = oci_member(o, key);

	return m && parse_expect(p, m, kind, key) ? m : NULL;
}

/* An element that is to be a string: Go makes "" of null. */
bool parse_element(struct parser *p, const struct json *j, const char *what, struct str *out)
{
	*out = STR("");
	if (j->kind == JSON_NULL)
		return true;
	if (!parse_expect(p, j, JSON_STRING, what))
		return false;
	*out = j->text;
	return true;
}

/* Absent is 0, as in Go. false: no reader takes it. */
bool parse_number(struct parser *p, const struct json *o, const char *key, uint64_t *out)
{
	const struct json *j = oci_member(o, key);

	*out = 0;
	if (!j)
		return true;
	if (j->kind != JSON_NUMBER || !j->is_u64) {
		parse_decode_fault(p, OCI_FAULT_NUMBER, j, key);
		return false;
	}
	*out = j->u64;
	return true;
}

const struct json *parse_items(const struct json *array)
{
	return array && array->kind == JSON_ARRAY ? array->first : NULL;
}

void parse_drop(struct parser *p, const char *why)
{
	vec_push(p->arena, &p->out->dropped, why);
	vec_push(p->arena, &p->out->dropped_entry, p->at);
}
