/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host program: reads the .tsv files beside it, checks every row (sorted, unique, domains and
 * calls that are named exist, numbers in range) with FILE:LINE messages, and prints one C file
 * of read-only arrays that tables.c serves. Runs at build time and nowhere else; it exits 1
 * after the last message when anything was wrong, so that one build shows all mistakes.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/tables/mktables.h"
#include "compiler/tables/place.h"

const struct arch_row arches[ARCH_NR] = {
#define ARCH(id, name, alias, oci, go, audit, family, bits, be, base, cache) { name, bits },
#include "compiler/tables/arches.def"
#undef ARCH
};

/* ---- reading ---- */

struct file {
	const char *name; /* for messages */
	char *text;
	char *next;
	unsigned line;
	char *field[FIELDS_MAX];
	unsigned nfields;
};

bool failed;

static void __attribute__((format(printf, 2, 3)))
complain(const struct file *f, const char *fmt, ...)
{
	va_list ap;

	failed = true;
	fprintf(stderr, "compiler/tables/%s:%u: ", f->name, f->line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static void *need(void *p)
{
	if (!p) {
		perror("mktables");
		exit(2);
	}
	return p;
}

static void *grow(void *p, size_t n, size_t size)
{
	return n & (n - 1) ? p : need(realloc(p, (n ? 2 * n : 1) * size));
}

static struct file file_open(const char *dir, const char *name)
{
	char path[4096];
	struct file f = { .name = name };
	size_t n = 0, got;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *in = fopen(path, "re");
	if (!in) {
		fprintf(stderr, "mktables: %s: %s\n", path, strerror(errno));
		exit(2);
	}
	do {
		f.text = need(realloc(f.text, n + 65537));
		got = fread(f.text + n, 1, 65536, in);
		n += got;
	} while (got);
	f.text[n] = '\0';
	fclose(in);
	f.next = f.text;
	return f;
}

/*
 * The next row's fields, split at blanks; the last field takes the rest of the line when it is
 * number `fields`. Comments and empty lines are skipped. False at the end.
 */
static bool file_row(struct file *f, unsigned fields)
{
	for (;;) {
		char *p = f->next;
		if (!p || !*p)
			return false;
		f->next = strchr(p, '\n');
		if (f->next)
			*f->next++ = '\0';
		f->line++;
		size_t n = strlen(p);
		if (n && (p[n - 1] == ' ' || p[n - 1] == '\t'))
			complain(f, "blanks at the end of the line");
		f->nfields = 0;
		while (*p && *p != '#') {
			f->field[f->nfields++] = p;
			if (f->nfields == fields)
				break;
			p += strcspn(p, " \t");
			if (*p)
				*p++ = '\0';
			p += strspn(p, " \t");
		}
		if (!f->nfields)
			continue;
		if (f->nfields == fields)
			return true;
		complain(f, "%u fields where %u belong", f->nfields, fields);
	}
}

/* Cuts *s at `sep` and returns what stood before it; NULL when nothing is left. */
static char *cut(char **s, char sep)
{
	char *p = *s, *end;

	if (!p)
		return NULL;
	end = strchr(p, sep);
	*s = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	return p;
}

static bool is_word(const char *s)
{
	size_t n = strlen(s);

	return n &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == n;
}

static int find_arch(const char *name)
{
	for (int a = 0; a < ARCH_NR; a++)
		if (!strcmp(arches[a].name, name))
			return a;
	return -1;
}

static bool parse_value(const char *s, uint64_t *out)
{
	bool negative = *s == '-';
	char *end;

	s += negative;
	if (!isdigit((unsigned char)*s) || (s[0] == '0' && isdigit((unsigned char)s[1])))
		return false;
	errno = 0;
	*out = strtoull(s, &end, 0);
	if (negative)
		*out = 0 - *out;
	return !errno && !*end;
}

/* "2.6.16" -> 0x206, "6.18" -> 0x612, "-" -> 0. */
static bool parse_release(const char *s, unsigned *out)
{
	unsigned major, minor, patch;
	char rest;

	*out = 0;
	if (!strcmp(s, "-"))
		return true;
	if (sscanf(s, "2.6.%u%c", &patch, &rest) == 1)
		major = 2, minor = 6;
	else if (sscanf(s, "%u.%u%c", &major, &minor, &rest) != 2 || major < 3)
		return false;
	*out = major << 8 | minor;
	return minor < 256 && major < 256;
}

/* ---- domains and constants ---- */

struct domain *domains;
size_t ndomains;
struct constant *constants;
size_t nconstants;

static int find_domain(const char *name)
{
	for (size_t i = 0; i < ndomains; i++)
		if (!strcmp(domains[i].name, name))
			return (int)i;
	return -1;
}

static void read_domains(const char *dir)
{
	struct file f = file_open(dir, "domains.tsv");

	file_row(&f, 3); /* heading */
	while (file_row(&f, 3)) {
		if (ndomains && strcmp(domains[ndomains - 1].name, f.field[0]) >= 0)
			complain(&f, "'%s' is not sorted behind '%s'", f.field[0],
				 domains[ndomains - 1].name);
		domains = grow(domains, ndomains, sizeof(*domains));
		domains[ndomains++] = (struct domain){ f.field[0], f.field[1], f.field[2], 0 };
	}
}

/* "0x10000,aarch64=0x4000,i386=-" */
static void parse_constant_values(const struct file *f, struct constant *c, char *s)
{
	char *part = cut(&s, ',');
	uint64_t v = 0;

	if (!parse_value(part, &v))
		complain(f, "'%s' is not a value", part);
	for (int a = 0; a < ARCH_NR; a++)
		c->value[a] = v;
	c->arches = (1u << ARCH_NR) - 1;
	while ((part = cut(&s, ','))) {
		char *name = cut(&part, '=');
		int a = find_arch(name);
		if (a < 0 || !part) {
			complain(f, "'%s' is not ARCHITECTURE=VALUE", name);
		} else if (!strcmp(part, "-")) {
			c->arches &= ~(1u << a);
			c->value[a] = 0;
		} else if (!parse_value(part, &c->value[a])) {
			complain(f, "'%s' is not a value", part);
		}
	}
}

static void read_constants(const char *dir)
{
	struct file f = file_open(dir, "constants.tsv");

	file_row(&f, 3);
	while (file_row(&f, 3)) {
		struct constant c = { .name = f.field[1] };
		int d = find_domain(f.field[0]);
		if (d < 0) {
			complain(&f, "domain '%s' is not in domains.tsv", f.field[0]);
			continue;
		}
		c.domain = (unsigned)d;
		if (nconstants && constants[nconstants - 1].domain > c.domain)
			complain(&f, "domain '%s' is not sorted", f.field[0]);
		for (size_t i = nconstants; i-- && constants[i].domain == c.domain;)
			if (!strcmp(constants[i].name, c.name))
				complain(&f, "'%s' stands in '%s' twice", c.name, f.field[0]);
		if (!is_word(c.name))
			complain(&f, "'%s' is not a name", c.name);
		parse_constant_values(&f, &c, f.field[2]);
		domains[d].rows++;
		constants = grow(constants, nconstants, sizeof(*constants));
		constants[nconstants++] = c;
	}
	for (size_t i = 0; i < ndomains; i++)
		if (!domains[i].rows)
			complain(&f, "domain '%s' has no constant", domains[i].name);
}

/* ---- arguments ---- */

static const struct {
	const char *word, *kind;
	bool domain, mask, width;
} kinds[] = {
	{ "num", "NUMBER", false, false, true },         { "fd", "FD", false, false, true },
	{ "ptr", "POINTER", false, false, false },       { "poly", "POLY", false, false, true },
	{ "enum", "ENUM", true, false, true },           { "flags", "FLAGS", true, false, true },
	{ "enumflags", "ENUM_FLAGS", true, true, true },
};

static uint64_t find_mask(const struct file *f, int domain, const char *name)
{
	uint64_t v;

	if (parse_value(name, &v))
		return v;
	for (size_t i = 0; i < nconstants; i++)
		if ((int)constants[i].domain == domain && !strcmp(constants[i].name, name))
			return constants[i].value[0];
	complain(f, "no constant '%s' in domain '%s'", name, domains[domain].name);
	return 0;
}

/* "enumflags(sock_type/SOCK_TYPE_MASK)" */
static void parse_kind(const struct file *f, struct arg *a, char *s)
{
	char *inner = strchr(s, '(');

	if (inner) {
		size_t n = strlen(inner);
		*inner++ = '\0';
		if (inner[n - 2] == ')')
			inner[n - 2] = '\0';
	}
	a->domain = -1;
	a->kind = "NUMBER";
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].word, s) != 0)
			continue;
		a->kind = kinds[i].kind;
		if (kinds[i].domain != !!inner) {
			complain(f, "'%s': kind '%s' %s a domain", a->name, s,
				 inner ? "takes no" : "needs");
			return;
		}
		if (!inner)
			return;
		char *domain = cut(&inner, '/');
		a->domain = find_domain(domain);
		if (a->domain < 0)
			complain(f, "'%s': no domain '%s'", a->name, domain);
		else if (kinds[i].mask != !!inner)
			complain(f, "'%s': kind '%s' and a mask do not fit", a->name, s);
		else if (inner)
			a->mask = find_mask(f, a->domain, inner);
		return;
	}
	complain(f, "'%s': no kind '%s'", a->name, s);
}

