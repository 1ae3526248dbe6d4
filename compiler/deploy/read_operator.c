/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects of the security profiles operator (its api/): AppArmorProfile (v1alpha1 and v1), the text of a
 * profile in spec.policy, or what spec.abstract allows, of which the operator writes a profile; the names of
 * SeccompProfiles (v1alpha1, v1beta1 and v1), and what a ProfileBinding binds to an image.
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/deploy/deploy.h"

/* ---- texts with the places of their bytes ---- */

struct placed {
	struct inner_text out;
	const struct source *src;
};

static void put_ours(struct placed *t, const char *text)
{
	inner_put_ours(&t->out, text);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/*
 * Where the bytes of a value stand in its spelling, whatever that is: blanks are any of those between two
 * others, and what a '\' or a doubled quote spells is found behind it. What is spelt by its number gets the place of what
 * stands before it.
 */
static void put_theirs(struct placed *t, struct str text, struct span sp)
{
	struct str raw = { t->src->text.p + sp.begin, sp.end - sp.begin };
	uint32_t last = sp.begin;
	size_t from = 0;

	buf_add(&t->out.text, text.p, text.n);
	for (size_t i = 0; i < text.n; i++) {
		const char *found = NULL;

		if (is_blank(text.p[i])) {
			if (from < raw.n && is_blank(raw.p[from]))
				last = sp.begin + (uint32_t)from++;
		} else {
			found = memchr(raw.p + from, text.p[i], raw.n - from);
		}
		if (found) {
			from = (size_t)(found - raw.p);
			last = sp.begin + (uint32_t)from++;
		}
		vec_push(t->out.arena, &t->out.at, last);
	}
}

static void put_word(struct placed *t, const struct json *word)
{
	put_theirs(t, word->text, word->span);
}

/* ---- what is allowed, as rules ---- */

/* One for each: "" PATH " r,\n". A path with a blank is quoted; one with ',' is a rule as it is. */
static void put_paths(struct placed *t, const struct json *list, const char *before,
		      const char *after, bool ours)
{
	for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
		if (i->kind != JSON_STRING || !i->text.n || memchr(i->text.p, '"', i->text.n) ||
		    memchr(i->text.p, '\n', i->text.n))
			continue;
		bool rule = str_starts(i->text, "ptrace");
		bool quoted = !rule && memchr(i->text.p, ' ', i->text.n);

		if (rule && ours)
			continue;
		put_ours(t, "  ");
		put_ours(t, rule ? "" : before);
		put_ours(t, quoted ? "\"" : "");
		if (ours) {
			buf_add(&t->out.text, i->text.p, i->text.n);
			for (size_t n = 0; n < i->text.n; n++)
				vec_push(t->out.arena, &t->out.at, INNER_OURS);
		} else {
			put_word(t, i);
		}
		put_ours(t, quoted ? "\"" : "");
		put_ours(t, rule ? "\n" : after);
	}
}

