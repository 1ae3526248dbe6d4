/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles inside other JSON: objects of Kubernetes, what engines print of a container. */
#include <string.h>

#include "compiler/base/inner.h"
#include "compiler/file/kind.h"
#include "compiler/oci/oci.h"

/* ---- JSON ---- */

static const struct json *member(const struct json *object, const char *key, enum json_kind kind)
{
	const struct json *m = object && object->kind == JSON_OBJECT ? json_get(object, key) : NULL;

	return m && m->kind == kind ? m : NULL;
}

static const struct json *way(const struct json *j, const char *const *keys)
{
	for (; j && *keys; keys++)
		j = member(j, *keys, JSON_OBJECT);
	return j;
}

static bool is_text(const struct json *object, const char *key, const char *value)
{
	const struct json *m = member(object, key, JSON_STRING);

	return m && str_is(m->text, value);
}

static bool is_profile(const struct json *j)
{
	return j->kind == JSON_OBJECT &&
	       (json_get_fold(j, "defaultAction") || json_get_fold(j, "syscalls"));
}

struct finding {
	struct session *session;
	struct source *source;
	struct inside *out;
};

static bool take(struct finding *f, const struct json *profile)
{
	f->out->profile = profile;
	f->out->text = span_text(f->session->sources, profile->span);
	return true;
}

static bool refuse(struct finding *f, enum diag_id id, const struct json *at, const char *text,
		   const char *help)
{
	struct diag *d = diag_add(f->session->diags, id, at->span, "%s", text);

	diag_help(f->session->diags, d, "%s", help);
	return false;
}

static bool unconfined(struct finding *f, const struct json *at, const char *what)
{
	return refuse(f, DIAG_PL022, at,
		      arena_printf(f->session->arena, "the container is unconfined: %s", what),
		      "there is no seccomp profile to read; with none, every call is allowed");
}

/* ---- text inside text ---- */

/* Escapes are as long as they are written, and one byte or a whole character of UTF-8. */
static uint32_t *places(struct arena *a, struct str raw, uint32_t begin, struct str decoded)
{
	uint32_t *at = ARENA_ARRAY(a, uint32_t, decoded.n + 1);
	size_t from = 0, to = 0;

	while (to < decoded.n && from < raw.n) {
		bool escape = raw.p[from] == '\\' && from + 1 < raw.n;
		bool unicode = escape && raw.p[from + 1] == 'u';
		size_t n = unicode ? utf8_len(decoded.p + to, decoded.n - to) : 1;
		for (size_t i = 0; i < (n ? n : 1) && to < decoded.n; i++)
			at[to++] = begin + (uint32_t)from;
		from += !escape ? 1 : !unicode ? 2 : n == 4 ? 12 : 6;
	}
	while (to <= decoded.n)
		at[to++] = begin + (uint32_t)(from < raw.n ? from : raw.n);
	return at;
}

static void move_json(const struct inner *n, struct json *j)
{
	for (; j; j = j->next) {
		j->span = inner_span(n, j->span);
		j->key_span = inner_span(n, j->key_span);
		move_json(n, j->first);
	}
}

/* The text behind the first `skip` bytes of a string. */
static bool take_nested(struct finding *f, const struct json *string, size_t skip)
{
	struct session *s = f->session;
	struct str text = { string->text.p + skip, string->text.n - skip };
	struct str raw = span_text(s->sources, string->span);
	struct inner n = { .source = source_add(s->sources, f->source->name, text),
			   .outer = f->source->id };

	n.at = places(s->arena, (struct str){ raw.p + 1, raw.n - 2 }, string->span.begin + 1,
		      string->text) +
	       skip;
	struct json *root = json_parse(s->arena, n.source, s->diags);
	if (root)
		move_json(&n, root);
	inner_move_diags(&n, s->diags);
	f->out->profile = root;
	f->out->text = text;
	return root && !s->diags->errors;
}

/* ---- Kubernetes ---- */

static bool take_spec(struct finding *f, const struct json *object)
{
	const struct json *spec = member(object, "spec", JSON_OBJECT);
	const struct json *base = member(spec, "baseProfileName", JSON_STRING);

	if (!spec)
		return refuse(f, DIAG_PL023, object, "this SeccompProfile has no 'spec'",
			      "name one that has");
	if (base)
		return refuse(f, DIAG_PL023, base,
			      "this SeccompProfile builds on another one, which is not in it",
			      "name what the operator makes of both: the file on the node, below "
			      "/var/lib/kubelet/seccomp/operator");
	f->out->operators = true;
	return take(f, spec);
}

static bool take_list(struct finding *f, const struct json *list, const struct json *items)
{
	const struct json *only = NULL;
	size_t n = 0;

	for (const struct json *i = items->first; i; i = i->next) {
		n += is_text(i, "kind", "SeccompProfile");
		only = is_text(i, "kind", "SeccompProfile") ? i : only;
	}
	if (n == 1)
		return take_spec(f, only);
	return refuse(
		f, DIAG_PL023, list,
		n ? arena_printf(f->session->arena, "this list holds %zu SeccompProfiles", n) :
		    "this list holds no SeccompProfile",
		n ? "take one of them: jq '.items[0]' FILE" :
		    "name one: kubectl get seccompprofile NAME -o json");
}

static bool take_kubernetes(struct finding *f, const struct json *root)
{
	const struct json *kind = member(root, "kind", JSON_STRING);
	const struct json *items = member(root, "items", JSON_ARRAY);
	BUF_AUTO name = { 0 };

	if (str_is(kind->text, "SeccompProfile"))
		return take_spec(f, root);
	if (items)
		return take_list(f, root, items);
	buf_safe(&name, kind->text);
	return refuse(f, DIAG_PL023, kind,
		      arena_printf(f->session->arena,
				   "this Kubernetes object (%s) holds no seccomp profile", name.p),
		      "name the profile that its seccompProfile names");
}