/* "s32@kernel/fork.c" */
static void parse_width(const struct file *f, struct arg *a, char *s)
{
	char *source = s;

	a->width = 64;
	if (!s) {
		if (strcmp(a->kind, "POINTER") != 0)
			complain(f, "'%s' has no width", a->name);
		return;
	}
	s = cut(&source, '@');
	a->source = source;
	a->is_signed = s[0] == 's';
	if (!strcmp(a->kind, "POINTER"))
		complain(f, "'%s': a pointer has no width", a->name);
	else if (!strcmp(s, "u16"))
		a->width = 16;
	else if (!strcmp(s, "s32") || !strcmp(s, "u32"))
		a->width = 32;
	else if (strcmp(s, "s64") != 0 && strcmp(s, "u64") != 0)
		complain(f, "'%s': '%s' is none of u16, s32, u32, s64, u64", a->name, s);
}

static struct args parse_args(const struct file *f, char *s)
{
	struct args args = { 0 };
	char *one;

	if (!strcmp(s, "-"))
		return args;
	while ((one = cut(&s, ','))) {
		struct arg a = { 0 };
		char *names = cut(&one, ':');
		a.name = cut(&names, '|');
		a.alias = names;
		if (!is_word(a.name) || (a.alias && !is_word(a.alias)))
			complain(f, "'%s' is not a name", a.name);
		if (!one) {
			complain(f, "'%s' has no kind", a.name);
			break;
		}
		parse_kind(f, &a, cut(&one, ':'));
		parse_width(f, &a, one);
		for (unsigned i = 0; i < args.n; i++)
			if (!strcmp(args.arg[i].name, a.name) ||
			    (a.alias && !strcmp(args.arg[i].name, a.alias)))
				complain(f, "two arguments '%s'", args.arg[i].name);
		if (args.n == ARGS_MAX) {
			complain(f, "more than %d arguments", ARGS_MAX);
			break;
		}
		args.arg[args.n++] = a;
	}
	return args;
}

