/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AP1, and what else of AppArmor's catalogue `pale check` finds: the texts are its own, and told by
 * it under the ids of the readers' rooms (PL), which also policies have. Here they get their rules.
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lint/internal.h"

RULE_TOLD(
	AP101, "parse-error", ERROR, APPARMOR, "AppArmor's parser does not read the text",
	"What keeps a parser of the release that is asked for from reading the file, where no rule "
	"below says it better: a path with a blank that is not quoted, an operator that there is "
	"not (`options!=`), a keyword that no rule has. A profile that is not read is not loaded, "
	"and what it was to confine runs without it. Held against the parsers 3.0.8, 4.1.0, "
	"4.1.8 and 5.0.2, whose own text is 'syntax error, unexpected TOK_ID' at a later line.\n\n"
	"Way out: the help at the place.")
RULE_TOLD(
	AP102, "missing-comma", ERROR, APPARMOR, "a rule without ',', or with one too early",
	"Every rule ends with ','. Where it is missing the next line is part of the rule, and the "
	"parser complains there; in `deny /dev/**, wl,` there is one too many, behind the path "
	"(directpv#426).\n\n"
	"Way out: one ',', behind the permissions.")
RULE_TOLD(
	AP103, "unclosed-brace", ERROR, APPARMOR, "a block that is not closed, or closed twice",
	"A profile's '{' without its '}', or the reverse: parsers say 'unexpected $end' at the last "
	"line. The finding shows the brace that is open.\n\n"
	"Way out: close it where its rules end.")
RULE_TOLD(
	AP104, "glob-refused", ERROR, APPARMOR, "a pattern that the parser refuses",
	"Brackets and braces that are not closed, `{a}` with one word, a class that ends in '-', a "
	"backslash at the end. High where the parser takes the text and the pattern counts for "
	"nothing.\n\n"
	"Way out: close it, or write '\\' in front of what is meant as a letter.")
RULE_TOLD(AP105, "undefined-variable", ERROR, APPARMOR, "a variable that is declared nowhere",
	  "`@{HOME}` and others are declared in tunables, which a profile includes in front of its "
	  "head. One finding a variable, with the places that use it.\n\n"
	  "Way out: include <tunables/global>, or declare it.")
RULE_TOLD(
	AP106, "variable-set-twice", ERROR, APPARMOR, "a variable is set in a way that is refused",
	"A variable is declared once with '=', and added to with '+=' behind that; the reverse, and a "
	"second '=', are errors for all releases.\n\n"
	"Way out: '+=' for further values, behind the declaration.")
RULE_TOLD(AP107, "variable-in-itself", ERROR, APPARMOR, "a variable whose values lead back to it",
	  "`@{A}=@{B}/x` and `@{B}=@{A}/y`: the values have no end, and parsers refuse what uses "
	  "them. A warning where nothing does.\n\n"
	  "Way out: write the value that is meant in one of the two.")
RULE_TOLD(AP108, "relative-path", ERROR, APPARMOR, "a path that does not begin with '/'",
	  "Rules about files are of absolute paths, or begin with a variable.\n\n"
	  "Way out: write the path from '/' on.")
RULE_TOLD(AP109, "no-such-capability", ERROR, APPARMOR, "no capability has this name",
	  "AppArmor's capabilities are in lower case and without 'cap_'.\n\n"
	  "Way out: the name that the finding offers.")
RULE_TOLD(
	AP110, "unknown-word", ERROR, APPARMOR,
	"no family, type, signal, option, limit or permission of this name",
	"A word that rules of its class do not have: `signal (send,receiver),` (moby#36809), "
	"`network inet streem,`, `mount options=(roo)`. The parser's own message names no word that "
	"would do.\n\n"
	"Way out: the word that the finding offers.")
RULE_TOLD(AP111, "bad-flag", ERROR, APPARMOR, "a flag that profiles do not have",
	  "A word in flags=( ) that no release, or not this one, reads.\n\n"
	  "Way out: the flag that the finding offers, or none.")
RULE_TOLD(
	AP112, "conflicting-flags", ERROR, APPARMOR, "flags of a profile that exclude each other",
	"A profile has one mode: of enforce, complain, kill, unconfined, prompt and default_allow one "
	"alone; attach_disconnected and no_attach_disconnected exclude each other, too.\n\n"
	"Way out: keep the one that is meant.")
RULE_TOLD(AP113, "duplicate-profile", ERROR, APPARMOR, "two profiles of a file have one name",
	  "Parsers refuse the file: 'Multiple definitions for profile'.\n\n"
	  "Way out: another name for one of them; a rule to share is an include.")
RULE_TOLD(
	AP114, "include-not-found", ERROR, APPARMOR,
	"an included file is not there, or is not read",
	"`include <abstractions/bsae>` keeps the profile from being loaded, as does a file that has "
	"errors, or includes itself. Files are looked for below -I, then /etc/apparmor.d.\n\n"
	"Way out: the name that the finding offers; `include if exists` for what need not be there.")
RULE_TOLD(AP115, "qualifier-not-allowed", ERROR, APPARMOR,
	  "a word in front of a rule, or permissions, that it cannot have",
	  "`owner` is of files alone, 'ix' of no deny (`deny /a x,`), allow and deny exclude each "
	  "other, w contains a.\n\n"
	  "Way out: the help at the place.")
RULE_TOLD(
	AP205, "x-conflict-exact", ERROR, APPARMOR,
	"two rules of one path that disagree about how to execute it",
	"One path has one way to be executed: `/a px, /a ix,` is refused, 'has merged rule /a with "
	"conflicting x modifiers'.\n\n"
	"Way out: keep one.")
