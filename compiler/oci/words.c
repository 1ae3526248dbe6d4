/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the JSON format, runtimes' names, and what `includes`/`excludes` imply. */
#include <errno.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/oci/profile.h"

const struct oci_action oci_actions[] = {
	{ "SCMP_ACT_ALLOW", VERDICT_ALLOW },
	{ "SCMP_ACT_ERRNO", VERDICT_ERRNO },
	{ "SCMP_ACT_KILL_PROCESS", VERDICT_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD", VERDICT_KILL_THREAD },
	{ "SCMP_ACT_KILL", VERDICT_KILL_THREAD },
	{ "SCMP_ACT_LOG", VERDICT_LOG },
	{ "SCMP_ACT_NOTIFY", VERDICT_NOTIFY },
	{ "SCMP_ACT_TRACE", VERDICT_TRACE },
	{ "SCMP_ACT_TRAP", VERDICT_TRAP },
	{ NULL, VERDICT_NR },
};

const char *const oci_op_names[OCI_OP_NR] = {
	[OCI_NE] = "SCMP_CMP_NE",
	[OCI_LT] = "SCMP_CMP_LT",
	[OCI_LE] = "SCMP_CMP_LE",
	[OCI_EQ] = "SCMP_CMP_EQ",
	[OCI_GE] = "SCMP_CMP_GE",
	[OCI_GT] = "SCMP_CMP_GT",
	[OCI_MASKED_EQ] = "SCMP_CMP_MASKED_EQ",
};

/* runc: libcontainer/seccomp/config.go `archs`; 1.1.5 refuses RISCV64, 1.1.15 takes both late ones. */
const struct oci_arch_word oci_arch_words[] = {
	{ "SCMP_ARCH_AARCH64", false, 0, 0 },
	{ "SCMP_ARCH_ARM", false, 0, 0 },
	{ "SCMP_ARCH_LOONGARCH64", false, OCI_VERSION(1, 1, 15), OCI_VERSION(2, 6, 0) },
	{ "SCMP_ARCH_M68K", true, OCI_NEVER, OCI_VERSION(2, 6, 0) },
	{ "SCMP_ARCH_MIPS", true, 0, 0 },
	{ "SCMP_ARCH_MIPS64", true, 0, 0 },
	{ "SCMP_ARCH_MIPS64N32", true, 0, 0 },
	{ "SCMP_ARCH_MIPSEL", false, 0, 0 },
	{ "SCMP_ARCH_MIPSEL64", false, 0, 0 },
	{ "SCMP_ARCH_MIPSEL64N32", false, 0, 0 },
	{ "SCMP_ARCH_PARISC", true, OCI_NEVER, 0 },
	{ "SCMP_ARCH_PARISC64", true, OCI_NEVER, 0 },
	{ "SCMP_ARCH_PPC", true, 0, 0 },
	{ "SCMP_ARCH_PPC64", true, 0, 0 },
	{ "SCMP_ARCH_PPC64LE", false, 0, 0 },
	{ "SCMP_ARCH_RISCV64", false, OCI_VERSION(1, 1, 8), 0 },
	{ "SCMP_ARCH_S390", true, 0, 0 },
	{ "SCMP_ARCH_S390X", true, 0, 0 },
	{ "SCMP_ARCH_SH", false, OCI_NEVER, OCI_VERSION(2, 6, 0) },
	{ "SCMP_ARCH_SHEB", true, OCI_NEVER, OCI_VERSION(2, 6, 0) },
	{ "SCMP_ARCH_X32", false, 0, 0 },
	{ "SCMP_ARCH_X86", false, 0, 0 },
	{ "SCMP_ARCH_X86_64", false, 0, 0 },
	{ NULL, false, 0, 0 },
};

const char oci_flag_log[] = "SECCOMP_FILTER_FLAG_LOG";
const char *const oci_flag_names[] = { oci_flag_log, "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
				       "SECCOMP_FILTER_FLAG_TSYNC",
				       "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", NULL };

const char *const oci_profile_keys[] = {
	"defaultAction", "defaultErrnoRet", "architectures",    "archMap",      "syscalls",
	"flags",         "listenerPath",    "listenerMetadata", "defaultErrno", NULL
};
const char *const oci_entry_keys[] = { "name",    "names",    "action",   "errnoRet", "args",
				       "comment", "includes", "excludes", "errno",    NULL };
const char *const oci_arg_keys[] = { "index", "value", "valueTwo", "op", NULL };
const char *const oci_gate_keys[] = { "caps", "arches", "minKernel", NULL };
const char *const oci_row_keys[] = { "architecture", "subArchitectures", NULL };

/* ---- the object ---- */

/* Keys whose null leaves in Go what an earlier one said: no pointers, no lists. */
static bool is_plain(const char *key)
{
	static const char *const keys[] = { "defaultAction",   "defaultErrno", "action",
					    "errno",           "op",           "index",
					    "value",           "valueTwo",     "name",
					    "comment",         "architecture", "listenerPath",
					    "listenerMetadata" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(key, keys[i]))
			return true;
	return false;
}

const struct json *oci_member(const struct json *object, const char *key)
{
	const struct json *found = NULL;

	if (!object || object->kind != JSON_OBJECT)
		return NULL;
	for (const struct json *m = object->first; (m = json_find_fold(m, key)); m = m->next)
		if (!found || m->kind != JSON_NULL || !is_plain(key))
			found = m;
	return found && found->kind != JSON_NULL ? found : NULL;
}

const struct json *oci_profile_object(const struct json *root)
{
	const struct json *found = root;

	if (!root || root->kind != JSON_OBJECT)
		return NULL;
	/* Of two 'linux' the other one may hold it: Go reads them into one. */
	for (const struct json *m = root->first; (m = json_find_fold(m, "linux")); m = m->next)
		for (const struct json *s = m->kind == JSON_OBJECT ? m->first : NULL;
		     (s = json_find_fold(s, "seccomp")); s = s->next)
			found = s->kind == JSON_OBJECT ? s : found;
	return found;
}

bool oci_recognise(const struct json *root)
{
	const struct json *profile = oci_profile_object(root);

	if (!profile || profile != root || !root->first)
		return true; /* also what is nearly one: the reader says what it lacks */
	for (const struct json *m = root->first; m; m = m->next)
		if (oci_key_find(m, oci_profile_keys))
			return true;
	return false;
}

const char *oci_key_find(const struct json *member, const char *const *keys)
{
	for (; *keys; keys++)
		if (json_key_folds(member->key, *keys))
			return *keys;
	return NULL;
}

/* ---- words ---- */

const struct oci_action *oci_action_find(struct str name)
{
	for (const struct oci_action *a = oci_actions; a->name; a++)
		if (str_is(name, a->name))
			return a;
	return NULL;
}

const char *oci_action_name(enum verdict_kind kind)
{
	for (const struct oci_action *a = oci_actions; a->name; a++)
		if (a->kind == kind)
			return a->name;
	BUG("verdict without an action");
}

int oci_arch_find(struct str name)
{
	for (int a = 0; a < ARCH_NR; a++)
		if (str_is(name, arch_info((enum arch)a)->oci))
			return a;
	return -1;
}

const struct oci_arch_word *oci_arch_word_find(struct str name)
{
	for (const struct oci_arch_word *w = oci_arch_words; w->name; w++)
		if (str_is(name, w->name))
			return w;
	return NULL;
}

bool oci_arch_taken(const struct oci_runtime *rt, const struct oci_arch_word *w)
{
	if (!w || (rt->libseccomp & ~LIBSECCOMP_DEBIAN12) < w->libseccomp)
		return false;
	return rt->kind == OCI_CRUN || rt->version >= w->runc;
}

/* runc knows three of them (config.go `flags`; TSYNC it does anyway), and before 1.2 none. */
bool oci_flag_taken(const struct oci_runtime *rt, struct str name)
{
	if (rt->kind == OCI_RUNC && (rt->version < OCI_VERSION(1, 2, 0) ||
				     str_is(name, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")))
		return false;
	for (const char *const *f = oci_flag_names; *f; f++)
		if (str_is(name, *f))
			return true;
	return false;
}

bool oci_null_loses(const struct oci_runtime *rt)
{
	/* Seen: 1.28's reader gives up there without a word; 1.8.1 and 1.21 miss the fields of an object. */
	return rt->kind == OCI_CRUN && rt->version >= OCI_VERSION(1, 28, 0);
}

bool oci_flags_handed(const struct oci_runtime *rt, bool in_config)
{
	return in_config || !rt->docker || rt->docker >= OCI_VERSION(23, 0, 0);
}

bool oci_name_known(const struct oci_runtime *rt, const struct oci_word *name)
{
	if (name->sys)
		return libseccomp_knows_call(rt->libseccomp, name->sys);
	return libseccomp_knows(rt->libseccomp, name->text) && !syscall_foreign_arches(name->text);
}

int oci_kernel_parse(struct str s, uint16_t *out)
{
	unsigned part[2] = { 0 }, n = 0, digits = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.' && digits && !n) {
			n++;
			digits = 0;
			continue;
		}
		if (s.p[i] < '0' || s.p[i] > '9')
			return -EINVAL;
		part[n] = part[n] * 10 + (unsigned)(s.p[i] - '0');
		digits = 1;
		if (part[n] > 255)
			return -EINVAL;
	}
	if (n != 1 || !digits || (!part[0] && !part[1]))
		return -EINVAL;
	*out = KERNEL_VERSION_OF(part[0], part[1]);
	return 0;
}

int oci_capability_find(struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] >= 'a' && name.p[i] <= 'z')
			return -1;
	return str_starts(name, "CAP_") ? capability_find(name) : -1;
}

