/* SPDX-License-Identifier: Apache-2.0 */
/* DP: what starts containers, and what of their confinement it takes away or names for nothing. */
#include <errno.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lint/internal.h"

#define EACH_CONTAINER(l, c)                                                                       \
	vec_each(&(l)->deployment->containers, it_)                                                \
		for (const struct deploy_container *c = *it_; c; c = NULL)

static const char *safe(struct lint *l, struct str s)
{
	return str_safe_of(l->arena, s);
}

static bool has_place(struct span sp)
{
	return sp.source != SOURCE_NONE;
}

static bool is_privileged(const struct deploy_container *c)
{
	return c->privileged.said == DEPLOY_YES;
}

/* What holds for a container of a pod: its own, else the pod's. */
static const struct deploy_profile *seccomp_of(const struct deploy_container *c)
{
	return has_place(c->seccomp.span) || !c->of ? &c->seccomp : &c->of->seccomp;
}

/* ---- confinement that is taken away ---- */

RULE(DP601, "confinement-off", HIGH, DEPLOYMENT, dp_confinement_off,
     "a container without seccomp, AppArmor or SELinux",
     "seccomp, AppArmor or SELinux is switched off for a container: 'seccomp=unconfined', "
     "'apparmor=unconfined', 'label=disable', or 'type: Unconfined' in a pod. With no filter every system "
     "call of the kernel is open to it; Docker's own default refuses around 44 of more than 300, its manual says. CIS Docker "
     "Benchmark 1.6: 5.2, 5.3 and 5.22, of daemon.json 2.17; in a pod the baseline Pod Security Standard forbids 'type: Unconfined'. Of a "
     "privileged container it is not told: the default filter and profile do not hold there anyway (DP604).\n\n"
     "Way out: leave it out, for the default; where a call or path is missing, a profile of its own ('pale learn' proposes "
     "one).")
void dp_confinement_off(struct lint *l, enum diag_id id)
{
	static const struct {
		const char *key, *value, *what;
	} off[] = {
		{ "seccomp", "unconfined", "no seccomp filter: every system call is open to it" },
		{ "apparmor", "unconfined", "no AppArmor profile" },
		{ "label", "disable", "no SELinux label of its own" },
		{ "label", "type:spc_t", "SELinux's type spc_t, which confines nothing" },
		{ "systempaths", "unconfined",
		  "none of the paths of /proc and /sys hidden or read-only that are by default" },
		{ "unmask", "ALL", /* Podman's */
		  "none of the paths of /proc and /sys hidden or read-only that are by default" },
	};

	EACH_CONTAINER(l, c)
	{
		if (is_privileged(c))
			continue;
		vec_each(&c->options, o)
			for (size_t i = 0; i < ARRAY_SIZE(off); i++)
				if (str_is(o->key, off[i].key) && str_is(o->value, off[i].value) &&
				    !(o->colon && c->other_engine))
					diag_help(
						l->ds,
						diag_add(l->ds, id, o->span, PRISTR " has %s",
							 STRARG(c->name.text), off[i].what),
						"leave it out for the default, or name a profile");
		if (str_is(c->seccomp.type.text, "Unconfined"))
			diag_help(l->ds,
				  diag_add(l->ds, id, c->seccomp.type.span, PRISTR " has %s",
					   STRARG(c->name.text), off[0].what),
				  "'type: RuntimeDefault', or Localhost and a profile");
		if (str_is(c->apparmor.type.text, "Unconfined"))
			diag_help(l->ds,
				  diag_add(l->ds, id, c->apparmor.type.span, PRISTR " has %s",
					   STRARG(c->name.text), off[1].what),
				  "'type: RuntimeDefault', or Localhost and a profile");
	}
}

/* moby daemon/exec_linux.go: the capabilities alone; filter and AppArmor's profile are the container's. */
static void judge_execs(struct lint *l, enum diag_id id)
{
	vec_each(&l->deployment->execs, e)
		diag_help(
			l->ds,
			diag_add_as(
				l->ds, id, SEVERITY_WARNING, e->span,
				"a command in " PRISTR
				" is privileged: it has all capabilities, whatever the container has",
				STRARG(e->text)),
			"leave it out, or give the container the capability that it needs");
}

