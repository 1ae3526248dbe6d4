/* SPDX-License-Identifier: Apache-2.0 */
/* pale diff: where two filters answer differently, whatever they are written in. */
#include <getopt.h>
#include <string.h>

#include "compiler/cmd/decided.h"
#include "compiler/cmd/diff.h"

static const char help[] =
	"usage: pale diff [OPTION]... A B\n\n"
	"What B answers otherwise than A, for every architecture, call and argument, in every\n"
	"environment: looser, tighter, incomparable (looser for some arguments, tighter for\n"
	"others), or another errno; with calls that show it and the lines that decide. A and B are\n"
	"policies, Docker, OCI or Podman profiles, config.json or raw BPF, in any mixture.\n"
	"Exit status 1 when they differ.\n\n"
	"  --format text|json|markdown\n"
	"  --fail-on LEVEL  exit 1 only if B is: looser, tighter; any difference (default); none\n"
	"  --arch LIST      only these architectures\n"
	"  --policy-a NAME, --policy-b NAME   which policy of a file that holds several\n"
	"  --caps LIST --kernel VERSION --host ARCH    only in this environment\n"
	"  --sets DIR       where sets are found\n";

enum { OPTION_POLICY_A = 1, OPTION_POLICY_B };

enum fail_on { FAIL_ANY, FAIL_LOOSER, FAIL_TIGHTER, FAIL_NONE };

typedef void put_fn(struct buf *out, struct arena *a, const struct diff *d);

struct diff_options {
	struct decide_options a, b;
	struct resolve_options resolve;
	put_fn *put;
	enum fail_on fail_on;
	unsigned only;
};

static bool read_format(const char *word, put_fn **put)
{
	*put = !strcmp(word, "text") ? diff_text : !strcmp(word, "json") ? diff_json
	     : !strcmp(word, "markdown") ? diff_markdown : NULL;
	return *put;
}

static bool read_level(const char *word, enum fail_on *out)
{
	static const char *const words[] = { "any", "looser", "tighter", "none" };

	for (unsigned i = 0; i < 4; i++)
		if (!strcmp(word, words[i])) {
			*out = (enum fail_on)i;
			return true;
		}
	return false;
}

/* --arch is about what is compared: a side that lists more stays as it is. */
static int shared_option(struct session *s, struct diff_options *o, const char *name,
			 const char *value)
{
	struct resolve_options r = o->resolve;

	if (strcmp(name, "arch"))
		return environment_option(s, &o->resolve, name, value);
	int status = environment_option(s, &r, name, value);
	o->only = r.arches;
	return status;
}

/* -1: go on; else the exit status. */
static int read_options(struct session *s, int argc, char **argv, struct diff_options *o)
{
	static const struct option options[] = {
		{ "format", required_argument, NULL, 'f' },
		{ "fail-on", required_argument, NULL, 'e' },
		{ "arch", required_argument, NULL, OPTION_SHARED },
		{ "policy-a", required_argument, NULL, OPTION_POLICY_A },
		{ "policy-b", required_argument, NULL, OPTION_POLICY_B },
		{ "help", no_argument, NULL, 'h' },
		SHARED_OPTIONS,
		{ 0 },
	};
	const struct command *self = command_find("diff");
	int c, index = 0;

	while ((c = getopt_long(argc, argv, "h", options, &index)) != -1) {
		switch (c) {
		case 'f':
			if (!read_format(optarg, &o->put))
				return usage_error(self, "no format '%s'; there are text, json, markdown", optarg);
			break;
		case 'e':
			if (!read_level(optarg, &o->fail_on))
				return usage_error(self, "--fail-on is looser, tighter, any or none");
			break;
		case OPTION_POLICY_A:
			o->a.policy = optarg;
			break;
		case OPTION_POLICY_B:
			o->b.policy = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return EXIT_OK;
		case OPTION_SHARED:
			c = shared_option(s, o, options[index].name, optarg);
			if (c)
				return c;
			break;
		default:
			return usage_error(self, "see pale diff --help");
		}
	}
	return optind + 2 == argc ? -1 : usage_error(self, "two files, please: A and B");
}

static int load(struct session *s, struct dd *dd, const char *path, struct decide_options *o,
		const struct resolve_options *resolve, struct decide *out)
{
	o->resolve = *resolve;
	int status = decide_load(s, dd, path, o, out);

	/* What reading it is worth a note for is check's and import's to tell. */
	s->diags->list.n = 0;
	return status;
}

static int exit_status(const struct diff *d, enum fail_on level)
{
	bool looser = d->has[CHANGE_LOOSER] || d->has[CHANGE_INCOMPARABLE];
	bool tighter = d->has[CHANGE_TIGHTER] || d->has[CHANGE_INCOMPARABLE];
	bool open = d->compare->undecided;

	switch (level) {
	case FAIL_ANY:
		return d->differs ? EXIT_FOUND : EXIT_OK;
	case FAIL_LOOSER:
		return looser || open ? EXIT_FOUND : EXIT_OK;
	case FAIL_TIGHTER:
		return tighter || open ? EXIT_FOUND : EXIT_OK;
	case FAIL_NONE:
		break;
	}
	return EXIT_OK;
}

static int diff(struct session *s, struct diff_options *o, const char *path_a, const char *path_b)
{
	struct dd *dd = dd_new(s->arena, DECIDE_BUDGET);
	struct decide a, b;
	struct diff d;
	BUF_AUTO out = { 0 };
	int status = load(s, dd, path_a, &o->a, &o->resolve, &a);

	if (!status)
		status = load(s, dd, path_b, &o->b, &o->resolve, &b);
	if (status)
		return status;
	struct compare_side x = { a.root, a.arches, a.in.format == INPUT_JSON };
	struct compare_side y = { b.root, b.arches, b.in.format == INPUT_JSON };
	diff_group(s, &a, &b, compare_roots(s->arena, dd, &x, &y, o->only), o->only, &d);
	o->put(&out, s->arena, &d);
	if (out.failed) {
		fputs("pale: out of memory\n", stderr);
		return EXIT_SYSTEM;
	}
	return output_write(NULL, out.p, out.n, 0) ? EXIT_SYSTEM : exit_status(&d, o->fail_on);
}

int cmd_diff(int argc, char **argv)
{
	struct session s;
	struct diff_options o = { .put = diff_text };

	session_open(&s);
	int status = read_options(&s, argc, argv, &o);
	if (status < 0)
		status = diff(&s, &o, argv[optind], argv[optind + 1]);
	session_close(&s);
	return status;
}
