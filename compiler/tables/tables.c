/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/tables/tables.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/tables/data.h"

const uint16_t tables_level = KERNEL_VERSION_OF(7, 3);

/* ---- architectures ---- */

static const struct arch_info arch_infos[ARCH_NR] = {
#define ARCH(id, name, alias, oci, go, audit, family, bits, be, base, cache)                       \
	{ name, alias, oci, go, audit, family, bits, be, base, cache },
#include "compiler/tables/arches.def"
#undef ARCH
};

const char *arch_family(enum arch a, unsigned listed)
{
	/* arm is aarch64's compat ABI, and a machine of its own where aarch64 is not meant. */
	if (a == ARCH_ARM && !(listed & ARCH_BIT(ARCH_AARCH64)))
		return arch_info(a)->name;
	return arch_info(a)->family;
}

const struct arch_info *arch_info(enum arch a)
{
	BUG_ON((unsigned)a >= ARCH_NR);
	return &arch_infos[a];
}

bool arch_caches(enum arch a, uint16_t kernel)
{
	uint16_t since = arch_info(a)->cache;

	return since && kernel >= since;
}

int arch_find(struct str name)
{
	for (int a = 0; a < ARCH_NR; a++)
		if (str_is(name, arch_infos[a].name) ||
		    (*arch_infos[a].alias && str_is(name, arch_infos[a].alias)))
			return a;
	/* What `uname -m` says on 32-bit kernels and on mips64el's. */
	if (str_is(name, "i486") || str_is(name, "i586") || str_is(name, "i686"))
		return ARCH_I386;
	if (str_is(name, "armv6l") || str_is(name, "armv7l") || str_is(name, "armv8l"))
		return ARCH_ARM;
	return -1;
}

int arch_native(void)
{
#if defined(__x86_64__) && defined(__ILP32__)
	return ARCH_X32;
#elif defined(__x86_64__)
	return ARCH_X86_64;
#elif defined(__i386__)
	return ARCH_I386;
#elif defined(__aarch64__)
	return ARCH_AARCH64;
#elif defined(__arm__)
	return ARCH_ARM;
#elif defined(__riscv) && __riscv_xlen == 64
	return ARCH_RISCV64;
#elif defined(__s390x__)
	return ARCH_S390X;
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
	return ARCH_PPC64LE;
#elif defined(__mips64) && defined(__MIPSEL__)
	return ARCH_MIPS64EL;
#elif defined(__loongarch64)
	return ARCH_LOONGARCH64;
#else
#error "add this architecture to arches.def and here"
#endif
}

int arch_of_call(uint32_t audit, uint32_t *nr)
{
	int found = -1;

	/* The architecture with the highest base that is not above the number; -1 has none. */
	for (int a = 0; a < ARCH_NR; a++) {
		const struct arch_info *i = &arch_infos[a];
		uint32_t base = *nr == UINT32_MAX ? 0 : *nr;
		if (i->audit == audit && i->nr_base <= base &&
		    (found < 0 || i->nr_base > arch_infos[found].nr_base))
			found = a;
	}
	if (found >= 0)
		*nr -= arch_infos[found].nr_base;
	return found;
}

/* ---- system calls ---- */

size_t syscall_count(void)
{
	return tables_nsyscalls;
}

const struct syscall_info *syscall_at(size_t i)
{
	BUG_ON(i >= tables_nsyscalls);
	return &tables_syscalls[i];
}

size_t syscall_index(const struct syscall_info *s)
{
	return (size_t)(s - tables_syscalls);
}

const struct syscall_info *syscall_by_name(struct str name)
{
	size_t at = tables_place(name.p, name.n);

	for (; tables_names[at]; at = (at + 1) % TABLES_NAMES) {
		const struct syscall_info *s = &tables_syscalls[tables_names[at] - 1];
		if (s->name_n == name.n && !memcmp(name.p, s->name, name.n))
			return s;
	}
	return NULL;
}

const struct syscall_info *syscall_by_nr(enum arch a, uint32_t nr)
{
	BUG_ON((unsigned)a >= ARCH_NR);
	const struct tables_by_nr *t = &tables_by_nr[a];
	int call = nr < t->end                                       ? t->call[nr] :
		   nr >= t->far_first && nr - t->far_first < t->nfar ? t->far[nr - t->far_first] :
								       -1;

	return call < 0 ? NULL : &tables_syscalls[call];
}