RULE(DP604, "privileged", HIGH, DEPLOYMENT, dp_privileged,
     "a privileged container, or command in one",
     "A privileged container has all capabilities, all devices of the machine, and neither the default seccomp "
     "filter nor AppArmor's default profile: root in it may do almost what root on the machine may, as mounting its disk. "
     "A filter or profile that is named is another thing: Docker applies a seccomp=FILE to it since 27 (before, it "
     "was passed over), and an AppArmor profile; in a pod it is without a filter whatever seccompProfile says. "
     "'exec --privileged' in a script gives one command all capabilities, and what it starts; the container's filter and AppArmor profile stay: a warning. CIS Docker "
     "Benchmark 1.6: 5.5 (5.4 in 1.5), of exec 5.23; CIS Kubernetes Benchmark 1.8: 5.2.2.\n\n"
     "Way out: the capabilities and devices that it needs, one by one.")
void dp_privileged(struct lint *l, enum diag_id id)
{
	judge_execs(l, id);
	EACH_CONTAINER(l, c)
	{
		if (!is_privileged(c))
			continue;
		diag_help(
			l->ds,
			diag_add(
				l->ds, id, c->privileged.span,
				PRISTR
				" is privileged: all capabilities and devices, no default seccomp filter or AppArmor profile",
				STRARG(c->name.text)),
			c->form == DEPLOY_COMPOSE ?
				"'cap_add' and 'devices' give it single ones" :
			c->form == DEPLOY_RUN ?
				"'--cap-add' and '--device' give it single ones" :
			c->form == DEPLOY_QUADLET ?
				"'AddCapability=' and 'AddDevice=' give it single ones" :
				"'capabilities.add' gives it single ones");
	}
}

RULE(DP605, "host-namespace", HIGH, DEPLOYMENT, dp_host_namespace,
     "a container in a namespace of the machine",
     "A container shares a namespace with the machine. pid: it sees every process, and what is in their "
     "/proc; ipc: their shared memory; user: root in it is root outside, where a remap was set up; network: "
     "services on 127.0.0.1 and abstract sockets, from which containerd's shim was taken over (CVE-2020-15257); "
     "uts, cgroup: the machine's name, its groups. CIS Docker Benchmark 1.6: 5.10, 5.16, 5.17, 5.21 and 5.31; CIS "
     "Kubernetes Benchmark 1.8: 5.2.3 to 5.2.5. Network, uts and cgroup are warnings.\n\n"
     "Way out: leave it out; publish ports in place of the machine's network.")
void dp_host_namespace(struct lint *l, enum diag_id id)
{
	EACH_CONTAINER(l, c)
	vec_each(&c->host, h) {
		bool high =
			str_is(h->text, "pid") || str_is(h->text, "ipc") || str_is(h->text, "user");
		struct diag *d =
			diag_add_as(l->ds, id, high ? SEVERITY_HIGH : SEVERITY_WARNING, h->span,
				    PRISTR " is in the machine's own " PRISTR " namespace",
				    STRARG(c->name.text), STRARG(h->text));

		diag_help(l->ds, d, "leave it out, and it has one of its own");
	}
}

RULE(DP607, "engine-socket", HIGH, DEPLOYMENT, dp_engine_socket,
     "a container that is given the engine's socket",
     "The socket of a container engine, or a folder that holds it, is mounted into a container. Who talks to "
     "it starts a privileged container with the machine's disk in it: that is root on the machine, where the engine "
     "runs as root, and else its user. Mounted read-only it is no less so: that is about the file, not about what is "
     "written to the socket. CIS Docker Benchmark 1.6: 5.32.\n\n"
     "Way out: a proxy that lets through the requests that are needed, or an engine without root.")
