/* SPDX-License-Identifier: Apache-2.0 */
/* What a runtime says of a container on a hook's standard input. */
#include "learn/hook/hook.h"

#include <string.h>

#include "compiler/base/bug.h"

/* One component of a path: nothing hidden, nothing that leads elsewhere. */
static bool is_component(struct str s)
{
	if (!s.n || s.n > HOOK_NAME_MAX || s.p[0] == '.' || s.p[0] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}

static void tell_name(struct diags *ds, const struct json *v, const char *what)
{
	struct diag *d = diag_add(ds, DIAG_PL424, v->span, "%s '%s' cannot be a file's name", what,
				  str_safe_of(ds->arena, v->text));

	diag_help(ds, d,
		  "at most %d letters, digits, '.', '_' and '-', the first a letter or digit",
		  HOOK_NAME_MAX);
}

static const char *text_of(struct arena *a, const struct json *annotations, const char *key)
{
	const struct json *v = json_get(annotations, key);

	return v && v->kind == JSON_STRING && v->text.n ? str_dup(a, v->text) : NULL;
}

/* The engines' own names for the image: containerd's CRI, CRI-O's, OCI's (image-spec, annotations.md). */
static const char *image_of(struct arena *a, const struct json *annotations)
{
	static const char *const keys[] = {
		"io.kubernetes.cri.image-name",
		"io.kubernetes.cri-o.ImageName",
		"org.opencontainers.image.ref.name",
	};
	const char *image = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(keys) && !image; i++)
		image = text_of(a, annotations, keys[i]);
	return image;
}

static bool read_annotations(struct arena *a, const struct json *annotations,
			     struct hook_state *out, struct diags *ds)
{
	const struct json *name;

	if (!annotations || annotations->kind == JSON_NULL)
		return true;
	if (annotations->kind != JSON_OBJECT) {
		diag_add(ds, DIAG_PL424, annotations->span,
			 "the container's annotations are %s and no object",
			 json_kind_name(annotations->kind));
		return false;
	}
	out->image = image_of(a, annotations);
	name = json_get(annotations, HOOK_ANNOTATION);
	if (!name)
		return true;
	if (name->kind != JSON_STRING || !is_component(name->text)) {
		tell_name(ds, name, "the annotation " HOOK_ANNOTATION);
		return false;
	}
	out->name = str_dup(a, name->text);
	return true;
}

bool hook_state_read(struct arena *a, struct source *src, struct hook_state *out, struct diags *ds)
{
	const struct json *top, *id, *pid;
	struct diag *d;

	*out = (struct hook_state){ 0 };
	if (!src->text.n) {
		diag_add(ds, DIAG_PL424, NO_SPAN, "nothing came on standard input");
		return false;
	}
	top = json_parse(a, src, ds);
	if (!top || ds->errors)
		return false;
	id = top->kind == JSON_OBJECT ? json_get(top, "id") : NULL;
	pid = top->kind == JSON_OBJECT ? json_get(top, "pid") : NULL;
	if (!id || id->kind != JSON_STRING) {
		d = diag_add(ds, DIAG_PL424, top->span, "this is no state of a container");
		diag_help(
			ds, d,
			"a runtime calls 'pale hook' and gives it one; to set that up: 'pale hook "
			"--install ENGINE'");
		return false;
	}
	if (!is_component(id->text)) {
		tell_name(ds, id, "the container's id");
		return false;
	}
	out->id = str_dup(a, id->text);
	if (!pid || !pid->is_u64 || !pid->u64 || pid->u64 > INT32_MAX) {
		d = diag_add(ds, DIAG_PL424, pid ? pid->span : top->span,
			     "the container has no process");
		diag_help(ds, d, "the hook belongs to the stage createRuntime or poststart");
		return false;
	}
	out->pid = (int)pid->u64;
	return read_annotations(a, json_get(top, "annotations"), out, ds);
}
