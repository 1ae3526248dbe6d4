/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of container runtimes. What a version does is known of those that were measured
 * (runtimes.def); any other is taken as the nearest of them, and said to be.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/base/suggest.h"
#include "compiler/oci/oci.h"

static const struct row {
	int kind;
	unsigned version, libseccomp;
	const char *words[4]; /* the last is NULL */
} rows[] = {
#define RUNTIME(kind, version, libseccomp, ...) { kind, version, libseccomp, { __VA_ARGS__ } },
#include "compiler/oci/runtimes.def"
#undef RUNTIME
};

const char oci_runtime_default[] = OCI_RUNTIME_DEFAULT;

/* ---- versions as packagers write them ---- */

/* "1", "2ubuntu3": what a packager adds behind the version. */
static bool is_revision(struct str s)
{
	size_t i = 0;

	while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	bool number = i > 0;
	if (i < s.n && str_starts((struct str){ s.p + i, s.n - i }, "ubuntu"))
		for (i += 6; i < s.n && ((s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '.'); i++)
			;
	return number && i == s.n;
}

/* "b2", "ds1", "ds1-2", "deb13u1": likewise, each behind a '+'. */
static bool is_rebuild(struct str s)
{
	static const char *const words[] = { "deb", "dfsg", "ds", "b", "u" };
	size_t i = 0, digits = 0;

	for (size_t w = 0; w < ARRAY_SIZE(words) && !i; w++)
		if (str_starts(s, words[w]))
			i = str_c(words[w]).n;
	for (; i && i < s.n && s.p[i] != '-'; i++) {
		bool digit = s.p[i] >= '0' && s.p[i] <= '9';
		if (!digit && !(s.p[i] == 'u' && digits))
			return false;
		digits += digit;
	}
	return digits && (i == s.n || is_revision((struct str){ s.p + i + 1, s.n - i - 1 }));
}

/* "rc93", "rc.1-2": a version that is still to come. */
static bool is_candidate(struct str s)
{
	size_t i = str_starts(s, "rc") ? 2 : s.n;

	i += i < s.n && s.p[i] == '.';
	size_t first = i;
	while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	return i > first && (i == s.n || (s.p[i] == '-' &&
					  is_revision((struct str){ s.p + i + 1, s.n - i - 1 })));
}

/* "1.1", "2.5.4", "20.10.24", "2.6.0-2", "1.0.0~rc93": up to three numbers. */
static int parse_version(struct str s, unsigned *out)
{
	unsigned part[3] = { 0 };
	size_t n = 0, digits = 0, i = 0;

	for (; i < s.n && !(i && (s.p[i] == '-' || s.p[i] == '~')); i++) {
		if (s.p[i] == '.') {
			if (!digits || ++n == ARRAY_SIZE(part))
				return -EINVAL;
			digits = 0;
			continue;
		}
		if (s.p[i] < '0' || s.p[i] > '9' || ++digits > 3)
			return -EINVAL;
		part[n] = part[n] * 10 + (unsigned)(s.p[i] - '0');
		if (part[n] > 255)
			return -EINVAL;
	}
	*out = OCI_VERSION(part[0], part[1], part[2]);
	struct str rest = { s.p + i + 1, s.n - i - (i < s.n) };
	return digits && (i == s.n || is_candidate(rest) || is_revision(rest)) ? 0 : -EINVAL;
}

static void put_libseccomp(struct buf *out, unsigned v)
{
	buf_printf(out, "%u.%u.%u%s", v >> 16 & 0xff, v >> 8 & 0xff, v & 0xff,
		   v & LIBSECCOMP_DEBIAN12 ? "-1+deb12u1" : "");
}

const char *oci_libseccomp_name(struct arena *a, unsigned v)
{
	BUF_AUTO text = { 0 };

	put_libseccomp(&text, v);
	return buf_keep(a, &text);
}

/* ---- rows ---- */

static unsigned minor_of(unsigned version)
{
	return version >> 8;
}

/* The last that is not newer and of the same minor version; else the first that is newer; else the last. */
static const struct row *nearest(int kind, unsigned version)
{
	const struct row *same = NULL, *newer = NULL, *last = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];
		if (r->kind != kind)
			continue;
		last = r;
		if (minor_of(r->version) == minor_of(version) && (r->version <= version || !same))
			same = r;
		if (!newer && r->version > version)
			newer = r;
	}
	return same ? same : newer ? newer : last;
}

static const struct row *oldest(int kind)
{
	size_t i = 0;

	while (rows[i].kind != kind)
		i++;
	return &rows[i];
}

