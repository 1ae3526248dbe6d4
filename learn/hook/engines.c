/* SPDX-License-Identifier: Apache-2.0 */
/* What engines read: Podman's and CRI-O's hooks.d, Docker's daemon.json. */
#include <string.h>

#include "compiler/base/json_write.h"
#include "learn/hook/call.h"

#define RUNTIME "pale" /* what it is called in daemon.json */

/* ---- oci-hooks(5) ---- */

void hook_put_file(struct buf *out, const struct hook_call *call)
{
	BUF_AUTO hook = { 0 };

	hook_call_put(&hook, call);
	buf_puts(out, "{\n  \"version\": \"1.0.0\",\n  \"hook\": ");
	buf_add(out, hook.p, hook.n);
	/* Both sides are regular expressions. */
	buf_puts(out,
		 ",\n  \"when\": { \"annotations\": { \"^io\\\\.pale\\\\.learn$\": \".+\" } },\n"
		 "  \"stages\": [\"createRuntime\"]\n}\n");
}

bool hook_file_is_ours(struct arena *a, struct source *src)
{
	struct diags *ds = diags_new(a, NULL);
	const struct json *top = json_parse(a, src, ds);
	const struct json *hook = top && top->kind == JSON_OBJECT ? json_get(top, "hook") : NULL;

	return hook && hook->kind == JSON_OBJECT && hook_call_is_ours(hook);
}

/* ---- dockerd(8), --config-file ---- */

static void put_runtime(struct buf *out, const struct hook_call *call, const char *runtime)
{
	struct json_writer w = { .out = out };
	struct hook_call all = *call;
	const char *args[HOOK_ARGS];
	size_t n;

	all.always = true; /* who asks for this runtime asks for that */
	n = hook_call_args(&all, args);
	json_open(&w, NULL, '{');
	json_text(&w, "path", call->program);
	json_open(&w, "runtimeArgs", '[');
	json_text(&w, NULL, "hook");
	json_text(&w, NULL, "--exec");
	json_text(&w, NULL, runtime);
	for (size_t i = 0; i < n; i++)
		json_text(&w, NULL, args[i]);
	json_text(&w, NULL, "--");
	json_close(&w, ']');
	json_close(&w, '}');
}