static void put_files(struct placed *t, const struct json *abstract, bool enforced)
{
	static const struct {
		const char *part, *list, *allow, *deny;
	} lists[] = {
		{ "executable", "allowedExecutables", " ixr,\n", NULL },
		{ "executable", "allowedLibraries", " mr,\n", NULL },
		{ "filesystem", "readOnlyPaths", " r,\n", " wlk,\n" },
		{ "filesystem", "writeOnlyPaths", " wlk,\n", " r,\n" },
		{ "filesystem", "readWritePaths", " rwlk,\n", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct json *part = deploy_member(abstract, lists[i].part, JSON_OBJECT);
		const struct json *list = deploy_member(part, lists[i].list, JSON_ARRAY);

		put_paths(t, list, "", lists[i].allow, false);
		if (lists[i].deny && enforced)
			put_paths(t, list, "deny ", lists[i].deny, true);
	}
}

static bool is_true(const struct json *object, const char *key, const struct json **value)
{
	*value = deploy_member(object, key, JSON_BOOL);
	return *value && (*value)->boolean;
}

static void put_for(struct placed *t, const char *text, const struct json *value)
{
	inner_put_for(&t->out, text, value->span);
}

static void put_network_of(struct placed *t, const char *type, const struct json *value)
{
	put_ours(t, "  ");
	put_for(t, "network", value);
	put_ours(t, " ");
	put_for(t, type, value);
	put_ours(t, ",\n");
}

static void put_network(struct placed *t, const struct json *network)
{
	const struct json *value,
		*protocols = deploy_member(network, "allowedProtocols", JSON_OBJECT);

	if (is_true(network, "allowRaw", &value))
		put_network_of(t, "raw", value);
	else if (value)
		put_ours(t, "  deny network raw,\n");
	if (is_true(protocols, "allowTcp", &value))
		put_network_of(t, "tcp", value);
	if (is_true(protocols, "allowUdp", &value))
		put_network_of(t, "udp", value);
}

/* The operator takes other spellings of one, and writes it so. */
static void put_capability(struct placed *t, const struct json *word)
{
	size_t skip =
		word->text.n > 4 && str_ieq((struct str){ word->text.p, 4 }, STR("CAP_")) ? 4 : 0;
	char *lower = str_dup(t->out.arena, word->text);

	for (size_t i = 0; i < word->text.n; i++)
		lower[i] |= lower[i] >= 'A' && lower[i] <= 'Z' ? 0x20 : 0;
	put_ours(t, "  ");
	put_for(t, "capability", word);
	put_ours(t, " ");
	put_for(t, lower + skip, word);
	put_ours(t, ",\n");
}

static bool is_word(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z') &&
		    !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '_')
			return false;
	return s.n > 0;
}

static void put_abstract(struct placed *t, const struct json *abstract, bool enforced)
{
	const struct json *caps = deploy_member(deploy_member(abstract, "capability", JSON_OBJECT),
						"allowedCapabilities", JSON_ARRAY);
	const struct json *ptrace = deploy_member(abstract, "ptrace", JSON_OBJECT);
	const struct json *access = deploy_member(ptrace, "allowedAccess", JSON_ARRAY);
	const struct json *peer = deploy_member(ptrace, "peer", JSON_STRING);

	put_files(t, abstract, enforced);
	put_network(t, deploy_member(abstract, "network", JSON_OBJECT));
	for (const struct json *i = caps ? caps->first : NULL; i; i = i->next)
		if (i->kind == JSON_STRING && is_word(i->text))
			put_capability(t, i);
	if (!access || !access->first)
		return;
	put_ours(t, "  ");
	put_for(t, "ptrace", access);
	put_ours(t, " (");
	for (const struct json *i = access->first; i; i = i->next) {
		if (i->kind == JSON_STRING && is_word(i->text))
			put_word(t, i);
		put_ours(t, " ");
	}
	put_ours(t, ")");
	if (peer && peer->text.n) {
		put_ours(t, " peer=");
		put_word(t, peer);
	}
	put_ours(t, ",\n");
}

/*
 * What the operator writes around it (its crd2armor.go, main of 2026-10): the same paths below /proc as Docker's
 * default refuses, unless it complains. What is not in the base directory is left out.
 */
static void put_profile(struct placed *t, const char *name, const struct json *abstract,
			const struct json *complains)
{
	static const char refused[] = "  deny /proc/* w,\n"
				      "  deny /proc/{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],"
				      "[^1-9][^0-9][^0-9][^0-9]*}/** w,\n"
				      "  deny /proc/sys/[^k]** w,\n"
				      "  deny /proc/sys/kernel/{?,??,[^s][^h][^m]**} w,\n"
				      "  deny /proc/sysrq-trigger rwklx,\n"
				      "  deny /proc/mem rwklx,\n"
				      "  deny /proc/kmem rwklx,\n"
				      "  deny /proc/kcore rwklx,\n"
				      "  deny /sys/firmware/efi/efivars/** rwklx,\n";

	put_ours(t, "include if exists <tunables/global>\nprofile \"");
	put_ours(t, name);
	put_ours(t, "\" flags=(");
	if (complains)
		put_for(t, "complain", complains);
	put_ours(t, complains ? ",attach_disconnected,mediate_deleted) {\n" :
				"attach_disconnected,mediate_deleted) {\n");
	put_ours(t, "  include if exists <abstractions/base>\n");
	put_abstract(t, abstract, !complains);
	put_ours(t, complains ? "}\n" : refused);
	put_ours(t, complains ? "" : "}\n");
}

