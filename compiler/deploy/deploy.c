/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/deploy/deploy.h"

#include <string.h>

#include "compiler/base/bug.h"

const struct json *deploy_member(const struct json *object, const char *key, enum json_kind kind)
{
	const struct json *m = object && object->kind == JSON_OBJECT ? json_get(object, key) : NULL;

	return m && m->kind == kind ? m : NULL;
}

static bool is_known(const struct json *j)
{
	return j->kind == JSON_STRING && !memchr(j->text.p, '$', j->text.n);
}

struct deploy_text deploy_text_of(const struct json *object, const char *key)
{
	const struct json *m = deploy_member(object, key, JSON_STRING);

	return m && is_known(m) ? (struct deploy_text){ m->text, m->span } :
				  (struct deploy_text){ .span = NO_SPAN };
}

void deploy_add_texts(struct deployment *d, deploy_texts *out, const struct json *list)
{
	for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
		struct deploy_text t = { i->text, i->span };

		if (is_known(i))
			vec_push(d->arena, out, t);
	}
}

/* What Go's readers of YAML take for a bool where one is wanted. */
struct deploy_flag deploy_flag_of(const struct json *object, const char *key)
{
	static const char *const yes[] = { "y", "yes", "on" }, *const no[] = { "n", "no", "off" };
	const struct json *m = object && object->kind == JSON_OBJECT ? json_get(object, key) : NULL;
	struct deploy_flag f = { DEPLOY_UNSAID, NO_SPAN };

	if (!m)
		return f;
	f.span = m->span;
	if (m->kind == JSON_BOOL)
		f.said = m->boolean ? DEPLOY_YES : DEPLOY_NO;
	for (size_t i = 0; m->kind == JSON_STRING && i < 3; i++)
		f.said = str_ieq(m->text, str_c(yes[i])) ? DEPLOY_YES :
			 str_ieq(m->text, str_c(no[i]))  ? DEPLOY_NO :
							   f.said;
	return f;
}

struct deploy_container *deploy_add(struct deployment *d, enum deploy_form form,
				    struct deploy_text name)
{
	struct deploy_container *c = ARENA_NEW(d->arena, struct deploy_container);

	c->form = form;
	c->name = name;
	c->seccomp.span = c->apparmor.span = NO_SPAN;
	vec_push(d->arena, &d->containers, c);
	return c;
}

/* ---- what Docker's client and compose take alike ---- */

/* As the engine parts it: at the first '=', where there is none at the first ':' (moby,
 * daemon/daemon_unix.go, parseSecurityOpt). */
static struct deploy_option read_option(struct deploy_text t)
{
	struct deploy_option o = { .span = t.span };
	const char *at = memchr(t.text.p, '=', t.text.n);

	if (!at) {
		at = memchr(t.text.p, ':', t.text.n);
		o.colon = at != NULL;
	}
	o.key = at ? (struct str){ t.text.p, (size_t)(at - t.text.p) } : t.text;
	if (at)
		o.value = (struct str){ at + 1, t.text.n - o.key.n - 1 };
	return o;
}

/* As the engine reads it (strconv.ParseBool); what that refuses starts nothing. */
bool deploy_is_false(struct str value)
{
	static const char *const words[] = { "0", "f", "F", "false", "FALSE", "False" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_is(value, words[i]))
			return true;
	return false;
}

void deploy_add_option(struct deployment *d, struct deploy_container *c, struct deploy_text t)
{
	struct deploy_option o = read_option(t);

	if (str_is(o.key, "no-new-privileges"))
		c->no_new_privileges =
			(struct deploy_flag){ deploy_is_false(o.value) ? DEPLOY_NO : DEPLOY_YES,
					      t.span };
	vec_push(d->arena, &c->options, o);
}

void deploy_add_mount(struct deployment *d, struct deploy_container *c, struct deploy_text t,
		      bool read_only)
{
	struct deploy_mount m = { t.text, t.span, read_only };

	if (t.text.n && t.text.p[0] == '/' && !memchr(t.text.p, '$', t.text.n))
		vec_push(d->arena, &c->mounts, m);
}

static struct str up_to_colon(struct str s)
{
	const char *colon = memchr(s.p, ':', s.n);

	return colon ? (struct str){ s.p, (size_t)(colon - s.p) } : s;
}

/* "ro" among the words behind the second ':'. */
static bool is_read_only(struct str rest)
{
	size_t target = up_to_colon(rest).n;

	rest = (struct str){ rest.p + target, rest.n - target };
	while (rest.n > 1) {
		rest = (struct str){ rest.p + 1, rest.n - 1 };
		const char *comma = memchr(rest.p, ',', rest.n);
		size_t n = comma ? (size_t)(comma - rest.p) : rest.n;

		if (str_is((struct str){ rest.p, n }, "ro"))
			return true;
		rest = (struct str){ rest.p + n, rest.n - n };
	}
	return false;
}

void deploy_add_volume(struct deployment *d, struct deploy_container *c, struct deploy_text t)
{
	struct str path = up_to_colon(t.text);
	struct str rest = { path.p + path.n + 1, t.text.n - path.n - 1 };

	if (path.n == t.text.n)
		return;
	t.text = path;
	deploy_add_mount(d, c, t, is_read_only(rest));
}

void deploy_add_device(struct deployment *d, struct deploy_container *c, struct deploy_text t)
{
	t.text = up_to_colon(t.text);
	if (t.text.n && t.text.p[0] == '/' && !memchr(t.text.p, '$', t.text.n))
		vec_push(d->arena, &c->devices, t);
}

bool deploy_is_docker(enum deploy_form form)
{
	return form == DEPLOY_COMPOSE || form == DEPLOY_RUN;
}
