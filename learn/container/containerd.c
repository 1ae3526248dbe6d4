/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where containerds keep the bundles of their containers, that have them elsewhere than as a rule: as their
 * configuration and options say (containerd-config.toml(5), containerd(8)). Of one that runs these may be read
 * without any privilege, other than the directory in which a shim works (proc(5): ptrace(2) access).
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "grammar/toml.h"
#include "learn/container/fields.h"

static void add_state(struct containers *cs, const char *state)
{
	fields_place(cs, &cs->states,
		     arena_printf(cs->scratch, "%s/io.containerd.runtime.v2.task", state));
}

static void read_config(struct containers *cs, const char *path)
{
	struct arena *scratch = arena_scratch(cs->arena);
	struct sources *sources = sources_new(scratch);
	struct diags *ds = diags_new(scratch, sources);
	struct source *src;
	const struct json *all = NULL;
	const char *at;

	if (!source_load_regular(sources, arena_printf(scratch, "%s%s", cs->root, path), &src))
		all = toml_parse(scratch, src, ds);
	at = fields_text(scratch, all, "state");
	if (at)
		add_state(cs, at);
	arena_free(scratch);
}

static void take_option(struct containers *cs, struct str name, const char *value)
{
	if (str_is(name, "--state"))
		add_state(cs, value);
	if (str_is(name, "--config") || str_is(name, "-c"))
		read_config(cs, value);
}

void containers_meet_containerd(struct containers *cs, const char *pid)
{
	fields_options(cs, pid, take_option);
}

void containers_read_containerd(struct containers *cs)
{
	read_config(cs, "/etc/containerd/config.toml");
}
