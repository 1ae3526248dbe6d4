/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/base/source.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOURCE_STEP 128u /* bytes between two marks */

struct sources *sources_new(struct arena *a)
{
	struct sources *s = ARENA_NEW(a, struct sources);

	s->arena = a;
	return s;
}

static struct source *add_source(struct sources *s, const char *name, const char *path,
				 struct str text)
{
	struct source *src = ARENA_NEW(s->arena, struct source);

	src->id = (uint32_t)s->list.n;
	src->name = name;
	src->path = path;
	src->text = text;
	src->marks = ARENA_NEW(s->arena, struct source_marks);
	src->marks->arena = s->arena;
	vec_push(s->arena, &s->list, src);
	return src;
}

struct source *source_add(struct sources *s, const char *name, struct str text)
{
	struct str copy = { str_dup(s->arena, text), text.n };

	return add_source(s, arena_strdup(s->arena, name), NULL, copy);
}

static int read_all(int fd, size_t most, struct buf *b)
{
	char chunk[1 << 16];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return b->failed ? -ENOMEM : 0;
		buf_add(b, chunk, (size_t)n);
		if (b->n > most)
			return -EFBIG;
	}
}

static int read_path(const char *path, bool regular, size_t most, struct buf *b)
{
	/* Without O_NONBLOCK a FIFO that nobody writes to would hold up the open itself. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (regular ? O_NONBLOCK : 0));
	struct stat st;
	int err = 0;

	if (fd < 0)
		return -errno;
	if (regular && fstat(fd, &st))
		err = -errno;
	else if (regular && !S_ISREG(st.st_mode))
		err = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (!err)
		err = read_all(fd, most, b);
	close(fd);
	return err;
}

int source_read(const char *path, size_t most, struct buf *out)
{
	return strcmp(path, "-") ? read_path(path, false, most, out) :
				   read_all(STDIN_FILENO, most, out);
}

/* real: NULL for what has no path of its own, which goes by its name. */
static struct source *find_loaded(const struct sources *s, const char *real, const char *name)
{
	for (size_t i = s->list.n; i-- > 0;) { /* the last stands in for those before */
		struct source *src = s->list.v[i];
		if (src->path && real ? !strcmp(src->path, real) :
					!src->path && !real && !strcmp(src->name, name))
			return src;
	}
	return NULL;
}

static int load(struct sources *s, const char *path, bool regular, struct source **out);

/* The same text, in a list of its own. */
static int lend(struct sources *s, const struct source *from, struct source **out)
{
	*out = add_source(s, from->name, from->path, from->text);
	return 0;
}

/* What can be read only once, and not as a whole a second time after an error. */
static int load_once(struct sources *s, const char *path, bool is_stdin, struct source **out)
{
	struct source *from;
	BUF_AUTO b = { 0 };

	if (s->lender) {
		int err = load(s->lender, path, false, &from);
		return err ? err : lend(s, from, out);
	}
	if (is_stdin && s->stdin_error)
		return s->stdin_error;
	int err = is_stdin ? read_all(STDIN_FILENO, SOURCE_MAX, &b) :
			     read_path(path, false, SOURCE_MAX, &b);
	if (is_stdin)
		s->stdin_error = err;
	if (err)
		return err;
	struct str text = { str_dup(s->arena, (struct str){ b.p, b.n }), b.n };
	*out = add_source(s, arena_strdup(s->arena, is_stdin ? "<stdin>" : path), NULL, text);
	return 0;
}

static int load(struct sources *s, const char *path, bool regular, struct source **out)
{
	bool is_stdin = !regular && !strcmp(path, "-");
	const char *name = is_stdin ? "<stdin>" : path;
	char resolved[PATH_MAX];
	BUF_AUTO b = { 0 };

	/* Standard input and pipes (/dev/fd/N) have no path, and can be read only once. */
	const char *real = is_stdin ? NULL : realpath(path, resolved);
	/* Without it one file read by two paths would be two. */
	if (!real && !is_stdin && (errno == EIO || errno == EACCES || errno == ENOMEM))
		return -errno;
	*out = find_loaded(s, real, name);
	if (*out)
		return 0;
	if (!real && !regular)
		return load_once(s, path, is_stdin, out);
	const struct source *from = s->lender ? find_loaded(s->lender, real, name) : NULL;
	if (from)
		return lend(s, from, out);
	int err = read_path(path, regular, SOURCE_MAX, &b);
	if (err)
		return err;
	struct str text = { str_dup(s->arena, (struct str){ b.p, b.n }), b.n };
	*out = add_source(s, arena_strdup(s->arena, name),
			  real ? arena_strdup(s->arena, real) : NULL, text);
	return 0;
}

int source_load(struct sources *s, const char *path, struct source **out)
{
	return load(s, path, false, out);
}

int source_load_regular(struct sources *s, const char *path, struct source **out)
{
	return load(s, path, true, out);
}

struct source *source_stand_in(struct sources *s, const char *path, const struct source *old,
			       struct str text)
{
	struct str copy = { str_dup(s->arena, text), text.n };

	return add_source(s, strcmp(path, "-") ? old->name : "<stdin>", old->path, copy);
}

struct source *source_give(struct sources *s, const char *path, struct str text)
{
	struct str copy = { str_dup(s->arena, text), text.n };
	char resolved[PATH_MAX];
	const char *real = realpath(path, resolved);

	return add_source(s, arena_strdup(s->arena, path),
			  real ? arena_strdup(s->arena, real) : NULL, copy);
}

struct source *source_of(const struct sources *s, struct span sp)
{
	return sp.source < s->list.n ? s->list.v[sp.source] : NULL;
}

struct str span_text(const struct sources *s, struct span sp)
{
	const struct source *src = source_of(s, sp);

	if (!src || sp.begin > sp.end || sp.end > src->text.n)
		return str_c(NULL);
	return (struct str){ src->text.p + sp.begin, sp.end - sp.begin };
}

struct span span_join(struct span a, struct span b)
{
	if (a.source == SOURCE_NONE)
		return b;
	if (b.source == SOURCE_NONE || a.source != b.source)
		return a;
	return (struct span){ a.source, a.begin < b.begin ? a.begin : b.begin,
			      a.end > b.end ? a.end : b.end };
}

static struct source_mark step_over(struct source_mark m, uint32_t bytes, bool newline)
{
	m.offset += bytes;
	m.column = newline ? 1 : m.column + 1;
	m.line += newline;
	if (newline)
		m.line_begin = m.offset;
	return m;
}

/* Eight bytes on; false: a character that is longer than one begins or goes on in them. */
static bool step_over_eight(const char *text, struct source_mark *m)
{
	const uint64_t ones = UINT64_MAX / 0xff, tops = ones << 7;
	uint64_t bytes, others, newlines;

	memcpy(&bytes, text + m->offset, sizeof(bytes));
	bytes = le64toh(bytes);
	if (bytes & tops)
		return false;
	others = bytes ^ ones * '\n';                /* a newline is 0 there, all are below 0x80 */
	newlines = ~(others + (tops - ones)) & tops; /* the top bit of each that is one */
	m->offset += 8;
	m->column += 8;
	if (newlines) {
		unsigned behind = (unsigned)__builtin_clzll(newlines) / 8; /* the last of them */
		m->line += (uint32_t)((newlines >> 7) * ones >> 56);       /* how many there are */
		m->column = behind + 1;
		m->line_begin = m->offset - behind;
	}
	return true;
}

/* From a mark on to an offset: lines, and code points in the last of them. */
static struct source_mark walk_to(const struct source *src, struct source_mark m, uint32_t offset)
{
	const char *text = src->text.p;

	while (m.offset < offset) {
		if (offset - m.offset >= 8 && step_over_eight(text, &m))
			continue;
		size_t len = utf8_len(text + m.offset, src->text.n - m.offset);

		m = step_over(m, len ? (uint32_t)len : 1, text[m.offset] == '\n');
	}
	return m;
}

/* Thousands of findings in one long line must not each count it from its beginning. */
static void make_marks(const struct source *src)
{
	struct source_mark m = { .line = 1, .column = 1 };

	vec_push(src->marks->arena, &src->marks->list, m);
	while (src->text.n - m.offset > SOURCE_STEP) {
		m = walk_to(src, m, m.offset + SOURCE_STEP);
		vec_push(src->marks->arena, &src->marks->list, m);
	}
}

static struct source_mark mark_before(const struct source *src, uint32_t offset)
{
	size_t lo = 0, hi;

	if (!src->marks->list.n)
		make_marks(src);
	hi = src->marks->list.n;
	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (src->marks->list.v[mid].offset <= offset)
			lo = mid;
		else
			hi = mid;
	}
	const struct source_mark *last = &src->marks->last, *mark = &src->marks->list.v[lo];
	return last->offset <= offset && last->offset > mark->offset ? *last : *mark;
}

/* Where the line that begins here ends. */
static uint32_t line_end(const struct source *src, uint32_t begin)
{
	struct source_marks *marks = src->marks;
	const char *line = src->text.p + begin, *stop;

	if (marks->line_end && marks->line_begin == begin)
		return marks->line_end;
	stop = memchr(line, '\n', src->text.n - begin);
	marks->line_begin = begin;
	marks->line_end = stop ? (uint32_t)(stop - src->text.p) : (uint32_t)src->text.n;
	return marks->line_end;
}

struct place source_place(const struct source *src, uint32_t offset)
{
	uint32_t at = offset < src->text.n ? offset : (uint32_t)src->text.n;
	struct source_mark m = src->marks->last = walk_to(src, mark_before(src, at), at);
	const char *line = src->text.p + m.line_begin;
	const char *stop = src->text.p + line_end(src, m.line_begin);

	if (stop > line && stop[-1] == '\r')
		stop--;
	return (struct place){ .line = m.line,
			       .column = m.column,
			       .line_text = { line, (size_t)(stop - line) } };
}
