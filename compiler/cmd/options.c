/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cmd/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "compiler/base/bug.h"
#include "compiler/base/suggest.h"
#include "compiler/cmd/outputs.h"
#include "compiler/cmd/wrap.h"
#include "compiler/oci/oci.h"
#include "compiler/rules/rules.h"
#include "compiler/target/target.h"

/* ---- the table ---- */

static const struct row { /* an option that there is */
	char letter;      /* 0: none */
	const char *name;
	const char *argument; /* NULL: none; "a|b": the words that there are */
	const char *help;
	enum option_kind kind;
	uint64_t most; /* OPTION_NUMBER */
} rows[] = {
#define OPTION_NUMBER(max) OPTION_NUMBER, .most = max
#define OPTION(id, letter, name, argument, what, help)                                             \
	{ letter, name, argument, help, .kind = OPTION_##what },
#define TAKES(command, id, one_of, help)
#include "compiler/cmd/options.def"
#undef OPTION
#undef TAKES
#undef OPTION_NUMBER
};

static const struct taken { /* a command takes it */
	const char *command;
	enum option_id id;
	unsigned one_of;  /* one at most of the command's options with this number; 0: any */
	const char *help; /* NULL: the option's own */
} all_taken[] = {
#define OPTION(id, letter, name, argument, kind, help)
#define TAKES(command, id, one_of, help) { #command, OPT_##id, one_of, help },
#include "compiler/cmd/options.def"
#undef OPTION
#undef TAKES
};

/* What a command takes, as getopt_long() wants to have it. */
struct taking {
	const struct taken *v[ARRAY_SIZE(all_taken)];
	size_t n;
	struct option longs[ARRAY_SIZE(all_taken) + 1]; /* in the order of v */
	char letters[2 * ARRAY_SIZE(all_taken) + 3];
};

enum { VAL_LONG = 256 }; /* + place in v: no letter is as large */

static bool takes(const struct command *c, const struct taken *t)
{
	return !strcmp(t->command, c->name) || !strcmp(t->command, "every");
}

static void find_taken(const struct command *c, enum option_end end, struct taking *out)
{
	char *letter = out->letters;

	out->n = 0;
	if (end == OPTIONS_TO_OPERAND)
		*letter++ = '+';
	*letter++ = ':'; /* what is wrong is told here */
	for (size_t i = 0; i < ARRAY_SIZE(all_taken); i++) {
		const struct row *row = &rows[all_taken[i].id];
		if (!takes(c, &all_taken[i]))
			continue;
		out->longs[out->n] = (struct option){
			.name = row->name,
			.has_arg = row->kind == OPTION_MAYBE ? optional_argument :
				   row->argument             ? required_argument :
							       no_argument,
			.val = VAL_LONG + (int)out->n,
		};
		out->v[out->n++] = &all_taken[i];
		if (row->letter)
			*letter++ = row->letter;
		if (row->letter && row->argument)
			*letter++ = ':';
	}
	out->longs[out->n] = (struct option){ 0 };
	*letter = '\0';
}

/* ---- usage and help ---- */

/* "--output FILE", "-o FILE" */
static void put_option(struct buf *out, const struct row *row, bool brief)
{
	if (brief && row->letter)
		buf_printf(out, "-%c", row->letter);
	else
		buf_printf(out, "--%s", row->name);
	if (row->kind == OPTION_MAYBE)
		buf_printf(out, "[=%s]", row->argument);
	else if (row->argument)
		buf_printf(out, " %s", row->argument);
}

/* Does the command's usage name it by itself? */
static bool is_operand(const struct command *c, const struct row *row)
{
	BUF_AUTO name = { 0 };

	buf_printf(&name, "--%s", row->name);
	return name.p && strstr(c->forms, name.p);
}

/* "[-i | --check]" where it is the first of its kind; nothing behind the first. */
static void put_bracket(struct buf *out, const struct command *c, const struct taken *t)
{
	const char *sep = "[";

	for (size_t i = 0; i < ARRAY_SIZE(all_taken); i++) {
		const struct taken *other = &all_taken[i];
		if (other != t &&
		    (!t->one_of || other->one_of != t->one_of || strcmp(other->command, c->name)))
			continue;
		if (other < t)
			return;
		buf_puts(out, sep);
		put_option(out, &rows[other->id], true);
		sep = " | ";
	}
	buf_putc(out, ']');
}

static void put_usage(struct buf *out, const struct command *c)
{
	size_t column = strlen("usage: pale ") + strlen(c->name), n = strcspn(c->forms, "\n");
	struct wrap w = { .out = out, .column = column, .indent = column + 1 };

	buf_printf(out, "usage: pale %s", c->name);
	for (size_t i = 0; i < ARRAY_SIZE(all_taken); i++) {
		BUF_AUTO bracket = { 0 };
		if (strcmp(all_taken[i].command, c->name) || is_operand(c, &rows[all_taken[i].id]))
			continue;
		put_bracket(&bracket, c, &all_taken[i]);
		if (w.indent + bracket.n > WRAP_COLUMNS) /* and so does what follows */
			w.indent = strlen("usage:") + 2;
		if (bracket.n)
			wrap_add(&w, (struct str){ bracket.p, bracket.n });
	}
	wrap_add(&w, (struct str){ c->forms, n });
	buf_putc(out, '\n');
	for (const char *form = c->forms + n; *form; form += n) { /* what each further line says */
		n = strcspn(++form, "\n");
		buf_printf(out, "       pale %s " PRISTR "\n", c->name, (int)n, form);
	}
}

enum { HELP_COLUMN = 24 }; /* where the text of an option begins */

/* What each of them is. */
static void put_targets(struct wrap *w)
{
	const struct target *t;

	for (size_t i = 0; (t = target_at(i)); i++) {
		buf_putc(w->out, '\n');
		w->column = 0;
		wrap_text(w, t->name);
		wrap_text(w, "is");
		wrap_text(w, t->what);
	}
}

static void put_row(struct buf *out, const struct taken *t)
{
	const struct row *row = &rows[t->id];
	struct wrap w = { .out = out, .indent = HELP_COLUMN };
	BUF_AUTO name = { 0 };

	if (row->letter)
		buf_printf(&name, "  -%c, ", row->letter);
	else
		buf_puts(&name, "      ");
	put_option(&name, row, false);
	buf_add(out, name.p, name.n);
	w.column = name.n;
	if (name.n + 2 > HELP_COLUMN) {
		buf_putc(out, '\n');
		w.column = 0;
	}
	wrap_text(&w, t->help ? t->help : row->help);
	if (row->kind == OPTION_RELEASES)
		put_targets(&w);
	buf_putc(out, '\n');
}

static void put_text(struct buf *out, const char *text)
{
	struct wrap w = { .out = out };

	if (!*text)
		return;
	buf_putc(out, '\n');
	wrap_text(&w, text);
	buf_putc(out, '\n');
}

static int print_help(const struct command *c)
{
	BUF_AUTO out = { 0 };

	put_usage(&out, c);
	put_text(&out, c->about);
	buf_putc(&out, '\n');
	for (size_t i = 0; i < ARRAY_SIZE(all_taken); i++)
		if (takes(c, &all_taken[i]))
			put_row(&out, &all_taken[i]);
	put_text(&out, c->after);
	return write_output(NULL, &out, 0) ? EXIT_SYSTEM : EXIT_OK;
}

/* ---- what is wrong ---- */

/* Where the option stands in its file that a message names: "'--select' takes ...". */
static struct span find_place(const struct option_source *from, const char *said)
{
	const char *name = strstr(said, "'--");

	if (from->at.source != SOURCE_NONE)
		return from->at;
	vec_each(&from->places, p)
		if (name && str_starts(str_c(name + 3), p->name) &&
		    !strchr("-abcdefghijklmnopqrstuvwxyz", name[3 + strlen(p->name)]))
			return p->span;
	return from->whole;
}

/* A file's options have no dashes. */
static int file_error(const struct option_source *from, const char *said)
{
	BUF_AUTO text = { 0 };

	for (const char *p = said; *p; p++) {
		buf_putc(&text, *p);
		p += *p == '\'' && p[1] == '-' && p[2] == '-' ? 2 : 0;
	}
	diag_add(from->session->diags, DIAG_PL440, find_place(from, said), "%s",
		 text.p ? text.p : "");
	return EXIT_FOUND;
}

int usage_error(const struct command *c, const char *fmt, ...)
{
	BUF_AUTO said = { 0 }, usage = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&said, fmt, ap);
	va_end(ap);
	if (c->from)
		return file_error(c->from, said.p ? said.p : "");
	tell("pale %s: %s", c->name, said.p ? said.p : "");
	put_usage(&usage, c);
	tell_text(&usage);
	return EXIT_USAGE;
}

