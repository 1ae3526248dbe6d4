/* SPDX-License-Identifier: Apache-2.0 */
/* DP: units of systemd, as systemd.exec(5) has their settings. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lint/internal.h"
#include "compiler/systemd/settings.h"

#define EACH_SETTING(l, s)                                                                         \
	vec_each(&(l)->deployment->settings, s)                                                    \
		if (!s->over && unit_executes(s->section))

static const struct deploy_setting *find_setting(const struct lint *l, const char *key)
{
	return unit_setting(l->deployment, key);
}

static bool is_set(const struct lint *l, const char *key)
{
	const struct deploy_setting *s = find_setting(l, key);

	return s && unit_is_true(s->value);
}

/* ---- values that are passed over ---- */

static void offer(const char *domain, struct suggest *near)
{
	for (size_t i = 0; i < constant_count(); i++) {
		struct constant_row row = constant_at(i);

		if (!strcmp(row.domain, domain))
			suggest_offer(near, str_c(row.name));
	}
}

static bool knows_call(struct str word, struct suggest *near)
{
	int error;
	struct str name = unit_call_word(word, &error);

	suggest_start(near, name);
	if (name.n && name.p[0] == '@') {
		unit_group_suggest(near);
		return unit_group_is(name);
	}
	for (size_t i = 0; i < syscall_count(); i++)
		suggest_offer(near, str_c(syscall_at(i)->name));
	return syscall_by_name(name);
}

static bool knows_family(struct str word, struct suggest *near)
{
	uint64_t value;

	suggest_start(near, word);
	offer("af", near);
	return str_starts(word, "AF_") && !constant_find("af", word, ARCH_X86_64, &value);
}

static bool knows_capability(struct str word, struct suggest *near)
{
	suggest_start(near, word);
	offer("capability", near);
	return word.n > 4 && str_ieq((struct str){ word.p, 4 }, STR("CAP_")) &&
	       capability_find(word) >= 0;
}

static bool knows_arch(struct str word, struct suggest *near)
{
	suggest_start(near, word);
	unit_arch_suggest(near);
	return unit_arch(word) >= 0;
}

static const struct list { /* settings whose value is a list of names */
	const char *key, *what;
	bool (*knows)(struct str word, struct suggest *near);
	const char *allowed,
		*refused; /* what becomes of what was meant, in a list and one with '~' */
} lists[] = {
	{ "SystemCallFilter", "system call or group of them", knows_call, "it is not allowed",
	  "it is not refused" },
	{ "RestrictAddressFamilies", "address family", knows_family, "it is not allowed",
	  "it is not refused" },
	{ "CapabilityBoundingSet", "capability", knows_capability, "it is not kept",
	  "it is not taken away" },
	{ "AmbientCapabilities", "capability", knows_capability, "it is not given",
	  "it is not taken away" },
	{ "SystemCallLog", "system call or group of them", knows_call, "it is not logged",
	  "it is logged" },
	{ "SystemCallArchitectures", "architecture", knows_arch, "its calls are not allowed",
	  "nothing else stands there, so calls of all architectures pass" },
};

/*
 * Settings that are one word, and which words those are beside yes and no, up to systemd 258; what an older release does
 * not know it passes over, which is not told.
 */
static const struct worded {
	const char *key;
	bool boolean;
	const char *words;
} worded[] = {
#define BOOLEAN(key)       { key, true, "" },
#define WORDS(key, words)  { key, false, words },
#define EITHER(key, words) { key, true, words },
#include "compiler/lint/unit_words.def"
};

/* Lists of paths, and what becomes of one that does not begin with '/'. */
static const struct paths {
	const char *key;
	enum severity severity;
	const char *becomes;
} paths[] = {
	{ "InaccessiblePaths", SEVERITY_HIGH, "it stays accessible" },
	{ "ReadOnlyPaths", SEVERITY_HIGH, "it stays writable" },
	{ "NoExecPaths", SEVERITY_HIGH, "what is below it may be executed" },
	{ "ReadWritePaths", SEVERITY_WARNING, "it does not get writable" },
	{ "ExecPaths", SEVERITY_WARNING, "what is below it is not executed" },
};