void dp_engine_socket(struct lint *l, enum diag_id id)
{
	static const char *const sockets[] = {
#define ENGINE(name, glob, does) name,
#include "compiler/lint/aa_paths.def"
	};
	static const char *const folders[] = { "/", "/run", "/run/", "/var/run", "/var/run/" };

	EACH_CONTAINER(l, c)
	vec_each(&c->mounts, m) {
		const char *what = NULL, *slash = memrchr(m->text.p, '/', m->text.n);
		struct str name = m->text;

		if (slash)
			name = (struct str){ slash + 1,
					     (size_t)(m->text.p + m->text.n - slash) - 1 };
		for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
			what = str_is(name, sockets[i]) ? "the engine's socket" : what;
		for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
			what = str_is(m->text, folders[i]) ?
				       "a folder with the engine's socket in it" :
				       what;
		if (what)
			diag_help(
				l->ds,
				diag_add(
					l->ds, id, m->span,
					PRISTR
					" is given '%s', %s: who talks to it may do what the engine may",
					STRARG(c->name.text), safe(l, m->text), what),
				"give it a proxy that lets through the requests that it needs");
	}
}

static struct str safe_word(struct lint *l, const struct deploy_container *c)
{
	return c->word.n ? str_c(safe(l, c->word)) : STR("(no name)");
}

RULE(DP608, "new-privileges", INFO, DEPLOYMENT, dp_new_privileges,
     "programs in a container may gain privileges",
     "no-new-privileges is not set for a container (in a pod: allowPrivilegeEscalation is not false; or for a unit that has a user), so "
     "setuid programs and file capabilities in its image work. With it what an attacker starts stays what he "
     "is. CIS Docker Benchmark 1.6: 5.26, of daemon.json 2.14; CIS Kubernetes Benchmark 1.8: 5.2.6.\n\n"
     "Way out: 'no-new-privileges=true' in security_opt, or in daemon.json for all; 'allowPrivilegeEscalation: false'; 'NoNewPrivileges=yes'. "
     "What needs sudo or a program with file capabilities does not work then.")
void dp_new_privileges(struct lint *l, enum diag_id id)
{
	struct group all = GROUP(l);
	bool compose = false, run = false, daemon = false, quadlet = false;

	lint_unit_new_privileges(l, id);
	EACH_CONTAINER(l, c)
	{
		if (c->pod || c->open || is_privileged(c) ||
		    c->no_new_privileges.said == DEPLOY_YES)
			continue;
		compose = c->form == DEPLOY_COMPOSE;
		run = c->form == DEPLOY_RUN;
		daemon = c->form == DEPLOY_DAEMON;
		quadlet = c->form == DEPLOY_QUADLET;
		group_add(&all, safe_word(l, c),
			  c->no_new_privileges.said ? c->no_new_privileges.span : c->name.span);
	}
	if (!all.hits.n)
		return;
	struct diag *d = diag_add(l->ds, id, group_span(&all),
				  "setuid programs in %s may gain privileges", group_list(&all));
	group_labels(l->ds, d, &all);
	diag_help(l->ds, d, "%s",
		  compose ? "'no-new-privileges=true' in security_opt" :
		  daemon  ? "'\"no-new-privileges\": true'" :
		  run     ? "'--security-opt no-new-privileges=true'" :
		  quadlet ? "'NoNewPrivileges=true'" :
			    "'allowPrivilegeEscalation: false' in securityContext");
}

/* ---- security_opt ---- */

static bool is_file(const struct deploy_option *o)
{
	return str_is(o->key, "seccomp") && !str_is(o->value, "unconfined") &&
	       !str_is(o->value, "builtin") && !str_starts(o->value, "{");
}

/* Of standard input nobody knows the folder. */
static bool can_look(const struct lint *l, const struct deploy_option *o)
{
	const struct source *from = source_of(l->ds->sources, o->span);

	return o->value.n && (o->value.p[0] == '/' || (from && from->path));
}

