/* SPDX-License-Identifier: Apache-2.0 */
/* `docker run`, `podman run`, `create` and `exec` in a script: their options, up to the image. */
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/deploy/deploy.h"
#include "compiler/deploy/words.h"

/*
 * Options without a value; all others have one. docker run --help of 28.2; podman-run(1) of 5.7
 * (env-host and below). Of one that neither knows the word behind it is taken for its value, and where that
 * was the image the next one is.
 */
static const char *const flags[] = { "detach",
				     "disable-content-trust",
				     "help",
				     "init",
				     "interactive",
				     "no-healthcheck",
				     "oom-kill-disable",
				     "privileged",
				     "publish-all",
				     "quiet",
				     "read-only",
				     "rm",
				     "sig-proxy",
				     "tty",
				     "use-api-socket",
				     "env-host",
				     "http-proxy",
				     "no-hostname",
				     "no-hosts",
				     "passwd",
				     "read-only-tmpfs",
				     "replace",
				     "rmi",
				     "rootfs",
				     "tls-verify",
				     "unsetenv-all" };
static const char short_flags[] = "diPqt", short_values[] = "acehlmpuvw";

/* Before the subcommand: docker(1), podman(1). */
static const char *const client_values[] = {
	"--config",
	"--context",
	"-c",
	"--host",
	"-H",
	"--log-level",
	"-l",
	"--tlscacert",
	"--tlscert",
	"--tlskey",
	"--connection",
	"--url",
	"--identity",
	"--root",
	"--runroot",
	"--namespace",
	"-n",
	"--address",
	"--storage-driver",
	"--storage-opt",
	"--runtime",
	"--conmon",
	"--module",
	"--network-cmd-path",
};

static const char *const sudo_values[] = { "-u", "-g", "-h", "-p", "-C", "-D",
					   "-R", "-T", "-U", "-r", "-t" };

struct run { /* a command line at hand */
	struct deployment *d;
	struct deploy_container *c;
	const shell_words *words;
	size_t at;
};

static bool is_one_of(struct str s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_is(s, list[i]))
			return true;
	return false;
}

#define ONE_OF(s, list) is_one_of(s, list, ARRAY_SIZE(list))

/* ---- what the command is ---- */

static const struct shell_word *word_at(const shell_words *words, size_t i)
{
	return i < words->n ? &words->v[i] : NULL;
}

static bool is_assignment(struct str s)
{
	const char *equals = memchr(s.p, '=', s.n);

	return equals && equals > s.p && s.p[0] != '-';
}

/* Behind options, with the values of some. */
static size_t skip_options(const shell_words *words, size_t i, const char *const *values, size_t n)
{
	for (; i < words->n && str_starts(words->v[i].text, "-"); i++)
		i += is_one_of(words->v[i].text, values, n);
	return i;
}

/* Words of the shell, and programs that execute what stands behind them. */
static size_t skip_prefixes(const shell_words *words, size_t i)
{
	static const char *const before[] = { "if",    "then", "elif",    "else",  "while",
					      "until", "do",   "!",       "{",     "time",
					      "exec",  "env",  "command", "nohup", "eval" };

	for (const struct shell_word *w; (w = word_at(words, i)); i++) {
		if (str_is(w->text, "sudo") || str_is(w->text, "doas"))
			i = skip_options(words, i + 1, sudo_values, ARRAY_SIZE(sudo_values)) - 1;
		else if (!ONE_OF(w->text, before) && !is_assignment(w->text))
			break;
	}
	return i;
}

static struct str base_of(struct str path)
{
	const char *slash = memrchr(path.p, '/', path.n);

	return slash ? (struct str){ slash + 1, (size_t)(path.p + path.n - slash) - 1 } : path;
}

const char *const deploy_engines[] = { "docker", "podman", "nerdctl", NULL };

bool deploy_is_engine(struct str word)
{
	for (const char *const *e = deploy_engines; *e; e++)
		if (str_is(word, *e))
			return true;
	return false;
}

/* The word behind "run", "create" or "exec"; 0: it is another command. */
static size_t find_run(const shell_words *words, struct str *engine, bool *exec)
{
	size_t i = skip_prefixes(words, 0);
	const struct shell_word *w = word_at(words, i);

	if (!w)
		return 0;
	*engine = base_of(w->text);
	if (!deploy_is_engine(*engine))
		return 0;
	i = skip_options(words, i + 1, client_values, ARRAY_SIZE(client_values));
	if ((w = word_at(words, i)) && str_is(w->text, "container"))
		i++;
	w = word_at(words, i);
	*exec = w && str_is(w->text, "exec");
	return w && (*exec || str_is(w->text, "run") || str_is(w->text, "create")) ? i + 1 : 0;
}