static bool knows(const struct list *list, struct str word, bool refuses)
{
	struct suggest near;

	if (str_is(word, "none") && list->knows == knows_family)
		return true;
	/* Only what is refused has an error number. */
	if (!refuses && list->knows == knows_call && memchr(word.p, ':', word.n))
		return false;
	return list->knows(word, &near);
}

static void judge_word(struct lint *l, enum diag_id id, const struct list *list,
		       struct deploy_text word, bool refuses, bool high)
{
	bool numbered =
		!refuses && list->knows == knows_call && memchr(word.text.p, ':', word.text.n);
	struct suggest near;
	struct diag *d;

	/* Specifiers are followed in lists of capabilities alone. */
	bool specifier = list->knows == knows_capability && memchr(word.text.p, '%', word.text.n);

	if (specifier || knows(list, word.text, refuses))
		return;
	list->knows(word.text, &near);
	d = diag_add_as(l->ds, id, high ? SEVERITY_HIGH : SEVERITY_WARNING, word.span,
			"systemd passes over '%s', %s%s: %s", str_safe_of(l->arena, word.text),
			numbered ? "an error number in a list of what is allowed" : "which is no ",
			numbered ? "" : list->what, high ? list->refused : list->allowed);
	if (numbered)
		diag_help(l->ds, d, "without ':' and what stands behind it");
	else if (near.best.p)
		diag_help(l->ds, d, "did you mean '" PRISTR "'?", STRARG(near.best));
	else
		diag_help(l->ds, d, "systemd.exec(5) names what it takes");
}

static void judge_list(struct lint *l, enum diag_id id, const struct list *list,
		       const struct deploy_setting *s)
{
	bool refuses = s->value.n && s->value.p[0] == '~' && list->knows != knows_arch;
	bool high = list->knows == knows_arch || refuses;
	struct deploy_text word;
	uint32_t at = refuses;

	while (list->knows == knows_arch && deploy_next_word(s, &at, &word))
		high &= !knows(list, word.text, false);
	for (at = refuses; deploy_next_word(s, &at, &word);)
		judge_word(l, id, list, word, refuses, high);
}

static bool is_word_of(struct str value, const char *words, struct suggest *near)
{
	bool found = false;

	while (*words) {
		size_t n = strcspn(words, " ");

		found |= str_eq(value, (struct str){ words, n });
		suggest_offer(near, (struct str){ words, n });
		words += n + (words[n] == ' ');
	}
	return found;
}

static void judge_worded(struct lint *l, enum diag_id id, const struct worded *w,
			 const struct deploy_setting *s)
{
	struct suggest near;
	struct diag *d;

	suggest_start(&near, s->value);
	if (is_word_of(s->value, w->words, &near) || (w->boolean && unit_is_boolean(s->value)))
		return;
	d = diag_add(l->ds, id, s->span, "systemd passes over '%s', %s: %s stays as it was",
		     str_safe_of(l->arena, s->value),
		     *w->words ? "which is no value of it" : "which is neither yes nor no", w->key);
	if (near.best.p)
		diag_help(l->ds, d, "did you mean '" PRISTR "'?", STRARG(near.best));
	else
		diag_help(l->ds, d, "%s%s%s", w->boolean ? "yes, or no" : "",
			  w->boolean && *w->words ? ", or one of: " : "", w->words);
}

static void judge_paths(struct lint *l, enum diag_id id, const struct paths *p,
			const struct deploy_setting *s)
{
	struct deploy_text word;

	for (uint32_t at = 0; deploy_next_word(s, &at, &word);) {
		struct str path = word.text;

		while (path.n && strchr("-+", path.p[0]))
			path = (struct str){ path.p + 1, path.n - 1 };
		if (!path.n || strchr("/%\"'", path.p[0]))
			continue;
		diag_help(l->ds,
			  diag_add_as(l->ds, id, p->severity, word.span,
				      "systemd passes over '%s', which is not absolute: %s",
				      str_safe_of(l->arena, word.text), p->becomes),
			  "a path from '/' on");
	}
}

