/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of a wrong option by the commands that do not read theirs by options.def. */
#include <getopt.h>
#include <string.h>

#include "compiler/base/suggest.h"
#include "compiler/cmd/cmd.h"

/* "--out" of "--out=x" and of "--out"; empty: the word is no long option. */
static struct str long_name(const char *word)
{
	if (word[0] != '-' || word[1] != '-')
		return (struct str){ "", 0 };
	return (struct str){ word + 2, strcspn(word + 2, "=") };
}

/* Its start is enough. */
static bool begins(const struct option *o, struct str name)
{
	return name.n && strlen(o->name) >= name.n && !memcmp(o->name, name.p, name.n);
}

static int unknown_option(const struct command *c, const struct option *options, struct str name)
{
	const struct option *first = NULL;
	struct suggest near;

	suggest_start(&near, name);
	for (const struct option *o = options; o->name; o++) {
		suggest_offer(&near, str_c(o->name));
		if (first && begins(o, name))
			return usage_error(
				c, "'--" PRISTR "' can be '--%s' or '--%s' (pale %s --help)",
				STRARG(name), first->name, o->name, c->name);
		first = begins(o, name) ? o : first;
	}
	if (!near.best.p)
		return usage_error(c, "no option '--" PRISTR "' (pale %s --help)", STRARG(name),
				   c->name);
	return usage_error(
		c, "no option '--" PRISTR "'; did you mean '--" PRISTR "'? (pale %s --help)",
		STRARG(name), STRARG(near.best), c->name);
}

int option_error(const struct command *c, const struct option *options, char **argv)
{
	struct str name = long_name(argv[optind - 1]);

	/* Its value is in optopt where the option is known and something about its value is not. */
	for (const struct option *o = options; optopt && o->name; o++)
		if (o->val == optopt && begins(o, name))
			return usage_error(c, "'--" PRISTR "' %s (pale %s --help)", STRARG(name),
					   o->has_arg ? "needs a value" : "takes no value",
					   c->name);
	if (optopt)
		return usage_error(c, "no option '-%c', or it needs a value (pale %s --help)",
				   optopt, c->name);
	return unknown_option(c, options, name);
}