RULE_TOLD(
	AP206, "x-conflict-glob", ERROR, APPARMOR,
	"two patterns that meet and disagree about how to execute what both match",
	"Parsers refuse the profile and name no rule: 'profile has merged rule with conflicting x "
	"modifiers'. The finding names both, the includes that bring them in, and a shortest path "
	"that both match; an exact path goes before a pattern and does not conflict with it. "
	"Which is exact depends on the release (3.0.8, 4.1.0, 4.1.8, 5.0.2 were asked).\n\n"
	"Way out: take the path out of one of the two, or, from 4.1 on, `priority=`.")
RULE_TOLD(
	AP242, "abi-file-missing", ERROR, APPARMOR, "the abi that the profile names is not there",
	"`abi <abi/5.0>,` is a file that AppArmor ships: 3.0 since 3.0, 4.0 since 4.0, 5.0 since 5.0. "
	"Where it is not installed the profile does not load (enroot#201).\n\n"
	"Way out: the abi of the oldest release that is to load it.")

/* Where no rule is named at the place itself. */
static const struct {
	enum diag_id told, rule;
} names[] = {
	{ DIAG_PL002, DIAG_AP101 }, { DIAG_PL003, DIAG_AP101 }, { DIAG_PL004, DIAG_AP101 },
	{ DIAG_PL134, DIAG_AP108 }, { DIAG_PL135, DIAG_AP109 }, { DIAG_PL136, DIAG_AP110 },
	{ DIAG_PL234, DIAG_AP105 }, { DIAG_PL330, DIAG_AP101 }, { DIAG_PL331, DIAG_AP101 },
	{ DIAG_PL332, DIAG_AP101 }, { DIAG_PL333, DIAG_AP110 }, { DIAG_PL334, DIAG_AP101 },
	{ DIAG_PL335, DIAG_AP110 }, { DIAG_PL336, DIAG_AP115 }, { DIAG_PL337, DIAG_AP115 },
	{ DIAG_PL339, DIAG_AP101 }, { DIAG_PL340, DIAG_AP101 }, { DIAG_PL341, DIAG_AP101 },
	{ DIAG_PL342, DIAG_AP111 }, { DIAG_PL343, DIAG_AP110 }, { DIAG_PL344, DIAG_AP110 },
	{ DIAG_PL350, DIAG_AP114 }, { DIAG_PL351, DIAG_AP114 }, { DIAG_PL352, DIAG_AP114 },
	{ DIAG_PL354, DIAG_AP101 }, { DIAG_PL355, DIAG_AP106 }, { DIAG_PL356, DIAG_AP105 },
	{ DIAG_PL357, DIAG_AP101 }, { DIAG_PL358, DIAG_AP105 }, { DIAG_PL363, DIAG_AP113 },
	{ DIAG_PL364, DIAG_AP242 }, { DIAG_PL370, DIAG_AP206 }, { DIAG_PL386, DIAG_AP206 },
	{ DIAG_PL393, DIAG_AP101 },
};

bool lint_refuses_apparmor(enum diag_id id)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].rule == id)
			return true;
	return id == DIAG_AP102 || id == DIAG_AP103 || id == DIAG_AP104 || id == DIAG_AP107 ||
	       id == DIAG_AP112 || id == DIAG_AP205;
}

static enum diag_id name_of(const struct diag *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(names) && !d->rule; i++)
		if (names[i].told == d->id)
			return names[i].rule;
	return d->rule ? d->rule : d->id;
}

/*
 * A variable that is not declared, or is among its own values, a file that is not there: told of all
 * that need it, in the same words, or of values that lead in a circle in whichever.
 */
static bool same_cause(const struct diag *x, const struct diag *y)
{
	if (x->id != y->id)
		return false;
	return y->id == DIAG_AP107 ||
	       ((y->id == DIAG_AP105 || y->id == DIAG_AP114) && !strcmp(x->text, y->text));
}

/* The letters behind a ',' that goes (`/dev/x, wl,`), which were read as a rule of their own. */
static bool is_behind(const struct diags *ds, const struct diag *x, const struct diag *y)
{
	struct span between;
	struct str text;

	if (x->id != DIAG_AP102 || y->id != DIAG_AP101 || x->fix.edits.n != 1 ||
	    x->fix.edits.v[0].replacement.n)
		return false;
	between = (struct span){ y->span.source, x->fix.edits.v[0].span.end, y->span.begin };
	if (between.source != x->span.source || between.begin >= between.end)
		return false;
	text = span_text(ds->sources, between);
	for (size_t i = 0; i < text.n; i++)
		if (!text.p[i] || !strchr(" \trwalkmxipPcCuU", text.p[i]))
			return false;
	return true;
}

void lint_apparmor_name(struct diags *ds)
{
	size_t n = 0;

	vec_each(&ds->list, it) {
		struct diag *d = *it;
		size_t i = 0;

		d->id = name_of(d);
		if (n && is_behind(ds, ds->list.v[n - 1], d))
			continue;
		while (i < n && !same_cause(ds->list.v[i], d))
			i++;
		if (i == n)
			ds->list.v[n++] = d;
		else if (ds->list.v[i]->severity > d->severity) { /* the graver one is told */
			diag_again(ds, d, ds->list.v[i]->span);
			ds->list.v[i] = d;
		} else
			diag_again(ds, ds->list.v[i], d->span);
	}
	ds->list.n = n;
}