/* ---- the object ---- */

/* As Kubernetes has names of objects, a DNS subdomain. */
static const char *name_of(struct arena *a, struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-.", name.p[i]) || !name.p[i])
			return "operator";
	return name.n ? str_dup(a, name) : "operator";
}

static void add_profile(struct deployment *d, const struct source *src, const struct json *object)
{
	const struct json *spec = deploy_member(object, "spec", JSON_OBJECT), *complains, *value;
	const struct json *policy = deploy_member(spec, "policy", JSON_STRING);
	const struct json *abstract = deploy_member(spec, "abstract", JSON_OBJECT);
	const struct json *mode = deploy_member(spec, "mode", JSON_STRING);
	struct placed t = { .out.arena = d->arena, .src = src };
	struct deploy_apparmor *p;

	if (!policy && !abstract)
		return;
	p = ARENA_NEW(d->arena, struct deploy_apparmor);
	if (!is_true(spec, "complainMode", &complains))
		complains = mode && str_is(mode->text, "Complain") ? mode : NULL;
	p->name = deploy_text_of(deploy_member(object, "metadata", JSON_OBJECT), "name");
	p->disabled = is_true(spec, "disabled", &value);
	p->complain = complains;
	p->written = policy;
	if (policy)
		put_word(&t, policy);
	else
		put_profile(&t, name_of(d->arena, p->name.text), abstract, complains);
	vec_push(d->arena, &t.out.at, policy ? policy->span.end : INNER_OURS);
	p->at = t.out.at.v;
	p->text = (struct str){ buf_keep(d->arena, &t.out.text), t.out.at.n - 1 };
	buf_free(&t.out.text);
	vec_push(d->arena, &d->apparmor, p);
}

static struct deploy_object read_object(const struct json *root)
{
	const struct json *meta = deploy_member(root, "metadata", JSON_OBJECT);
	struct deploy_object o = {
		deploy_text_of(meta, "name"), deploy_text_of(meta, "namespace"),
		{ .span = NO_SPAN },          { .span = NO_SPAN },
		{ .span = NO_SPAN },          deploy_member(root, "spec", JSON_OBJECT)
	};

	return o;
}

static void add_binding(struct deployment *d, const struct json *root)
{
	struct deploy_object o = read_object(root);
	const struct json *ref = deploy_member(o.spec, "profileRef", JSON_OBJECT);
	struct str kind = deploy_text_of(ref, "kind").text;

	if (str_is(kind, "SeccompProfile"))
		o.bound = deploy_text_of(ref, "name");
	if (str_is(kind, "AppArmorProfile"))
		o.bound_apparmor = deploy_text_of(ref, "name");
	o.image = deploy_text_of(o.spec, "image");
	vec_push(d->arena, &d->bindings, o);
}

/* Of the operator's group, and none of those that are read. */
static bool is_unread(const struct json *root, struct str kind)
{
	static const char *const read[] = { "AppArmorProfile", "ProfileBinding", "SeccompProfile" };
	struct str group = deploy_text_of(root, "apiVersion").text;

	for (size_t i = 0; i < ARRAY_SIZE(read); i++)
		if (str_is(kind, read[i]))
			return false;
	return str_starts(group, "security-profiles-operator.x-k8s.io/") &&
	       !deploy_member(root, "items", JSON_ARRAY);
}

void deploy_read_operator(struct deployment *d, const struct source *src, const struct json *root)
{
	const struct json *items = deploy_member(root, "items", JSON_ARRAY);
	const struct json *kind = deploy_member(root, "kind", JSON_STRING);

	for (const struct json *i = items ? items->first : NULL; i; i = i->next)
		if (!deploy_member(i, "items", JSON_ARRAY))
			deploy_read_operator(d, src, i);
	if (kind && str_is(kind->text, "AppArmorProfile"))
		add_profile(d, src, root);
	if (kind && str_is(kind->text, "ProfileBinding"))
		add_binding(d, root);
	if (kind && str_is(kind->text, "SeccompProfile"))
		vec_push(d->arena, &d->seccomp, read_object(root));
	if (kind && is_unread(root, kind->text))
		vec_push(d->arena, &d->unread, ((struct deploy_text){ kind->text, kind->span }));
}