uint32_t syscall_next(enum arch a, uint32_t nr)
{
	BUG_ON((unsigned)a >= ARCH_NR);
	const struct tables_by_nr *t = &tables_by_nr[a];

	for (; nr < t->end; nr++)
		if (t->call[nr] >= 0)
			return nr;
	if (nr < t->far_first)
		nr = t->far_first;
	for (; nr - t->far_first < t->nfar; nr++)
		if (t->far[nr - t->far_first] >= 0)
			return nr;
	return UINT32_MAX;
}

uint32_t syscall_before(enum arch a, uint32_t nr)
{
	BUG_ON((unsigned)a >= ARCH_NR);
	const struct tables_by_nr *t = &tables_by_nr[a];
	uint32_t far = nr <= t->far_first ? 0 : nr - t->far_first;

	for (far = far < t->nfar ? far : t->nfar; far--;)
		if (t->far[far] >= 0)
			return t->far_first + far;
	for (nr = nr < t->end ? nr : t->end; nr--;)
		if (t->call[nr] >= 0)
			return nr;
	return UINT32_MAX;
}

uint32_t syscall_end(enum arch a)
{
	BUG_ON((unsigned)a >= ARCH_NR);
	const struct tables_by_nr *t = &tables_by_nr[a];

	for (uint32_t i = t->nfar; i--;)
		if (t->far[i] >= 0)
			return t->far_first + i + 1;
	return t->end;
}

static const struct tables_own_args *find_own_args(const struct syscall_info *s, enum arch a)
{
	const struct tables_own_args *o = &tables_own_args[s->own];

	if (!(s->owners & ARCH_BIT(a)))
		return NULL;
	while (o->arch != a)
		o++;
	return o;
}

const struct arg_info *syscall_args(const struct syscall_info *s, enum arch a, unsigned *nargs)
{
	const struct tables_own_args *o = find_own_args(s, a);

	*nargs = o ? o->nargs : s->nargs;
	return o ? o->args : s->args;
}

int syscall_arg_find(const struct syscall_info *s, enum arch a, struct str name)
{
	unsigned n;
	const struct arg_info *args = syscall_args(s, a, &n);

	for (unsigned i = 0; i < n; i++)
		if (str_is(name, args[i].name))
			return (int)i;
	for (unsigned i = 0; i < n; i++)
		if (args[i].alias && str_is(name, args[i].alias))
			return (int)i;
	/* All six registers, also those the call does not declare: a foreign filter may look. */
	if (name.n == 4 && str_starts(name, "arg") && name.p[3] >= '0' && name.p[3] <= '5')
		return name.p[3] - '0';
	return -1;
}

static const char *find_pair(const struct tables_few *few, const struct tables_pair *pairs,
			     struct str name)
{
	size_t at = tables_place(name.p, name.n) % TABLES_FEW;

	for (; few->at[at]; at = (at + 1) % TABLES_FEW)
		if (str_is(name, pairs[few->at[at] - 1].name))
			return pairs[few->at[at] - 1].other;
	return NULL;
}

const char *syscall_alias(struct str name)
{
	return find_pair(&tables_aliases_at, tables_aliases, name);
}

const char *syscall_foreign_arches(struct str name)
{
	return find_pair(&tables_foreign_at, tables_foreign, name);
}

/* "2.5.5" as major << 16 | minor << 8 | patch; rows are checked by the tests. */
static unsigned parse_version(const char *s)
{
	unsigned v = 0;

	for (int shift = 16; shift >= 0; shift -= 8, s++) {
		unsigned part = 0;

		for (; *s >= '0' && *s <= '9'; s++)
			part = part * 10 + (unsigned)(*s - '0');
		v |= part << shift;
		if (*s != '.')
			break;
	}
	return v;
}

/* "2.5.5/2.5.4-1+deb12u1" up to a comma: is this libseccomp that release, a later one or the build? */
static bool is_within(const char *releases, unsigned version)
{
	if (*releases == '-')
		return false;
	if ((version & ~LIBSECCOMP_DEBIAN12) >= parse_version(releases))
		return true;
	if (version & LIBSECCOMP_DEBIAN12) {
		const char *build = strstr(releases, "2.5.4-1+deb12u1");
		if (build && build < strchrnul(releases, ','))
			return true;
	}
	return false;
}

bool libseccomp_knows(unsigned version, struct str name)
{
	const char *versions = find_pair(&tables_libseccomp_at, tables_libseccomp, name);

	if (!versions) /* not a late one: every release knows what exists at all */
		return syscall_by_name(name) || syscall_foreign_arches(name) ||
		       str_is(name, "send") || str_is(name, "recv");
	return is_within(versions, version);
}

