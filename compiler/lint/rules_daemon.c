/* SPDX-License-Identifier: Apache-2.0 */
/* DP: what dockerd makes of its daemon.json as a whole (compiler/deploy/daemon_keys.def). */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lint/internal.h"

static const char *safe(struct lint *l, struct str s)
{
	return str_safe_of(l->arena, s);
}

static void refuse(struct lint *l, enum diag_id id, struct span at, const char *what,
		   const char *help)
{
	diag_help(l->ds, diag_add(l->ds, id, at, "dockerd does not start: %s", what), "%s", help);
}

/* ---- keys ---- */

/* Of the version that is asked for; without one the newest. */
static bool is_too_new(const struct lint *l, const struct daemon_key *k)
{
	return l->docker && l->docker < k->since;
}

static bool is_gone(const struct lint *l, const struct daemon_key *k)
{
	return k->until && (!l->docker || l->docker >= k->until);
}

static const char *version(struct lint *l, unsigned v)
{
	unsigned minor = v >> 8 & 0xff;

	return minor ? arena_printf(l->arena, "%u.%u", v >> 16, minor) :
		       arena_printf(l->arena, "%u", v >> 16);
}

static void tell_unknown(struct lint *l, enum diag_id id, const struct json *m)
{
	const struct daemon_key *all;
	size_t n = deploy_daemon_keys(&all);
	struct suggest near;
	const char *help = "dockerd(8) has the keys; each is as the option of its name";

	suggest_start(&near, m->key);
	for (size_t i = 0; i < n; i++)
		if (!all[i].option && !is_gone(l, &all[i]) && !is_too_new(l, &all[i]))
			suggest_offer(&near, str_c(all[i].name));
	if (near.best.p)
		help = arena_printf(l->arena, "did you mean '" PRISTR "'?", STRARG(near.best));
	refuse(l, id, m->key_span,
	       arena_printf(l->arena, "it knows no key '%s', and refuses the whole file",
			    safe(l, m->key)),
	       help);
}

static void tell_version(struct lint *l, enum diag_id id, const struct json *m,
			 const struct daemon_key *k)
{
	bool gone = is_gone(l, k);
	struct diag *d = diag_add_as(
		l->ds, id, gone && !l->docker ? SEVERITY_WARNING : SEVERITY_ERROR, m->key_span,
		gone ? "dockerd does not start: Docker %s and later refuse the key '%s', and with it the whole file" :
		       "dockerd does not start: before Docker %s it refuses the key '%s', and with it the whole file",
		version(l, gone ? k->until : k->since), k->name);

	diag_help(l->ds, d, "leave it out");
}

/* ---- values, as encoding/json reads them into daemon/config's structure ---- */

static bool all_are(const struct json *of, enum json_kind kind)
{
	for (const struct json *i = of->first; i; i = i->next)
		if (i->kind != kind && i->kind != JSON_NULL)
			return false;
	return true;
}

/* What is wanted; NULL: it is there. null is no value, and taken for any. */
static const char *wanted(const struct json *m, enum daemon_value value)
{
	switch (value) {
	case DAEMON_BOOL: return m->kind == JSON_BOOL ? NULL : "true or false, without quotes";
	case DAEMON_NUMBER:
		return m->kind == JSON_NUMBER && (m->is_u64 || m->is_i64) ?
			       NULL :
			       "a whole number, without quotes";
	case DAEMON_TEXT: return m->kind == JSON_STRING ? NULL : "a text, in quotes";
	case DAEMON_TEXTS:
		return m->kind == JSON_ARRAY && all_are(m, JSON_STRING) ? NULL : "a list of texts";
	case DAEMON_LIST: return m->kind == JSON_ARRAY ? NULL : "a list";
	case DAEMON_WORDS:
		return m->kind == JSON_OBJECT && all_are(m, JSON_STRING) ?
			       NULL :
			       "an object of texts: numbers and true stand in quotes, too";
	case DAEMON_FLAGS:
		return m->kind == JSON_OBJECT && all_are(m, JSON_BOOL) ?
			       NULL :
			       "an object of true and false, without quotes";
	case DAEMON_OBJECT:
	case DAEMON_PARTS: return m->kind == JSON_OBJECT ? NULL : "an object";
	}
	BUG("a kind of value that there is not");
}

