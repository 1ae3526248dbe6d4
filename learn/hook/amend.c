/* SPDX-License-Identifier: Apache-2.0 */
/* A container's config.json with a hook more: runtime-spec, config.md, "POSIX-platform Hooks". */
#include "learn/hook/call.h"

#define STAGE "createRuntime"

/* Go's encoding/json, which all the runtimes in Go read with, folds case; the last member wins. */
static const struct json *member(const struct json *object, const char *key)
{
	const struct json *m = json_get_fold(object, key);

	return m && m->kind == JSON_NULL ? NULL : m;
}

static bool has_hook(const struct json *stage, const struct hook_call *call)
{
	for (const struct json *h = stage->first; h; h = h->next)
		if (h->kind == JSON_OBJECT && hook_call_is(h, call))
			return true;
	return false;
}

static bool wrong_kind(struct diags *ds, const struct json *v, const char *what,
		       enum json_kind want)
{
	diag_add(ds, DIAG_PL424, v->span, "%s is %s and not %s", what, json_kind_name(v->kind),
		 json_kind_name(want));
	return false;
}

struct hole { /* what is replaced by the hook, between two texts */
	size_t at, end;
	const char *before, *after;
	bool more; /* another member stands behind it */
};

/* Inside the brackets of what is there, in front of its first member. */
static struct hole inside(const struct json *v, const char *before, const char *after)
{
	return (struct hole){ v->span.begin + 1, v->span.begin + 1, before, after, v->first };
}

/* In place of a null, which as the last member would win. */
static struct hole instead(const struct json *null, const char *before, const char *after)
{
	return (struct hole){ null->span.begin, null->span.end, before, after, false };
}

static struct hole find_hole(const struct json *top, const struct json *hooks,
			     const struct json *stage)
{
	const struct json *null = json_get_fold(hooks ? hooks : top, hooks ? STAGE : "hooks");

	if (stage)
		return inside(stage, "", "");
	if (hooks)
		return null ? instead(null, "[", "]") : inside(hooks, "\"" STAGE "\":[", "]");
	if (null)
		return instead(null, "{\"" STAGE "\":[", "]}");
	return inside(top, "\"hooks\":{\"" STAGE "\":[", "]}");
}

bool hook_amend(struct arena *a, struct source *config, const struct hook_call *call,
		struct str *out, struct diags *ds)
{
	const struct json *top = json_parse(a, config, ds), *hooks, *stage;
	struct str text = config->text;
	BUF_AUTO b = { 0 };
	struct hole hole;

	if (!top || ds->errors)
		return false;
	if (top->kind != JSON_OBJECT)
		return wrong_kind(ds, top, "a container's configuration", JSON_OBJECT);
	hooks = member(top, "hooks");
	if (hooks && hooks->kind != JSON_OBJECT)
		return wrong_kind(ds, hooks, "hooks", JSON_OBJECT);
	stage = hooks ? member(hooks, STAGE) : NULL;
	if (stage && stage->kind != JSON_ARRAY)
		return wrong_kind(ds, stage, "hooks." STAGE, JSON_ARRAY);
	*out = text;
	if (stage && has_hook(stage, call))
		return true;
	hole = find_hole(top, hooks, stage);
	buf_add(&b, text.p, hole.at);
	buf_puts(&b, hole.before);
	hook_call_put(&b, call);
	buf_puts(&b, hole.after);
	if (hole.more)
		buf_putc(&b, ',');
	buf_add(&b, text.p + hole.end, text.n - hole.end);
	*out = (struct str){ buf_keep(a, &b), b.n };
	return true;
}
