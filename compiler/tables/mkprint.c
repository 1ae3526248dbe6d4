/* SPDX-License-Identifier: Apache-2.0 */
/* mktables' other half: what was read, as C. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "compiler/tables/mktables.h"
#include "compiler/tables/place.h"

static void print_string_to(FILE *out, const char *s)
{
	if (!s) {
		fputs("NULL", out);
		return;
	}
	putc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			putc('\\', out);
		putc(*s, out);
	}
	putc('"', out);
}

static void print_string(const char *s)
{
	print_string_to(stdout, s);
}

static void print_arg(FILE *out, const struct arg *a, unsigned bits)
{
	unsigned width = a->width > bits ? bits : a->width;

	fputs("\t{ ", out);
	print_string_to(out, a->name);
	fputs(", ", out);
	print_string_to(out, a->alias);
	fprintf(out, ", ARG_%s, %u, %s, ", a->kind, width, a->is_signed ? "true" : "false");
	print_string_to(out, a->domain < 0 ? NULL : domains[a->domain].name);
	fprintf(out, ", %#llx, ", (unsigned long long)a->mask);
	print_string_to(out, a->source);
	fputs(" },\n", out);
}

/* Argument lists, each different one once, as text; and where each begins. */
static struct arg_list {
	char *text;
	size_t first;
} * arg_lists;
static size_t narg_lists, nargs_printed;

/* Where in tables_args the list begins, as a machine of so many bits takes it. */
static size_t place_args(const struct args *args, unsigned bits)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	for (unsigned i = 0; i < args->n; i++)
		print_arg(out, &args->arg[i], bits);
	if (fclose(out) || !text)
		abort();
	for (size_t i = 0; i < narg_lists; i++) {
		if (strcmp(arg_lists[i].text, text) != 0)
			continue;
		free(text);
		return arg_lists[i].first;
	}
	arg_lists = realloc(arg_lists, (narg_lists + 1) * sizeof(*arg_lists));
	if (!arg_lists)
		abort();
	arg_lists[narg_lists++] = (struct arg_list){ text, nargs_printed };
	nargs_printed += args->n;
	return arg_lists[narg_lists - 1].first;
}

static bool has_wide_arg(const struct args *args)
{
	for (unsigned i = 0; i < args->n; i++)
		if (args->arg[i].width == 64)
			return true;
	return false;
}

/* Where an architecture takes other arguments than the call's: order, or 32-bit longs; NULL. */
static const struct args *own_args(const struct call *c, int a)
{
	const struct args *args = c->own[a] ? c->own[a] : &c->args;
	bool narrow = arches[a].bits == 32 && has_wide_arg(args);

	return c->nr[a] >= 0 && (c->own[a] || narrow) ? args : NULL;
}

/* Where the rows of a call begin among those that print_own_args() has, and whose they are. */
static size_t count_own(const struct call *c, unsigned *owners)
{
	size_t n = 0;

	*owners = 0;
	for (size_t i = 0; calls + i < c; i++)
		for (int a = 0; a < ARCH_NR; a++)
			n += own_args(&calls[i], a) != NULL;
	for (int a = 0; a < ARCH_NR; a++)
		*owners |= own_args(c, a) ? 1u << a : 0;
	return n;
}

static void print_args(void)
{
	for (size_t i = 0; i < ncalls; i++) {
		place_args(&calls[i].args, 64);
		for (int a = 0; a < ARCH_NR; a++) {
			const struct args *own = own_args(&calls[i], a);
			if (own)
				place_args(own, arches[a].bits);
		}
	}
	puts("static const struct arg_info tables_args[] = {");
	for (size_t i = 0; i < narg_lists; i++)
		fputs(arg_lists[i].text, stdout);
	puts("};");
}

