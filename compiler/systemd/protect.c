/* SPDX-License-Identifier: Apache-2.0 */
/* Settings that refuse calls, or some of their arguments; as systemd's shared/seccomp-util.c has them. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/systemd/filter_parts.h"
#include "compiler/systemd/settings.h"

#define EPERM_ "errno EPERM"
#define ANY    (~0u)

/* ---- families of sockets ---- */

enum { FAMILIES = 64 };

/* Those that make sockets by a call of its own alone. */
static const unsigned has_socket = ~(ARCH_BIT(ARCH_I386) | ARCH_BIT(ARCH_S390X));

static bool read_families(const struct deployment *d, uint64_t *set, struct span *by)
{
	bool any = false, allows = false;

	*set = 0;
	vec_each(&d->settings, s) {
		bool refuses = s->value.n && s->value.p[0] == '~';
		struct deploy_text word;
		uint32_t at = refuses;
		uint64_t value;

		if (!unit_executes(s->section) || !str_is(s->key, "RestrictAddressFamilies"))
			continue;
		*by = s->over ? NO_SPAN : s->span;
		if (!s->value.n || str_is(s->value, "none")) {
			*set = 0;
			allows = any = s->value.n > 0;
			any = false; /* what follows begins anew, and "none" stays without it */
			continue;
		}
		allows = any ? allows : !refuses;
		any = true;
		while (deploy_next_word(s, &at, &word)) {
			if (!str_starts(word.text, "AF_") ||
			    constant_find("af", word.text, ARCH_X86_64, &value) ||
			    value >= FAMILIES)
				continue;
			*set = refuses != allows ? *set | UINT64_C(1) << value :
						   *set & ~(UINT64_C(1) << value);
		}
	}
	return allows;
}

static void put_families(struct unit_writer *w, const struct deployment *d)
{
	BUF_AUTO b = { 0 };
	uint64_t set;
	bool allows = read_families(d, &set, &w->by);

	if (allows)
		set &= ~UINT64_C(1); /* AF_UNSPEC is below the first */
	if (!allows && !set)
		return;
	for (unsigned i = 0; i < FAMILIES; i++)
		if (set >> i & 1)
			buf_printf(&b, "%s%u",
				   b.n    ? ", " :
				   allows ? "(not (reg family in {" :
					    "(reg family in {",
				   i);
	if (b.n)
		buf_puts(&b, allows ? "}))" : "})");
	unit_put_register(w, has_socket, "socket", "errno EAFNOSUPPORT", b.n ? b.p : "");
}

/* ---- namespaces ---- */

static const struct space {
	const char *name, *flag;
} spaces
	[] = {
		{ "cgroup", "CLONE_NEWCGROUP" },
		{ "ipc", "CLONE_NEWIPC" },
		{ "net", "CLONE_NEWNET" },
		{ "mnt", "CLONE_NEWNS" },
		{ "pid", "CLONE_NEWPID" },
		{ "user", "CLONE_NEWUSER" },
		{ "uts", "CLONE_NEWUTS" },
		{ "time", "0x80" }, /* of clone(2) it is among the signal's bits */
	};

enum { SPACES_ALL = (1 << ARRAY_SIZE(spaces)) - 1 };

/* Those that may be made; a word that is none spoils its line. */
static unsigned read_spaces(const struct deployment *d, struct span *by)
{
	unsigned retained = SPACES_ALL;
	bool any = false;

	vec_each(&d->settings, s) {
		bool refuses = s->value.n && s->value.p[0] == '~', good = true;
		struct deploy_text word;
		uint32_t at = refuses;
		unsigned set = 0;

		if (!unit_executes(s->section) || !str_is(s->key, "RestrictNamespaces"))
			continue;
		if (!s->value.n || unit_is_boolean(s->value)) {
			retained = s->value.n && unit_is_true(s->value) ? 0 : SPACES_ALL;
			any = s->value.n > 0;
			*by = s->over ? NO_SPAN : s->span;
			continue;
		}
		while (deploy_next_word(s, &at, &word)) {
			bool known = false;

			for (size_t i = 0; i < ARRAY_SIZE(spaces); i++)
				if (str_is(word.text, spaces[i].name)) {
					set |= 1u << i;
					known = true;
				}
			good &= known;
		}
		if (!good)
			continue;
		*by = s->over ? NO_SPAN : s->span;
		retained = !any    ? (refuses ? SPACES_ALL & ~set : set) :
			   refuses ? retained & ~set :
				     retained | set;
		any = true;
	}
	return retained;
}

