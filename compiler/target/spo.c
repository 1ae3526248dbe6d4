/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A SeccompProfile of the security profiles operator: what linux.seccomp is of the OCI runtime
 * specification stands in its `spec`, but for the errno of the default, which the object has no
 * word for. v1beta1 is the version that releases from 0.4 to 1.0 serve.
 */
#include "compiler/target/seccomp_json.h"

#include "compiler/base/bug.h"
#include "compiler/base/json_write.h"

enum { NAME_MAX_BYTES = 253 }; /* of an object of Kubernetes: a DNS subdomain (RFC 1123) */

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		bool edge = !i || i + 1 == s.n || s.p[i - 1] == '.' || s.p[i + 1] == '.';

		if (!is_alnum(s.p[i]) && (edge || (s.p[i] != '-' && s.p[i] != '.')))
			return false;
	}
	return s.n && s.n <= NAME_MAX_BYTES;
}

/* The object's schema lists the architectures it takes. */
static bool check_arches(const struct json *arches, const struct policy *p, struct diags *ds)
{
	for (const struct json *a = arches ? arches->first : NULL; a; a = a->next)
		if (str_is(a->text, "SCMP_ARCH_LOONGARCH64")) {
			struct diag *d =
				diag_add(ds, DIAG_PL297, p->span,
					 "a SeccompProfile takes no '" PRISTR "'", STRARG(a->text));

			diag_help(ds, d, "leave it out with '--arch'");
			return false;
		}
	return true;
}

/* Values are signed there: the API server takes no larger one. */
static bool check_values(const struct json *entries, const struct policy *p, struct diags *ds)
{
	for (const struct json *e = entries ? entries->first : NULL; e; e = e->next) {
		const struct json *args = json_get(e, "args"), *names = json_get(e, "names");

		for (const struct json *c = args ? args->first : NULL; c; c = c->next)
			for (const struct json *m = c->first; m; m = m->next) {
				if (m->kind != JSON_NUMBER || m->u64 <= INT64_MAX)
					continue;
				diag_add(ds, DIAG_PL297, p->span,
					 "a rule of '" PRISTR "' compares with " PRISTR
					 ", and a SeccompProfile holds numbers up to %lld",
					 STRARG(names->first->text), STRARG(m->text),
					 (long long)INT64_MAX);
				return false;
			}
	}
	return true;
}

static bool fits(const struct policy *p, const char *name, struct str profile, struct diags *ds)
{
	struct source *src = source_add(ds->sources, "<profile>", profile);
	const struct json *root = json_parse(ds->arena, src, ds);

	BUG_ON(!root || root->kind != JSON_OBJECT);
	if (!is_name(str_c(name))) {
		struct diag *d =
			diag_add(ds, DIAG_PL297, p->span, "'" PRISTR "' cannot be an object's name",
				 STRARG(str_c(name)));

		diag_help(ds, d,
			  "call the policy by lower-case letters, digits, '-' and '.', as "
			  "Kubernetes does");
		return false;
	}
	return check_arches(json_get(root, "architectures"), p, ds) &&
	       check_values(json_get(root, "syscalls"), p, ds);
}

static int wrap(const struct policy *p, const char *name, struct buf *profile, struct diags *ds)
{
	struct str text = { profile->p, profile->n };
	struct buf out = { 0 };

	if (!fits(p, name, text, ds))
		return -1;
	while (text.n && text.p[text.n - 1] == '\n')
		text.n--;
	buf_puts(&out, "{\n  \"apiVersion\": "
		       "\"security-profiles-operator.x-k8s.io/v1beta1\",\n"
		       "  \"kind\": \"SeccompProfile\",\n"
		       "  \"metadata\": { \"name\": ");
	json_put_string(&out, str_c(name));
	buf_puts(&out, " },\n  \"spec\": ");
	for (size_t i = 0; i < text.n; i++) {
		buf_putc(&out, text.p[i]);
		if (text.p[i] == '\n')
			buf_puts(&out, "  ");
	}
	buf_puts(&out, "\n}\n");
	buf_free(profile);
	*profile = out;
	return 0;
}

static const struct seccomp_json_form form = {
	.dialect = OCI_DIALECT_OCI,
	.no_errno = "a SeccompProfile has no",
	.wrap = wrap,
};

int target_spo_write(struct compilation *c, const struct target *t, const struct policy *p)
{
	return seccomp_json_write(c, t, p, &form);
}

void target_spo_check(struct target_check *c, const struct target *t, const struct policy *p)
{
	seccomp_json_check(c, t, p, &form);
}
