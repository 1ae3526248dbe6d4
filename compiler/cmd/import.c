/* SPDX-License-Identifier: Apache-2.0 */
/* pale import: a Docker or OCI seccomp profile as a pale policy; notes go to stderr. */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "compiler/cmd/cmd.h"
#include "compiler/oci/oci.h"
#include "grammar/print.h"

static const char help[] =
	"Prints the policy that a Docker or OCI seccomp profile (or a config.json with one) means.\n"
	"Comparisons stay on whole registers (`reg arg0`), as runtimes load them; what runtimes\n"
	"ignore is left out and said on standard error. includes/excludes become `when`.\n\n"
	"  -o, --output FILE  write there instead of standard output\n"
	"  -n, --name NAME    name of the policy (default: the file's name)\n"
	"      --host ARCH    machine whose row of archMap counts (default: all rows)\n";

static int import_json(struct session *s, const char *path, const char *output,
		       const struct oci_read_options *opt)
{
	struct source *src;
	BUF_AUTO text = { 0 };

	int err = source_load(s->sources, path, &src);
	if (err < 0)
		return input_unreadable(s, path, err);
	struct json *root = json_parse(s->arena, src, s->diags);
	struct ast_file *file = NULL;
	if (root && !s->diags->errors)
		file = oci_read(s->arena, root, src, opt, s->diags);
	session_report(s);
	if (!file)
		return EXIT_FOUND;
	ast_print(&text, file);
	if (text.failed) {
		fputs("pale: out of memory\n", stderr);
		return EXIT_SYSTEM;
	}
	return output_write(output, text.p, text.n, 0644) < 0 ? EXIT_SYSTEM : EXIT_OK;
}

static bool name_is_legal(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return n && n <= 64 && !name[n] && (name[0] < '0' || name[0] > '9') && name[0] != '-';
}

int cmd_import(int argc, char **argv)
{
	static const struct option options[] = { { "output", required_argument, NULL, 'o' },
						 { "name", required_argument, NULL, 'n' },
						 { "host", required_argument, NULL, 'H' },
						 { "help", no_argument, NULL, 'h' },
						 { NULL, 0, NULL, 0 } };
	const struct command *self = command_find("import");
	struct oci_read_options opt = { .every_host = true };
	const char *output = NULL;
	int c, host;

	while ((c = getopt_long(argc, argv, "o:n:h", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			output = optarg;
			break;
		case 'n':
			opt.name = optarg;
			break;
		case 'H':
			host = arch_find(str_c(optarg));
			if (host < 0)
				return usage_error(self, "unknown architecture '%s'", optarg);
			opt.host = (enum arch)host;
			opt.host_known = true;
			break;
		case 'h':
			printf("usage: pale import %s\n\n%s", self->usage, help);
			return EXIT_OK;
		default:
			return usage_error(self, "what to import?");
		}
	}
	if (argc - optind != 1)
		return usage_error(self, "one file, please ('-' is standard input)");
	if (opt.name && !name_is_legal(opt.name))
		return usage_error(self, "'%s' cannot name a policy", opt.name);
	struct session s;
	session_open(&s);
	int rc = import_json(&s, argv[optind], output, &opt);
	session_close(&s);
	return rc;
}