/* ---- system calls ---- */

struct call *calls;
size_t ncalls;
static unsigned first_release[ARCH_NR];

static struct call *find_call(const char *name)
{
	for (size_t i = 0; i < ncalls; i++)
		if (!strcmp(calls[i].name, name))
			return &calls[i];
	return NULL;
}

/* The heading names the columns, so that a row read against another arches.def is noticed. */
static void check_heading(struct file *f)
{
	if (!file_row(f, ARCH_NR + 3))
		return;
	for (int a = 0; a < ARCH_NR; a++) {
		char *release = f->field[a + 1], *name = cut(&release, '/');
		if (strcmp(name, arches[a].name) != 0)
			complain(f, "column '%s' where arches.def has '%s'", name, arches[a].name);
		if (release && !parse_release(release, &first_release[a]))
			complain(f, "'%s' is not a release", release);
	}
}

static void parse_since(const struct file *f, struct call *c, char *s)
{
	char *part = cut(&s, ',');
	unsigned release;

	if (!parse_release(part, &release))
		complain(f, "'%s' is not a release", part);
	for (int a = 0; a < ARCH_NR; a++)
		c->since[a] = release;
	while ((part = cut(&s, ','))) {
		char *name = cut(&part, '=');
		int a = find_arch(name);
		if (a < 0 || !part || !parse_release(part, &c->since[a]))
			complain(f, "'%s' is not ARCHITECTURE=RELEASE", name);
		else if (c->nr[a] < 0)
			complain(f, "'%s' is not on %s", c->name, name);
	}
	for (int a = 0; a < ARCH_NR; a++)
		if (c->since[a] < first_release[a])
			c->since[a] = first_release[a];
}

