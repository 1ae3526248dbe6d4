/* SPDX-License-Identifier: Apache-2.0 */
/* pale list: the names that policies may say, one a line or as JSON. */
#include <getopt.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/base/json_write.h"
#include "compiler/cmd/setlist.h"

struct list_options {
	bool json;
	int arch;         /* -1: all */
	const char *sets; /* --sets */
};

typedef int list_fn(struct session *s, const struct list_options *o, const char *what,
		    struct buf *out);

static void put_release(struct buf *out, uint16_t since)
{
	if (since)
		buf_printf(out, "%u.%u", since >> 8, since & 0xff);
	else
		buf_puts(out, "-");
}

/* ---- sets ---- */

static int list_sets(struct session *s, const struct list_options *o, const char *what,
		     struct buf *out)
{
	struct set_list list;
	int err = set_list_read(s, o->sets, &list);

	(void)what;
	if (err) {
		tell("pale list: sets: %s", strerror(-err));
		return EXIT_SYSTEM;
	}
	vec_each(&list.sets, set) {
		struct str summary = set_summary(set);
		if (!o->json) {
			buf_printf(out, "%-16s %3zu calls  " PRISTR "\n", set->name,
				   set_count_calls(set), STRARG(summary));
			continue;
		}
		buf_puts(out, set == list.sets.v ? "\n    {\"name\": " : ",\n    {\"name\": ");
		json_put_string(out, str_c(set->name));
		buf_puts(out, ", \"file\": ");
		json_put_string(out, str_c(set->source->name));
		buf_printf(out, ", \"calls\": %zu, \"summary\": ", set_count_calls(set));
		json_put_string(out, summary);
		buf_puts(out, "}");
	}
	return session_report(s) ? EXIT_FOUND : EXIT_OK;
}

/* ---- system calls ---- */

static const char *const kind_names[ARG_KIND_NR] = {
	[ARG_NUMBER] = "number",   [ARG_FD] = "fd",		  [ARG_POINTER] = "pointer",
	[ARG_ENUM] = "enum",	   [ARG_FLAGS] = "flags",	  [ARG_ENUM_FLAGS] = "enum-flags",
	[ARG_POLY] = "polymorphic",
};

static void put_optional(struct buf *out, const char *key, const char *value)
{
	if (!value)
		return;
	buf_printf(out, ", \"%s\": ", key);
	json_put_string(out, str_c(value));
}

static void put_args_json(struct buf *out, const struct syscall_info *c, enum arch a)
{
	unsigned n;
	const struct arg_info *args = syscall_args(c, a, &n);

	buf_puts(out, "[");
	for (unsigned i = 0; i < n; i++) {
		buf_puts(out, i ? ", {\"name\": " : "{\"name\": ");
		json_put_string(out, str_c(args[i].name));
		put_optional(out, "alias", args[i].alias);
		put_optional(out, "kind", kind_names[args[i].kind]);
		buf_printf(out, ", \"width\": %u, \"signed\": %s", args[i].width,
			   args[i].is_signed ? "true" : "false");
		put_optional(out, "domain", args[i].domain);
		if (args[i].kind == ARG_ENUM_FLAGS)
			buf_printf(out, ", \"mask\": %llu",
				   (unsigned long long)args[i].enum_mask);
		put_optional(out, "source", args[i].source);
		buf_puts(out, "}");
	}
	buf_puts(out, "]");
}

static void put_call_json(struct buf *out, const struct syscall_info *c)
{
	const char *comma = "";

	buf_puts(out, "{\"name\": ");
	json_put_string(out, str_c(c->name));
	buf_puts(out, ", \"numbers\": {");
	for (enum arch a = 0; a < ARCH_NR; a++) {
		if (c->nr[a] < 0)
			continue;
		buf_printf(out, "%s\"%s\": %u", comma, arch_info(a)->name,
			   (unsigned)c->nr[a] + arch_info(a)->nr_base);
		comma = ", ";
	}
	buf_puts(out, "}, \"since\": {");
	comma = "";
	for (enum arch a = 0; a < ARCH_NR; a++) {
		if (c->nr[a] < 0 || !c->since[a])
			continue;
		buf_printf(out, "%s\"%s\": \"", comma, arch_info(a)->name);
		put_release(out, c->since[a]);
		buf_puts(out, "\"");
		comma = ", ";
	}
	buf_puts(out, "}, \"arguments\": {");
	comma = "";
	for (enum arch a = 0; a < ARCH_NR; a++) {
		if (c->nr[a] < 0)
			continue;
		buf_printf(out, "%s\"%s\": ", comma, arch_info(a)->name);
		put_args_json(out, c, a);
		comma = ", ";
	}
	buf_puts(out, "}}");
}

