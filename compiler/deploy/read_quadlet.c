/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Podman makes a service of: [Container] of a NAME.container, as options of `podman run`
 * (podman-systemd.unit(5) of 5.8).
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/deploy/deploy.h"

enum form {
	WHOLE, /* the value is the option's, of the last one that is said */
	EACH,  /* the same, and more of them add up */
	WORDS, /* each word of it is one */
	FLAG,  /* where it is true */
};

static const struct key {
	const char *key, *option, *prefix; /* "--OPTION PREFIXvalue" */
	enum form form;
} keys[] = {
	{ "AddCapability", "cap-add", "", WORDS },
	{ "AddDevice", "device", "", EACH },
	{ "AppArmor", "security-opt", "apparmor=", WHOLE },
	{ "ContainerName", "name", "", WHOLE },
	{ "Mount", "mount", "", EACH },
	{ "Network", "network", "", EACH },
	{ "NoNewPrivileges", "security-opt", "no-new-privileges", FLAG },
	{ "SeccompProfile", "security-opt", "seccomp=", WHOLE },
	{ "SecurityLabelDisable", "security-opt", "label=disable", FLAG },
	{ "SecurityLabelType", "security-opt", "label=type:", WHOLE },
	{ "Unmask", "security-opt", "unmask=", WHOLE },
	{ "UserNS", "userns", "", WHOLE },
	{ "Volume", "volume", "", EACH },
};

static bool is_ours(const struct deploy_setting *s)
{
	return str_is(s->section, "Container");
}

/* The parser of Podman's generator takes systemd's words. */
static bool is_true(struct str value)
{
	static const char *const words[] = { "1", "yes", "y", "true", "t", "on" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_ieq(value, str_c(words[i])))
			return true;
	return false;
}

static struct deploy_text unquoted(struct deploy_text t)
{
	if (t.text.n > 1 && strchr("\"'", t.text.p[0]) && t.text.p[t.text.n - 1] == t.text.p[0]) {
		t.text = (struct str){ t.text.p + 1, t.text.n - 2 };
		t.span.begin++;
		t.span.end--;
	}
	return t;
}

static void take(struct deployment *d, struct deploy_container *c, const struct key *k,
		 struct deploy_text t)
{
	t = unquoted(t);
	if (*k->prefix)
		t.text = str_c(k->form == FLAG ? k->prefix :
						 arena_printf(d->arena, "%s" PRISTR, k->prefix,
							      STRARG(t.text)));
	deploy_take_option(d, c, k->option, t);
}

/* An empty value takes back what was said; of WHOLE and FLAG so does another one. */
static bool is_taken_back(const struct deployment *d, size_t at, const struct key *k)
{
	for (size_t i = at + 1; i < d->settings.n; i++) {
		const struct deploy_setting *s = &d->settings.v[i];

		if (is_ours(s) && str_is(s->key, k->key) &&
		    (!s->value.n || k->form == WHOLE || k->form == FLAG))
			return true;
	}
	return false;
}

/* What stands in a file that is put over it is told of that, and counts here where it takes back. */
static void take_setting(struct deployment *d, struct deploy_container *c, size_t at,
			 const struct key *k)
{
	const struct deploy_setting *s = &d->settings.v[at];
	struct deploy_text t = { s->value, s->span };
	bool hardens = k->form == FLAG && str_is(s->key, "NoNewPrivileges");

	if (!s->value.n || is_taken_back(d, at, k) || (s->over && !hardens))
		return;
	if (k->form == FLAG && !is_true(unquoted(t).text))
		return;
	if (k->form != WORDS) {
		take(d, c, k, t);
		return;
	}
	for (uint32_t from = 0; deploy_next_word(s, &from, &t);)
		take(d, c, k, t);
}

static struct deploy_container *add_container(struct deployment *d, struct span place)
{
	struct deploy_container *c =
		deploy_add(d, DEPLOY_QUADLET, (struct deploy_text){ STR("this container"), place });

	c->other_engine = true;
	c->open = d->part;
	return c;
}

void deploy_read_quadlet(struct deployment *d)
{
	struct deploy_container *c = NULL;

	for (size_t i = 0; i < d->settings.n; i++) {
		const struct deploy_setting *s = &d->settings.v[i];

		if (!is_ours(s))
			continue;
		if (!c && !s->over)
			c = add_container(d, s->line);
		if (!c)
			continue;
		if (str_is(s->key, "Image") && s->value.n && !s->over) {
			c->image = (struct deploy_text){ s->value, s->span };
			c->name.span = s->line;
		}
		if (str_is(s->key, "PodmanArgs") && !s->over)
			deploy_read_arguments(d, c, s->src, s->span);
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
			if (str_is(s->key, keys[k].key))
				take_setting(d, c, i, &keys[k]);
	}
	if (c && c->word.n)
		c->name.text = str_c(
			arena_printf(d->arena, "container '%s'", str_safe_of(d->arena, c->word)));
}