static const char *path_named(struct lint *l, const struct deploy_option *o)
{
	const struct source *from = source_of(l->ds->sources, o->span);
	const char *slash = from ? strrchr(from->name, '/') : NULL;
	struct str value = o->value;
	size_t n = slash && value.p[0] != '/' ? (size_t)(slash - from->name) + 1 : 0;

	while (str_starts(value, "./"))
		value = (struct str){ value.p + 2, value.n - 2 };
	return arena_printf(l->arena, "%.*s" PRISTR, (int)n, from ? from->name : "", STRARG(value));
}

const char *lint_filter_path(struct lint *l, const struct deploy_option *o)
{
	return is_file(o) && can_look(l, o) ? path_named(l, o) : NULL;
}

/* The file that it names; NULL and -errno. */
static struct source *load_named(struct lint *l, const struct deploy_option *o, int *err)
{
	struct source *out = NULL;

	*err = source_load_regular(l->ds->sources, path_named(l, o), &out);
	return *err ? NULL : out;
}

RULE(DP602, "seccomp-default", ERROR, DEPLOYMENT, dp_seccomp_default,
     "seccomp=default names a file that is not there",
     "'default' is no word for the default profile: Docker's client and compose open a file of that name and "
     "give up ('opening seccomp profile (default) failed'; docker/cli#4754, docker/compose pkg/compose/create.go). Where there is such a file it "
     "is read, and this is not told.\n\n"
     "Way out: leave it out; since Docker 23 'seccomp=builtin' names the engine's own.")
void dp_seccomp_default(struct lint *l, enum diag_id id)
{
	int err;

	EACH_CONTAINER(l, c)
	vec_each(&c->options, o) {
		if (c->other_engine || !str_is(o->key, "seccomp") || !str_is(o->value, "default") ||
		    (can_look(l, o) && load_named(l, o, &err)))
			continue;
		diag_help(l->ds,
			  diag_add(l->ds, id, o->span,
				   "'default' is taken for a file, and " PRISTR " does not start",
				   STRARG(c->name.text)),
			  "leave it out: the default holds where nothing is said");
	}
}

RULE(DP603, "colon-separator", WARNING, DEPLOYMENT, dp_colon_separator,
     "a security option with ':' for '='",
     "A security option is written KEY:VALUE. That is deprecated since Docker 1.11 and was to end with 17.06 "
     "(docker/cli docs/deprecated.md); the daemon still takes it, and logs 'Security options with `:` as a separator are "
     "deprecated' (moby daemon/daemon_unix.go).\n\n"
     "Way out: '=' for the ':'.")
void dp_colon_separator(struct lint *l, enum diag_id id)
{
	EACH_CONTAINER(l, c)
	vec_each(&c->options, o) {
		struct diag *d;

		if (c->other_engine || !o->colon || str_is(o->key, "no-new-privileges"))
			continue;
		d = diag_add(l->ds, id, o->span,
			     "':' between a security option's name and value is deprecated");
		diag_help(l->ds, d, "'" PRISTR "='", STRARG(o->key));
	}
}

static bool holds_profile(struct lint *l, struct source *src, struct json **out)
{
	struct diags *own = diags_new(l->arena, l->ds->sources);

	*out = json_parse(l->arena, src, own);
	return *out && !own->errors && (*out)->kind == JSON_OBJECT &&
	       (json_get_fold(*out, "defaultAction") || json_get_fold(*out, "syscalls"));
}

/* Where Podman's service runs nobody knows; a '%' begins what systemd replaces. */
static bool is_absolute(const struct deploy_option *o)
{
	return o->value.p[0] == '/' && !memchr(o->value.p, '%', o->value.n);
}

/* Where a script runs nobody knows, nor dockerd. */
static bool is_elsewhere(const struct deploy_container *c, const struct deploy_option *o)
{
	return o->value.p[0] == '/' || c->form == DEPLOY_RUN || c->form == DEPLOY_DAEMON;
}

