/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/systemd/settings.h"

#include <string.h>

#include "compiler/base/bug.h"

bool unit_executes(struct str section)
{
	return str_is(section, "Service") || str_is(section, "Socket") ||
	       str_is(section, "Mount") || str_is(section, "Swap");
}

const struct deploy_setting *unit_setting(const struct deployment *d, const char *key)
{
	const struct deploy_setting *found = NULL;

	vec_each(&d->settings, s)
		if (unit_executes(s->section) && str_is(s->key, key))
			found = s->value.n ? s : NULL;
	return found;
}

static bool is_among(struct str s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_ieq(s, str_c(list[i])))
			return true;
	return false;
}

bool unit_is_true(struct str value)
{
	static const char *const words[] = { "1", "yes", "y", "true", "t", "on" };

	return is_among(value, words, ARRAY_SIZE(words));
}

bool unit_is_boolean(struct str value)
{
	static const char *const words[] = { "0", "no", "n", "false", "f", "off" };

	return unit_is_true(value) || is_among(value, words, ARRAY_SIZE(words));
}

/* ---- groups ---- */

static const struct group_row {
	const char *name, *calls;
} groups[] = {
#define GROUP(name, calls) { name, calls },
#define LATER(release, name, more, less)
#include "compiler/systemd/groups.def"
#undef GROUP
#undef LATER
};

static const struct later_row {
	enum systemd_release since;
	const char *name, *more, *less;
} laters[] = {
#define GROUP(name, calls)
#define LATER(release, name, more, less) { SYSTEMD_##release, name, more, less },
#include "compiler/systemd/groups.def"
#undef GROUP
#undef LATER
};

const char *systemd_name(enum systemd_release r)
{
	static const char *const names[SYSTEMD_NR] = { "262", "257", "252" };

	return names[r];
}

static const struct group_row *find_group(struct str name)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (str_is(name, groups[i].name))
			return &groups[i];
	return NULL;
}

bool unit_group_is(struct str name)
{
	return find_group(name);
}

const char *unit_group(struct str name, enum systemd_release r, unsigned i)
{
	const struct group_row *g = find_group(name);

	if (!g || !i--)
		return g ? g->calls : NULL;
	for (size_t k = 0; k < ARRAY_SIZE(laters); k++)
		if (str_is(name, laters[k].name) && r <= laters[k].since && !i--)
			return laters[k].more;
	return NULL;
}

static bool has_word(const char *list, struct str word)
{
	while (*list) {
		size_t n = strcspn(list, " ");

		if (str_eq((struct str){ list, n }, word))
			return true;
		list += n + (list[n] == ' ');
	}
	return false;
}

bool unit_group_lacks(struct str name, struct str word, enum systemd_release r)
{
	for (size_t k = 0; k < ARRAY_SIZE(laters); k++)
		if (r <= laters[k].since && str_is(name, laters[k].name) &&
		    has_word(laters[k].less, word))
			return true;
	return false;
}

bool unit_group_varies(struct str call)
{
	for (size_t k = 0; k < ARRAY_SIZE(laters); k++)
		if (strcmp(laters[k].name, "@known") != 0 &&
		    (has_word(laters[k].more, call) || has_word(laters[k].less, call)))
			return true;
	return false;
}

void unit_group_suggest(struct suggest *near)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		suggest_offer(near, str_c(groups[i].name));
}

/* ---- architectures ---- */

/* ConditionArchitecture= in systemd.unit(5), and what SystemCallArchitectures= adds; ARCH_NR: no table of pale's. */
static const struct arch_row {
	const char *name;
	enum arch arch;
} arches[] = {
	{ "alpha", ARCH_NR },
	{ "arc", ARCH_NR },
	{ "arc-be", ARCH_NR },
	{ "arm", ARCH_ARM },
	{ "arm-be", ARCH_NR },
	{ "arm64", ARCH_AARCH64 },
	{ "arm64-be", ARCH_NR },
	{ "cris", ARCH_NR },
	{ "ia64", ARCH_NR },
	{ "loongarch64", ARCH_LOONGARCH64 },
	{ "m68k", ARCH_NR },
	{ "mips", ARCH_NR },
	{ "mips-le", ARCH_NR },
	{ "mips64", ARCH_NR },
	{ "mips64-le", ARCH_MIPS64EL },
	{ "mips64-le-n32", ARCH_NR },
	{ "mips64-n32", ARCH_NR },
	{ "native", ARCH_NR },
	{ "nios2", ARCH_NR },
	{ "parisc", ARCH_NR },
	{ "parisc64", ARCH_NR },
	{ "ppc", ARCH_NR },
	{ "ppc-le", ARCH_NR },
	{ "ppc64", ARCH_NR },
	{ "ppc64-le", ARCH_PPC64LE },
	{ "riscv32", ARCH_NR },
	{ "riscv64", ARCH_RISCV64 },
	{ "s390", ARCH_NR },
	{ "s390x", ARCH_S390X },
	{ "sh", ARCH_NR },
	{ "sh64", ARCH_NR },
	{ "sparc", ARCH_NR },
	{ "sparc64", ARCH_NR },
	{ "tilegx", ARCH_NR },
	{ "x32", ARCH_X32 },
	{ "x86", ARCH_I386 },
	{ "x86-64", ARCH_X86_64 },
};

int unit_arch(struct str name)
{
	for (size_t i = 0; i < ARRAY_SIZE(arches); i++)
		if (str_ieq(name, str_c(arches[i].name)))
			return (int)arches[i].arch;
	return -1;
}

void unit_arch_suggest(struct suggest *near)
{
	for (size_t i = 0; i < ARRAY_SIZE(arches); i++)
		suggest_offer(near, str_c(arches[i].name));
}

/* ---- errors ---- */

enum { ERRNO_MAX = 4095 };

int unit_error(struct str word)
{
	uint64_t value = 0;

	if (str_is(word, "kill"))
		return UNIT_KILL;
	if (!constant_find("errno", word, ARCH_X86_64, &value) && str_starts(word, "E"))
		return (int)value;
	value = 0;
	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] < '0' || word.p[i] > '9' || value > ERRNO_MAX)
			return UNIT_BAD;
		value = value * 10 + (uint64_t)(word.p[i] - '0');
	}
	return word.n && value <= ERRNO_MAX ? (int)value : UNIT_BAD;
}

struct str unit_call_word(struct str word, int *error)
{
	const char *colon = memchr(word.p, ':', word.n);

	*error = UNIT_UNSAID;
	if (!colon)
		return word;
	*error = unit_error((struct str){ colon + 1, word.n - (size_t)(colon + 1 - word.p) });
	return (struct str){ word.p, (size_t)(colon - word.p) };
}
