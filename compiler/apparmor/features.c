/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/apparmor/features.h"

#include <string.h>

#include "compiler/base/bug.h"

/* ---- names in braces ---- */

static bool is_end(char c)
{
	return c == '{' || c == '}' || c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Where the name stands among those at *i's level, up to its '}': *i is put behind it. */
static bool find_name(struct str s, size_t *i, struct str name)
{
	unsigned depth = 0;

	for (size_t k = *i; k < s.n;) {
		size_t begin = k;
		if (s.p[k] == '{' && ++depth > AA_FEATURES_DEPTH)
			return false;
		if (s.p[k] == '}' && !depth--)
			return false;
		while (k < s.n && !is_end(s.p[k]))
			k++;
		if (!depth && k > begin && str_eq((struct str){ s.p + begin, k - begin }, name)) {
			*i = k;
			return true;
		}
		k += k == begin;
	}
	return false;
}

bool aa_features_has(const struct aa_features *f, const char *path)
{
	size_t i = 0;

	for (const char *at = path;; at++) {
		const char *slash = strchr(at, '/');
		struct str name = { at, slash ? (size_t)(slash - at) : strlen(at) };
		if (!find_name(f->text, &i, name))
			return false;
		if (!slash)
			return true;
		while (i < f->text.n && f->text.p[i] != '{' && is_end(f->text.p[i]))
			i++;
		if (i >= f->text.n || f->text.p[i] != '{')
			return false;
		i++;
		at = slash;
	}
}

/* ---- is it features? ---- */

/* Directories of securityfs apparmor/features, of Linux 4.0 to 7.3. */
static bool is_top_name(struct str name)
{
	static const char *const names[] = {
		"capability", "caps",       "dbus",       "domain",  "file",   "io_uring",
		"ipc",        "mount",      "namespaces", "network", "policy", "network_v8",
		"ptrace",     "network_v9", "query",      "rlimit",  "signal",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_is(name, names[i]))
			return true;
	return false;
}

struct reading {
	const struct source *src;
	struct diags *ds;
	size_t open[AA_FEATURES_DEPTH]; /* where each brace stands */
	unsigned depth;
	struct str name; /* that a brace may stand behind; empty: none */
	bool ended;      /* what follows counts no more */
	bool known;      /* a name of the kernel's with a brace behind it was seen at the top */
};

static bool tell_features(struct reading *r, size_t begin, size_t end, const char *what)
{
	struct span sp = { r->src->id, (uint32_t)begin, (uint32_t)end };
	struct diag *d = diag_add(r->ds, DIAG_PL394, sp, "%s", what);

	diag_help(
		r->ds, d,
		"features are names and braces, \"mount {mask {mount umount}}\": a kernel's are in "
		"/sys/kernel/security/apparmor/features, the packaged ones in "
		"/usr/share/apparmor-features/features");
	return false;
}

/* A byte of a name, in the kernel's files and in those that are shipped. */
static bool is_feature_byte(char c)
{
	return c > ' ' && c < 0x7f && !strchr("{};()\"'`<>=#$@*[]\\", c);
}

/* One too many stands in the abis of 5.4 that AppArmor ships. */
static void tell_lost(struct reading *r, size_t i)
{
	struct span sp = { r->src->id, (uint32_t)i, (uint32_t)i + 1 };

	diag_add_as(r->ds, DIAG_PL394, SEVERITY_WARNING, sp,
		    "'}' closes nothing, and parsers read nothing of what is behind it");
	r->ended = true;
}

static bool read_brace(struct reading *r, size_t i)
{
	if (r->src->text.p[i] == '}') {
		r->name.n = 0;
		if (r->depth)
			r->depth--;
		else
			tell_lost(r, i);
		return true;
	}
	if (!r->name.n)
		return tell_features(r, i, i + 1, "a '{' without a name in front of it");
	if (r->depth == AA_FEATURES_DEPTH)
		return tell_features(r, i, i + 1, "more braces inside one another than are read");
	r->known |= !r->depth && is_top_name(r->name);
	r->open[r->depth++] = i;
	r->name.n = 0;
	return true;
}