RULE(DP612, "no-such-profile", ERROR, DEPLOYMENT, dp_no_such_profile,
     "a seccomp profile that is named and not there",
     "The file of a seccomp profile that a container names is not there, or is no profile: compose reads it "
     "from the project's folder, which is the compose file's where nothing else is said, and starts nothing without it. A path from the root is one of the "
     "machine that starts it, which may be another one: a warning.\n\n"
     "Way out: the path from the compose file's folder.")
void dp_no_such_profile(struct lint *l, enum diag_id id)
{
	EACH_CONTAINER(l, c)
	vec_each(&c->options, o) {
		struct json *root;
		struct diag *d;
		int err = 0;

		if (!is_file(o) || str_is(o->value, "default") || !can_look(l, o) ||
		    (c->form == DEPLOY_QUADLET && !is_absolute(o)))
			continue;
		struct source *src = load_named(l, o, &err);
		if (src && holds_profile(l, src, &root))
			continue;
		d = diag_add_as(l->ds, id, is_elsewhere(c, o) ? SEVERITY_WARNING : SEVERITY_ERROR,
				o->span, "'%s', the seccomp profile of " PRISTR ", %s%s",
				safe(l, o->value),
				STRARG(c->form == DEPLOY_DAEMON ? c->word : c->name.text),
				src ? "is no seccomp profile" : "cannot be read: ",
				src ? "" : strerror(-err));
		diag_help(
			l->ds, d,
			c->form == DEPLOY_DAEMON ?
				"dockerd does not start without it; a path from the root is the same wherever it starts" :
				"it is looked for from the folder that this file is in");
	}
}

RULE(DP613, "unknown-security-opt", ERROR, DEPLOYMENT, dp_unknown_security_opt,
     "a security option that Docker does not know",
     "Docker on Linux knows seccomp, apparmor, label, no-new-privileges, systempaths and, where it is new enough, "
     "writable-cgroups; any other it refuses (moby daemon/daemon_unix.go), and the container does not start. Not told are "
     "what others know: Podman (mask, unmask, proc-opts), nerdctl (privileged-without-host-devices), Docker on Windows "
     "(credentialspec).\n\n"
     "Way out: spell it as Docker does.")
void dp_unknown_security_opt(struct lint *l, enum diag_id id)
{
	static const char *const known[] = { "seccomp",       "apparmor",
					     "label",         "no-new-privileges",
					     "systempaths",   "writable-cgroups",
					     "mask",          "unmask",
					     "proc-opts",     "privileged-without-host-devices",
					     "credentialspec" };

	EACH_CONTAINER(l, c)
	vec_each(&c->options, o) {
		struct suggest near;
		bool found = false;
		struct diag *d;

		if (c->other_engine)
			continue;
		suggest_start(&near, o->key);
		for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
			found |= str_is(o->key, known[i]);
			suggest_offer(&near, str_c(known[i]));
		}
		if (found)
			continue;
		d = diag_add(l->ds, id, o->span,
			     "Docker has no security option '%s', so " PRISTR " does not start",
			     safe(l, o->key), STRARG(c->name.text));
		if (near.best.p)
			diag_help(l->ds, d, "did you mean '" PRISTR "'?", STRARG(near.best));
		else
			diag_help(l->ds, d, "seccomp=, apparmor=, label=, no-new-privileges=");
	}
}

/* ---- Kubernetes ---- */

static void tell_profile(struct lint *l, enum diag_id id, struct span at, const char *text,
			 const char *help)
{
	diag_help(l->ds, diag_add(l->ds, id, at, "%s", text), "%s", help);
}

/* "a descending path", as validateLocalhostProfile of Kubernetes has it. */
static bool descends(struct str path)
{
	if (!path.n || path.p[0] == '/')
		return false;
	for (size_t i = 0; i + 1 < path.n; i++)
		if (path.p[i] == '.' && path.p[i + 1] == '.' && (!i || path.p[i - 1] == '/') &&
		    (i + 2 == path.n || path.p[i + 2] == '/'))
			return false;
	return true;
}

