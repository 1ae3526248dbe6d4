" SPDX-License-Identifier: Apache-2.0
" Vim syntax of pale's policies. The lists of words are written by tests/lsp/editors.py.
if exists("b:current_syntax")
	finish
endif
syn case match
syn iskeyword @,48-57,_,-

" { words
syn keyword paleTop include policy set
syn keyword paleRule allow apparmor arch capability change_profile dbus default deny errno file
syn keyword paleRule foreign io_uring kill kill-process kill-thread layers level limit log mount
syn keyword paleRule mqueue namespace network notify owner pivot_root program ptrace quiet
syn keyword paleRule remount signal trace trap umount unix unknown use userns when
syn keyword paleCondition and has in lacks not or reg
syn keyword paleWord any except host kernel protocol receive refusals send
" }

" A name behind these is a name, whatever it is called.
syn keyword paleTop policy set nextgroup=paleName skipwhite
syn match paleName "[A-Za-z_][A-Za-z0-9_-]*" contained
syn match paleConstant "\<[A-Z][A-Z0-9_]\+\>"
syn match paleNumber "\<\(0x\x\+\|\d\+\(\.\d\+\)*\)\>"
syn match palePath "\(^\|[ \t,]\)\@<=\(/\|@{\)[^ \t,;]*" contains=paleVariable,palePattern
syn match palePattern "[*?{}\[\]]" contained
syn match paleVariable "@{[A-Za-z_]\+}" contained
syn region paleString start=+"+ skip=+\\.+ end=+"+ oneline contains=paleVariable,palePattern
syn match paleCallNumber "#\d\+"
syn match paleComment "#\(\d\)\@!.*$" contains=paleTodo,@Spell
syn match paleComment "^\s*#.*$" contains=paleTodo,@Spell
syn match paleIgnore "pale: ignore \S\+" contained containedin=paleComment
syn keyword paleTodo TODO FIXME contained

hi def link paleTop Structure
hi def link paleRule Statement
hi def link paleCondition Operator
hi def link paleWord Keyword
hi def link paleName Identifier
hi def link paleConstant Constant
hi def link paleNumber Number
hi def link paleCallNumber Number
hi def link palePath String
hi def link paleString String
hi def link palePattern Special
hi def link paleVariable Identifier
hi def link paleComment Comment
hi def link paleIgnore SpecialComment
hi def link paleTodo Todo
let b:current_syntax = "pale"