/* "--out" of "--out=x" and of "--out"; empty: the word is no long option. */
static struct str long_name(const char *word)
{
	if (word[0] != '-' || word[1] != '-')
		return (struct str){ "", 0 };
	return (struct str){ word + 2, strcspn(word + 2, "=") };
}

static int unknown_option(const struct command *c, const struct taking *all, struct str name)
{
	const char *first = NULL;
	struct suggest near;

	suggest_start(&near, name);
	for (const struct option *o = all->longs; o->name; o++) {
		bool begun =
			name.n && strlen(o->name) >= name.n && !memcmp(o->name, name.p, name.n);
		suggest_offer(&near, str_c(o->name));
		if (first && begun) /* the start of one name is enough, and of two is not */
			return usage_error(
				c, "'--" PRISTR "' can be '--%s' or '--%s' (pale %s --help)",
				STRARG(name), first, o->name, c->name);
		first = begun ? o->name : first;
	}
	if (!near.best.p)
		return usage_error(c, "no option '--" PRISTR "' (pale %s --help)", STRARG(name),
				   c->name);
	return usage_error(
		c, "no option '--" PRISTR "'; did you mean '--" PRISTR "'? (pale %s --help)",
		STRARG(name), STRARG(near.best), c->name);
}

/* What getopt_long() answered '?' or ':' to. */
static int wrong_option(const struct command *c, const struct taking *all, int answer, char **argv)
{
	struct str name = long_name(argv[optind - 1]);

	if (optopt >= VAL_LONG)
		return usage_error(c, "'--%s' %s (pale %s --help)",
				   all->longs[optopt - VAL_LONG].name,
				   answer == ':' ? "needs a value" : "takes no value", c->name);
	if (!optopt)
		return unknown_option(c, all, name);
	return answer == ':' ?
		       usage_error(c, "'-%c' needs a value (pale %s --help)", optopt, c->name) :
		       usage_error(c, "no option '-%c' (pale %s --help)", optopt, c->name);
}