static void put_call_text(struct buf *out, const struct syscall_info *c)
{
	buf_printf(out, "%-28s", c->name);
	for (enum arch a = 0; a < ARCH_NR; a++) {
		if (c->nr[a] < 0)
			buf_printf(out, " %7s", "-");
		else
			buf_printf(out, " %7d", c->nr[a]);
	}
	buf_puts(out, "\n");
}

static int list_syscalls(struct session *s, const struct list_options *o, const char *what,
			 struct buf *out)
{
	const char *comma = "\n    ";

	(void)s;
	(void)what;
	if (!o->json && o->arch < 0) {
		buf_printf(out, "%-28s", "# name");
		for (enum arch a = 0; a < ARCH_NR; a++)
			buf_printf(out, " %7s", arch_info(a)->name);
		buf_puts(out, "\n");
	}
	for (size_t i = 0; i < syscall_count(); i++) {
		const struct syscall_info *c = syscall_at(i);
		if (o->arch >= 0 && c->nr[o->arch] < 0)
			continue;
		if (o->json) {
			buf_puts(out, comma);
			put_call_json(out, c);
			comma = ",\n    ";
		} else if (o->arch >= 0) {
			buf_printf(out, "%-28s %u\n", c->name,
				   (unsigned)c->nr[o->arch] + arch_info((enum arch)o->arch)->nr_base);
		} else {
			put_call_text(out, c);
		}
	}
	return EXIT_OK;
}

/* ---- constants ---- */

/* What differs from the value on `a` (ARCH_NR: all), architectures of one value together. */
static void put_other_values(struct buf *out, const struct constant_row *c, enum arch a)
{
	unsigned done = 0;

	for (enum arch b = 0; b < ARCH_NR; b++) {
		if (!(c->arches & ~done & ARCH_BIT(b)) ||
		    (a != ARCH_NR && c->value[b] == c->value[a]))
			continue;
		buf_puts(out, ",");
		for (enum arch other = b; other < ARCH_NR; other++) {
			if (!(c->arches & ARCH_BIT(other)) || c->value[other] != c->value[b])
				continue;
			buf_printf(out, " %s", arch_info(other)->name);
			done |= ARCH_BIT(other);
		}
		buf_printf(out, " %#llx", (unsigned long long)c->value[b]);
	}
}

static void put_constant_text(struct buf *out, const struct constant_row *c, enum arch a)
{
	uint64_t v = c->value[a];

	buf_printf(out, "%-20s %-40s ", c->domain, c->name);
	if (!(c->arches & ARCH_BIT(a)))
		buf_printf(out, "not on %s", arch_info(a)->name);
	else if (v > INT64_MAX)
		buf_printf(out, "%lld", (long long)v);
	else
		buf_printf(out, v < 10 ? "%llu" : "%#llx", (unsigned long long)v);
	put_other_values(out, c, c->arches & ARCH_BIT(a) ? a : ARCH_NR);
	buf_puts(out, "\n");
}

static void put_constant_json(struct buf *out, const struct constant_row *c)
{
	const char *comma = "";

	buf_puts(out, "{\"domain\": ");
	json_put_string(out, str_c(c->domain));
	buf_puts(out, ", \"name\": ");
	json_put_string(out, str_c(c->name));
	buf_puts(out, ", \"short\": ");
	json_put_string(out, str_c(c->brief));
	buf_puts(out, ", \"values\": {");
	for (enum arch a = 0; a < ARCH_NR; a++) {
		if (!(c->arches & ARCH_BIT(a)))
			continue;
		buf_printf(out, "%s\"%s\": %lld", comma, arch_info(a)->name,
			   (long long)c->value[a]);
		comma = ", ";
	}
	buf_puts(out, "}}");
}