static void parse_numbers(const struct file *f, struct call *c)
{
	for (int a = 0; a < ARCH_NR; a++) {
		uint64_t v;
		c->nr[a] = -1;
		if (!strcmp(f->field[a + 1], "-"))
			continue;
		if (!parse_value(f->field[a + 1], &v) ||
		    (v > NR_MAX && (v < FAR_MIN || v > FAR_MAX))) {
			complain(f, "'%s' is not a call's number", f->field[a + 1]);
			continue;
		}
		c->nr[a] = (int)v;
		for (size_t i = 0; i < ncalls; i++)
			if (calls[i].nr[a] == c->nr[a])
				complain(f, "%s has '%s' as %d already", arches[a].name,
					 calls[i].name, c->nr[a]);
	}
}

static void read_calls(const char *dir)
{
	struct file f = file_open(dir, "syscalls.tsv");

	check_heading(&f);
	while (file_row(&f, ARCH_NR + 3)) {
		struct call c = { .name = f.field[0] };
		if (ncalls && strcmp(calls[ncalls - 1].name, c.name) >= 0)
			complain(&f, "'%s' is not sorted behind '%s'", c.name,
				 calls[ncalls - 1].name);
		if (!is_word(c.name))
			complain(&f, "'%s' is not a name", c.name);
		parse_numbers(&f, &c);
		parse_since(&f, &c, f.field[ARCH_NR + 1]);
		c.args = parse_args(&f, f.field[ARCH_NR + 2]);
		calls = grow(calls, ncalls, sizeof(*calls));
		calls[ncalls++] = c;
	}
}

/* args.tsv: CALL ARCHITECTURE[,...] ARGUMENTS */
static void read_own_args(const char *dir)
{
	struct file f = file_open(dir, "args.tsv");

	file_row(&f, 3);
	while (file_row(&f, 3)) {
		struct call *c = find_call(f.field[0]);
		struct args *args = need(malloc(sizeof(*args)));
		char *list = f.field[1], *name;

		*args = parse_args(&f, f.field[2]);
		if (!c) {
			complain(&f, "no call '%s'", f.field[0]);
			continue;
		}
		while ((name = cut(&list, ','))) {
			int a = find_arch(name);
			if (a < 0 || c->nr[a] < 0)
				complain(&f, "'%s' is not on '%s'", c->name, name);
			else if (c->own[a])
				complain(&f, "a second row for '%s' on %s", c->name, name);
			else
				c->own[a] = args;
		}
	}
}

static void read_notes(const char *dir)
{
	struct file f = file_open(dir, "notes.tsv");

	file_row(&f, 2);
	while (file_row(&f, 2)) {
		struct call *c = find_call(f.field[0]);
		if (!c)
			complain(&f, "no call '%s'", f.field[0]);
		else if (c->note)
			complain(&f, "a second note on '%s'", c->name);
		else
			c->note = f.field[1];
	}
}

/* ---- files that are copied as they are ---- */

/* The rows of an array by a name that no two of them share. */
struct few {
	unsigned char at[TABLES_FEW];
	const char *name[TABLES_FEW / 2];
	size_t n;
};