/* ---- values ---- */

bool option_item(const char **list, struct str *item)
{
	while (**list == ',' || **list == ' ')
		(*list)++;
	if (!**list)
		return false;
	*item = (struct str){ *list, strcspn(*list, ", ") };
	*list += item->n;
	return true;
}

/* The words that an option may have, one after the other: false behind the last. */
static bool word_at(const struct row *row, unsigned i, struct str *word)
{
	const char *p = row->argument;

	if (row->kind == OPTION_ARCH || row->kind == OPTION_ARCHES) {
		if (i < ARCH_NR)
			*word = str_c(arch_info((enum arch)i)->name);
		return i < ARCH_NR;
	}
	if (row->kind == OPTION_RELEASES) {
		bool past = i && !target_at(i - 1);
		if (!past)
			*word = str_c(target_at(i) ? target_at(i)->name : "all");
		return !past;
	}
	for (; i; i--) {
		p += strcspn(p, "|");
		if (!*p++)
			return false;
	}
	*word = (struct str){ p, strcspn(p, "|") };
	return true;
}

static int find_word(const struct row *row, struct str word)
{
	struct str w;

	if (row->kind == OPTION_ARCH || row->kind == OPTION_ARCHES)
		return arch_find(word); /* other projects' names of them, too */
	for (unsigned i = 0; word_at(row, i, &w); i++)
		if (str_eq(w, word))
			return (int)i;
	return -1;
}

