#!/bin/sh
# `arg` and `...`, beside Lua's own command where there is one.
. tests/support/command.sh

file script.lua <<'LUA'
local low = 0
while arg[low - 1] do low = low - 1 end
for i = low + 1, #arg do print(i, arg[i]) end
print(select("#", ...), ...)
LUA

case_is "the script, what stands before it and behind"
luge -e 'x = 1' "$path" a "" "b c" -x --
is 0 "-2	-e
-1	x = 1
0	$path
1	a
2	
3	b c
4	-x
5	--
5	a		b c	-x	--
"

case_is "no script: the command has index 0"
luge -e 'print(#arg, arg[1], arg[-1], ...)'
is 0 "2	-e	nil$nl"

case_is "as Lua's own command sets them"
if command -v lua5.4 >/dev/null; then
  for arguments in "$path a b" "-e x=1 $path a" "-- $path a" "-e x=1 -- $path"; do
    # shellcheck disable=SC2086
    luge $arguments
    # shellcheck disable=SC2086
    is 0 "$(lua5.4 $arguments)$nl"
  done
fi
finish
