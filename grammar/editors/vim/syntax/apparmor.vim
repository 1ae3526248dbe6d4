" SPDX-License-Identifier: Apache-2.0
" Vim syntax of AppArmor's text, where none other is installed. The lists of words are written by
" tests/lsp/editors.py.
if exists("b:current_syntax")
	finish
endif
syn case match

" { words
syn keyword apparmorTop abi alias include profile
syn keyword apparmorRule all allow audit capability change_profile dbus deny else file hat if
syn keyword apparmorRule io_uring link mount mqueue network other owner pivot_root priority
syn keyword apparmorRule prompt ptrace remount safe set signal umount unix unmount unsafe userns
syn keyword apparmorWord and bind defined delete eavesdrop in not open or override_creds peer
syn keyword apparmorWord read readby receive rewrite rlimit send sqpoll subset trace tracedby
syn keyword apparmorWord user write
" }

syn match apparmorPath "\(^\|[ \t=]\)\@<=/\S\{-}\(\s\|,\s*$\|,\s*#\|$\)\@=" contains=apparmorVariable,apparmorPattern
syn match apparmorPattern "[*?{}\[\]]" contained
syn match apparmorVariable "[@$]{[^}]*}"
syn match apparmorMode "\s\@<=[rwaklmixpcuPCU]\+\(,\|\s\+->\)\@="
syn match apparmorFile "<[^>]*>"
syn region apparmorString start=+"+ skip=+\\.+ end=+"+ oneline contains=apparmorVariable,apparmorPattern
syn match apparmorNumber "\<\d\+\(\.\d\+\)*\>"
syn match apparmorComment "#\(include\>\)\@!.*$" contains=@Spell
syn match apparmorIgnore "pale: ignore \S\+" contained containedin=apparmorComment

hi def link apparmorTop Structure
hi def link apparmorRule Statement
hi def link apparmorWord Keyword
hi def link apparmorPath String
hi def link apparmorString String
hi def link apparmorFile Include
hi def link apparmorPattern Special
hi def link apparmorVariable Identifier
hi def link apparmorMode Type
hi def link apparmorNumber Number
hi def link apparmorComment Comment
hi def link apparmorIgnore SpecialComment
let b:current_syntax = "apparmor"
