/* SPDX-License-Identifier: Apache-2.0 */
/* pale propose: recordings to a policy. */
#include <string.h>

#include "compiler/cmd/recordings.h"
#include "compiler/cmd/update.h"
#include "learn/elsewhere.h"
#include "learn/reunite.h"

static int propose_of(struct session *s, const struct options *o)
{
	struct recordings *rs = recordings_new(s->arena);
	struct proposal_args a = { .output = o->at[OPT_OUTPUT].text,
				   .report = o->at[OPT_REPORT].text,
				   .name = o->at[OPT_NAME].text,
				   .starts = o->at[OPT_FOR].text,
				   .margin = o->at[OPT_MARGIN].text,
				   .exact = o->at[OPT_EXACT].given,
				   .phases = o->at[OPT_PHASES].given,
				   .arch = o->at[OPT_ARCH].given ? &o->at[OPT_ARCH].arch : NULL };
	int status = recordings_load(s, o->command->name, (const char *const *)o->operands,
				     (size_t)o->n, rs);
	struct recording r;
	bool lacks;

	if (status != EXIT_OK)
		return status;
	recordings_unite(s->arena, rs, &r);
	if (r.run.client)
		tell_client(s, str_safe(s->arena, r.run.client));
	if (o->at[OPT_UPDATE].given) {
		lacks = tell_incomplete(s, &r, "--allow-loss gives status 0 all the same");
		status = policy_update(s, o, o->at[OPT_UPDATE].text, &r);
		return status                                ? status :
		       lacks && !o->at[OPT_ALLOW_LOSS].given ? EXIT_FOUND :
							       EXIT_OK;
	}
	if (proposal_write(s, &a, rs, &r))
		return EXIT_SYSTEM;
	lacks = tell_incomplete(s, &r, "--allow-loss gives status 0 all the same");
	return lacks && !o->at[OPT_ALLOW_LOSS].given ? EXIT_FOUND : EXIT_OK;
}

static int propose_files_of(struct session *s, const struct options *o)
{
	const char *starts = o->at[OPT_FOR].text;
	int status;

	if (!o->n)
		return usage_error(o->command, "give a recording");
	status = recorded_arch_check(o);
	if (status)
		return status;
	if (starts && start_sets_check(s, "propose", start_sets(s->arena, starts)))
		return EXIT_USAGE;
	if (o->at[OPT_REPORT].given && o->at[OPT_UPDATE].given)
		return usage_error(
			o->command,
			"--report is a page of a whole proposal, and --update makes none");
	if (o->at[OPT_PHASES].given && o->at[OPT_UPDATE].given)
		return usage_error(o->command,
				   "--phases makes two proposals, and --update makes none");
	status = phases_check(s, o);
	if (status)
		return status;
	if (o->at[OPT_REPORT].given && !strcmp(o->at[OPT_REPORT].text, "-"))
		return usage_error(o->command, "--report takes a file");
	if (check_writable(o->at[OPT_OUTPUT].text) || check_writable(o->at[OPT_REPORT].text))
		return EXIT_SYSTEM;
	status = propose_of(s, o);
	if (session_report(s) && status == EXIT_OK)
		status = EXIT_FOUND;
	return status;
}

int cmd_propose(int argc, char **argv)
{
	struct options o = { 0 };
	struct session s;

	session_open_unbound(&s);
	int status = options_read(&s, argc, argv, &o);
	return session_end(&s, status < 0 ? propose_files_of(&s, &o) : status);
}