bool libseccomp_knows_call(unsigned version, const struct syscall_info *s)
{
	return !s->late || is_within(tables_libseccomp[s->late - 1].other, version);
}

/* An architecture's own releases, or those of the name. */
static const char *releases_on(const char *versions, enum arch a)
{
	size_t n = strlen(arch_info(a)->name);

	for (const char *p = strchr(versions, ','); p; p = strchr(p, ','))
		if (!strncmp(++p, arch_info(a)->name, n) && p[n] == '=')
			return p + n + 1;
	return versions;
}

unsigned libseccomp_numbers_on(unsigned version, const struct syscall_info *s)
{
	unsigned on = 0;

	if (!s->late)
		return s->on;
	const char *versions = tables_libseccomp[s->late - 1].other;
	if (!is_within(versions, version))
		return 0;
	if (!strchr(versions, ','))
		return s->on;
	for (int a = 0; a < ARCH_NR; a++)
		if (s->nr[a] >= 0 && is_within(releases_on(versions, (enum arch)a), version))
			on |= ARCH_BIT(a);
	return on;
}

bool libseccomp_numbers(unsigned version, const struct syscall_info *s, enum arch a)
{
	return s->nr[a] >= 0 && libseccomp_numbers_on(version, s) & ARCH_BIT(a);
}

static struct str first_release(const char *releases)
{
	if (!releases || *releases == '-')
		return (struct str){ NULL, 0 };
	return (struct str){ releases, strcspn(releases, "/,") };
}

struct str libseccomp_since(struct str name)
{
	return first_release(find_pair(&tables_libseccomp_at, tables_libseccomp, name));
}

struct str libseccomp_since_on(const struct syscall_info *s, enum arch a)
{
	const char *versions = find_pair(&tables_libseccomp_at, tables_libseccomp, str_c(s->name));

	return first_release(versions ? releases_on(versions, a) : NULL);
}

const char *multiplexed_call(struct str mux, unsigned selector)
{
	for (size_t i = 0; i < tables_nmux; i++)
		if (tables_mux[i].selector == selector && str_is(mux, tables_mux[i].mux))
			return tables_mux[i].call;
	return NULL;
}

static const struct tables_mux *find_mux(struct str call)
{
	size_t at = tables_place(call.p, call.n) % TABLES_FEW;

	for (; tables_mux_at.at[at]; at = (at + 1) % TABLES_FEW)
		if (str_is(call, tables_mux[tables_mux_at.at[at] - 1].call))
			return &tables_mux[tables_mux_at.at[at] - 1];
	return NULL;
}

const char *multiplexer_of(struct str call, unsigned *selector)
{
	const struct tables_mux *m = find_mux(call);

	if (!m)
		return NULL;
	*selector = m->selector;
	return m->mux;
}

const char *syscall_multiplexer(const struct syscall_info *s, unsigned *selector)
{
	if (!s->mux)
		return NULL;
	*selector = tables_mux[s->mux - 1].selector;
	return tables_mux[s->mux - 1].mux;
}

int multiplexed_by(const struct syscall_info *s, enum arch a, const char **mux, unsigned *selector)
{
	const struct tables_mux *m = s->mux ? &tables_mux[s->mux - 1] : NULL;
	const struct syscall_info *by = m ? syscall_by_name(str_c(m->mux)) : NULL;

	if (!by || by->nr[a] < 0)
		return -ENOENT;
	*mux = m->mux;
	*selector = m->selector;
	return 0;
}

/* ---- constants ---- */

size_t domain_count(void)
{
	return tables_ndomains;
}

const struct domain_info *domain_at(size_t i)
{
	BUG_ON(i >= tables_ndomains);
	return &tables_domains[i];
}

const struct domain_info *domain_find(const char *name)
{
	for (size_t i = 0; i < tables_ndomains; i++)
		if (!strcmp(tables_domains[i].name, name))
			return &tables_domains[i];
	return NULL;
}

static int compare_folded(struct str a, const char *b)
{
	for (size_t i = 0; i < a.n; i++) {
		int x = tolower((unsigned char)a.p[i]), y = tolower((unsigned char)b[i]);
		if (x != y || !y)
			return x != y ? x - y : 1;
	}
	return b[a.n] ? -1 : 0;
}

static const char *name_in_order(size_t slot)
{
	return tables_text + tables_constants[tables_constant_order[slot]].name;
}

