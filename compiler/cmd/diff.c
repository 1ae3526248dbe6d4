/* SPDX-License-Identifier: Apache-2.0 */
/* pale diff: where two filters answer differently, whatever they are written in. */
#include <getopt.h>
#include <string.h>

#include "compiler/tell/decided.h"
#include "compiler/tell/diff.h"
#include "compiler/cmd/runtime.h"

static const char help[] =
	"usage: pale diff [OPTION]... A B\n\n"
	"What B answers otherwise than A, for every architecture, call and argument, in every\n"
	"environment: looser, tighter, incomparable (looser for some arguments, tighter for\n"
	"others), or another errno; with calls that show it and the lines that decide. A and B "
	"are\n"
	"policies, Docker, OCI or Podman profiles, config.json or raw BPF, in any mixture.\n"
	"Of two policies their rules on files, capabilities, sockets, signals and limits are "
	"compared\n"
	"too; JSON and BPF say nothing of those, and beside a policy with such rules that half is "
	"not\n"
	"decided. Exit status 1 when they differ or that is not decided.\n\n"
	"  --format text|json|markdown\n"
	"  --fail-on LEVEL  exit 1 only if B is: looser, tighter; any difference (default); none\n"
	"  --layers LIST    seccomp: only the calls; apparmor: only the resource rules\n"
	"  --arch LIST      only these architectures\n"
	"  --runtime R      that loads the JSON, where it is none of the oldest\n"
	"  --policy-a NAME, --policy-b NAME   which policy of a file that holds several\n"
	"  --caps LIST --kernel VERSION --host ARCH    only in this environment\n"
	"  --sets DIR       where sets are found\n";

enum { OPTION_POLICY_A = 1, OPTION_POLICY_B, OPTION_LAYERS, OPTION_RUNTIME };

enum fail_on { FAIL_ANY, FAIL_LOOSER, FAIL_TIGHTER, FAIL_NONE };

typedef void put_fn(struct buf *out, struct arena *a, const struct diff *d);

struct diff_options {
	struct decide_options a, b;
	struct resolve_options resolve;
	put_fn *put;
	enum fail_on fail_on;
	unsigned only;   /* architectures; 0: all */
	unsigned layers; /* LAYER_* */
};

