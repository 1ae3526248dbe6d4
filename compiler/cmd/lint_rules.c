/* SPDX-License-Identifier: Apache-2.0 */
/* pale lint --list-rules, --explain and --docs: what rules there are. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "compiler/base/json_write.h"
#include "compiler/cmd/lint_rules.h"
#include "compiler/cmd/wrap.h"
#include "compiler/lint/lint.h"
#include "compiler/lint/out/page.h"
#include "compiler/output/output.h"

static void put_rule_json(struct json_writer *w, const struct lint_rule *r)
{
	const struct diag_info *info = diag_info(r->id);

	json_line(w, "\n");
	json_open(w, NULL, '{');
	json_text(w, "id", info->id);
	json_text(w, "slug", info->slug);
	json_text(w, "severity", severity_name(info->severity));
	json_text(w, "formats", rule_formats(r));
	json_optional(w, "fix", lint_rule_fix(r->id));
	json_text(w, "summary", info->doc);
	json_text(w, "explanation", r->explain);
	json_close(w, '}');
}

static void list_rules_json(struct buf *out)
{
	struct json_writer w = { .out = out, .compact = true };

	json_open(&w, NULL, '{');
	json_open(&w, "rules", '[');
	for (size_t i = 0; i < lint_rule_count(); i++)
		put_rule_json(&w, lint_rule_at(i));
	json_line(&w, "\n");
	json_close(&w, ']');
	json_close(&w, '}');
	buf_putc(out, '\n');
}

int lint_list_rules(bool json)
{
	BUF_AUTO out = { 0 };

	if (json)
		list_rules_json(&out);
	for (size_t i = 0; i < lint_rule_count() && !json; i++) {
		const struct lint_rule *r = lint_rule_at(i);
		const struct diag_info *info = diag_info(r->id);

		const char *fix = lint_rule_fix(r->id);

		buf_printf(&out, "%-6s %-28s %-8s %-10s %-7s %s\n", info->id, info->slug,
			   severity_name(info->severity), rule_formats(r), fix ? fix : "",
			   info->doc);
	}
	return write_output(NULL, &out, 0) ? EXIT_SYSTEM : EXIT_OK;
}

static bool is_word(const char *word, const char *id, const char *slug)
{
	return str_ieq(str_c(word), str_c(id)) || str_ieq(str_c(word), str_c(slug));
}

static bool names_rule(const char *word, const struct diag_info *info)
{
	return is_word(word, info->id, info->slug);
}

static bool explain_left_out(const char *word, struct buf *out)
{
	const struct lint_left_out *l;
	struct wrap w = { .out = out };

	for (size_t i = 0; (l = lint_left_out_at(i)); i++) {
		if (!is_word(word, l->id, l->slug))
			continue;
		buf_printf(out, "%s %s: not a rule\n\n", l->id, l->slug);
		wrap_text(&w, l->why);
		buf_putc(out, '\n');
		return true;
	}
	return false;
}

int lint_explain_rule(const struct command *c, const char *word)
{
	const struct lint_rule *r = NULL;
	struct suggest near;
	BUF_AUTO out = { 0 };

	suggest_start(&near, str_c(word));
	for (size_t i = 0; i < lint_rule_count() && !r; i++) {
		const struct diag_info *info = diag_info(lint_rule_at(i)->id);

		if (names_rule(word, info))
			r = lint_rule_at(i);
		suggest_offer(&near, str_c(info->id));
		suggest_offer(&near, str_c(info->slug));
	}
	for (unsigned i = 0; i < DIAG_NR; i++) {
		const struct diag_info *info = diag_info((enum diag_id)i);

		if (r ? r->id != i : !names_rule(word, info))
			continue;
		buf_printf(&out, "%s %s (%s): %s\n", info->id, info->slug,
			   severity_name(info->severity), info->doc);
		break;
	}
	if (r) {
		struct wrap w = { .out = &out };
		buf_putc(&out, '\n');
		wrap_text(&w, r->explain);
		buf_putc(&out, '\n');
	}
	if (out.n || explain_left_out(word, &out))
		return write_output(NULL, &out, 0) ? EXIT_SYSTEM : EXIT_OK;
	if (near.best.p)
		return usage_error(c, "no rule '%s'; did you mean '" PRISTR "'?", word,
				   STRARG(near.best));
	return usage_error(c, "no rule '%s'; --list-rules shows them", word);
}

/* All pages in one step, and those alone: what else is in the folder stays. */
int lint_write_docs(struct session *s, const char *dir)
{
	size_t n = lint_rule_count() + 1;
	struct output_file *files = ARENA_ARRAY(s->arena, struct output_file, n);
	struct buf *texts = ARENA_ARRAY(s->arena, struct buf, n);
	int err = mkdir(dir, 0777) && errno != EEXIST ? -errno : 0;

	if (err) {
		tell("pale lint: cannot make '%s': %s", dir, strerror(-err));
		return EXIT_SYSTEM;
	}
	rule_index(&texts[0]);
	for (size_t i = 1; i < n; i++)
		rule_page(lint_rule_at(i - 1), &texts[i]);
	for (size_t i = 0; i < n; i++)
		files[i] = (struct output_file){
			.path = arena_printf(s->arena, "%s/%s.md", dir,
					     i ? diag_info(lint_rule_at(i - 1)->id)->id : "README"),
			.text = &texts[i],
			.mode = 0666,
		};
	err = output_write_all(files, n, tell);
	for (size_t i = 0; i < n; i++)
		buf_free(&texts[i]);
	return err ? EXIT_SYSTEM : EXIT_OK;
}