static bool read_features(struct reading *r)
{
	struct str s = r->src->text;

	for (size_t i = 0, begin; i < s.n && !r->ended;) {
		if (s.p[i] == '{' || s.p[i] == '}') {
			if (!read_brace(r, i++))
				return false;
			continue;
		}
		if (is_end(s.p[i])) {
			i++;
			continue;
		}
		for (begin = i; i < s.n && is_feature_byte(s.p[i]);)
			i++;
		if (i < s.n && !is_end(s.p[i]))
			return tell_features(r, i, i + 1,
					     "a byte that stands in no feature's name");
		r->name = (struct str){ s.p + begin, i - begin };
	}
	return true;
}

bool aa_features_right(const struct source *src, struct diags *ds)
{
	struct reading r = { .src = src, .ds = ds };

	if (src->text.n > AA_FEATURES_MAX)
		return tell_features(&r, AA_FEATURES_MAX, AA_FEATURES_MAX + 1,
				     "features of more than 8190 bytes, which no parser reads");
	if (!read_features(&r))
		return false;
	if (r.depth)
		return tell_features(&r, r.open[r.depth - 1], r.open[r.depth - 1] + 1,
				     "this '{' is not closed");
	return r.known ||
	       tell_features(&r, 0, 0, "names nothing that a kernel's features begin with");
}

/* ---- classes ---- */

/* parser_main.c, set_supported_features */
static const struct {
	enum aa_class class;
	const char *path; /* NULL: every kernel with AppArmor has it */
	enum aa_release since;
	bool pinned; /* the features that distributions pin have it */
} features[] = {
	{ AA_CLASS_FILE, NULL, AA_RELEASE_3_0, true },
	{ AA_CLASS_CAPABILITY, NULL, AA_RELEASE_3_0, true },
	{ AA_CLASS_RLIMIT, NULL, AA_RELEASE_3_0, true },
	{ AA_CLASS_CHANGE_PROFILE, NULL, AA_RELEASE_3_0, true },
	{ AA_CLASS_ALL, NULL, AA_RELEASE_4_0, true },
	{ AA_CLASS_NETWORK, "network", AA_RELEASE_3_0, true },
	{ AA_CLASS_NETWORK, "network_v8", AA_RELEASE_3_0, true },
	{ AA_CLASS_NETWORK, "network_v9", AA_RELEASE_5_0, true },
	{ AA_CLASS_UNIX, "network/af_unix", AA_RELEASE_3_0, false },
	{ AA_CLASS_UNIX, "network_v9/af_unix", AA_RELEASE_5_0, true },
	{ AA_CLASS_MOUNT, "mount", AA_RELEASE_3_0, true },
	{ AA_CLASS_PIVOT_ROOT, "mount", AA_RELEASE_3_0, true },
	{ AA_CLASS_PTRACE, "ptrace", AA_RELEASE_3_0, true },
	{ AA_CLASS_SIGNAL, "signal", AA_RELEASE_3_0, true },
	{ AA_CLASS_DBUS, "dbus", AA_RELEASE_3_0, false },
	{ AA_CLASS_DBUS, "dbus", AA_RELEASE_5_0, true },
	{ AA_CLASS_MQUEUE, "ipc/posix_mqueue", AA_RELEASE_4_0, false },
	{ AA_CLASS_MQUEUE, "ipc/sysv_mqueue", AA_RELEASE_4_0, false },
	{ AA_CLASS_USERNS, "namespaces/mask/userns_create", AA_RELEASE_4_0, true },
	{ AA_CLASS_IO_URING, "io_uring", AA_RELEASE_4_0, true },
};

/* Which rows' names it has: asked once, as a profile's abi stands in all that it includes, too. */
const struct aa_features *aa_features_read(struct arena *a, struct str text)
{
	struct aa_features *f;

	if (text.n > AA_FEATURES_MAX)
		return NULL;
	f = ARENA_NEW(a, struct aa_features);
	f->text = text;
	for (size_t i = 0; i < ARRAY_SIZE(features); i++)
		if (features[i].path && aa_features_has(f, features[i].path))
			f->rows |= 1u << i;
	return f;
}

static bool has_row(const struct aa_features *f, size_t row)
{
	return f->rows >> row & 1;
}