static void judge_value(struct lint *l, enum diag_id id, const struct json *m,
			const struct daemon_key *k)
{
	const char *want = m->kind == JSON_NULL ? NULL : wanted(m, k->value);

	if (want)
		refuse(l, id, m->span,
		       arena_printf(l->arena, "the value of '%s' is of another type", k->name),
		       arena_printf(l->arena, "write %s", want));
}

static const struct {
	const char *key, *words[2];
} choices[] = {
	{ "default-cgroupns-mode", { "private", "host" } },
	{ "default-ipc-mode", { "private", "shareable" } },
};

static void judge_choice(struct lint *l, enum diag_id id, const struct json *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++)
		if (str_is(m->key, choices[i].key) && m->kind == JSON_STRING && m->text.n &&
		    !str_is(m->text, choices[i].words[0]) && !str_is(m->text, choices[i].words[1]))
			refuse(l, id, m->span,
			       arena_printf(l->arena, "'%s' cannot be '%s'", choices[i].key,
					    safe(l, m->text)),
			       arena_printf(l->arena, "'%s' or '%s'", choices[i].words[0],
					    choices[i].words[1]));
}

/* ---- members ---- */

/* Does it look at the members as if they stood outside (config.configValuesSet)? */
static bool is_opened(const struct json *m, const struct daemon_key *k)
{
	if (m->kind != JSON_OBJECT)
		return false;
	return !k || k->option ||
	       !(k->value == DAEMON_OBJECT || k->value == DAEMON_WORDS || k->value == DAEMON_FLAGS);
}

static void judge_name(struct lint *l, enum diag_id id, const struct json *m,
		       const struct daemon_key *k)
{
	if (!k)
		tell_unknown(l, id, m);
	else if (is_gone(l, k) || is_too_new(l, k))
		tell_version(l, id, m, k);
}

static void judge_member(struct lint *l, enum diag_id id, const struct json *m)
{
	const struct daemon_key *k = deploy_daemon_key(m->key);

	if (is_opened(m, k)) {
		for (const struct json *in = m->first; in; in = in->next)
			judge_name(l, id, in, deploy_daemon_key(in->key));
	} else {
		judge_name(l, id, m, k);
	}
	if (k && !k->option) {
		judge_value(l, id, m, k);
		judge_choice(l, id, m);
	}
}

/* ---- runtimes ---- */

/* A name with a '.' in it is containerd's, and found by it (Docker 23 and later). */
static bool is_shim(const struct lint *l, struct str name)
{
	const char *dot = memchr(name.p, '.', name.n);

	return dot && dot > name.p && !memchr(name.p, '/', name.n) &&
	       (!l->docker || l->docker >= DOCKER(23, 0) || str_is(name, "io.containerd.runc.v2") ||
		str_is(name, "io.containerd.runtime.v1.linux"));
}

static void judge_runtimes(struct lint *l, enum diag_id id, const struct json *root)
{
	const struct json *all = deploy_member(root, "runtimes", JSON_OBJECT);
	const struct json *name = deploy_member(root, "default-runtime", JSON_STRING);
	const struct json *runc = all ? json_get(all, "runc") : NULL;
	struct suggest near;

	if (runc)
		refuse(l, id, runc->key_span,
		       "the name 'runc' is its own, and 'runtimes' may not have it",
		       "give it another name, and name that as 'default-runtime'");
	if (!name || !name->text.n || str_is(name->text, "runc") || is_shim(l, name->text))
		return;
	suggest_start(&near, name->text);
	suggest_offer(&near, STR("runc"));
	for (const struct json *r = all ? all->first : NULL; r; r = r->next) {
		if (str_eq(r->key, name->text))
			return;
		suggest_offer(&near, r->key);
	}
	refuse(l, id, name->span,
	       arena_printf(
		       l->arena,
		       "'runtimes' has no '%s', unless its command line adds one (--add-runtime)",
		       safe(l, name->text)),
	       near.best.p ? arena_printf(l->arena, "did you mean '%s'?", safe(l, near.best)) :
			     "write it into 'runtimes', or leave it out for runc");
}