/* What stands in front of a member on its line: the file's own way of laying it out; NULL: one line. */
static const char *layout(struct arena *a, const struct source *src, size_t at)
{
	const char *p = src->text.p;
	size_t n = at;

	while (n && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	if (!n || p[n - 1] != '\n')
		return NULL;
	return arena_printf(a, "\n%.*s", (int)(at - n), p + n);
}

/* In front of the first member of an object. */
static struct str insert(struct arena *a, const struct source *src, const struct json *object,
			 const char *key, const struct buf *value)
{
	size_t at = object->span.begin + 1;
	const char *line = object->first ? layout(a, src, object->first->key_span.begin) : "\n  ";
	BUF_AUTO b = { 0 };

	buf_add(&b, src->text.p, at);
	buf_puts(&b, line ? line : "");
	buf_printf(&b, "\"%s\": ", key);
	buf_add(&b, value->p, value->n);
	if (object->first)
		buf_putc(&b, ',');
	else
		buf_putc(&b, '\n');
	if (object->first && !line)
		buf_putc(&b, ' ');
	buf_add(&b, src->text.p + at, src->text.n - at);
	return (struct str){ buf_keep(a, &b), b.n };
}

static struct str replaced(struct arena *a, const struct source *src, size_t from, size_t to,
			   const struct buf *with)
{
	BUF_AUTO b = { 0 };

	buf_add(&b, src->text.p, from);
	if (with)
		buf_add(&b, with->p, with->n);
	buf_add(&b, src->text.p + to, src->text.n - to);
	return (struct str){ buf_keep(a, &b), b.n };
}

/* *runtimes: NULL: there are none. */
static bool read_docker(struct arena *a, struct source *src, const struct json **top,
			const struct json **runtimes, struct diags *ds)
{
	const struct json *wrong;

	*top = json_parse(a, src, ds);
	if (!*top || ds->errors)
		return false;
	*runtimes = (*top)->kind == JSON_OBJECT ? json_get(*top, "runtimes") : NULL;
	wrong = (*top)->kind != JSON_OBJECT                   ? *top :
		*runtimes && (*runtimes)->kind != JSON_OBJECT ? *runtimes :
								NULL;
	if (wrong)
		diag_help(ds,
			  diag_add(ds, DIAG_PL424, wrong->span, "this is %s and no object",
				   json_kind_name(wrong->kind)),
			  "dockerd itself does not start with it");
	return !wrong;
}

bool hook_docker_add(struct arena *a, struct source *src, const struct hook_call *call,
		     const char *runtime, struct str *out, struct diags *ds)
{
	const struct json *top, *runtimes, *ours;
	BUF_AUTO value = { 0 }, all = { 0 };

	put_runtime(&value, call, runtime);
	buf_puts(&all, "{ \"" RUNTIME "\": ");
	buf_add(&all, value.p, value.n);
	buf_puts(&all, " }");
	if (!src) {
		*out = str_c(arena_printf(a, "{\n  \"runtimes\": %.*s\n}\n", (int)all.n, all.p));
		return true;
	}
	if (!read_docker(a, src, &top, &runtimes, ds))
		return false;
	ours = runtimes ? json_get(runtimes, RUNTIME) : NULL;
	if (ours)
		*out = replaced(a, src, ours->span.begin, ours->span.end, &value);
	else if (runtimes)
		*out = insert(a, src, runtimes, RUNTIME, &value);
	else
		*out = insert(a, src, top, "runtimes", &all);
	return true;
}

/* A member with the comma that parts it from the others, and the blanks between. */
static struct str without(struct arena *a, const struct source *src, const struct json *object,
			  const struct json *m)
{
	const char *p = src->text.p;
	size_t from = m->key_span.begin, to = m->span.end, at = to;

	while (from && strchr(" \t\r\n", p[from - 1]))
		from--;
	while (at < src->text.n && strchr(" \t\r\n", p[at]))
		at++;
	if (object->count == 1)
		to = at;
	else if (p[at] == ',')
		to = at + 1;
	else /* the last: the comma is in front of it */
		from--;
	/* Where all stood on one line, the blank behind our comma was ours as well. */
	if (object->count > 1 && from == object->span.begin + 1 && p[from] == '"' && p[to] == ' ')
		to++;
	return replaced(a, src, from, to, NULL);
}

/* dockerd does not start with a default that it does not know ("specified default runtime ... does not exist"). */
static bool is_default(const struct json *top, struct diags *ds)
{
	const struct json *v = json_get(top, "default-runtime");
	struct diag *d;

	if (!v || v->kind != JSON_STRING || !str_is(v->text, RUNTIME))
		return false;
	d = diag_add(ds, DIAG_PL424, v->span,
		     "this makes '" RUNTIME "' the runtime of all containers, and dockerd does not "
		     "start where that is removed");
	diag_help(ds, d,
		  "remove this line, or name another runtime, and say '--remove docker' again");
	return true;
}

bool hook_docker_remove(struct arena *a, struct source *src, struct str *out, struct diags *ds)
{
	const struct json *top, *runtimes, *ours;

	if (!read_docker(a, src, &top, &runtimes, ds))
		return false;
	ours = runtimes ? json_get(runtimes, RUNTIME) : NULL;
	*out = src->text;
	if (!ours)
		return true;
	if (is_default(top, ds))
		return false;
	if (runtimes->count > 1)
		*out = without(a, src, runtimes, ours);
	else if (top->count > 1)
		*out = without(a, src, top, runtimes);
	else
		*out = (struct str){ NULL, 0 };
	return true;
}