/* ---- containers ---- */

static bool has_seccomp(const struct json *part)
{
	const struct json *m = part->kind == JSON_OBJECT ? part->first : NULL;

	while ((m = json_find_fold(m, "seccomp")) && m->kind == JSON_NULL)
		m = m->next;
	return m;
}

static bool take_config(struct finding *f, const struct json *config)
{
	/* One of two may be null: what then holds is not told here, but it is not nothing. */
	for (const struct json *m = config->first; (m = json_find_fold(m, "linux")); m = m->next)
		if (has_seccomp(m))
			return take(f, config);
	return unconfined(f, config, "its config.json has no 'linux.seccomp'");
}

struct options {                    /* what stands in HostConfig.SecurityOpt */
	const struct json *profile; /* the string that holds one */
	const struct json *named;   /* the string that names something else */
	size_t profiles, containers, skip;
};

static void look_at(struct options *o, const struct json *container)
{
	const struct json *list =
		member(member(container, "HostConfig", JSON_OBJECT), "SecurityOpt", JSON_ARRAY);

	o->containers++;
	for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
		if (i->kind != JSON_STRING ||
		    !(str_starts(i->text, "seccomp=") || str_starts(i->text, "seccomp:")))
			continue;
		size_t at = 8;
		while (at < i->text.n && strchr(" \t\r\n", i->text.p[at]) && i->text.p[at])
			at++;
		o->named = i;
		if (at == i->text.n || i->text.p[at] != '{')
			continue;
		o->profiles++;
		o->profile = i;
		o->skip = at;
	}
}

static bool is_privileged(const struct json *container)
{
	const struct json *p =
		member(member(container, "HostConfig", JSON_OBJECT), "Privileged", JSON_BOOL);

	return p && p->boolean;
}

/* What docker and podman inspect print; `first`: its containers. */
static bool take_inspected(struct finding *f, const struct json *root, const struct json *first)
{
	struct options o = { 0 };
	BUF_AUTO name = { 0 };

	for (const struct json *c = first; c; c = root == first ? NULL : c->next)
		look_at(&o, c);
	if (o.profiles == 1 && o.containers == 1)
		return take_nested(f, o.profile, o.skip);
	if (o.containers > 1)
		return refuse(
			f, DIAG_PL023, root,
			arena_printf(f->session->arena, "this holds %zu containers", o.containers),
			"inspect one of them");
	if (o.named &&
	    str_is((struct str){ o.named->text.p + 8, o.named->text.n - 8 }, "unconfined"))
		return unconfined(f, o.named, "its SecurityOpt says so");
	if (!o.named && is_privileged(first))
		return unconfined(f, first, "it is privileged");
	if (!o.named)
		return refuse(
			f, DIAG_PL023, first,
			"this container names no seccomp profile: the engine's default applies",
			"name that; 'pale dump --pid PID' reads the filter of a process in the "
			"container");
	buf_safe(&name, (struct str){ o.named->text.p + 8, o.named->text.n - 8 });
	return refuse(f, DIAG_PL023, o.named,
		      arena_printf(f->session->arena,
				   "this container's seccomp profile is '%s', which is not in it",
				   name.p ? name.p : ""),
		      "name that file");
}

/* ---- any ---- */

static bool take_array(struct finding *f, const struct json *root)
{
	if (!root->first)
		return take(f, root);
	if (member(root->first, "HostConfig", JSON_OBJECT))
		return take_inspected(f, root, root->first);
	if (!is_profile(root->first))
		return take(f, root);
	if (root->count == 1)
		return take(f, root->first);
	return refuse(f, DIAG_PL023, root,
		      arena_printf(f->session->arena,
				   "an array of %u profiles, and pale reads one at a time",
				   root->count),
		      "take one of them: jq '.[0]' FILE");
}

static bool find(struct finding *f, const struct json *root)
{
	static const char *const crictl[] = { "info", "runtimeSpec", NULL }, *const ctr[] = {
		"Spec", NULL
	};

	if (root->kind == JSON_ARRAY)
		return take_array(f, root);
	if (root->kind != JSON_OBJECT || is_profile(root))
		return take(f, root);
	if (member(root, "apiVersion", JSON_STRING) && member(root, "kind", JSON_STRING))
		return take_kubernetes(f, root);
	if (way(root, crictl))
		return take_config(f, way(root, crictl));
	if (member(way(root, ctr), "ociVersion", JSON_STRING))
		return take_config(f, way(root, ctr));
	if (member(root, "HostConfig", JSON_OBJECT))
		return take_inspected(f, root, root);
	if (member(root, "services", JSON_OBJECT))
		return refuse(f, DIAG_PL021, root,
			      "this looks like a compose file, which pale does not read",
			      "name the profile that its security_opt names");
	return member(root, "ociVersion", JSON_STRING) ? take_config(f, root) : take(f, root);
}

bool kind_find_profile(struct session *s, const struct json *root, struct source *src,
		       struct inside *out)
{
	struct finding f = { s, src, out };

	*out = (struct inside){ 0 };
	if (!find(&f, root))
		return false;
	return oci_recognise(out->profile) ||
	       refuse(&f, DIAG_PL001, out->profile, "this JSON is not a seccomp profile",
		      "a profile has 'defaultAction', or stands in a config.json under "
		      "'linux.seccomp'");
}