static int wrong_word(const struct options *o, const struct row *row, struct str word)
{
	bool many = row->kind == OPTION_WORDS || row->kind == OPTION_ARCHES ||
		    row->kind == OPTION_RELEASES;
	struct suggest near;
	BUF_AUTO all = { 0 };
	struct str w;

	suggest_start(&near, word);
	for (unsigned i = 0; word_at(row, i, &w); i++) {
		buf_printf(&all, "%s" PRISTR, i ? ", " : "", STRARG(w));
		suggest_offer(&near, w);
	}
	return usage_error(o->command, "'--%s' takes %s %s; '" PRISTR "' is none" PRINEAR,
			   row->name, many ? "a list of" : "one of", all.p ? all.p : "",
			   STRARG(word), NEARARG(near));
}

static int take_word(struct options *o, const struct row *row, struct option_value *v)
{
	int w = find_word(row, str_c(v->text));

	if (w < 0)
		return wrong_word(o, row, str_c(v->text));
	v->word = (unsigned)w;
	v->arch = (enum arch)w;
	return EXIT_OK;
}

static int no_value(const struct options *o, const struct row *row)
{
	return usage_error(o->command, "'--%s' needs a value (pale %s --help)", row->name,
			   o->command->name);
}

static int take_words(struct options *o, const struct row *row, struct option_value *v)
{
	const char *list = v->text;
	bool any = false;

	for (struct str item; option_item(&list, &item); any = true) {
		int w = find_word(row, item);
		if (w < 0)
			return wrong_word(o, row, item);
		v->words |= 1u << w;
	}
	return any ? EXIT_OK : no_value(o, row);
}

static bool take_kernel(struct option_value *v, struct str version)
{
	unsigned major, minor;
	BUF_AUTO text = { 0 };
	char after;

	buf_add(&text, version.p, version.n);
	if (!version.n || sscanf(text.p, "%3u.%3u%c", &major, &minor, &after) != 2 || major > 255 ||
	    minor > 255 || !major)
		return false;
	v->kernel = KERNEL_VERSION_OF(major, minor);
	return true;
}

/* Those that say no release go on as targets. */
static int take_releases(struct session *s, struct options *o, const struct row *row,
			 struct option_value *v)
{
	static const char mark[] = "apparmor=", kernel[] = "kernel=";
	const char *list = v->text;
	struct str wrong;

	do { /* as targets_read() parts them */
		size_t n = strcspn(list, ",");
		struct str item = { list, n }, version = { list + n, 0 };
		enum aa_release release;
		BUF_AUTO word = { 0 };

		list += n + (list[n] == ',');
		if (str_starts(item, kernel)) {
			if (!take_kernel(v, (struct str){ item.p + strlen(kernel),
							  item.n - strlen(kernel) }))
				return usage_error(o->command,
						   "'--%s' takes kernel=6.12; '" PRISTR
						   "' is no version",
						   row->name, STRARG(item));
			continue;
		}
		if (str_starts(item, mark)) {
			version = (struct str){ item.p + strlen(mark), item.n - strlen(mark) };
			item.n = strlen(mark) - 1;
			if (!aa_release_of(version, &release))
				return usage_error(
					o->command,
					"'--%s' takes apparmor=3.0, 4.1, 4.1.2, 4.1.8 or 5.0; '" PRISTR
					"' is no release of AppArmor that is known",
					row->name, STRARG(version));
			v->number |= UINT64_C(1) << release;
			vec_push(s->arena, &v->list, str_dup(s->arena, version));
		}
		buf_add(&word, item.p, item.n);
		if (targets_read(word.p ? word.p : "", &v->words, &wrong))
			return wrong_word(o, row, item);
	} while (*list);
	return EXIT_OK;
}

static int take_number(struct options *o, const struct row *row, struct option_value *v)
{
	if (!str_u64(str_c(v->text), &v->number) && v->number && v->number <= row->most)
		return EXIT_OK;
	return usage_error(o->command, "'--%s' takes a number from 1 to %llu, not '%s'", row->name,
			   (unsigned long long)row->most, v->text);
}