int oci_host_find(struct str name)
{
	for (int a = 0; a < ARCH_NR; a++)
		if (str_is(name, arch_info((enum arch)a)->go))
			return a;
	return -1;
}

bool oci_gate_any(const struct oci_gate *g)
{
	return !g->caps && !g->no_caps && !g->min_kernel && !g->max_kernel && !g->hosts &&
	       !g->no_hosts && !g->never;
}

bool oci_gate_open(const struct oci_gate *g, const struct environment *env)
{
	uint64_t caps = env->caps_known ? env->caps : 0;
	unsigned host = env->host_known ? ARCH_BIT(env->host) : 0;
	uint16_t kernel = env->kernel_known ? env->kernel : UINT16_MAX;

	return !g->never && (caps & g->caps) == g->caps && !(caps & g->no_caps) &&
	       (!g->hosts || g->hosts & host) && !(g->no_hosts & host) && kernel >= g->min_kernel &&
	       (!g->max_kernel || kernel < g->max_kernel);
}

bool oci_gate_exclusive(const struct oci_gate *x, const struct oci_gate *y)
{
	if (x->never || y->never || x->caps & y->no_caps || y->caps & x->no_caps)
		return true;
	if ((x->max_kernel && y->min_kernel >= x->max_kernel) ||
	    (y->max_kernel && x->min_kernel >= y->max_kernel))
		return true;
	return (x->hosts && y->hosts && !(x->hosts & y->hosts)) ||
	       (x->hosts && !(x->hosts & ~y->no_hosts)) || (y->hosts && !(y->hosts & ~x->no_hosts));
}