/* Before 23 these words were files, too (moby daemon/daemon_unix.go). */
static void judge_seccomp(struct lint *l, enum diag_id id, const struct json *root)
{
	const struct json *m = deploy_member(root, "seccomp-profile", JSON_STRING);

	if (m && l->docker && l->docker < DOCKER(23, 0) &&
	    (str_is(m->text, "builtin") || str_is(m->text, "unconfined")))
		refuse(l, id, m->span,
		       arena_printf(l->arena, "before Docker 23 '%s' is a file that it opens",
				    safe(l, m->text)),
		       "leave it out for the default");
}

RULE(DP634, "daemon-refused", ERROR, DEPLOYMENT, dp_daemon_refused,
     "a daemon.json with which dockerd does not start",
     "dockerd refuses the whole of a daemon.json in which it does not know a key ('the following directives don't match "
     "any configuration option'), a value is of another type, or the default runtime is none; it does not start, or keeps what it "
     "had where it is told to read the file again. Objects that it does not know it opens, and looks for their members as keys. Keys come "
     "and go with its versions: '--runtime docker-20.10' asks for one, and without it a key that newer versions lack is a "
     "warning. The keys are those of 20.10 to 29.7; 20.10.24 was asked.\n\n"
     "Way out: spell it as dockerd(8) does; 'dockerd --validate' asks a dockerd of 23 or later.")
void dp_daemon_refused(struct lint *l, enum diag_id id)
{
	const struct json *root = l->deployment->daemon;

	if (!root)
		return;
	for (const struct json *m = root->first; m; m = m->next)
		judge_member(l, id, m);
	judge_runtimes(l, id, root);
	judge_seccomp(l, id, root);
}

/* ---- what it takes and does nothing with ---- */

static void tell_option(struct lint *l, enum diag_id id, const struct json *m,
			const struct daemon_key *k)
{
	struct diag *d = diag_add_as(
		l->ds, id, k->grave ? SEVERITY_HIGH : SEVERITY_WARNING, m->key_span,
		"'%s' is an option of dockerd's command line: in daemon.json it is taken and passed over",
		k->name);

	if (k->key && str_is(m->key, "add-runtime"))
		diag_help(l->ds, d, "write an object: '\"runtimes\": {\"NAME\": {\"path\": ...}}'");
	else if (k->key && str_is(str_c(k->key), "proxies"))
		diag_help(l->ds, d, "write it into the object 'proxies'");
	else if (k->key)
		diag_help(l->ds, d, "write '%s'", k->key);
	else
		diag_help(l->ds, d, "leave it out");
}

/* A switch works there, as the command line's is set for it; what has a value does not. */
static void tell_inside(struct lint *l, enum diag_id id, const struct json *m)
{
	for (const struct json *in = m->first; in; in = in->next) {
		const struct daemon_key *k = deploy_daemon_key(in->key);

		if (!k || k->option || k->value == DAEMON_BOOL || is_gone(l, k) || is_too_new(l, k))
			continue;
		diag_help(
			l->ds,
			diag_add(
				l->ds, id, in->key_span,
				"'%s' in '%s' is taken and passed over: dockerd has no such object",
				k->name, safe(l, m->key)),
			"write it into the outermost object");
	}
}

RULE(DP635, "daemon-passed-over", WARNING, DEPLOYMENT, dp_daemon_passed_over,
     "a key of daemon.json that dockerd takes and does nothing with",
     "dockerd looks for the keys of daemon.json among the options of its command line, and reads them into a "
     "structure with other names: options that may be given several times have the plural there ('hosts', 'labels', "
     "'insecure-registries', 'default-ulimits', 'authorization-plugins'), proxies stand in 'proxies'. The option's own name is no error, and "
     "has no effect: moby daemon/config/config.go; seen with 20.10.24. So do keys in an object that there is not. High where what is "
     "passed over confines containers, or asks who may use the engine.\n\n"
     "Way out: the key.")
void dp_daemon_passed_over(struct lint *l, enum diag_id id)
{
	const struct json *root = l->deployment->daemon;

	for (const struct json *m = root ? root->first : NULL; m; m = m->next) {
		const struct daemon_key *k = deploy_daemon_key(m->key);

		if (k && k->option && m->kind != JSON_OBJECT && m->kind != JSON_NULL &&
		    !is_too_new(l, k))
			tell_option(l, id, m, k);
		else if (!k && m->kind == JSON_OBJECT)
			tell_inside(l, id, m);
	}
}

