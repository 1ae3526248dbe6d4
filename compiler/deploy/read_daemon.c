/* SPDX-License-Identifier: Apache-2.0 */
/* daemon.json: what every container of a Docker daemon gets that says nothing else (dockerd(8)). */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/deploy/deploy.h"

static const struct daemon_key keys[] = {
#define HIGH                               true
#define WARNING                            false
#define KEY(name, value, since, until)     { name, DAEMON_##value, since, until, false, NULL, false },
#define OPTION(name, key, severity, since) { name, DAEMON_TEXT, since, 0, true, key, severity },
#include "compiler/deploy/daemon_keys.def"
#undef OPTION
#undef KEY
#undef WARNING
#undef HIGH
};

size_t deploy_daemon_keys(const struct daemon_key **out)
{
	*out = keys;
	return ARRAY_SIZE(keys);
}

const struct daemon_key *deploy_daemon_key(struct str name)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (str_is(name, keys[i].name))
			return &keys[i];
	return NULL;
}

/* By a key with a '-': words that other files do not have, as 'debug' and 'labels' are. */
bool deploy_is_daemon(const struct json *root)
{
	if (root->kind != JSON_OBJECT || json_get_fold(root, "defaultAction"))
		return false;
	for (const struct json *m = root->first; m; m = m->next)
		if (deploy_daemon_key(m->key) && memchr(m->key.p, '-', m->key.n))
			return true;
	return false;
}

void deploy_read_daemon(struct deployment *d, const struct json *root)
{
	struct span top = { root->span.source, root->span.begin, root->span.begin + 1 };
	struct deploy_container *c = deploy_add(
		d, DEPLOY_DAEMON,
		(struct deploy_text){ STR("any container of this daemon, by default,"), top });
	struct deploy_text profile = deploy_text_of(root, "seccomp-profile");
	struct deploy_text cgroup = deploy_text_of(root, "default-cgroupns-mode");

	d->daemon = root;
	c->word = STR("any container of this daemon");
	c->no_new_privileges = deploy_flag_of(root, "no-new-privileges");
	if (profile.text.n) {
		struct deploy_option o = { STR("seccomp"), profile.text, profile.span, false };

		vec_push(d->arena, &c->options, o);
	}
	if (str_is(cgroup.text, "host")) {
		cgroup.text = STR("cgroup");
		vec_push(d->arena, &c->host, cgroup);
	}
}