static void put_version(struct buf *out, unsigned v)
{
	buf_printf(out, v & 0xff ? "%u.%u.%u" : "%u.%u", v >> 16 & 0xff, v >> 8 & 0xff, v & 0xff);
}

static void put_row(struct buf *out, const struct row *r)
{
	buf_puts(out, r->kind == OCI_RUNC ? "runc-" : "crun-");
	put_version(out, r->version);
	buf_puts(out, "+libseccomp-");
	put_libseccomp(out, r->libseccomp);
}

static const struct row *row_of(const struct oci_runtime *rt)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].kind == (int)rt->kind && rows[i].version == rt->version)
			return &rows[i];
	BUG("a runtime that is taken as none");
}

bool oci_runtime_measured(const struct oci_runtime *rt)
{
	return rt->named == rt->version && rt->libseccomp == row_of(rt)->libseccomp &&
	       !rt->near_engine;
}

const char *oci_runtime_name(struct arena *a, const struct oci_runtime *rt)
{
	const struct row *r = row_of(rt);
	BUF_AUTO text = { 0 };

	put_row(&text, r);
	if (rt->libseccomp != r->libseccomp) {
		buf_puts(&text, ", with the names that libseccomp ");
		put_libseccomp(&text, rt->libseccomp);
		buf_puts(&text, " knows");
	}
	return buf_keep(a, &text);
}

/* ---- names ---- */

/* "docker-28.5.2" is the row's "docker-28.5". */
static bool is_word(struct str s, const char *word)
{
	struct str w = str_c(word);
	unsigned version;

	if (!str_starts(s, word))
		return false;
	struct str rest = { s.p + w.n, s.n - w.n };
	if (!rest.n || rest.p[0] != '.' || !strchr(word, '-'))
		return !rest.n;
	return !parse_version((struct str){ rest.p + 1, rest.n - 1 }, &version);
}

/* Of an engine or a distribution alone: its row, of this kind if there is one (-1: any). */
static const struct row *row_of_word(struct str s, int kind)
{
	const struct row *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (const char *const *w = rows[i].words; *w; w++)
			if (is_word(s, *w) && (!found || rows[i].kind == kind))
				found = &rows[i];
	return found;
}

/* The row of the engine's version that is next: the first that is newer, or the newest. */
static const struct row *row_of_engine(const char *engine, unsigned version)
{
	const struct row *last = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (const char *const *w = rows[i].words; *w; w++) {
			unsigned v;
			if (!str_starts(str_c(*w), engine))
				continue;
			BUG_ON(parse_version(
				(struct str){ *w + strlen(engine), strlen(*w) - strlen(engine) },
				&v));
			last = &rows[i];
			if (v >= (version & ~0xffu))
				return last;
		}
	return last;
}

static bool take_component(struct str part, const char *prefix, unsigned *version, int *err)
{
	if (!str_starts(part, prefix))
		return false;
	size_t n = str_c(prefix).n;
	*err = parse_version((struct str){ part.p + n, part.n - n }, version);
	return true;
}

struct naming {
	struct oci_runtime *out;
	const struct row *row; /* of an engine or a distribution */
	int kind;              /* that is wanted; -1: any */
	bool runtime, seccomp;
};

/* One part between '+'. */
static int take_part(struct naming *n, struct str part)
{
	static const char *const engines[] = { "docker-", "containerd-", "podman-" };
	struct oci_runtime *out = n->out;
	unsigned version;
	int err = -EINVAL;

	if (take_component(part, "runc-", &out->named, &err) ||
	    take_component(part, "crun-", &out->named, &err)) {
		out->kind = part.p[0] == 'r' ? OCI_RUNC : OCI_CRUN;
		n->runtime = true;
		return err;
	}
	if (take_component(part, "libseccomp-", &out->libseccomp, &err)) {
		n->seccomp = true;
		return err;
	}
	if ((n->runtime || n->row) && is_rebuild(part)) {
		if (n->seccomp && out->libseccomp == OCI_VERSION(2, 5, 4) &&
		    str_starts(part, "deb12u"))
			out->libseccomp |= LIBSECCOMP_DEBIAN12;
		return 0;
	}
	const struct row *named = row_of_word(part, n->kind);
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		if (!take_component(part, engines[i], &version, &err))
			continue;
		if (err)
			return err;
		out->docker = i ? out->docker : version;
		out->near_engine |= !named;
		n->row = named ? named : row_of_engine(engines[i], version);
		return 0;
	}
	n->row = named;
	return named ? 0 : -EINVAL;
}