static void judge_profile(struct lint *l, enum diag_id id, const struct deploy_profile *p,
			  bool seccomp)
{
	static const char *const types[] = { "RuntimeDefault", "Localhost", "Unconfined" };
	bool local = str_is(p->type.text, "Localhost"), known = false;
	struct suggest near;

	if (!has_place(p->span))
		return;
	suggest_start(&near, p->type.text);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		known |= str_is(p->type.text, types[i]);
		suggest_offer(&near, str_c(types[i]));
	}
	if (!has_place(p->type.span))
		tell_profile(l, id, p->span, "a profile without 'type', which is required",
			     "'type: RuntimeDefault', Localhost or Unconfined");
	else if (!known)
		diag_help(l->ds,
			  diag_add(l->ds, id, p->type.span, "'%s' is no type of a profile" PRINEAR,
				   safe(l, p->type.text), NEARARG(near)),
			  "RuntimeDefault, Localhost or Unconfined, in these capitals");
	else if (local && !has_place(p->local.span))
		tell_profile(l, id, p->type.span,
			     "'Localhost' without 'localhostProfile', which it requires",
			     "'localhostProfile' names the profile");
	else if (!local && has_place(p->local.span))
		tell_profile(l, id, p->local.span,
			     "'localhostProfile' must not be set with another type than Localhost",
			     "'type: Localhost', or leave it out");
	else if (local && seccomp && !descends(p->local.text))
		tell_profile(
			l, id, p->local.span,
			"'localhostProfile' must be a path below the kubelet's folder of profiles",
			"the path from that folder on (/var/lib/kubelet/seccomp by default), without '/' in front and '..' in it");
}

RULE(DP609, "pod-profile", ERROR, DEPLOYMENT, dp_pod_profile,
     "a pod's profile that the API refuses, or no profile at all",
     "seccompProfile and appArmorProfile need a 'type'; Localhost needs 'localhostProfile', other types must "
     "not have it; of seccomp it is a path below the kubelet's folder of profiles, relative and without '..'. The API "
     "server refuses other objects (kubernetes pkg/apis/core/validation), an empty path the kubelet. Where nothing is said of seccomp, containers have no filter at all, unless the "
     "kubelet runs with --seccomp-default (off by default): a warning. CIS Kubernetes Benchmark 1.8: 5.7.2.\n\n"
     "Way out: 'seccompProfile: {type: RuntimeDefault}' in the pod's securityContext.")
void dp_pod_profile(struct lint *l, enum diag_id id)
{
	struct group bare = GROUP(l);

	EACH_CONTAINER(l, c)
	{
		judge_profile(l, id, &c->seccomp, true);
		judge_profile(l, id, &c->apparmor, false);
		if (c->form == DEPLOY_KUBERNETES && !c->pod && !is_privileged(c) &&
		    !has_place(seccomp_of(c)->span))
			group_add(&bare, c->name.text, c->name.span);
	}
	if (!bare.hits.n)
		return;
	struct diag *d = diag_add_as(
		l->ds, id, SEVERITY_WARNING, group_span(&bare),
		"nothing is said of seccomp here, so unless the kubelet has --seccomp-default there is no filter");
	group_labels(l->ds, d, &bare);
	diag_help(l->ds, d,
		  "'seccompProfile: {type: RuntimeDefault}' in the pod's securityContext");
}

RULE(DP610, "profile-annotation", HIGH, DEPLOYMENT, dp_profile_annotation,
     "an annotation that named a profile once",
     "Annotations that named seccomp profiles (seccomp.security.alpha.kubernetes.io/...) do nothing since "
     "Kubernetes 1.27: where no seccompProfile stands beside them, the pod runs with no filter, or the kubelet's default. AppArmor's "
     "(container.apparmor.security.beta.kubernetes.io/...) are deprecated since 1.30: information.\n\n"
     "Way out: seccompProfile and appArmorProfile in securityContext.")
