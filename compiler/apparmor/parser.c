/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What apparmor_parser answers to a profile: its exit status decides, and what it says stands
 * at the file and line that it names. The text reaches it as /proc/self/fd/0, so that it names
 * a file at all: of standard input it gives bare line numbers, also for lines of an include.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "compiler/apparmor/parser.h"
#include "compiler/base/bug.h"
#include "compiler/base/program.h"

#define FEATURES "/usr/share/apparmor-features/features"
#define SELF     "/proc/self/fd/0"

enum {
	LIMIT_MS = 60000,   /* a hostile profile can keep the parser busy for hours */
	SAID_MAX = 1 << 20, /* bytes of what it says that are read */
	DESCRIPTORS = 32,   /* includes within includes, each held open */
	TOLD_BEFORE = 64    /* notices among which one is looked for again */
};

struct asking {
	const struct parser_question *q;
	struct diags *ds;
	bool refused;
};

/* ---- running it ---- */

/* The system's own, which also loads the profiles at boot; NULL: it has none. */
static const char *system_parser(void)
{
	static const char *const places[] = { "/usr/sbin/apparmor_parser",
					      "/sbin/apparmor_parser" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (!access(places[i], X_OK))
			return places[i];
	return NULL;
}

/* A file without a name that holds text: no temporary to clean up, no pipe to deadlock on; -errno. */
static int text_fd(struct str text)
{
	int fd = memfd_create("pale-profile", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (size_t done = 0; done < text.n;) {
		ssize_t n = write(fd, text.p + done, text.n - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int err = -errno;
			close(fd);
			return err;
		}
		done += (size_t)n;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* As program_ask(); -ENOENT where path is NULL. */
static int run_parser(const char *path, const char *const *argv, struct str text, struct buf *said)
{
	struct program_question q = { .path = path,
				      .argv = argv,
				      .hear_errors = true,
				      .limit_ms = LIMIT_MS,
				      .most = SAID_MAX,
				      .cut = true };

	if (!path)
		return -ENOENT;
	q.in = text_fd(text);
	if (q.in < 0)
		return q.in;
	int status = program_ask(&q, said);
	close(q.in);
	return status;
}

static const char *const *arguments(struct arena *a, const char *const *includes)
{
	VEC(const char *) v = { 0 };

	vec_push(a, &v, "apparmor_parser");
	vec_push(a, &v, "-Q");
	vec_push(a, &v, "-K");
	vec_push(a, &v, "--warn=all");
	if (!access(FEATURES, R_OK)) {
		vec_push(a, &v, "-M");
		vec_push(a, &v, FEATURES);
	}
	for (; includes && *includes; includes++) {
		vec_push(a, &v, "-I");
		vec_push(a, &v, *includes);
	}
	vec_push(a, &v, SELF);
	vec_push(a, &v, NULL);
	return v.v;
}

/* Where they end it says that an include "could not be opened", and nothing of why. */
static int check_descriptors(void)
{
	struct rlimit limit;

	return !getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < DESCRIPTORS ? -EMFILE : 0;
}

/* It changes nothing, so that $PATH may name it where the system has none. */
static int run_question(const struct asking *k, struct buf *said)
{
	struct arena *a = k->ds->arena;
	const char *path = system_parser();
	int err = check_descriptors();

	if (err)
		return err;
	if (!path && program_find(a, "apparmor_parser", &path, diags_new(a, k->ds->sources)))
		path = NULL;
	return run_parser(path, arguments(a, k->q->includes), k->q->text, said);
}

int parser_load(struct str text, struct buf *said)
{
	/* -K: neither read nor write a cache: what is loaded is this text. */
	static const char *const argv[] = { "apparmor_parser", "-r", "-K", NULL };

	return run_parser(system_parser(), argv, text, said);
}

/* ---- what it says ---- */

static struct span line_span(const struct source *src, uint32_t line)
{
	size_t begin = 0;

	for (uint32_t at = 1; at < line; at++) {
		const char *nl = memchr(src->text.p + begin, '\n', src->text.n - begin);
		if (!nl || (size_t)(nl - src->text.p) + 1 >= src->text.n)
			break;
		begin = (size_t)(nl - src->text.p) + 1;
	}
	while (begin < src->text.n && (src->text.p[begin] == ' ' || src->text.p[begin] == '\t'))
		begin++;
	const char *end = memchr(src->text.p + begin, '\n', src->text.n - begin);
	return (struct span){ src->id, (uint32_t)begin,
			      (uint32_t)(end ? (size_t)(end - src->text.p) : src->text.n) };
}

/* " line 12" at a place that ends there: the number; 0: there is none. */
static uint32_t number_at(struct str s)
{
	uint32_t n = 0;

	for (size_t i = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9' && n < 100000000; i++)
		n = n * 10 + (uint32_t)(s.p[i] - '0');
	return n;
}

static const char *find(struct str s, const char *what)
{
	return memmem(s.p, s.n, what, strlen(what));
}

static struct str behind(struct str s, const char *p, size_t skip)
{
	size_t at = (size_t)(p - s.p) + skip;

	return (struct str){ s.p + at, s.n - at };
}

struct notice {
	struct str file; /* empty: none is named */
	uint32_t line;   /* 0: none, and it is about the profile */
	struct str profile;
	struct str text;
};

/*
 * The shapes of 3.0 to 4.1 (common_optarg.h, parser_common.c, parser_misc.c):
 *	Warning from FILE (FILE line N): TEXT
 *	Warning from profile NAME (FILE): TEXT
 *	AppArmor parser error for FILE in profile FILE at line N: TEXT
 */
static bool read_profile_notice(struct str s, struct notice *n)
{
	static const char begin[] = "Warning from profile ";
	const size_t skip = sizeof(begin) - 1;
	const char *end = str_starts(s, begin) ? find(s, "): ") : NULL;
	const char *open = end;

	while (open && open > s.p + skip && memcmp(open, " (", 2) != 0)
		open--;
	if (!open || open <= s.p + skip)
		return false;
	*n = (struct notice){ .profile = { s.p + skip, (size_t)(open - s.p) - skip },
			      .file = { open + 2, (size_t)(end - open) - 2 },
			      .text = behind(s, end, 3) };
	return true;
}

static struct notice read_notice(struct str s)
{
	struct notice none = { .text = s }, n = { 0 };
	bool warns = str_starts(s, "Warning from ");
	const char *open = warns ? find(s, " (") : find(s, " in ");
	const char *line = open ? find(behind(s, open, 0), warns ? " line " : " at line ") : NULL;

	if (read_profile_notice(s, &n))
		return n;
	if (!line || (!warns && !str_starts(s, "AppArmor parser error")))
		return none;
	struct str rest = behind(s, line, warns ? 6 : 9);
	const char *text = find(rest, ": ");
	n.line = number_at(rest);
	n.file = (struct str){ open + (warns ? 2 : 4), (size_t)(line - open) - (warns ? 2 : 4) };
	if (!warns && str_starts(n.file, "profile "))
		n.file = behind(n.file, n.file.p, 8);
	if (!text || !n.line)
		return none;
	n.text = behind(rest, text, 2);
	return n;
}

/*
 * Of its cache it says each time that it is off; and of every `network unix` rule that it
 * becomes a generic network rule under features without unix mediation, which are our choice.
 */
static bool is_noise(struct str line)
{
	return !line.n || str_starts(line, "Cache read/write disabled") ||
	       find(line, "downgrading extended network unix socket rule to generic");
}

/* "profile NAME {", "NAME {", "^NAME {", "hat NAME {", and NAME in quotes. */
static bool begins_profile(struct str line, struct str name)
{
	static const char *const words[] = { "profile ", "hat ", "^" };
	const char *p = line.p, *end = line.p + line.n;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_starts(line, words[i]))
			p += strlen(words[i]);
	while (p < end && (*p == ' ' || *p == '\t' || *p == '"'))
		p++;
	if ((size_t)(end - p) < name.n || memcmp(p, name.p, name.n) != 0)
		return false;
	p += name.n;
	return p == end || strchr(" \t\"{(", *p);
}

/* The first line that begins the profile; 1: none is seen to. */
static uint32_t profile_line(const struct source *src, struct str name)
{
	size_t at = 0;

	for (uint32_t n = 1; at < src->text.n; n++) {
		const char *nl = memchr(src->text.p + at, '\n', src->text.n - at);
		size_t end = nl ? (size_t)(nl - src->text.p) : src->text.n;
		while (at < end && (src->text.p[at] == ' ' || src->text.p[at] == '\t'))
			at++;
		if (begins_profile((struct str){ src->text.p + at, end - at }, name))
			return n;
		at = end + 1;
	}
	return 1;
}

static struct span notice_span(const struct source *src, const struct notice *n)
{
	return line_span(src, n->line ? n->line : profile_line(src, n->profile));
}

/* Where it is about; of a file that cannot be read here the text says it. */
static struct span place_of(struct asking *k, const struct notice *n)
{
	struct source *src = NULL;

	if (str_is(n->file, SELF))
		return notice_span(k->q->source, n);
	if (n->file.n && !source_load_regular(k->ds->sources, str_dup(k->ds->arena, n->file), &src))
		return notice_span(src, n);
	return k->q->whole;
}

static bool told_before(const struct diags *ds, enum diag_id id, struct span sp, const char *text)
{
	size_t first = ds->list.n > TOLD_BEFORE ? ds->list.n - TOLD_BEFORE : 0;

	for (size_t i = first; i < ds->list.n; i++) {
		const struct diag *d = ds->list.v[i];
		if (d->id == id && d->span.source == sp.source && d->span.begin == sp.begin &&
		    !strcmp(d->text, text))
			return true;
	}
	return false;
}

static void tell_line(struct asking *k, struct str line, int status)
{
	static const char prefix[] = "apparmor_parser: ";
	struct diags *ds = k->ds;
	struct notice n = read_notice(line);
	struct span sp = place_of(k, &n);
	bool error = status && !str_starts(line, "Warning");
	enum diag_id id = error ? DIAG_PL143 : DIAG_PL150;
	BUF_AUTO text = { 0 };

	buf_puts(&text, prefix);
	if (n.file.n && sp.source == k->q->whole.source && !str_is(n.file, SELF)) {
		buf_safe(&text, n.file);
		if (n.line)
			buf_printf(&text, " line %u", n.line);
		buf_puts(&text, ": ");
	}
	if (n.profile.n) {
		buf_puts(&text, "profile '");
		buf_safe(&text, n.profile);
		buf_puts(&text, "': ");
	}
	buf_safe(&text,
		 str_starts(n.text, prefix) ? behind(n.text, n.text.p, strlen(prefix)) : n.text);
	k->refused |= error;
	if (!told_before(ds, id, sp, text.p))
		diag_add(ds, id, sp, "%s", text.p);
}

static void tell_lines(struct asking *k, const struct buf *said, int status)
{
	for (size_t at = 0; at < said->n;) {
		const char *nl = memchr(said->p + at, '\n', said->n - at);
		struct str line = { said->p + at,
				    nl ? (size_t)(nl - (said->p + at)) : said->n - at };
		at += line.n + 1;
		if (!is_noise(line))
			tell_line(k, line, status);
	}
}

/* Where it can start no process of its own it ends with that errno, and without a word. */
static int as_shortage(int status, const struct buf *said)
{
	return diag_is_shortage(-status) && !said->n ? -status : status;
}

static enum parser_answer tell_short(struct span whole, int status, struct diags *ds)
{
	diag_add(ds, DIAG_PL020, whole, "apparmor_parser could not be asked: %s",
		 status < 0 ?
			 strerror(-status) :
			 arena_printf(ds->arena, "signal %d ended it", status - PROGRAM_SIGNAL));
	return PARSER_SHORT;
}

enum parser_answer parser_version(struct span whole, struct str *version, struct diags *ds)
{
	static const char *const argv[] = { "apparmor_parser", "--version", NULL };
	static const char mark[] = "version ";
	const char *path = system_parser(), *at;
	BUF_AUTO said = { 0 };
	int status = check_descriptors();

	if (!status && !path &&
	    program_find(ds->arena, "apparmor_parser", &path, diags_new(ds->arena, ds->sources)))
		return PARSER_NOT_THERE;
	if (!status)
		status = as_shortage(run_parser(path, argv, (struct str){ 0 }, &said), &said);
	if (status == -ENOENT)
		return PARSER_NOT_THERE;
	if (status < 0 || status >= PROGRAM_SIGNAL)
		return tell_short(whole, status, ds);
	at = said.p ? strstr(said.p, mark) : NULL;
	if (!at)
		return PARSER_NOT_THERE;
	at += strlen(mark);
	*version = (struct str){ at, strspn(at, "0123456789.") };
	*version = str_c(str_dup(ds->arena, *version));
	return PARSER_TAKES;
}

enum parser_answer parser_ask(const struct parser_question *q, struct diags *ds)
{
	struct asking k = { .q = q, .ds = ds };
	BUF_AUTO said = { 0 };
	int status = as_shortage(run_question(&k, &said), &said);

	if (status == -ENOENT)
		return PARSER_NOT_THERE;
	if (status == -ETIMEDOUT) {
		diag_add(ds, DIAG_PL143, q->whole, "apparmor_parser took more than %d s",
			 LIMIT_MS / 1000);
		return PARSER_REFUSES;
	}
	if (status < 0 || status >= PROGRAM_SIGNAL)
		return tell_short(q->whole, status, ds);
	tell_lines(&k, &said, status);
	if (status && !k.refused)
		diag_add(ds, DIAG_PL143, q->whole,
			 "apparmor_parser refuses it with status %d and does not say why", status);
	return status ? PARSER_REFUSES : PARSER_TAKES;
}
