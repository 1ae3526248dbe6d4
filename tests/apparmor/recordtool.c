/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of standard input, as pale and as libapparmor (aalogparse.h) read them: one line of output
 * each, "same", "unread" where the library has no record of it, or what differs.
 */
#include <aalogparse/aalogparse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/file/denied.h"

struct pair {
	const char *what;
	struct str ours;
	const char *theirs;
};

static struct str text_of(struct arena *a, const char *s)
{
	return str_c(arena_strdup(a, s ? s : ""));
}

/* A child or hat is told apart from its profile. */
static const char *whole_profile(struct arena *a, const aa_log_record *r)
{
	if (r->active_hat && r->profile)
		return arena_printf(a, "%s//%s", r->profile, r->active_hat);
	return r->profile;
}

static bool same_files(const struct denied *d, const aa_log_record *r)
{
	return !d->whose || d->owned == (r->fsuid == r->ouid);
}

static int compare(struct arena *a, const struct denied *d, const aa_log_record *r)
{
	const struct pair pairs[] = {
		{ "operation", d->operation, r->operation },
		{ "profile", d->profile, whole_profile(a, r) },
		{ "namespace", d->ns, r->namespace },
		{ "name",
		  d->capability.n ? d->capability :
		  d->limit.n      ? d->limit :
				    d->name,
		  r->name },
		{ "target", d->target, r->name2 },
		{ "requested", d->requested, r->requested_mask },
		{ "denied", d->denied, r->denied_mask },
		{ "comm", d->comm, r->comm },
		{ "info", d->info, r->info },
		{ "peer", d->peer, r->peer ? r->peer : r->peer_profile },
		{ "family", d->family, r->net_family },
		{ "type", d->type, r->net_sock_type },
		{ "signal", d->signal, r->signal },
		{ "bus", d->bus, r->dbus_bus },
		{ "path", d->path, r->dbus_path },
		{ "interface", d->interface, r->dbus_interface },
		{ "member", d->member, r->dbus_member },
		{ "fstype", d->fstype, r->fs_type },
		{ "flags", d->flags, r->flags },
		{ "source", d->source, r->src_name },
	};
	int differ = 0;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		if (str_eq(pairs[i].ours, text_of(a, pairs[i].theirs)))
			continue;
		printf("%s%s: '%.*s' '%s'", differ++ ? ", " : "", pairs[i].what,
		       STRARG(pairs[i].ours), pairs[i].theirs ? pairs[i].theirs : "");
	}
	if (!same_files(d, r))
		printf("%swhose", differ++ ? ", " : "");
	return differ;
}

int main(void)
{
	static char line[1 << 16];

	while (fgets(line, sizeof(line), stdin)) {
		struct arena *a = arena_new(NULL);
		aa_log_record *r = parse_record(line);
		struct denied d;
		line[strcspn(line, "\n")] = 0;
		const char *wrong = denied_read(a, str_c(line), &d);
		if (!r || r->event == AA_RECORD_INVALID)
			printf("unread");
		else if (wrong)
			printf("ours: %s", wrong);
		else if (!compare(a, &d, r))
			printf("same");
		putchar('\n');
		if (r)
			free_record(r);
		arena_free(a);
	}
	return 0;
}