static void put_spaces(struct unit_writer *w, const struct deployment *d)
{
	unsigned retained = read_spaces(d, &w->by);

	if (retained == SPACES_ALL)
		return;
	unit_put_register(w, ANY, "setns", EPERM_, retained ? "(reg nstype == 0)" : "");
	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++) {
		const char *flags;

		if (retained >> i & 1)
			continue;
		flags = arena_printf(w->out.arena, "(flags has %s)", spaces[i].flag);
		unit_put(w, ANY, "unshare", EPERM_, flags);
		unit_put(w, ANY, "clone", EPERM_, flags);
		if (retained)
			unit_put(w, ANY, "setns", EPERM_,
				 arena_printf(w->out.arena, "(nstype has %s)", spaces[i].flag));
	}
	unit_put(w, ANY, "clone3", "errno ENOSYS", "");
}

/* ---- yes or no ---- */

static void put_memory(struct unit_writer *w)
{
	const unsigned x86 = ARCH_BIT(ARCH_X86_64) | ARCH_BIT(ARCH_X32);
	const unsigned one = x86 | ARCH_BIT(ARCH_AARCH64) | ARCH_BIT(ARCH_RISCV64) |
			     ARCH_BIT(ARCH_PPC64LE) | ARCH_BIT(ARCH_S390X);
	const unsigned two = ARCH_BIT(ARCH_I386) | ARCH_BIT(ARCH_ARM), all = one | two;
	const unsigned shared =
		x86 | ARCH_BIT(ARCH_AARCH64) | ARCH_BIT(ARCH_ARM) | ARCH_BIT(ARCH_RISCV64);

	unit_put(w, one, "mmap", EPERM_, "(prot has PROT_EXEC|PROT_WRITE)");
	unit_put(w, two, "mmap2", EPERM_, "(prot has PROT_EXEC|PROT_WRITE)");
	unit_put(w, ARCH_BIT(ARCH_I386), "mmap", EPERM_, "");
	unit_put(w, all, "mprotect", EPERM_, "(prot has PROT_EXEC)");
	unit_put(w, all, "pkey_mprotect", EPERM_, "(prot has PROT_EXEC)");
	unit_put(w, shared, "shmat", EPERM_, "(shmflg has SHM_EXEC)");
}

static void put_realtime(struct unit_writer *w)
{
	unit_put_register(w, ANY, "sched_setscheduler", EPERM_, "(not (reg policy in {0, 3, 5}))");
}

static void put_modes(struct unit_writer *w)
{
	static const struct {
		const char *call, *condition;
	} rows[] = {
		{ "chmod", "(mode has %s)" },
		{ "fchmod", "(mode has %s)" },
		{ "fchmodat", "(mode has %s)" },
		{ "fchmodat2", "(mode has %s)" },
		{ "mkdir", "(mode has %s)" },
		{ "mkdirat", "(mode has %s)" },
		{ "mknod", "(mode has %s)" },
		{ "mknodat", "(mode has %s)" },
		{ "creat", "(mode has %s)" },
		{ "open", "(flags has O_CREAT, mode has %s)" },
		{ "openat", "(flags has O_CREAT, mode has %s)" },
	};
	static const char *const bits[] = { "S_ISUID", "S_ISGID" };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t b = 0; b < ARRAY_SIZE(bits); b++) {
			BUF_AUTO text = { 0 };
			const char *at = strstr(rows[i].condition, "%s");

			buf_add(&text, rows[i].condition, (size_t)(at - rows[i].condition));
			buf_printf(&text, "%s%s", bits[b], at + 2);
			unit_put(w, ANY, rows[i].call, EPERM_, text.p);
		}
	unit_put(w, ANY, "openat2", "errno ENOSYS", "");
}