static unsigned classes_of(enum aa_release release, const struct aa_features *policy,
			   const struct aa_features *kernel, bool own)
{
	unsigned mask = 0;

	for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
		const char *path = features[i].path;
		/* Of what is not pinned its own default has unix and dbus (default_features.c). */
		bool other =
			features[i].class == AA_CLASS_UNIX || features[i].class == AA_CLASS_DBUS;
		bool assumed = features[i].pinned || (own && other);
		bool policy_has = !path || (policy ? has_row(policy, i) : assumed);
		bool kernel_has = !path || !kernel || has_row(kernel, i);
		if (release >= features[i].since && policy_has && kernel_has)
			mask |= 1u << features[i].class;
	}
	return mask;
}

unsigned aa_features_classes(enum aa_release release, const struct aa_features *policy,
			     const struct aa_features *kernel)
{
	return classes_of(release, policy, kernel, false);
}

const struct aa_features *aa_features_of_kernel(struct arena *a, unsigned version)
{
	return aa_features_read(
		a, str_c(arena_printf(
			   a, "mount {} ptrace {} signal {} network_v8 {} domain {stack {}}%s%s",
			   version >= AA_KERNEL_NAMES ?
				   " namespaces {mask {userns_create}} io_uring {}" :
				   "",
			   version >= AA_KERNEL_UNIX ? " network_v9 {af_unix {}} dbus {} policy "
						       "{permstable32_version {0x000003}}" :
						       "")));
}

bool aa_features_addresses(const struct aa_features *policy, const struct aa_features *kernel)
{
	static const char *const paths[] = { "network_v8/af_inet", "network_v9/af_inet" };

	for (size_t i = 0; policy && kernel && i < sizeof(paths) / sizeof(*paths); i++)
		if (aa_features_has(policy, paths[i]) && aa_features_has(kernel, paths[i]))
			return true;
	return false;
}

bool aa_features_owner_flag(const struct aa_features *kernel)
{
	return kernel && aa_features_has(kernel, "policy/permstable32_version/0x000003");
}

bool aa_features_stack(const struct aa_features *policy, const struct aa_features *kernel)
{
	static const char path[] = "domain/stack";

	return (!policy || aa_features_has(policy, path)) &&
	       (!kernel || aa_features_has(kernel, path));
}

unsigned aa_features_compiled(enum aa_release release, const struct aa_features *policy,
			      const struct aa_features *kernel)
{
	return classes_of(release, policy, kernel, true);
}

/* What abi files ship, and of those that policies are written for what says which classes count. */
static const struct shipped {
	const char *abi, *release;
	const char *classes;
} shipped[] = {
	{ "abi/3.0", "3.0",
	  "dbus {} signal {} ptrace {} mount {} network {af_unix {}} network_v8 {}" },
	{ "abi/4.0", "4.0",
	  "dbus {} signal {} ptrace {} mount {} network {af_unix {}} network_v8 {} "
	  "ipc {posix_mqueue {}} namespaces {mask {userns_create}}" },
	{ "abi/4.0-ip", "5.0", NULL },
	{ "abi/5.0", "5.0",
	  "dbus {} signal {} ptrace {} mount {} network {af_unix {}} network_v8 {af_inet {}} "
	  "network_v9 {af_unix {}} ipc {posix_mqueue {}} namespaces {mask {userns_create}} "
	  "io_uring {}" },
	{ "abi/5.0-interface", "5.0", NULL },
	{ "abi/kernel-5.4-outoftree-network", "3.0", NULL },
	{ "abi/kernel-5.4-vanilla", "3.0", NULL },
};

static const struct shipped *find_shipped(struct str abi)
{
	for (size_t i = 0; i < sizeof(shipped) / sizeof(*shipped); i++)
		if (str_is(abi, shipped[i].abi))
			return &shipped[i];
	return NULL;
}

const char *aa_features_shipped(struct str abi)
{
	const struct shipped *s = find_shipped(abi);

	return s ? s->release : NULL;
}

const struct aa_features *aa_features_of_abi(struct arena *a, struct str abi)
{
	const struct shipped *s = find_shipped(abi);

	return s && s->classes ? aa_features_read(a, str_c(s->classes)) : NULL;
}