void dp_profile_annotation(struct lint *l, enum diag_id id)
{
	vec_each(&l->deployment->annotations, a) {
		bool seccomp = !str_starts(a->text, "container.apparmor");
		struct diag *d = diag_add_as(
			l->ds, id, seccomp ? SEVERITY_HIGH : SEVERITY_INFO, a->span, "%s",
			seccomp ?
				"this annotation names a seccomp profile, and does nothing since Kubernetes 1.27" :
				"this annotation is deprecated since Kubernetes 1.30");

		diag_help(l->ds, d, "'%s' in securityContext",
			  seccomp ? "seccompProfile" : "appArmorProfile");
	}
}

/* ---- capabilities ---- */

static const struct gated {
	const char *cap;
	enum severity severity;
	unsigned calls;
	const char *some;
} gated[] = {
#define GATED(cap, severity, calls, some) { cap, SEVERITY_##severity, calls, some },
#include "compiler/lint/deploy_gated.def"
#undef GATED
};

static const struct gated *find_gated(struct str cap)
{
	if (str_starts(cap, "CAP_") || str_starts(cap, "cap_"))
		cap = (struct str){ cap.p + 4, cap.n - 4 };
	for (size_t i = 0; i < ARRAY_SIZE(gated); i++)
		if (str_ieq(cap, str_c(gated[i].cap)))
			return &gated[i];
	return NULL;
}

/* The default filter of an engine, whose calls hang on capabilities, is what holds. */
static bool has_default_filter(const struct deploy_container *c)
{
	if (is_privileged(c) || c->open)
		return false;
	if (c->form == DEPLOY_KUBERNETES)
		return str_is(seccomp_of(c)->type.text, "RuntimeDefault");
	vec_each(&c->options, o)
		if (str_is(o->key, "seccomp") && !str_is(o->value, "builtin"))
			return false;
	return true;
}

RULE(DP611, "capability-opens-calls", HIGH, DEPLOYMENT, dp_capability_opens_calls,
     "a capability that opens calls of the default filter",
     "Default filters let calls through that a capability is for where a container has it: CAP_SYS_ADMIN opens 26 "
     "in Docker's, mount, setns and bpf among them. So a capability that is added takes away of the filter, too. ALL opens "
     "them all. The calls that are told are those of Docker's (moby/profiles, on kernels since 4.8); containerd's and "
     "Podman's are made alike, and differ in some. Told where the default filter holds, ALL wherever the container is not "
     "privileged; the severity is that of what is opened. CIS Docker Benchmark 1.6: 5.4.\n\n"
     "Way out: leave it out, or give the container a filter of its own, which says what it may do with the capability.")
void dp_capability_opens_calls(struct lint *l, enum diag_id id)
{
	EACH_CONTAINER(l, c)
	for (size_t i = 0; i < c->caps.n && !is_privileged(c); i++) {
		const struct deploy_text *cap = &c->caps.v[i];
		bool filtered = has_default_filter(c);
		const struct gated *g = filtered ? find_gated(cap->text) : NULL;
		struct diag *d = NULL;

		if (str_ieq(cap->text, STR("ALL")) && !filtered)
			d = diag_add(
				l->ds, id, cap->span,
				PRISTR
				" has every capability, and what the kernel keeps for one is kept from it by no default filter either",
				STRARG(c->name.text));
		else if (str_ieq(cap->text, STR("ALL")))
			d = diag_add(
				l->ds, id, cap->span,
				PRISTR
				" has every capability, and with them every call that the default filter keeps for one",
				STRARG(c->name.text));
		else if (g && deploy_is_docker(c->form) && !c->other_engine)
			d = diag_add_as(
				l->ds, id, g->severity, cap->span,
				"CAP_%s opens %u call%s of Docker's default filter to " PRISTR
				": %s",
				g->cap, g->calls, g->calls == 1 ? "" : "s", STRARG(c->name.text),
				g->some);
		else if (g)
			d = diag_add_as(
				l->ds, id, g->severity, cap->span,
				"CAP_%s opens calls of the runtime's default filter to " PRISTR
				", as of Docker's %s",
				g->cap, STRARG(c->name.text), g->some);
		if (d)
			diag_help(l->ds, d, "leave it out, or give it a filter of its own");
	}
}