static int list_constants(struct session *s, const struct list_options *o, const char *what,
			  struct buf *out)
{
	const char *comma = "\n    ";
	enum arch a = o->arch < 0 ? (enum arch)arch_native() : (enum arch)o->arch;

	(void)s;
	if (what && !domain_find(what)) {
		struct suggest near;
		suggest_start(&near, str_c(what));
		for (size_t i = 0; i < domain_count(); i++)
			suggest_offer(&near, str_c(domain_at(i)->name));
		tell("pale list: no domain '%s' of constants" PRINEAR, what, NEARARG(near));
		return EXIT_FOUND;
	}
	for (size_t i = 0; i < constant_count(); i++) {
		const struct constant_row c = constant_at(i);
		if (what && strcmp(c.domain, what) != 0)
			continue;
		if (o->json) {
			buf_puts(out, comma);
			put_constant_json(out, &c);
			comma = ",\n    ";
		} else {
			put_constant_text(out, &c, a);
		}
	}
	return EXIT_OK;
}

/* ---- targets ---- */

static const struct {
	const char *name, *what;
} targets[] = {
	{ "apparmor", "an AppArmor profile: files, capabilities, network, signals" },
	{ "bpf", "classic BPF for seccomp(2), one NAME.FAMILY.bpf a machine family" },
	{ "docker", "Docker's seccomp JSON: archMap, includes and excludes" },
	{ "oci", "linux.seccomp of the OCI runtime specification" },
};

static int list_targets(struct session *s, const struct list_options *o, const char *what,
			struct buf *out)
{
	(void)s;
	(void)what;
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		if (!o->json) {
			buf_printf(out, "%-10s %s\n", targets[i].name, targets[i].what);
			continue;
		}
		buf_puts(out, i ? ",\n    {\"name\": " : "\n    {\"name\": ");
		json_put_string(out, str_c(targets[i].name));
		buf_puts(out, ", \"what\": ");
		json_put_string(out, str_c(targets[i].what));
		buf_puts(out, "}");
	}
	return EXIT_OK;
}

/* ---- the command ---- */

static const struct {
	const char *name;
	list_fn *run;
} subjects[] = {
	{ "sets", list_sets },
	{ "syscalls", list_syscalls },
	{ "constants", list_constants },
	{ "targets", list_targets },
};

static int run_subject(const struct list_options *o, size_t subject, const char *what)
{
	struct session s;
	BUF_AUTO out = { 0 };

	session_open(&s);
	if (o->json)
		buf_printf(&out, "{\n  \"%s\": [", subjects[subject].name);
	int status = subjects[subject].run(&s, o, what, &out);
	if (o->json)
		buf_puts(&out, "\n  ]\n}\n");
	if ((status == EXIT_OK || subjects[subject].run == list_sets) && output_write(NULL, &out, 0))
		status = EXIT_SYSTEM;
	return session_end(&s, status);
}

int cmd_list(int argc, char **argv)
{
	static const struct option options[] = {
		{ "format", required_argument, NULL, 'f' },
		{ "arch", required_argument, NULL, 'a' },
		{ "sets", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const struct command *self = command_find("list");
	struct list_options o = { .arch = -1 };
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'f':
			if (strcmp(optarg, "json") != 0 && strcmp(optarg, "text") != 0)
				return usage_error(self, "no format '%s'; text or json", optarg);
			o.json = !strcmp(optarg, "json");
			break;
		case 'a':
			o.arch = arch_find(str_c(optarg));
			if (o.arch < 0)
				return usage_error(self, "no architecture '%s'", optarg);
			break;
		case 's':
			o.sets = optarg;
			break;
		case 'h':
			printf("usage: pale list %s\n", self->usage);
			return EXIT_OK;
		default:
			return option_error(self, options, argv);
		}
	}
	if (optind == argc)
		return usage_error(self, "say what: sets, syscalls, constants or targets");
	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++) {
		if (strcmp(argv[optind], subjects[i].name) != 0)
			continue;
		bool domain = subjects[i].run == list_constants && argc == optind + 2;
		if (argc > optind + 1 && !domain)
			return usage_error(self, "'%s' is too much", argv[optind + 1]);
		return run_subject(&o, i, domain ? argv[optind + 1] : NULL);
	}
	return usage_error(self, "cannot list '%s'; sets, syscalls, constants or targets",
			   argv[optind]);
}