static void put_group(struct unit_writer *w, const char *group)
{
	const char *calls =
		unit_group(str_c(group), SYSTEMD_252, 0); /* none that releases differ in */

	while (calls && *calls) {
		size_t n = strcspn(calls, " ");

		unit_put(w, ANY, str_dup(w->out.arena, (struct str){ calls, n }), EPERM_, "");
		calls += n + (calls[n] == ' ');
	}
}

static void put_sysctl(struct unit_writer *w)
{
	unit_put(w, ~(ARCH_BIT(ARCH_X32) | ARCH_BIT(ARCH_AARCH64)), "_sysctl", EPERM_, "");
}

static void put_modules(struct unit_writer *w)
{
	put_group(w, "@module");
}

static void put_log(struct unit_writer *w)
{
	unit_put(w, ANY, "syslog", EPERM_, "");
}

static void put_clock(struct unit_writer *w)
{
	put_group(w, "@clock");
}

static void put_devices(struct unit_writer *w)
{
	put_group(w, "@raw-io");
}

static void put_host(struct unit_writer *w)
{
	unit_put(w, ANY, "sethostname", EPERM_, "");
	unit_put(w, ANY, "setdomainname", EPERM_, "");
}

/* Of all but "x86" it is the kernel's own; what else Personality= takes is the machine's. */
static void put_personality(struct unit_writer *w, const struct deployment *d)
{
	const struct deploy_setting *p = unit_setting(d, "Personality");
	bool linux32 = p && str_is(p->value, "x86");

	unit_put_register(w, ANY, "personality", EPERM_,
			  linux32 ? "(reg persona != 8)" : "(reg persona != 0)");
}

/* The last of a setting that says yes, if none behind it says no. */
static bool is_on(const struct deployment *d, const char *key, struct span *by)
{
	bool on = false;

	vec_each(&d->settings, s)
		if (unit_executes(s->section) && str_is(s->key, key) &&
		    (!s->value.n || unit_is_boolean(s->value))) {
			on = unit_is_true(s->value);
			*by = s->over ? NO_SPAN : s->span;
		}
	return on;
}

/* Settings that are on or off, and what they take from the bounding set (core/unit.c, unit_patch_contexts()). */
static const struct protection {
	const char *key;
	void (*put)(struct unit_writer *w);
	const char *caps[2];
} protections[] = {
	{ "MemoryDenyWriteExecute", put_memory, { NULL } },
	{ "RestrictRealtime", put_realtime, { NULL } },
	{ "RestrictSUIDSGID", put_modes, { NULL } },
	{ "ProtectKernelTunables", put_sysctl, { NULL } },
	{ "ProtectKernelModules", put_modules, { "sys_module" } },
	{ "ProtectKernelLogs", put_log, { "syslog" } },
	{ "ProtectClock", put_clock, { "sys_time", "wake_alarm" } },
	{ "PrivateDevices", put_devices, { "mknod", "sys_rawio" } },
	{ "ProtectHostname", put_host, { NULL } },
};

uint64_t unit_settings_take(const struct deployment *d)
{
	uint64_t set = 0;
	struct span by;

	for (size_t i = 0; i < ARRAY_SIZE(protections); i++)
		for (size_t c = 0; c < ARRAY_SIZE(protections[i].caps); c++)
			if (protections[i].caps[c] && is_on(d, protections[i].key, &by))
				set |= UINT64_C(1)
				       << capability_find(str_c(protections[i].caps[c]));
	return set;
}

void unit_put_settings(struct unit_writer *w, const struct deployment *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(protections); i++)
		if (is_on(d, protections[i].key, &w->by))
			protections[i].put(w);
	if (is_on(d, "LockPersonality", &w->by))
		put_personality(w, d);
	put_families(w, d);
	put_spaces(w, d);
}