int oci_runtime_parse(struct str s, int kind, struct oci_runtime *out)
{
	struct naming n = { .out = out, .kind = kind };

	*out = (struct oci_runtime){ 0 };
	for (size_t first = 0, end; first <= s.n; first = end + 1) {
		for (end = first; end < s.n && s.p[end] != '+'; end++)
			;
		int err = take_part(&n, (struct str){ s.p + first, end - first });
		if (err)
			return err;
	}
	if (!n.runtime && !n.row)
		return -EINVAL;
	if (!n.runtime) {
		out->kind = n.row->kind == OCI_RUNC ? OCI_RUNC : OCI_CRUN;
		out->named = n.row->version;
	}
	if (out->named < (oldest((int)out->kind)->version & ~0xffu) ||
	    (n.seccomp && (out->libseccomp & ~LIBSECCOMP_DEBIAN12) < OCI_VERSION(2, 5, 0)))
		return -ERANGE;
	const struct row *r = nearest((int)out->kind, out->named);
	out->version = r->version;
	out->near_engine |= n.row && (n.row != r || out->named != r->version);
	if (!n.seccomp)
		out->libseccomp = r->libseccomp;
	return 0;
}

/* ---- what is meant by a name that is none ---- */

/* "docker" of "docker-28.5", and 28.5; a name alone is as if it were the newest. */
static struct str split_number(struct str word, unsigned *number)
{
	struct str name = { word.p, 0 };
	unsigned part[3] = { 0 };
	size_t at = 0, i;

	while (name.n < word.n && !(word.p[name.n] >= '0' && word.p[name.n] <= '9'))
		name.n++;
	for (i = name.n; i < word.n && at < ARRAY_SIZE(part); i++) {
		if (word.p[i] == '.') {
			at++;
			continue;
		}
		if (word.p[i] < '0' || word.p[i] > '9')
			break;
		unsigned more = part[at] * 10 + (unsigned)(word.p[i] - '0');
		part[at] = more > 255 ? 255 : more;
	}
	*number = i == name.n ? UINT_MAX : OCI_VERSION(part[0], part[1], part[2]);
	name.n -= name.n && name.p[name.n - 1] == '-';
	return name;
}

/* The known word of the same name whose number is nearest, the later of two. */
struct closest {
	struct str name, best; /* best.p == NULL: none has this name */
	unsigned number, off;
};

static void offer_number(struct closest *c, struct str word)
{
	unsigned number;

	if (!c->name.n || !str_ieq(split_number(word, &number), c->name))
		return;
	unsigned off = number > c->number ? number - c->number : c->number - number;
	if (c->best.p && off > c->off)
		return;
	c->best = word;
	c->off = off;
}

static void offer(struct suggest *near, struct closest *c, struct str word)
{
	suggest_offer(near, word);
	offer_number(c, word);
}

static const char *row_text(struct arena *a, const struct row *r)
{
	BUF_AUTO text = { 0 };

	put_row(&text, r);
	return buf_keep(a, &text);
}

const char *oci_runtime_wrong(struct arena *a, struct str s, int kind, int err)
{
	BUF_AUTO known = { 0 };
	struct suggest near;
	struct closest c = { 0 };

	if (err == -ERANGE)
		return arena_printf(
			a,
			"is older than what pale knows, runc 1.1, crun 1.8 and libseccomp 2.5; the "
			"oldest that was measured is %s",
			row_text(a, oldest(kind == OCI_CRUN || str_starts(s, "crun-") ? OCI_CRUN :
											OCI_RUNC)));
	c.name = split_number(s, &c.number);
	suggest_start(&near, s);
	suggest_offer(&near, STR("installed"));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (kind >= 0 && rows[i].kind != kind)
			continue;
		const char *text = row_text(a, &rows[i]);
		suggest_offer(&near, str_c(text));
		offer(&near, &c, (struct str){ text, strcspn(text, "+") });
		buf_printf(&known, "%s%s", known.n ? ", " : "", text);
		for (const char *const *w = rows[i].words; *w; w++) {
			offer(&near, &c, str_c(*w));
			buf_printf(&known, "%s%s", w == rows[i].words ? " (" : ", ", *w);
		}
		buf_puts(&known, rows[i].words[0] ? ")" : "");
	}
	struct str best = c.best.p ? c.best : near.best;
	if (best.p)
		return arena_printf(a, "is no runtime; did you mean '" PRISTR "'?", STRARG(best));
	return arena_printf(a, "is no runtime; known are %s", known.p);
}
