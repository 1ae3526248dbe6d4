" SPDX-License-Identifier: Apache-2.0
if exists("b:did_ftplugin")
	finish
endif
let b:did_ftplugin = 1
setlocal commentstring=#\ %s comments=:# expandtab shiftwidth=4 softtabstop=4
setlocal iskeyword=@,48-57,_,-
if executable('pale')
	let &l:formatprg = 'pale fmt -'
endif
let b:undo_ftplugin = 'setlocal commentstring< comments< expandtab< shiftwidth< softtabstop< iskeyword< formatprg<'