/* ---- what it opens ---- */

static bool is_said(const struct json *root, const char *key, bool value)
{
	const struct json *m = deploy_member(root, key, JSON_BOOL);

	return m && m->boolean == value;
}

/* Port 2375 without certificates: who reaches it has the engine. */
static void judge_hosts(struct lint *l, enum diag_id id, const struct json *root)
{
	const struct json *hosts = deploy_member(root, "hosts", JSON_ARRAY);

	if (is_said(root, "tlsverify", true))
		return;
	for (const struct json *h = hosts ? hosts->first : NULL; h; h = h->next) {
		bool local = str_starts(h->text, "tcp://127.") ||
			     str_starts(h->text, "tcp://localhost") ||
			     str_starts(h->text, "tcp://[::1]");
		struct diag *d;

		if (h->kind != JSON_STRING || !str_starts(h->text, "tcp://"))
			continue;
		d = diag_add_as(
			l->ds, id, local ? SEVERITY_WARNING : SEVERITY_HIGH, h->span,
			"'%s' takes requests of %s, and asks for no certificate: that is root on the machine",
			safe(l, h->text),
			local ? "every user and program of the machine" : "all who reach the port");
		diag_help(l->ds, d,
			  "'\"tlsverify\": true' with tlscacert, tlscert and tlskey; or ssh://");
	}
}

static const struct {
	const char *key;
	bool value;
	enum severity severity;
	const char *what, *help;
} switches[] = {
	{ "icc", true, SEVERITY_INFO,
	  "containers of the default network reach all ports of one another",
	  "'false', and networks of their own for those that talk" },
	{ "live-restore", false, SEVERITY_INFO,
	  "containers end when dockerd does, so updates of it wait",
	  "'true', where there is no swarm" },
	{ "userland-proxy", true, SEVERITY_INFO,
	  "a process of root's stands behind each published port", "'false'" },
	{ "experimental", true, SEVERITY_INFO, "what is not finished is switched on",
	  "leave it out" },
	{ "iptables", false, SEVERITY_WARNING,
	  "no rule of the firewall keeps containers of one network from another's, and 'icc' does nothing",
	  "leave it out, or have another program write the rules" },
};

RULE(DP636, "daemon-opened", HIGH, DEPLOYMENT, dp_daemon_opened,
     "a daemon.json that opens the engine, or its containers to one another",
     "High: the engine listens at a TCP port and asks for no client's certificate ('tlsverify'): who reaches it starts a "
     "privileged container with the machine's disk (CIS Docker Benchmark 1.6: 2.7; a warning on 127.0.0.1). Warnings: registries "
     "that are talked to without TLS (2.5), no rules of the firewall (2.4), an empty 'userns-remap' (2.9). Information, where the file itself says so: 'icc' (2.2), "
     "'live-restore' off (2.15), the userland proxy (2.16), 'experimental' (2.18). What it says of a container's own confinement is DP601, DP605 "
     "and DP608.\n\n"
     "Way out: the help at the place.")
void dp_daemon_opened(struct lint *l, enum diag_id id)
{
	const struct json *root = l->deployment->daemon;
	const struct json *m;

	if (!root)
		return;
	judge_hosts(l, id, root);
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++)
		if (is_said(root, switches[i].key, switches[i].value))
			diag_help(l->ds,
				  diag_add_as(l->ds, id, switches[i].severity,
					      json_get(root, switches[i].key)->span, "%s",
					      switches[i].what),
				  "%s", switches[i].help);
	m = deploy_member(root, "insecure-registries", JSON_ARRAY);
	if (m && m->first)
		diag_help(l->ds,
			  diag_add_as(l->ds, id, SEVERITY_WARNING, m->first->span,
				      "images of '%s' are taken from whoever answers for it",
				      safe(l, m->first->text)),
			  "a certificate for it, in /etc/docker/certs.d");
	m = deploy_member(root, "userns-remap", JSON_STRING);
	if (m && !m->text.n)
		diag_help(
			l->ds,
			diag_add_as(
				l->ds, id, SEVERITY_WARNING, m->span,
				"root in a container is root on the machine: an empty 'userns-remap' is none"),
			"'default', which makes a user for it");
}
