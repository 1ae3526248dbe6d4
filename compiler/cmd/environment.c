/* SPDX-License-Identifier: Apache-2.0 */
/* The environment that the options of a command say: --caps --kernel --host, and --sets, --arch. */
#include <stdio.h>
#include <string.h>

#include "compiler/base/suggest.h"
#include "compiler/apparmor/needs.h"
#include "compiler/cmd/options.h"

/* What a container gets from Docker that asks for nothing (moby oci/caps/defaults.go). */
static const char docker_caps[] =
	"audit_write,chown,dac_override,fowner,fsetid,kill,mknod,net_bind_service,"
	"net_raw,setfcap,setgid,setpcap,setuid,sys_chroot";

/* False: *item is no capability. */
static bool add_names(struct environment *env, const char *list, struct str *item)
{
	struct str docker;

	while (option_item(&list, item)) {
		int cap = capability_find(*item);
		if (cap >= 0)
			env->caps |= UINT64_C(1) << cap;
		else if (str_is(*item, "docker"))
			add_names(env, docker_caps, &docker);
		else
			return false;
	}
	return true;
}

static bool add_caps(struct environment *env, const char *value, struct str *item)
{
	env->caps_known = true;
	if (!strcmp(value, "all"))
		env->caps = (UINT64_C(1) << CAPABILITY_NR) - 1;
	return !strcmp(value, "all") || !strcmp(value, "none") || add_names(env, value, item);
}

void environment_docker(struct environment *env)
{
	struct str item;

	(void)add_caps(env, docker_caps, &item);
}

/* "5.10", and what uname says: "5.10.0-32-amd64". */
static bool read_kernel(const char *value, struct environment *env)
{
	unsigned major, minor;
	char after = 0;
	int n = sscanf(value, "%3u.%3u%c", &major, &minor, &after);

	if (n < 2 || major > 255 || minor > 255 || (n == 3 && !strchr(".-+", after)))
		return false;
	env->kernel_known = true;
	env->kernel = KERNEL_VERSION_OF(major, minor);
	return true;
}

/* A capability's without its "CAP_". */
static struct str bare_name(struct str s)
{
	bool full = s.n > 4 && str_ieq((struct str){ s.p, 4 }, STR("CAP_"));

	return full ? (struct str){ s.p + 4, s.n - 4 } : s;
}

static int caps_option(const struct options *o, struct environment *env)
{
	struct suggest near;
	struct str item;

	vec_each(&o->at[OPT_CAPS].list, list) {
		if (add_caps(env, *list, &item))
			continue;
		suggest_start(&near, bare_name(item));
		for (unsigned i = 0; i < CAPABILITY_NR; i++)
			suggest_offer(&near, str_c(capability_name(i)));
		return usage_error(
			o->command,
			"'--caps' takes a list of capabilities, none, all or docker; '" PRISTR
			"' is none" PRINEAR,
			STRARG(item), NEARARG(near));
	}
	return EXIT_OK;
}

int environment_options(const struct options *o, struct resolve_options *r)
{
	const struct option_value *host = &o->at[OPT_HOST], *kernel = &o->at[OPT_KERNEL];
	int status = caps_option(o, &r->env);

	if (status)
		return status;
	if (kernel->given && !read_kernel(kernel->text, &r->env))
		return usage_error(o->command, "'--kernel' takes a version such as 5.10, not '%s'",
				   kernel->text);
	if (kernel->given && r->env.kernel > tables_level)
		return usage_error(o->command,
				   "this pale knows Linux up to %u.%u, not '%s'; "
				   "'--kernel %u.%u' is the nearest",
				   tables_level >> 8, tables_level & 0xff, kernel->text,
				   tables_level >> 8, tables_level & 0xff);
	if (host->given) {
		r->env.host_known = true;
		r->env.host = host->arch;
	}
	r->set_dirs = o->at[OPT_SETS].list.v;
	r->arches = o->at[OPT_ARCHES].words;
	return EXIT_OK;
}

int apparmor_target_option(const struct options *o, struct apparmor_target *out, bool *given)
{
	const struct option_value *v = &o->at[OPT_TARGET_RELEASE];
	uint64_t releases = v->number;

	*given = releases != 0;
	if (!releases && v->kernel)
		return usage_error(o->command,
				   "the kernel is AppArmor's: --target apparmor=5.0,kernel=6.12");
	if (releases & (releases - 1))
		return usage_error(
			o->command,
			"a policy is for one release of AppArmor, and several are named");
	for (unsigned r = 0; r < AA_RELEASE_NR; r++)
		if (releases >> r & 1)
			out->release = (enum aa_release)r;
	out->kernel = v->kernel;
	return -1;
}