/* AppArmor's and our own spelling: CAP_NET_ADMIN is net_admin. The rows count from 0. */
void print_capabilities(void)
{
	uint64_t next = 0;

	puts("const char *const tables_capabilities[] = {");
	for (size_t i = 0; i < nconstants; i++) {
		const struct constant *c = &constants[i];
		if (strcmp(domains[c->domain].name, "capability") != 0)
			continue;
		if (c->value[0] != next++ || strncmp(c->name, "CAP_", 4) != 0) {
			fprintf(stderr, "compiler/tables/constants.tsv: '%s' is out of order\n",
				c->name);
			failed = true;
			continue;
		}
		fputs("\t\"", stdout);
		for (const char *p = c->name + 4; *p; p++)
			putchar(tolower((unsigned char)*p));
		puts("\",");
	}
	puts("};\n_Static_assert(sizeof(tables_capabilities) / sizeof(char *) == CAPABILITY_NR,\n"
	     "\t       \"CAPABILITY_NR in tables.h is not the number of rows\");");
}

static void print_call(const struct call *c)
{
	printf("\t{ \"%s\", {", c->name);
	for (int a = 0; a < ARCH_NR; a++)
		printf(" %d,", c->nr[a]);
	fputs(" }, {", stdout);
	for (int a = 0; a < ARCH_NR; a++)
		printf(" %#x,", c->nr[a] < 0 ? 0 : c->since[a]);
	fputs(" }, 0", stdout);
	for (int a = 0; a < ARCH_NR; a++)
		if (c->nr[a] >= 0)
			printf(" | ARCH_BIT(%d)", a);
	unsigned owners;
	size_t own = count_own(c, &owners);

	printf(", %u, %zu, %zu, %zu, %zu, %#x, tables_args + %zu, ", c->args.n, c->late, c->mux,
	       strlen(c->name), own, owners, place_args(&c->args, 64));
	print_string(c->note);
	fputs(" },\n", stdout);
}

static void print_own_args(void)
{
	puts("const struct tables_own_args tables_own_args[] = {");
	for (size_t i = 0; i < ncalls; i++) {
		for (int a = 0; a < ARCH_NR; a++) {
			const struct args *own = own_args(&calls[i], a);
			if (own)
				printf("\t{ %zu, %d, %u, tables_args + %zu },\n", i, a, own->n,
				       place_args(own, arches[a].bits));
		}
	}
	puts("};\nconst size_t tables_nown_args = sizeof(tables_own_args) / "
	     "sizeof(tables_own_args[0]);");
}

/* The numbers from `from` to the highest up to `top`: indices of calls, -1 for a hole. */
static void print_index(const char *array, int a, int from, int top)
{
	int end = from;

	for (size_t i = 0; i < ncalls; i++)
		if (calls[i].nr[a] >= end && calls[i].nr[a] <= top)
			end = calls[i].nr[a] + 1;
	printf("static const int16_t %s_%s[] = {", array, arches[a].name);
	for (int nr = from; nr < end; nr++) {
		int found = -1;
		for (size_t i = 0; i < ncalls; i++)
			if (calls[i].nr[a] == nr)
				found = (int)i;
		printf("%s%d,", (nr - from) % 16 ? " " : "\n\t", found);
	}
	printf("%s\n};\n", end == from ? " -1," : "");
}

static void print_by_number(void)
{
	for (int a = 0; a < ARCH_NR; a++) {
		print_index("by_nr", a, 0, NR_MAX);
		print_index("far_nr", a, FAR_MIN, FAR_MAX);
	}
	puts("const struct tables_by_nr tables_by_nr[ARCH_NR] = {");
	for (int a = 0; a < ARCH_NR; a++) {
		const char *n = arches[a].name;
		printf("\t{ by_nr_%s, sizeof(by_nr_%s) / sizeof(int16_t), far_nr_%s, %d,\n"
		       "\t  sizeof(far_nr_%s) / sizeof(int16_t) },\n",
		       n, n, n, FAR_MIN, n);
	}
	puts("};");
}

/* Call names by their hash. */
static void print_names(void)
{
	static size_t names[TABLES_NAMES];

	if (ncalls * 2 > TABLES_NAMES) {
		fprintf(stderr, "mktables: %zu calls: TABLES_NAMES must grow\n", ncalls);
		failed = true;
		return;
	}
	for (size_t i = 0; i < ncalls; i++) {
		size_t at = tables_place(calls[i].name, strlen(calls[i].name));
		while (names[at])
			at = (at + 1) % TABLES_NAMES;
		names[at] = i + 1;
	}
	puts("const uint16_t tables_names[TABLES_NAMES] = {");
	for (size_t at = 0; at < TABLES_NAMES; at++)
		if (names[at])
			printf("\t[%zu] = %zu,\n", at, names[at]);
	puts("};");
}