bool option_seconds(const char *text, uint64_t *seconds)
{
	static const struct {
		char letter;
		unsigned seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	const uint64_t year = 366 * 86400;
	size_t n = strlen(text);

	for (size_t i = 0; n && i < ARRAY_SIZE(units); i++) {
		if (text[n - 1] != units[i].letter ||
		    str_u64((struct str){ text, n - 1 }, seconds) || !*seconds ||
		    *seconds > year / units[i].seconds)
			continue;
		*seconds *= units[i].seconds;
		return true;
	}
	return false;
}

static int take_duration(struct options *o, const struct row *row, struct option_value *v)
{
	if (option_seconds(v->text, &v->number))
		return EXIT_OK;
	return usage_error(
		o->command,
		"'--%s' takes a time such as 30s, 5m, 2h or 7d, a year at most, not '%s'",
		row->name, v->text);
}

static int add_text(struct session *s, struct options *o, const struct row *row,
		    struct option_value *v)
{
	struct stat st;

	if (row->kind == OPTION_DIRS && (stat(v->text, &st) || !S_ISDIR(st.st_mode)))
		return usage_error(o->command, "'--%s' takes a directory, and '%s' is none",
				   row->name, v->text);
	vec_push(s->arena, &v->list, v->text);
	vec_push(s->arena, &v->list, NULL);
	v->list.n--;
	return EXIT_OK;
}

static bool adds_up(enum option_kind kind)
{
	return kind == OPTION_FLAG || kind == OPTION_LIST || kind == OPTION_WORDS ||
	       kind == OPTION_DIRS || kind == OPTION_ARCHES || kind == OPTION_RELEASES;
}

static int take(struct session *s, struct options *o, enum option_id id, const char *text)
{
	struct option_value *v = &o->at[id];
	const struct row *row = &rows[id];

	if (v->given && !adds_up(row->kind))
		return usage_error(o->command, "'--%s' is given twice", row->name);
	v->given = true;
	v->text = text;
	switch (row->kind) {
	case OPTION_FLAG:
	case OPTION_VALUE:
	case OPTION_DIR: return EXIT_OK;
	case OPTION_FILE:
	case OPTION_OUTPUT: return *text ? EXIT_OK : no_value(o, row);
	case OPTION_LIST:
	case OPTION_DIRS: return add_text(s, o, row, v);
	case OPTION_MAYBE:
		if (!text)
			return EXIT_OK;
		/* fallthrough */
	case OPTION_WORD:
	case OPTION_ARCH: return take_word(o, row, v);
	case OPTION_WORDS:
	case OPTION_ARCHES: return take_words(o, row, v);
	case OPTION_RELEASES: return take_releases(s, o, row, v);
	case OPTION_DURATION: return take_duration(o, row, v);
	case OPTION_NUMBER: return take_number(o, row, v);
	}
	BUG("a kind of option");
}

/* ---- options of other places ---- */

const char *option_name(enum option_id id)
{
	return rows[id].name;
}

enum option_kind option_kind(enum option_id id)
{
	return rows[id].kind;
}

bool option_adds_up(enum option_id id)
{
	return rows[id].kind != OPTION_FLAG && adds_up(rows[id].kind);
}

int option_give(struct session *s, struct options *o, enum option_id id, const char *text)
{
	return take(s, o, id, text);
}

void option_at(const struct options *o, const char *text)
{
	struct option_source *from = o->command->from;

	if (!from)
		return;
	from->at = NO_SPAN;
	vec_each(&from->places, p)
		if (p->text == text && text)
			from->at = p->span;
}

/* ---- the loop ---- */

/* One at most of those that exclude each other. */
static int check_one_of(const struct options *o, const struct taking *all)
{
	for (size_t i = 0; i < all->n; i++)
		for (size_t k = 0; k < i && all->v[i]->one_of; k++)
			if (all->v[k]->one_of == all->v[i]->one_of && o->at[all->v[i]->id].given &&
			    o->at[all->v[k]->id].given)
				return usage_error(o->command, "one of '--%s' and '--%s', not both",
						   all->longs[k].name, all->longs[i].name);
	return EXIT_OK;
}

int usage_lost(const struct command *c, const char *path)
{
	return usage_error(
		c, "'%s' is read, and what is in it would be lost: write to another file", path);
}

static bool is_file(const char *text)
{
	return text && strcmp(text, "-") != 0;
}

/* Does an option name it, as a file that is read? */
static bool is_read_by_option(struct session *s, const struct options *o, enum option_id output)
{
	const char *path = o->at[output].text;

	for (unsigned id = 0; id < OPT_NR; id++) {
		const struct option_value *v = &o->at[id];
		/* `propose --update`: what is written holds all that was there. */
		if (!v->given || (id == OPT_UPDATE && output == OPT_OUTPUT))
			continue;
		if (rows[id].kind == OPTION_FILE && id != OPT_STDIN_FILENAME &&
		    outputs_same(s->arena, path, v->text))
			return true;
		if (id != OPT_EARLIER && id != OPT_WATCH_FROM)
			continue;
		vec_each(&v->list, at)
			if (outputs_same(s->arena, path, *at))
				return true;
	}
	return false;
}

/* A command that is executed: one that PATH is searched for is not here, and its words are its own. */
static bool is_executed(struct session *s, const char *path, char *const *command)
{
	return command && *command && strchr(*command, '/') &&
	       outputs_same(s->arena, path, *command);
}

static bool is_read_as_operand(struct session *s, const struct options *o, const char *path)
{
	if (!strcmp(o->command->name, "merge"))
		return false; /* all that was in it is in it again */
	if (!strcmp(o->command->name, "learn"))
		return o->n && is_executed(s, path, o->operands);
	for (int i = 0; i < o->n; i++)
		if (is_file(o->operands[i]) && outputs_same(s->arena, path, o->operands[i]))
			return true;
	return is_executed(s, path, o->program);
}

/*
 * What is written is not what is read, and is one file each: a policy, a log or a week's recording
 * would be gone with the word that all went well.
 */
static int check_outputs(struct session *s, const struct options *o)
{
	for (unsigned id = 0; id < OPT_NR; id++) {
		const char *path = o->at[id].text;
		if (rows[id].kind != OPTION_OUTPUT || !is_file(path))
			continue;
		if (is_read_by_option(s, o, id) || is_read_as_operand(s, o, path))
			return usage_lost(o->command, path);
		for (unsigned k = 0; k < id; k++)
			if (rows[k].kind == OPTION_OUTPUT && is_file(o->at[k].text) &&
			    outputs_same(s->arena, path, o->at[k].text))
				return usage_error(o->command, "--%s and --%s name the same file",
						   rows[k].name, rows[id].name);
	}
	return EXIT_OK;
}

static const struct taken *find_answer(const struct taking *all, int answer)
{
	if (answer >= VAL_LONG)
		return all->v[answer - VAL_LONG];
	for (size_t i = 0; i < all->n; i++)
		if (rows[all->v[i]->id].letter == answer)
			return all->v[i];
	BUG("an option that nobody takes");
}

/* Where its own arguments end: at the "--", behind which stands a program's. */
static int own_arguments(int argc, char **argv, struct options *o)
{
	for (int i = 1; o->end == OPTIONS_TO_DASHES && i < argc; i++)
		if (!strcmp(argv[i], "--")) {
			o->program = argv + i + 1;
			return i;
		}
	return argc;
}

int options_read(struct session *s, int argc, char **argv, struct options *o)
{
	int own = own_arguments(argc, argv, o), answer;
	struct taking all;

	o->command = command_find(argv[0]);
	find_taken(o->command, o->end, &all);
	while ((answer = getopt_long(own, argv, all.letters, all.longs, NULL)) != -1) {
		if (answer == '?' || answer == ':')
			return wrong_option(o->command, &all, answer, argv);
		const struct taken *t = find_answer(&all, answer);
		if (t->id == OPT_HELP)
			return print_help(o->command);
		/* Where a value was forgotten, what follows would be taken for it. */
		if (optarg && optarg == argv[optind - 1] && !strcmp(optarg, "--"))
			return usage_error(
				o->command,
				"'--%s' needs a value, and '--' is none (pale %s --help)",
				option_name(t->id), o->command->name);
		int status = take(s, o, t->id, optarg);
		if (status)
			return status;
	}
	if (o->at[OPT_DIAG].given)
		s->telling->json = o->at[OPT_DIAG].word == 1;
	s->systemd = (enum systemd_release)o->at[OPT_SYSTEMD].word;
	o->operands = argv + optind;
	o->n = own - optind;
	return check_one_of(o, &all) || check_outputs(s, o) ? EXIT_USAGE : -1;
}