/* yes, no, or kinds of namespaces, behind one '~': of a list with a wrong one nothing counts. */
static void judge_namespaces(struct lint *l, enum diag_id id, const struct deploy_setting *s)
{
	static const char kinds[] = "cgroup ipc net mnt pid user uts time";
	uint32_t at = str_starts(s->value, "~");
	struct deploy_text word;
	struct suggest near;

	if (unit_is_boolean(s->value))
		return;
	while (deploy_next_word(s, &at, &word)) {
		suggest_start(&near, word.text);
		if (is_word_of(word.text, kinds, &near))
			continue;
		diag_help(
			l->ds,
			diag_add(
				l->ds, id, word.span,
				"systemd passes over the whole of it for '%s', which is no kind of namespace" PRINEAR
				": what it restricts stays as it was",
				str_safe_of(l->arena, word.text), NEARARG(near)),
			"yes, no, or some of: %s", kinds);
		return;
	}
}

static void judge_error(struct lint *l, enum diag_id id, const struct deploy_setting *s)
{
	if (unit_error(s->value) != UNIT_BAD)
		return;
	diag_help(
		l->ds,
		diag_add_as(
			l->ds, id, SEVERITY_WARNING, s->span,
			"systemd passes over '%s', which is no error: what is refused kills the program",
			str_safe_of(l->arena, s->value)),
		"a name of errno(3) such as EPERM, a number up to 4095, or kill");
}

RULE(DP614, "unit-value-ignored", HIGH, DEPLOYMENT, dp_unit_value_ignored,
     "a value of a unit that systemd passes over",
     "A value of a unit that is none: a system call, group, address family, architecture or capability that "
     "does not exist, an error number in a list of what is allowed, a word where yes or no or one of a few is wanted, a path without '/'. systemd "
     "starts the unit without it: it logs 'Failed to parse ..., ignoring', and of a capability nothing at all, as "
     "'systemd-analyze security' shows (252). In a list with '~' what was to be refused is not, and a "
     "protection with a misspelt 'yes' is off: high; in a list of what is allowed it is refused: a warning.\n\n"
     "Way out: spell it as systemd.exec(5) does; capabilities with CAP_, families with AF_.")
void dp_unit_value_ignored(struct lint *l, enum diag_id id)
{
	EACH_SETTING(l, s)
	{
		for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
			if (str_is(s->key, lists[i].key))
				judge_list(l, id, &lists[i], s);
		for (size_t i = 0; i < ARRAY_SIZE(worded) && s->value.n; i++)
			if (str_is(s->key, worded[i].key))
				judge_worded(l, id, &worded[i], s);
		for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
			if (str_is(s->key, paths[i].key))
				judge_paths(l, id, &paths[i], s);
		if (str_is(s->key, "RestrictNamespaces") && s->value.n)
			judge_namespaces(l, id, s);
		if (str_is(s->key, "SystemCallErrorNumber") && s->value.n)
			judge_error(l, id, s);
	}
}

/* ---- restrictions that do not hold for all ---- */

RULE(DP615, "second-abi", WARNING, DEPLOYMENT, dp_second_abi,
     "a restriction of a unit that calls of another ABI get round",
     "RestrictAddressFamilies= looks at the arguments of socket(2), and MemoryDenyWriteExecute= at those of "
     "mmap(2) and shmat(2). On x86-64 the kernel takes the calls of 32-bit programs, too, also from a 64-bit one (int 0x80), and there "
     "the first has no effect and the second is partial (systemd.exec(5)). SystemCallArchitectures= "
     "says which calls pass at all; in /etc/systemd/system.conf it may stand for all units.\n\n"
     "Way out: 'SystemCallArchitectures=native'.")
void dp_second_abi(struct lint *l, enum diag_id id)
{
	const struct deploy_setting *at = find_setting(l, "RestrictAddressFamilies");
	const char *what = "RestrictAddressFamilies= does not hold";

	if (!at && is_set(l, "MemoryDenyWriteExecute")) {
		at = find_setting(l, "MemoryDenyWriteExecute");
		what = "MemoryDenyWriteExecute= holds in part";
	}
	if (!at || at->over || l->deployment->part || find_setting(l, "SystemCallArchitectures"))
		return;
	diag_help(
		l->ds,
		diag_add(
			l->ds, id, at->span,
			"without SystemCallArchitectures= 32-bit calls pass on x86-64, for which %s",
			what),
		"SystemCallArchitectures=native");
}