/* ---- options ---- */

/* A piece of a word, where the file has it as it is; else the whole word. */
static struct deploy_text piece_of(const struct shell_word *w, size_t from)
{
	struct deploy_text t = { { w->text.p + from, w->text.n - from }, w->span };

	if (w->literal)
		t.span.begin += (uint32_t)from;
	return t;
}

static void take_host(struct run *r, struct deploy_text t, const char *namespace)
{
	if (!str_is(t.text, "host"))
		return;
	t.text = str_c(namespace);
	vec_push(r->d->arena, &r->c->host, t);
}

/* "type=bind,source=/x,target=/y" */
static void take_mount(struct run *r, struct deploy_text t)
{
	struct deploy_text source = { .span = t.span };
	struct str rest = t.text;
	bool read_only = false;

	while (rest.n) {
		const char *comma = memchr(rest.p, ',', rest.n);
		size_t n = comma ? (size_t)(comma - rest.p) : rest.n;
		struct str field = { rest.p, n };
		size_t key = str_starts(field, "source=") ? 7 : str_starts(field, "src=") ? 4 : 0;

		if (key)
			source.text = (struct str){ field.p + key, n - key };
		read_only |= str_is(field, "readonly") || str_is(field, "ro") ||
			     str_is(field, "readonly=true") || str_is(field, "ro=true");
		rest = (struct str){ rest.p + n + (comma != NULL), rest.n - n - (comma != NULL) };
	}
	deploy_add_mount(r->d, r->c, source, read_only);
}

/* Docker takes a value as one name; the others part it at ','. */
static void take_caps(struct run *r, struct deploy_text t)
{
	while (r->c->other_engine && memchr(t.text.p, ',', t.text.n)) {
		size_t n = (size_t)((const char *)memchr(t.text.p, ',', t.text.n) - t.text.p);
		struct deploy_text one = { { t.text.p, n }, t.span };

		vec_push(r->d->arena, &r->c->caps, one);
		t.text = (struct str){ t.text.p + n + 1, t.text.n - n - 1 };
	}
	vec_push(r->d->arena, &r->c->caps, t);
}

static void take_value(struct run *r, struct str name, struct deploy_text t)
{
	static const struct {
		const char *option, *namespace;
	} shared[] = {
		{ "pid", "pid" },         { "network", "network" }, { "net", "network" },
		{ "ipc", "ipc" },         { "uts", "uts" },         { "userns", "user" },
		{ "cgroupns", "cgroup" },
	};

	if (memchr(t.text.p, '$', t.text.n)) {
		r->c->open |= str_is(name, "security-opt");
		return;
	}
	/* Podman's containers are in the machine's where nothing is said: podman-run(1), --userns. */
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++)
		if (str_is(name, shared[i].option) &&
		    !(r->c->other_engine && str_is(name, "userns")))
			take_host(r, t, shared[i].namespace);
	if (str_is(name, "cap-add"))
		take_caps(r, t);
	else if (str_is(name, "device"))
		deploy_add_device(r->d, r->c, t);
	else if (str_is(name, "security-opt"))
		deploy_add_option(r->d, r->c, t);
	else if (str_is(name, "mount"))
		take_mount(r, t);
	else if (str_is(name, "volume"))
		deploy_add_volume(r->d, r->c, t);
	else if (str_is(name, "name"))
		r->c->word = t.text;
}

static void take_flag(struct run *r, struct str name, struct deploy_text t, bool value)
{
	if (str_is(name, "privileged"))
		r->c->privileged = (struct deploy_flag){
			value && deploy_is_false(t.text) ? DEPLOY_NO : DEPLOY_YES, t.span
		};
	if (str_is(name, "use-api-socket") && !(value && deploy_is_false(t.text)))
		deploy_add_mount(r->d, r->c,
				 (struct deploy_text){ STR("/var/run/docker.sock"), t.span },
				 false);
}

/* The value in the next word. */
static void take_next(struct run *r, struct str name)
{
	const struct shell_word *next = word_at(r->words, r->at);

	if (!next)
		return;
	r->at++;
	take_value(r, name, piece_of(next, 0));
}

static void take_long(struct run *r, const struct shell_word *w)
{
	const char *equals = memchr(w->text.p, '=', w->text.n);
	size_t n = equals ? (size_t)(equals - w->text.p) : w->text.n;
	struct str name = { w->text.p + 2, n - 2 };
	struct deploy_text value = equals ? piece_of(w, n + 1) : piece_of(w, 0);

	if (ONE_OF(name, flags))
		take_flag(r, name, value, equals != NULL);
	else if (equals)
		take_value(r, name, value);
	else
		take_next(r, name);
}

