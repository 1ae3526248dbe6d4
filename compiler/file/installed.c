/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runc or crun of this machine, asked for its version: `features`, JSON by the OCI runtime
 * specification (runc 1.1, crun 1.9 and later), else `--version`. It is started without a shell,
 * for LIMIT_MS and SAID_MAX bytes, and what it says is believed as far as it is a version.
 */
#include "compiler/file/installed.h"

#include <errno.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/base/program.h"
#include "compiler/oci/runtime/library.h"
#include "grammar/json.h"

enum { LIMIT_MS = 3000, SAID_MAX = 1 << 16, VERSION_MAX = 64 };

/* 0 and what it said, whatever its exit status was; -errno. */
static int ask(const char *path, const char *word, struct buf *said)
{
	const char *const argv[] = { path, word, NULL };
	const struct program_question q = {
		.path = path, .argv = argv, .in = -1, .limit_ms = LIMIT_MS, .most = SAID_MAX
	};
	int status = program_ask(&q, said);

	return status < 0 ? status : 0;
}

/* "1.1.5+ds1", at most VERSION_MAX bytes of what versions are made of. */
static bool is_version(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("0123456789abcdefghijklmnopqrstuvwxyz.+~-", s.p[i]) || !s.p[i])
			return false;
	return s.n && s.n <= VERSION_MAX;
}

static struct str annotation(const struct json *root, const char *key)
{
	const struct json *a =
		root && root->kind == JSON_OBJECT ? json_get(root, "annotations") : NULL;
	const struct json *v = a && a->kind == JSON_OBJECT ? json_get(a, key) : NULL;

	return v && v->kind == JSON_STRING && is_version(v->text) ? v->text : (struct str){ 0 };
}

/* The word behind `label` in what --version prints. */
static struct str word_behind(struct str said, const char *label)
{
	size_t n = strlen(label);

	for (size_t i = 0; i + n <= said.n; i++) {
		if (memcmp(said.p + i, label, n) != 0)
			continue;
		struct str word = { said.p + i + n, 0 };
		while (i + n + word.n < said.n && !strchr(" \r\n\t", word.p[word.n]) &&
		       word.p[word.n])
			word.n++;
		return is_version(word) ? word : (struct str){ 0 };
	}
	return (struct str){ 0 };
}

struct versions {
	struct str runtime, libseccomp;
};

static struct versions of_features(struct session *s, int kind, struct str said)
{
	struct diags *silent = diags_new(s->arena, s->sources);
	struct source *src = source_add(s->sources, "<features>", said);
	const struct json *root = json_parse(s->arena, src, silent);

	if (silent->errors)
		return (struct versions){ 0 };
	return (struct versions){ annotation(root, kind == OCI_CRUN ?
							   "run.oci.crun.version" :
							   "org.opencontainers.runc.version"),
				  annotation(root, "io.github.seccomp.libseccomp.version") };
}

static int ask_versions(struct session *s, int kind, const char *path, struct versions *out)
{
	static const char *const words[] = { "features", "--version" };

	*out = (struct versions){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(words) && !out->runtime.n; i++) {
		BUF_AUTO said = { 0 };
		int err = ask(path, words[i], &said);
		if (err)
			return err;
		struct str text = { buf_keep(s->arena, &said), said.n };
		*out = i == 0 ? of_features(s, kind, text) :
				(struct versions){ word_behind(text, kind == OCI_CRUN ?
									     "crun version " :
									     "runc version "),
						   word_behind(text, "libseccomp: ") };
	}
	return 0;
}

/* The packager's table of names is known of the library at hand alone. */
static void set_library(struct oci_runtime *out, bool said)
{
	unsigned here = oci_libseccomp_installed();

	if (here && (!said || !((out->libseccomp ^ here) & ~LIBSECCOMP_DEBIAN12)))
		out->libseccomp = here;
}

static const char *find(struct session *s, const char *name)
{
	const char *const places[] = { name, arena_printf(s->arena, "/usr/sbin/%s", name),
				       arena_printf(s->arena, "/usr/local/sbin/%s", name) };
	const char *path;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (!program_find(s->arena, places[i], &path, diags_new(s->arena, s->sources)))
			return path;
	return NULL;
}

