/* SPDX-License-Identifier: Apache-2.0 */
/* daemon.json: what every container of a Docker daemon gets that says nothing else (dockerd(8)). */
#include "compiler/base/bug.h"
#include "compiler/deploy/deploy.h"

bool deploy_is_daemon(const struct json *root)
{
	/* Keys of no other file: daemon/config/config.go of moby. */
	static const char *const keys[] = {
		"seccomp-profile", "no-new-privileges", "userns-remap",    "default-cgroupns-mode",
		"live-restore",    "registry-mirrors",  "storage-driver",  "log-driver",
		"exec-opts",       "data-root",         "default-runtime", "insecure-registries",
		"selinux-enabled", "userland-proxy",    "default-ulimits", "default-ipc-mode",
	};

	if (root->kind != JSON_OBJECT || json_get_fold(root, "defaultAction"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (json_get(root, keys[i]))
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