static void add_few(const struct file *f, struct few *few, const char *name)
{
	size_t at = tables_place(name, strlen(name)) % TABLES_FEW;

	if (few->n == TABLES_FEW / 2 - 1) {
		complain(f, "%zu rows: TABLES_FEW must grow", few->n);
		return;
	}
	for (; few->at[at]; at = (at + 1) % TABLES_FEW)
		if (!strcmp(few->name[few->at[at] - 1], name))
			complain(f, "a second row for '%s'", name);
	few->name[few->n++] = name;
	few->at[at] = (unsigned char)few->n;
}

static void print_few(const struct few *few, const char *array)
{
	printf("};\nconst struct tables_few tables_%s_at = { .at = {\n", array);
	for (size_t at = 0; at < TABLES_FEW; at++)
		if (few->at[at])
			printf("\t[%zu] = %u,\n", at, few->at[at]);
	puts("} };");
}

/*
 * Files of names: "NAME WORD" rows, sorted by name, copied into arrays of two strings.
 * `calls_second`: the second word must be a call; `row`: of a call, where its row is kept.
 */
static void print_pairs(const char *dir, const char *file, const char *array, bool calls_second,
			size_t *(*row)(struct call *c))
{
	struct file f = file_open(dir, file);
	struct few few = { .n = 0 };
	char *last = NULL;

	printf("const struct tables_pair tables_%s[] = {\n", array);
	file_row(&f, 2);
	while (file_row(&f, 2)) {
		if (last && strcmp(last, f.field[0]) >= 0)
			complain(&f, "'%s' is not sorted behind '%s'", f.field[0], last);
		last = f.field[0];
		if (calls_second && !find_call(f.field[1]))
			complain(&f, "no call '%s'", f.field[1]);
		/* send and recv are calls on some machines; the alias is about x86_64. */
		struct call *own = find_call(f.field[0]);
		if (calls_second && own && own->nr[ARCH_X86_64] >= 0)
			complain(&f, "'%s' is a call of its own", f.field[0]);
		printf("\t{ \"%s\", \"%s\" },\n", f.field[0], f.field[1]);
		add_few(&f, &few, f.field[0]);
		if (own && !row && !calls_second)
			complain(&f, "'%s' is in syscalls.tsv", f.field[0]);
		if (own && row)
			*row(own) = few.n;
	}
	print_few(&few, array);
}

static size_t *late_row(struct call *c)
{
	return &c->late;
}

static void print_multiplexed(const char *dir)
{
	struct file f = file_open(dir, "multiplexed.tsv");
	struct few few = { .n = 0 };

	puts("const struct tables_mux tables_mux[] = {");
	file_row(&f, 3);
	while (file_row(&f, 3)) {
		uint64_t selector = 0;
		if (!find_call(f.field[0]))
			complain(&f, "no call '%s'", f.field[0]);
		if (!parse_value(f.field[1], &selector))
			complain(&f, "'%s' is not a selector", f.field[1]);
		printf("\t{ \"%s\", %u, \"%s\" },\n", f.field[0], (unsigned)selector, f.field[2]);
		add_few(&f, &few, f.field[2]);
		struct call *own = find_call(f.field[2]);
		if (own)
			own->mux = few.n;
	}
	print_few(&few, "mux");
	printf("const size_t tables_nmux = %zu;\n", few.n);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("usage: mktables DIRECTORY > tables_data.c\n", stderr);
		return 2;
	}
	read_domains(argv[1]);
	read_constants(argv[1]);
	read_calls(argv[1]);
	read_own_args(argv[1]);
	read_notes(argv[1]);
	puts("/* Made by mktables from compiler/tables; do not edit. */\n"
	     "#include \"compiler/tables/data.h\"\n");
	print_constants();
	print_capabilities();
	print_pairs(argv[1], "aliases.tsv", "aliases", true, NULL);
	print_pairs(argv[1], "foreign.tsv", "foreign", false, NULL);
	print_pairs(argv[1], "libseccomp.tsv", "libseccomp", false, late_row);
	print_multiplexed(argv[1]);
	print_calls();
	if (failed || fflush(stdout) || ferror(stdout))
		return 1;
	return 0;
}