static bool read_format(const char *word, put_fn **put)
{
	*put = !strcmp(word, "text")     ? diff_text :
	       !strcmp(word, "json")     ? diff_json :
	       !strcmp(word, "markdown") ? diff_markdown :
					   NULL;
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
		{ "layers", required_argument, NULL, OPTION_LAYERS },
		{ "arch", required_argument, NULL, OPTION_SHARED },
		{ "runtime", required_argument, NULL, OPTION_RUNTIME },
		{ "policy-a", required_argument, NULL, OPTION_POLICY_A },
		{ "policy-b", required_argument, NULL, OPTION_POLICY_B },
		{ "help", no_argument, NULL, 'h' },
		SHARED_OPTIONS,
		{ 0 },
	};
	const struct command *self = command_find("diff");
	int c, rc, index = 0;

	while ((c = getopt_long(argc, argv, "h", options, &index)) != -1) {
		switch (c) {
		case 'f':
			if (!read_format(optarg, &o->put))
				return usage_error(self,
						   "no format '%s'; there are text, json, markdown",
						   optarg);
			break;
		case 'e':
			if (!read_level(optarg, &o->fail_on))
				return usage_error(self,
						   "--fail-on is looser, tighter, any or none");
			break;
		case OPTION_LAYERS:
			if (parse_layers(optarg, &o->layers))
				return usage_error(self, "--layers is seccomp, apparmor or both");
			break;
		case OPTION_RUNTIME:
			rc = runtime_named(s, self, optarg, &o->a.runtime);
			if (rc >= 0)
				return rc;
			o->b.runtime = o->a.runtime;
			break;
		case OPTION_POLICY_A: o->a.policy = optarg; break;
		case OPTION_POLICY_B: o->b.policy = optarg; break;
		case 'h': fputs(help, stdout); return EXIT_OK;
		case OPTION_SHARED:
			c = shared_option(s, o, options[index].name, optarg);
			if (c)
				return c;
			break;
		default: return option_error(self, options, argv);
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

	switch (level) {
	case FAIL_ANY: return d->differs || d->open ? EXIT_FOUND : EXIT_OK;
	case FAIL_LOOSER: return looser || d->open ? EXIT_FOUND : EXIT_OK;
	case FAIL_TIGHTER: return tighter || d->open ? EXIT_FOUND : EXIT_OK;
	case FAIL_NONE: break;
	}
	return EXIT_OK;
}

/*
 * A policy that does not count on seccomp filters nothing: its header is no verdict on calls.
 * True when d is one; its architectures are then whatever the other side's are.
 */
static bool open_calls(struct dd *dd, struct decide *d)
{
	if (d->in.format != INPUT_PALE || d->parts.v[0].policy->layers & LAYER_SECCOMP)
		return false;
	d->root = dd_terminal(dd, (struct verdict){ VERDICT_ALLOW, 0 });
	return true;
}

/* The architectures whose calls no machine of --host makes. */
static unsigned never_made(const struct environment *env)
{
	unsigned never = 0;

	for (int a = 0; env->host_known && a < ARCH_NR; a++)
		if (!env_runs(env->host, (enum arch)a))
			never |= ARCH_BIT(a);
	return never;
}

static const struct compare *compare_calls(struct session *s, struct dd *dd, struct decide *a,
					   struct decide *b, const struct diff_options *o)
{
	if (!(o->layers & LAYER_SECCOMP))
		return ARENA_NEW(s->arena, struct compare);
	bool open_a = open_calls(dd, a), open_b = open_calls(dd, b);
	struct compare_side x = { a->root, open_a ? b->arches : a->arches,
				  a->in.format == INPUT_JSON };
	struct compare_side y = { b->root, open_b ? a->arches : b->arches,
				  b->in.format == INPUT_JSON };
	return compare_roots(s->arena, dd, &x, &y, o->only, never_made(&o->resolve.env));
}

static void sum_up(struct diff *d)
{
	d->has[CHANGE_UNDECIDED] |= d->compare->undecided > 0;
	d->open = d->has[CHANGE_UNDECIDED];
	for (enum change c = 0; c < CHANGE_UNDECIDED; c++)
		d->differs |= d->has[c];
}

static int diff(struct session *s, struct diff_options *o, const char *path_a, const char *path_b)
{
	struct dd *dd = dd_new(s->arena, DECIDE_BUDGET);
	struct decide a, b;
	BUF_AUTO out = { 0 };
	int status = load(s, dd, path_a, &o->a, &o->resolve, &a);

	if (!status)
		status = load(s, dd, path_b, &o->b, &o->resolve, &b);
	if (status)
		return status;
	struct diff d = {
		.a = &a, .b = &b, .layers = o->layers, .compare = compare_calls(s, dd, &a, &b, o)
	};
	diff_group(s, &d, o->only);
	if (o->layers & LAYER_SECCOMP)
		diff_logging(s, &d);
	if (o->layers & LAYER_APPARMOR)
		diff_resources(s, &d);
	sum_up(&d);
	o->put(&out, s->arena, &d);
	return output_write(NULL, &out, 0) ? EXIT_SYSTEM : exit_status(&d, o->fail_on);
}

int cmd_diff(int argc, char **argv)
{
	struct session s;
	struct diff_options o = { .put = diff_text, .layers = LAYER_SECCOMP | LAYER_APPARMOR };

	session_open(&s);
	int status = read_options(&s, argc, argv, &o);
	if (status < 0)
		status = diff(&s, &o, argv[optind], argv[optind + 1]);
	return session_end(&s, status);
}