/* The short spelling: without the first of the domain's prefixes that fits, in lower case. */
static const char *without_prefix(const struct constant *c)
{
	const char *name = c->name;

	for (const char *p = domains[c->domain].prefixes; *p;) {
		size_t n = strcspn(p, ",");
		if (!strncmp(name, p, n) && name[n])
			return name + n;
		p += n + (p[n] == ',');
	}
	return name;
}

/* Each name and its short spelling. */
static void print_text(void)
{
	puts("const char tables_text[] =");
	for (size_t i = 0; i < nconstants; i++) {
		printf("\t\"%s\\0\" \"", constants[i].name);
		for (const char *p = without_prefix(&constants[i]); *p; p++)
			putchar(tolower((unsigned char)*p));
		puts("\\0\"");
	}
	puts("\t;");
}

/* A constant's values by architecture, each different row once. */
static size_t place_values(const struct constant *c, bool print)
{
	static size_t *rows, nrows; /* the first constant that has them */

	for (size_t i = 0; i < nrows; i++)
		if (!memcmp(constants[rows[i]].value, c->value, sizeof(c->value)))
			return i;
	rows = realloc(rows, (nrows + 1) * sizeof(*rows));
	if (!rows)
		abort();
	rows[nrows] = (size_t)(c - constants);
	for (int a = 0; print && a < ARCH_NR; a++)
		printf("%s%#llx,%s", a ? " " : "\t{ ", (unsigned long long)c->value[a],
		       a == ARCH_NR - 1 ? " },\n" : "");
	return nrows++;
}

static int by_folded_name(const void *x, const void *y)
{
	const uint16_t *a = x, *b = y;
	int c = strcasecmp(constants[*a].name, constants[*b].name);

	return c ? c : (*a > *b) - (*a < *b);
}

static void print_name_order(void)
{
	uint16_t *order = calloc(nconstants, sizeof(*order));

	if (!order || nconstants > UINT16_MAX)
		abort();
	for (size_t i = 0; i < nconstants; i++)
		order[i] = (uint16_t)i;
	qsort(order, nconstants, sizeof(*order), by_folded_name);
	puts("const uint16_t tables_constant_order[] = {");
	for (size_t i = 0; i < nconstants; i++)
		printf("%s%u,%s", i % 16 ? " " : "\t", order[i], i % 16 == 15 ? "\n" : "");
	puts("\n};");
	free(order);
}

void print_constants(void)
{
	puts("const struct domain_info tables_domains[] = {");
	for (size_t i = 0, first = 0; i < ndomains; i++) {
		printf("\t{ \"%s\", \"%s\", ", domains[i].name,
		       strcmp(domains[i].prefixes, "-") ? domains[i].prefixes : "");
		print_string(domains[i].what);
		printf(", %zu, %u },\n", first, domains[i].rows);
		first += domains[i].rows;
	}
	printf("};\nconst size_t tables_ndomains = %zu;\n", ndomains);
	print_text();
	puts("const uint64_t tables_values[][ARCH_NR] = {");
	for (size_t i = 0; i < nconstants; i++)
		place_values(&constants[i], true);
	puts("};\nconst struct tables_constant tables_constants[] = {");
	for (size_t i = 0, at = 0; i < nconstants; i++) {
		const struct constant *c = &constants[i];
		size_t brief = at + strlen(c->name) + 1;
		printf("\t{ %zu, %zu, %d, %zu, %#x },\n", at, brief, (int)c->domain,
		       place_values(c, false), c->arches);
		at = brief + strlen(without_prefix(c)) + 1;
	}
	printf("};\nconst size_t tables_nconstants = %zu;\n", nconstants);
	print_name_order();
}

void print_calls(void)
{
	print_args();
	puts("const struct syscall_info tables_syscalls[] = {");
	for (size_t i = 0; i < ncalls; i++)
		print_call(&calls[i]);
	printf("};\nconst size_t tables_nsyscalls = %zu;\n", ncalls);
	print_own_args();
	print_by_number();
	print_names();
}
