/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/watch/site.h"

#include <stdio.h>

#include "learn/container/container.h"

enum { ID_SHOWN = 12, PREFIX_MIN = 4 };

void site_keep(char *to, size_t size, struct str s)
{
	size_t n = s.n < size ? s.n : size - 1;

	memcpy(to, s.p, n);
	to[n] = '\0';
}

/* ---- the path ---- */

/* "kubepods-burstable-pod0a1b_2c3d.slice", "pod0a1b-2c3d" below "kubepods". */
static void read_pod(struct str part, struct site *out)
{
	const char *p = NULL;

	if (part.n > 6 && !memcmp(part.p + part.n - 6, ".slice", 6))
		part.n -= 6;
	if (str_starts(part, "pod"))
		p = part.p + 3;
	else if (str_starts(part, "kubepods"))
		p = memmem(part.p, part.n, "-pod", 4) ?
			    (const char *)memmem(part.p, part.n, "-pod", 4) + 4 :
			    NULL;
	if (!p)
		return;
	site_keep(out->pod_uid, sizeof(out->pod_uid),
		  (struct str){ p, (size_t)(part.p + part.n - p) });
	for (char *c = out->pod_uid; *c; c++)
		if (*c == '_')
			*c = '-';
}

static struct str next_part(struct str *path)
{
	while (path->n && *path->p == '/')
		*path = (struct str){ path->p + 1, path->n - 1 };
	const char *end = path->n ? memchr(path->p, '/', path->n) : NULL;
	struct str part = { path->p, end ? (size_t)(end - path->p) : path->n };
	*path = (struct str){ path->p + part.n, path->n - part.n };
	return part;
}

void site_of_cgroup(const char *path, struct site *out)
{
	struct str rest = str_c(path), last = { "", 0 }, id;
	enum container_engine engine;
	bool pods = false;
	size_t end;

	*out = (struct site){ .state = SITE_HOST };
	for (struct str part; (part = next_part(&rest)).n;) {
		pods |= str_starts(part, "kubepods");
		if (pods && !*out->pod_uid)
			read_pod(part, out);
		last = part;
	}
	site_keep(out->unit, sizeof(out->unit), last);
	if (!container_of_cgroup(path, &id, &engine, &end))
		return;
	out->state = SITE_CONTAINER;
	site_keep(out->id, sizeof(out->id), id);
	site_keep(out->engine, sizeof(out->engine), str_c(container_engine_name(engine)));
	if (container_pod_of_cgroup(path, &id))
		site_keep(out->pod_uid, sizeof(out->pod_uid), id);
}

/* ---- which ---- */

/* Of ctr's a name, which another namespace may have, too. */
static bool is_random(const struct site *p)
{
	return strlen(p->id) == CONTAINER_ID;
}

bool site_same(const struct site *x, const struct site *y)
{
	return x->state == y->state && !strcmp(x->id, y->id) && !strcmp(x->engine, y->engine) &&
	       !strcmp(x->pod_uid, y->pod_uid) && (is_random(x) || !strcmp(x->space, y->space)) &&
	       (x->state != SITE_HOST || !strcmp(x->unit, y->unit));
}

bool site_apart(const struct site *x, const struct site *y)
{
	return strcmp(x->engine, y->engine) != 0 || strcmp(x->space, y->space) != 0;
}

/* Behind "ENGINE:" and "NAMESPACE/", where these are its own. */
static const char *behind(const struct site *p, const char *wanted)
{
	size_t n = strlen(p->engine);

	if (!strncmp(wanted, p->engine, n) && wanted[n] == ':')
		wanted += n + 1;
	n = strlen(p->space);
	if (n && !strncmp(wanted, p->space, n) && wanted[n] == '/')
		wanted += n + 1;
	return wanted;
}

static bool is_named(const struct site *p, const char *wanted)
{
	const char *slash = strrchr(p->pod, '/');
	size_t n = strlen(p->pod);

	if ((*p->pod && !strcmp(p->pod, wanted)) || (slash && !strcmp(slash + 1, wanted)) ||
	    (*p->pod_uid && !strcmp(p->pod_uid, wanted)))
		return true;
	wanted = behind(p, wanted);
	if ((*p->name && !strcmp(p->name, wanted)) || !strcmp(p->id, wanted))
		return true;
	return n && !slash && !strncmp(wanted, p->pod, n) && wanted[n] == '/' &&
	       !strcmp(wanted + n + 1, p->name);
}

bool site_begins(const struct site *p, const char *wanted)
{
	if (p->state != SITE_CONTAINER || !is_random(p) || is_named(p, wanted))
		return false;
	wanted = behind(p, wanted);
	return strlen(wanted) >= PREFIX_MIN && str_starts(str_c(p->id), wanted);
}

bool site_is(const struct site *p, const char *wanted)
{
	return p->state == SITE_CONTAINER && (is_named(p, wanted) || site_begins(p, wanted));
}

/* Of what is not in the default one, as where a name alone says which. */
static void put_space(struct buf *out, const struct site *p)
{
	if (!*p->space || *p->pod || !strcmp(p->space, "default"))
		return;
	buf_safe(out, str_c(p->space));
	buf_putc(out, '/');
}

void site_put_called(struct buf *out, const struct site *p)
{
	buf_printf(out, "%s:", p->engine);
	if (*p->space && !*p->pod) {
		buf_safe(out, str_c(p->space));
		buf_putc(out, '/');
	}
	buf_safe(out, *p->name ? str_c(p->name) : (struct str){ p->id, strnlen(p->id, ID_SHOWN) });
}

void site_put(struct buf *out, const struct site *p)
{
	if (p->state == SITE_UNASKED) {
		buf_puts(out, "-");
	} else if (p->state == SITE_GONE) {
		buf_puts(out, "(process gone)");
	} else if (p->state == SITE_HOST) {
		buf_puts(out, "host:");
		buf_safe(out, *p->unit ? str_c(p->unit) : STR("/"));
	} else if (!is_random(p)) {
		buf_printf(out, "%s:", p->engine);
		put_space(out, p);
		buf_safe(out, str_c(p->id));
	} else {
		buf_printf(out, "%s:%.*s", p->engine, ID_SHOWN, p->id);
		if (*p->pod || *p->name) {
			buf_puts(out, " (");
			put_space(out, p);
			buf_safe(out, str_c(*p->pod ? p->pod : p->name));
			if (*p->pod && *p->name && !strchr(p->pod, '/')) {
				buf_putc(out, '/');
				buf_safe(out, str_c(p->name));
			}
			buf_putc(out, ')');
		} else if (*p->pod_uid) {
			buf_puts(out, " (pod ");
			buf_safe(out, str_c(p->pod_uid));
			buf_putc(out, ')');
		}
	}
}
