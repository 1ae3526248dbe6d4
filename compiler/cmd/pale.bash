# SPDX-License-Identifier: Apache-2.0
# bash completion for pale; a test holds it against options.def.

# The options of each command; what those take that take one of a few words.
declare -gA _pale_options=(
	[compile]="--target --systemd --output --policy --arch --weights --runtime --log-refusals --log-only --approximate --caps --kernel --host --sets --quiet"
	[learn]="--output --name --for --margin --exact --phases --backend --cgroup --border --pid --container --label --wait --serve-from --recording --report --no-arguments --no-files --every --until --live --earlier --allow-loss --max-paths"
	[propose]="--output --report --name --for --margin --exact --phases --arch --update --policy --caps --kernel --host --sets --allow-loss"
	[merge]="--output"
	[hook]="--directory --strict --always --no-files --every --exec --install --remove --config --dry-run --yes"
	[replay]="--from --output --comm --exe --profile --pid --arch --allow-loss"
	[run]="--count --verify --log-only --log --log-refusals --layers --policy --runtime --report --caps --kernel --host --sets"
	[fmt]="--in-place --check"
	[import]="--output --name --host --runtime --profile --include --features --target --systemd --approximate"
	[dump]="--pid --as --output --name --approximate"
	[list]="--arch --sets --format"
	[show]="--sets"
	[sim]="--raw --as --runtime --arch --policy --caps --kernel --host --sets --target --systemd --profile --include --features"
	[explain]="--arch --policy --runtime --caps --kernel --host --sets --target --systemd --profile --include --features"
	[diff]="--runtime --format --fail-on --layers --arch --policy-a --policy-b --target --systemd --target-a --target-b --profile --profile-a --profile-b --include --features --caps --kernel --host --sets"
	[why]="--pid --as --runtime --policy --caps --kernel --host --sets --target --profile --include --features"
	[watch]="--container --format --prometheus --until --from --sets --include --features"
	[check]="--target --systemd --include --features --runtime --policy --caps --kernel --host --sets --arch"
	[lint]="--format --select --ignore --severity --error-on --fix --diff --statistics --baseline --write-baseline --exclude --stdin-filename --jobs --config --isolated --runtime --explain --list-rules --docs --rule-pages --caps --kernel --host --sets --target --systemd --include --features"
	[lsp]="--stdio --config --isolated --runtime --select --ignore --severity --rule-pages --caps --kernel --host --sets --target --systemd --include --features"
)
declare -gA _pale_words=(
	[--target]="docker oci spo bpf apparmor all"
	[--target-a]="docker oci bpf apparmor all"
	[--target-b]="docker oci bpf apparmor all"
	[--for]="run runc runc-nnp crun"
	[--install]="docker podman crio"
	[--remove]="docker podman crio"
	[--from]="strace audit apparmor report"
	[--backend]="auto ebpf ebpf-fentry ebpf-tp ebpf-btf ebpf-raw ptrace seccomp"
	[--layers]="seccomp apparmor seccomp,apparmor"
	[--as]="policy bpf docker:runc docker:crun"
	[--format]="text json"
	["watch --from"]="- kmsg audit journald"
	["dump --as"]="policy bpf text"
	["why --as"]="docker:runc docker:crun"
	["lint --format"]="text concise gcc json sarif github gitlab junit checkstyle"
	["diff --format"]="text json markdown"
	[--margin]="none family"
	[--fail-on]="looser tighter any none"
	[--severity]="error high warning info"
	[--error-on]="error high warning info none"
	[--arch]="x86_64 x32 i386 aarch64 arm riscv64 s390x ppc64le mips64el loongarch64"
	[--host]="x86_64 x32 i386 aarch64 arm riscv64 s390x ppc64le mips64el loongarch64"
	[--caps]="none all docker"
	[--systemd]="262 257 252"
	[--diag]="text json"
)

_pale()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} i

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "${!_pale_options[*]} --help --version" -- "$cur")
		return
	fi
	for ((i = 2; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == -- ]]; then # behind it stands a command of its own
			declare -F _command_offset >/dev/null && _command_offset $((i + 1))
			return
		fi
	done
	case $prev in -t) prev=--target ;; -I) prev=--include ;; esac
	local words=${_pale_words["$command $prev"]-${_pale_words[$prev]-}}
	if [[ -n $words ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	elif [[ $prev == --sets || $prev == --cgroup || $prev == --directory || $prev == --include ]]; then
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "${_pale_options[$command]-} --diag --help" -- "$cur")
	elif [[ $command == list ]]; then
		mapfile -t COMPREPLY < <(compgen -W "sets syscalls targets constants" -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}
complete -o filenames -F _pale pale