const char *runtime_path(struct session *s, int kind)
{
	return find(s, kind == OCI_CRUN ? "crun" : "runc");
}

const char *runtime_version(struct session *s, int kind, const char *path)
{
	struct versions v = { 0 };

	if (ask_versions(s, kind, path, &v) || !v.runtime.n)
		return NULL;
	return str_dup(s->arena, v.runtime);
}

const char *runtime_installed(struct session *s, int kind, struct oci_runtime *out, bool *lacking)
{
	const char *name = kind == OCI_CRUN ? "crun" : "runc", *path = find(s, name);
	struct versions v;

	*lacking = false;
	if (!path && kind < 0 && (path = find(s, "crun"))) {
		kind = OCI_CRUN;
		name = "crun";
	}
	if (!path)
		return arena_printf(s->arena,
				    kind < 0 ? "neither runc nor crun is installed here" :
					       "no %s is installed here",
				    name);
	int err = ask_versions(s, kind, path, &v);
	*lacking = diag_is_shortage(err);
	if (err)
		return arena_printf(s->arena, "'%s' does not say its version: %s", path,
				    strerror(-err));
	if (!v.runtime.n)
		return arena_printf(s->arena, "'%s' does not say its version", path);
	const char *text = arena_printf(s->arena, "%s-" PRISTR "%s" PRISTR, name, STRARG(v.runtime),
					v.libseccomp.n ? "+libseccomp-" : "", STRARG(v.libseccomp));
	err = oci_runtime_parse(str_c(text), kind, out);
	if (err)
		return arena_printf(s->arena, "'%s' %s", text,
				    oci_runtime_wrong(s->arena, str_c(text), kind, err));
	set_library(out, v.libseccomp.n > 0);
	return NULL;
}

const char *runtime_name(struct arena *a, const struct oci_runtime *rt)
{
	return rt ? oci_runtime_name(a, rt) : "any";
}

/* Says that none is known, and what is done about it; or that there is no answer. */
static void tell_none(struct session *s, bool lacking, const char *why, const char *instead)
{
	struct diag *d = lacking ? diag_add(s->diags, DIAG_PL020, NO_SPAN, "%s", why) :
				   diag_add(s->diags, DIAG_PL258, NO_SPAN, "%s: %s", why, instead);

	diag_help(s->diags, d, "'--runtime' names the one that is meant");
}

void runtime_here(struct session *s, int kind, struct oci_runtime *out)
{
	bool lacking;
	const char *why = runtime_installed(s, kind, out, &lacking);

	if (!why)
		return;
	BUG_ON(oci_runtime_parse(STR("debian12"), kind, out));
	tell_none(s, lacking, why,
		  arena_printf(s->arena, "taken as %s", runtime_name(s->arena, out)));
}

const struct oci_runtime *runtime_here_or_any(struct session *s)
{
	struct oci_runtime *rt = ARENA_NEW(s->arena, struct oci_runtime);
	bool lacking;
	const char *why = runtime_installed(s, -1, rt, &lacking);

	if (!why) {
		runtime_note(s, rt);
		return rt;
	}
	tell_none(s, lacking, why, "what depends on the runtime is told of any");
	return NULL;
}

void runtime_compare(struct session *s, const struct oci_runtime *rt)
{
	struct oci_runtime here;
	bool lacking;

	if (runtime_installed(s, (int)rt->kind, &here, &lacking) ||
	    (here.named == rt->named && here.libseccomp == rt->libseccomp))
		return;
	struct diag *d = diag_add(s->diags, DIAG_PL259, NO_SPAN,
				  "this machine's own runtime is another: it is taken as %s",
				  runtime_name(s->arena, &here));
	diag_help(s->diags, d, "'--runtime installed' compiles for it");
}

void runtime_note(struct session *s, const struct oci_runtime *rt)
{
	if (oci_runtime_measured(rt))
		return;
	struct diag *d =
		diag_add(s->diags, DIAG_PL257, NO_SPAN, "the runtime was not measured: taken as %s",
			 runtime_name(s->arena, rt));
	diag_help(s->diags, d,
		  "what is said holds for that one; such as 'debian13', 'docker-28.5' and "
		  "'podman-5.8' were (pale(1))");
}
