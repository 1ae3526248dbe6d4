/* SPDX-License-Identifier: Apache-2.0 */
/* Actions and the errno with them, by number and by Podman's name. */
#include "compiler/oci/parse.h"

static const struct written in_profile = { NULL, "defaultAction", "defaultErrnoRet", "defaultErrno",
					   NULL };

static bool find_errno(const struct parser *p, const struct json *name, uint64_t *out)
{
	return name->kind == JSON_STRING &&
	       (constant_find("errno", name->text, p->host, out) == 0 ||
		(str_u64(name->text, out) == 0 && *out <= OCI_ERRNO_MAX));
}

/* Is this the name's number on some architecture? */
static bool means_somewhere(const struct json *name, uint64_t data)
{
	uint64_t n;

	for (enum arch a = 0; a < ARCH_NR; a++)
		if (constant_find("errno", name->text, a, &n) == 0 && n == data)
			return true;
	return false;
}

/*
 * Podman's name of an errno (containers/common pkg/seccomp) goes before the number there; Docker
 * and the runtimes read the number alone. A name by itself was written for Podman. So was one that
 * is another number on some machines only (ENOSYS is 89 on MIPS); where the two differ on all, the
 * number decides.
 */
static void settle_errno(struct parser *p, const struct written *w, bool numbered, uint64_t *data)
{
	const struct json *name = oci_member(w->object, w->name);
	bool podman = !p->opt->docker && !p->out->in_config;
	enum oci_fault_kind kind = OCI_FAULT_PODMAN;
	uint64_t n = *data;

	if (!name || (name->kind == JSON_STRING && !name->text.n))
		return;
	p->out->podman = true;
	if (!find_errno(p, name, &n))
		kind = OCI_FAULT_PODMAN_WORD;
	else if (numbered && n != *data)
		kind = means_somewhere(name, *data) ? OCI_FAULT_PODMAN_HERE :
						      OCI_FAULT_PODMAN_OTHER;
	if (podman && kind != OCI_FAULT_PODMAN_WORD && kind != OCI_FAULT_PODMAN_OTHER)
		*w->by_name = name->text;
	if (numbered && n == *data && kind == OCI_FAULT_PODMAN)
		return;
	struct oci_fault *f = parse_fault(p, kind, name->span, false);
	f->key = w->name;
	f->word = name->kind == JSON_STRING ? name->text : STR("");
	f->number = kind == OCI_FAULT_PODMAN ? n : *data;
	if (podman && (kind == OCI_FAULT_PODMAN || kind == OCI_FAULT_PODMAN_HERE))
		*data = n;
}

/* crun takes an errno beside an action that has none for a mistake; runc skips it. */
static void check_idle(struct parser *p, const struct written *w, const struct json *action)
{
	const struct json *number = oci_member(w->object, w->number);
	const struct json *name = oci_member(w->object, w->name);

	if (number) {
		struct oci_fault *f = parse_fault(p, OCI_FAULT_IDLE_ERRNO, number->span,
						  p->out->runtime.kind == OCI_CRUN);
		f->key = w->number;
		f->word = action->text;
	}
	if (name) {
		struct oci_fault *f = parse_fault(p, OCI_FAULT_PODMAN_IDLE, name->span, false);
		f->key = w->name;
		f->word = action->text;
	}
}

/* runc and crun keep 16 bits; crun's reader takes 32. */
static bool read_errno(struct parser *p, const struct written *w, enum verdict_kind kind,
		       uint64_t *data)
{
	const struct json *number = oci_member(w->object, w->number);
	uint64_t n;

	*data = 1; /* EPERM, for TRACE too (runc libcontainer/seccomp getAction) */
	if (!parse_number(p, w->object, w->number, &n))
		return false;
	if (number && n > UINT32_MAX && p->out->runtime.kind == OCI_CRUN) {
		parse_decode_fault(p, OCI_FAULT_ERRNO_RANGE, number, w->number)->number = n;
		return false;
	}
	if (number)
		*data = n;
	if (kind == VERDICT_ERRNO)
		settle_errno(p, w, number != NULL, data);
	return true;
}

/* `handed`: libseccomp gets to see it. */
void parse_errno_range(struct parser *p, const struct written *w, const struct verdict *v,
		       bool handed)
{
	const struct json *number = oci_member(w->object, w->number);
	enum oci_fault_kind kind = OCI_FAULT_ERRNO_RANGE;
	bool stops = v->kind == VERDICT_ERRNO && v->data > OCI_ERRNO_MAX && handed;

	if (!number || number->kind != JSON_NUMBER || !number->is_u64 ||
	    (v->kind != VERDICT_ERRNO && v->kind != VERDICT_TRACE))
		return;
	if (v->kind == VERDICT_ERRNO && !v->data)
		kind = OCI_FAULT_ERRNO_ZERO;
	else if (!(v->kind == VERDICT_ERRNO && v->data > OCI_ERRNO_MAX) &&
		 number->u64 <= UINT16_MAX)
		return;
	struct oci_fault *f = parse_fault(p, kind, number->span, stops);
	f->key = w->number;
	f->number = number->u64;
}

bool parse_verdict(struct parser *p, const struct written *w, struct verdict *out)
{
	const struct json *action = oci_member(w->object, w->action);
	uint64_t data;

	if (!action || !parse_expect(p, action, JSON_STRING, w->action))
		return false;
	const struct oci_action *a = oci_action_find(action->text);
	if (!a) {
		parse_fault(p, OCI_FAULT_ACTION, action->span, true)->word = action->text;
		return false;
	}
	bool carries = a->kind == VERDICT_ERRNO || a->kind == VERDICT_TRACE;
	if (!read_errno(p, w, a->kind, &data))
		return false;
	if (!carries)
		check_idle(p, w, action);
	*out = (struct verdict){ a->kind, carries ? (uint16_t)data : 0 };
	return true;
}

void parse_default(struct parser *p)
{
	struct oci_profile *out = p->out;
	struct written w = in_profile;
	const struct json *dflt = oci_member(out->json, "defaultAction");
	const struct json *calls = oci_member(out->json, "syscalls");
	bool crun = out->runtime.kind == OCI_CRUN;
	uint64_t unused;

	w.object = out->json;
	w.by_name = &out->dflt_errno_name;
	out->errno_written = oci_member(out->json, "defaultErrnoRet") != NULL;
	out->dflt_span = dflt ? dflt->span :
				(struct span){ out->json->span.source, out->json->span.begin,
					       out->json->span.begin + 1 };
	if (!dflt || (dflt->kind == JSON_STRING && !dflt->text.n)) {
		/* An engine, and runc, take a profile without rules for none at all. */
		bool none = !parse_items(calls) && (!crun || !out->in_config);
		parse_fault(p, OCI_FAULT_NO_DEFAULT, out->dflt_span, !none);
		parse_number(p, out->json, "defaultErrnoRet", &unused);
		return;
	}
	out->has_default = parse_verdict(p, &w, &out->dflt);
	if (!out->has_default)
		return;
	parse_errno_range(p, &w, &out->dflt, true);
	if (out->dflt.kind == VERDICT_NOTIFY)
		parse_fault(p, OCI_FAULT_NOTIFY_DEFAULT, out->dflt_span, !crun);
}