/* "-it", "-v/x:/y", "-itp", "80:80" */
static void take_short(struct run *r, const struct shell_word *w)
{
	for (size_t i = 1; i < w->text.n; i++) {
		struct str name = w->text.p[i] == 'v' ? STR("volume") : STR("");

		if (strchr(short_flags, w->text.p[i]))
			continue;
		r->c->open |= !strchr(short_values, w->text.p[i]);
		if (i + 1 < w->text.n)
			take_value(r, name, piece_of(w, i + 1 + (w->text.p[i + 1] == '=')));
		else
			take_next(r, name);
		return;
	}
}

/* ---- a container ---- */

static void name_it(struct run *r, const struct shell_word *image, const struct shell_word *run)
{
	struct arena *a = r->d->arena;

	r->c->name.span = image ? image->span : run->span;
	r->c->name.text = STR("this container");
	if (image && !image->unknown) {
		r->c->image = (struct deploy_text){ image->text, image->span };
		if (!r->c->word.n)
			r->c->word = image->text;
	}
	if (r->c->word.n)
		r->c->name.text =
			str_c(arena_printf(a, "container '%s'", str_safe_of(a, r->c->word)));
}

/* Options up to the image; NULL: there is none, or words that are not known. */
static const struct shell_word *take_options(struct run *r)
{
	while (r->at < r->words->n) {
		const struct shell_word *w = &r->words->v[r->at++];

		if (w->splits) { /* options, or the image */
			r->c->open = true;
			return NULL;
		}
		if (str_is(w->text, "--"))
			return word_at(r->words, r->at);
		if (str_starts(w->text, "--"))
			take_long(r, w);
		else if (w->text.n > 1 && w->text.p[0] == '-')
			take_short(r, w);
		else
			return w;
	}
	return NULL;
}

static void read_run(struct deployment *d, const shell_words *words, size_t at, struct str engine)
{
	struct run r = { d, deploy_add(d, DEPLOY_RUN, (struct deploy_text){ .span = NO_SPAN }),
			 words, at };

	r.c->other_engine = !str_is(engine, "docker");
	name_it(&r, take_options(&r), &words->v[at - 1]);
}

/* A command in a container that runs: its options that have a value are those of `run`, too. */
static void read_exec(struct deployment *d, const shell_words *words, size_t at)
{
	struct deploy_container c = { .form = DEPLOY_RUN };
	struct run r = { d, &c, words, at };
	const struct shell_word *in = take_options(&r);
	struct deploy_text t = { STR("a container"), c.privileged.span };

	if (c.privileged.said != DEPLOY_YES)
		return;
	if (in && !in->unknown)
		t.text = str_c(
			arena_printf(d->arena, "container '%s'", str_safe_of(d->arena, in->text)));
	vec_push(d->arena, &d->execs, t);
}

void deploy_read_arguments(struct deployment *d, struct deploy_container *c,
			   const struct source *src, struct span part)
{
	shell_words words = { 0 };
	struct words w;

	words_start_at(d->arena, src, part, &w);
	while (words_next(&w, &words)) {
		struct run r = { d, c, &words, 0 };

		while (r.at < words.n)
			take_options(&r);
	}
}

void deploy_take_option(struct deployment *d, struct deploy_container *c, const char *name,
			struct deploy_text value)
{
	struct run r = { .d = d, .c = c };

	take_value(&r, str_c(name), value);
}

static int by_place(const void *x, const void *y)
{
	const struct ast_comment *const *a = x, *const *b = y;

	return ((*a)->span.begin > (*b)->span.begin) - ((*a)->span.begin < (*b)->span.begin);
}

static void keep_comments(struct deployment *d, const struct words *w)
{
	struct comment_list *out = &d->comments;

	out->v = ARENA_ARRAY(d->arena, struct ast_comment *, w->comments.n + 1);
	vec_each(&w->comments, sp) {
		struct ast_comment *c = ARENA_NEW(d->arena, struct ast_comment);

		c->span = *sp;
		c->text = (struct str){ w->src->text.p + sp->begin + 1, sp->end - sp->begin - 1 };
		out->v[out->n++] = c;
	}
	if (out->n) /* those inside $(...) came later */
		qsort(out->v, out->n, sizeof(struct ast_comment *), by_place);
}

void deploy_read_line(struct deployment *d, const struct source *src, struct span part)
{
	shell_words words = { 0 };
	struct words w;

	words_start_at(d->arena, src, part, &w);
	while (words_next(&w, &words)) {
		struct str engine;
		bool exec;
		size_t at = find_run(&words, &engine, &exec);

		if (at && exec)
			read_exec(d, &words, at);
		else if (at)
			read_run(d, &words, at, engine);
	}
	if (part.begin == 0 && part.end == src->text.n)
		keep_comments(d, &w);
}