RULE(DP616, "apparmor-optional", WARNING, DEPLOYMENT, dp_apparmor_optional,
     "a unit that starts without its AppArmor profile, too",
     "AppArmorProfile= with '-' before the name passes over all errors (systemd.exec(5)): where the profile is not "
     "loaded, or its name is misspelt, the unit starts unconfined and nothing says so.\n\n"
     "Way out: without '-' the unit fails then; on machines without AppArmor the setting has no effect anyway.")
void dp_apparmor_optional(struct lint *l, enum diag_id id)
{
	EACH_SETTING(l, s)
	{
		if (!str_is(s->key, "AppArmorProfile") || !str_starts(s->value, "-"))
			continue;
		diag_help(l->ds,
			  diag_add(l->ds, id, s->span,
				   "where this profile is not loaded the unit starts unconfined"),
			  "without '-' it does not start then");
	}
}

static bool is_privileged(const struct deploy_setting *s) /* "@+/bin/x" */
{
	size_t n = 0;

	while (n < s->value.n && strchr("@-:", s->value.p[n]))
		n++;
	return n < s->value.n && s->value.p[n] == '+';
}

RULE(DP617, "full-privileges", WARNING, DEPLOYMENT, dp_full_privileges,
     "a unit's main program without the unit's restrictions",
     "A '+' before the path of ExecStart= executes it with full privileges: User=, CapabilityBoundingSet=, "
     "SystemCallFilter=, AppArmorProfile= and the other restrictions of the unit do not hold for it (systemd.service(5), "
     "systemd.exec(5)). Told where the unit has some.\n\n"
     "Way out: leave '+' to ExecStartPre= and its like.")
void dp_full_privileges(struct lint *l, enum diag_id id)
{
	static const char *const restricts[] = { "User",
						 "DynamicUser",
						 "CapabilityBoundingSet",
						 "SystemCallFilter",
						 "AppArmorProfile",
						 "RestrictAddressFamilies",
						 "NoNewPrivileges" };
	const struct deploy_setting *told = NULL;
	const char *lost = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(restricts) && !lost; i++)
		lost = find_setting(l, restricts[i]) ? restricts[i] : NULL;
	EACH_SETTING(l, s)
	{
		if (str_is(s->key, "ExecStart") && is_privileged(s))
			told = s;
		else if (str_is(s->key, "ExecStart") && s->value.n)
			return; /* of several this is what the unit is for */
	}
	if (lost && told)
		diag_help(l->ds,
			  diag_add(l->ds, id, told->span,
				   "'+' executes it with full privileges: %s= does not hold for it",
				   lost),
			  "without '+'");
}

/* ---- new privileges ---- */

/* Each implies no-new-privileges where the unit has a user: systemd.exec(5) says so of each. */
static const char *const implying[] = {
	"SystemCallFilter",       "SystemCallArchitectures",
	"SystemCallLog",          "RestrictAddressFamilies",
	"RestrictNamespaces",     "PrivateDevices",
	"ProtectKernelTunables",  "ProtectKernelModules",
	"ProtectKernelLogs",      "ProtectClock",
	"MemoryDenyWriteExecute", "RestrictRealtime",
	"RestrictSUIDSGID",       "DynamicUser",
	"LockPersonality",        "ProtectHostname",
};

void lint_unit_new_privileges(struct lint *l, enum diag_id id)
{
	const struct deploy_setting *user = find_setting(l, "User");

	/* Of Podman's containers: what is executed in them. */
	vec_each(&l->deployment->containers, c)
		if ((*c)->form == DEPLOY_QUADLET)
			return;
	if (!user || user->over || l->deployment->part || str_is(user->value, "root") ||
	    str_is(user->value, "0") || is_set(l, "NoNewPrivileges"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(implying); i++)
		if (find_setting(l, implying[i]))
			return;
	diag_help(
		l->ds,
		diag_add(l->ds, id, user->line, "setuid programs in this unit may gain privileges"),
		"'NoNewPrivileges=yes'");
}