/* The first slot of the order whose name is not before this one. */
static size_t first_slot(struct str name)
{
	size_t lo = 0, hi = tables_nconstants;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (compare_folded(name, name_in_order(mid)) > 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static uint64_t value_of(const struct tables_constant *c, enum arch a)
{
	return tables_values[c->values][a];
}

/* The first row of a domain that has this name, in any case, behind a prefix written as it is. */
static size_t find_prefixed(const struct domain_info *d, const char *prefix, size_t nprefix,
			    struct str name, enum arch a)
{
	char whole[128];
	struct str w = { whole, nprefix + name.n };

	if (w.n > sizeof(whole))
		return SIZE_MAX;
	memcpy(whole, prefix, nprefix);
	memcpy(whole + nprefix, name.p, name.n);
	for (size_t i = first_slot(w); i < tables_nconstants; i++) {
		size_t row = tables_constant_order[i];
		if (compare_folded(w, name_in_order(i)))
			break;
		if (row >= d->first && row < d->first + d->rows &&
		    tables_constants[row].arches & ARCH_BIT(a) &&
		    !memcmp(name_in_order(i), prefix, nprefix))
			return row;
	}
	return SIZE_MAX;
}

/* By its whole name, else by the one without a prefix of its domain: AF_INET is inet. */
static const struct tables_constant *find_constant(const struct domain_info *d, struct str name,
						   enum arch a)
{
	if (!name.n)
		return NULL;
	size_t best = find_prefixed(d, "", 0, name, a);
	if (best != SIZE_MAX)
		return &tables_constants[best];
	for (const char *p = d->prefixes; *p;) {
		size_t n = strcspn(p, ",");
		size_t row = find_prefixed(d, p, n, name, a);
		best = row < best ? row : best;
		p += n + (p[n] == ',');
	}
	return best == SIZE_MAX ? NULL : &tables_constants[best];
}

size_t constant_named(struct str name, size_t from)
{
	for (size_t i = first_slot(name); i < tables_nconstants; i++) {
		if (compare_folded(name, name_in_order(i)))
			break;
		if (tables_constant_order[i] >= from && str_is(name, name_in_order(i)))
			return tables_constant_order[i];
	}
	return SIZE_MAX;
}

int constant_find(const char *domain, struct str name, enum arch a, uint64_t *value)
{
	const struct domain_info *d = domain ? domain_find(domain) : NULL;
	const struct tables_constant *c = d ? find_constant(d, name, a) : NULL;

	if (c) {
		*value = value_of(c, a);
		return 0;
	}
	/* Elsewhere only whole names count: "user" or "in" would be found in many domains. */
	for (size_t i = 0; (i = constant_named(name, i)) != SIZE_MAX; i++) {
		c = &tables_constants[i];
		if (!(c->arches & ARCH_BIT(a)))
			continue;
		*value = value_of(c, a);
		return -EXDEV;
	}
	return -ENOENT;
}

const char *constant_name(const char *domain, uint64_t value, enum arch a)
{
	const struct domain_info *d = domain_find(domain);

	for (size_t i = d ? d->first : 0; d && i < d->first + d->rows; i++)
		if ((tables_constants[i].arches & ARCH_BIT(a)) &&
		    value_of(&tables_constants[i], a) == value)
			return tables_text + tables_constants[i].name;
	return NULL;
}

size_t constant_count(void)
{
	return tables_nconstants;
}

struct constant_row constant_at(size_t i)
{
	BUG_ON(i >= tables_nconstants);
	const struct tables_constant *c = &tables_constants[i];

	return (struct constant_row){ tables_domains[c->domain].name, tables_text + c->name,
				      tables_text + c->brief, tables_values[c->values], c->arches };
}

void constant_suggest(const char *domain, struct suggest *s)
{
	const struct domain_info *d = domain_find(domain);

	for (size_t i = d ? d->first : 0; d && s->word.n && i < d->first + d->rows; i++) {
		suggest_offer(s, str_c(tables_text + tables_constants[i].name));
		suggest_offer(s, str_c(tables_text + tables_constants[i].brief));
	}
}

/* ---- capabilities ---- */

const char *capability_name(unsigned cap)
{
	return cap < CAPABILITY_NR ? tables_capabilities[cap] : NULL;
}

int capability_find(struct str name)
{
	if (name.n > 4 && str_ieq((struct str){ name.p, 4 }, STR("CAP_")))
		name = (struct str){ name.p + 4, name.n - 4 };
	for (int cap = 0; name.n && cap < CAPABILITY_NR; cap++)
		if ((name.p[0] | 0x20) == tables_capabilities[cap][0] &&
		    str_ieq(name, str_c(tables_capabilities[cap])))
			return cap;
	return -1;
}
