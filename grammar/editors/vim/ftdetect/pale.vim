" SPDX-License-Identifier: Apache-2.0
autocmd BufNewFile,BufRead *.pale setfiletype pale
autocmd BufNewFile,BufRead *.apparmor,*.aa,*/apparmor.d/* setfiletype apparmor