bool oci_gate_implies(const struct oci_gate *x, const struct oci_gate *y)
{
	if (x->never)
		return true;
	if (y->never || y->caps & ~x->caps || y->no_caps & ~x->no_caps ||
	    y->no_hosts & ~(x->no_hosts | (x->hosts ? ~x->hosts : 0)))
		return false;
	if (y->min_kernel > x->min_kernel)
		return false;
	if (y->max_kernel && (!x->max_kernel || x->max_kernel > y->max_kernel))
		return false;
	return !y->hosts || (x->hosts && !(x->hosts & ~y->hosts));
}

/* ---- calls ---- */

bool oci_stub_covers(enum verdict_kind dflt)
{
	return dflt != VERDICT_ALLOW && dflt != VERDICT_LOG && dflt != VERDICT_TRACE;
}

void oci_print_call(struct buf *out, uint32_t audit, uint32_t nr, const uint64_t args[6])
{
	uint32_t rest = nr;
	int a = arch_of_call(audit, &rest);
	const struct syscall_info *sys = a < 0 ? NULL : syscall_by_nr((enum arch)a, rest);

	if (sys)
		buf_printf(out, "'%s'(", sys->name);
	else
		buf_printf(out, "number %#x(", nr);
	for (unsigned i = 0; i < 6; i++)
		buf_printf(out, "%s%#jx", i ? ", " : "", (uintmax_t)args[i]);
	if (a < 0)
		buf_printf(out, ") under arch %#x", audit);
	else
		buf_printf(out, ") on %s", arch_info((enum arch)a)->name);
}
