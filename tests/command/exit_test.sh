#!/bin/sh
# os.exit, and the exit statuses that no other test has.
# shellcheck disable=SC2016
. tests/support/command.sh

handler='local luge = require "luge" local h <close> = setmetatable({}, { __close = function()
  luge.shield(luge.sleep, 0) print "closed" end }) '

# exits STATUS CODE [OUTPUT]: the handler runs, nothing comes after the exit.
exits() {
  luge -e "$handler $2 print 'not reached'"
  is "$1" "${3:-}closed$nl"
  silent
}

case_is "os.exit"
exits 0 'os.exit()'
exits 0 'os.exit(true)'
exits 1 'os.exit(false)'
exits 7 'os.exit(7)'
exits 7 'os.exit(7, true)'
exits 44 'os.exit(300)'
luge -e 'print(pcall(os.exit, {}))'
is 0 "false	bad argument #1 to 'os.exit' (number expected, got table)$nl"

case_is "it cannot be kept back"
exits 3 'pcall(os.exit, 3)'
exits 3 'xpcall(os.exit, print, 3)'
exits 3 'while true do pcall(os.exit, 3) end'
exits 3 'while true do coroutine.resume(coroutine.create(os.exit), 3) end'
exits 3 'pcall(function() pcall(os.exit, 3) end)'
exits 3 'coroutine.wrap(os.exit)(3)'
exits 3 'pcall(table.sort, { 1, 2, 3 }, function() os.exit(3) end)'
exits 3 'luge.shield(os.exit, 3)'
exits 3 'luge.timeout(9, os.exit, 3)'
exits 3 'luge.await(luge.spawn(os.exit, 3))'
exits 3 'luge.spawn(os.exit, 3) luge.sleep(1e9)'
exits 3 'luge.detach(os.exit, 3) luge.sleep(1e9)'
exits 3 'luge.gather { function() os.exit(3) end, function() luge.sleep(1e9) end }'
exits 3 'for v in luge.stream(function(emit) emit(1) os.exit(3) end) do print(v) end' "1$nl"

case_is "the first one counts"
luge -e "$handler local h <close> = setmetatable({}, { __close = function() os.exit(4) end }) os.exit(3)"
is 3 "closed$nl"
luge -e "$handler local h <close> = setmetatable({}, { __close = function() error 'x' end }) os.exit(3)"
is 3 "closed$nl"
says "luge: "

case_is "children end before"
luge -e "local luge = require 'luge' luge.spawn(function() $handler luge.sleep(1e9) end)
luge.sleep(0) os.exit(5)"
is 5 "closed$nl"

case_is "output is complete"
luge -e 'io.write(("x"):rep(100000)) os.exit(2)'
is 2
[ "$(wc -c <"$folder/out")" -eq 100000 ] || fail "output is missing"

case_is "detached tasks are cancelled at the end, and their handlers run"
luge -e "local luge = require 'luge' luge.detach(function() $handler luge.sleep(1e9) end)
luge.sleep(0) print 'end'"
is 0 "end${nl}closed$nl"

case_is "programs that a script starts are not told to ignore SIGPIPE"
luge -e 'print(os.execute "yes | head -1")'
is 0 "y${nl}true	exit	0$nl"
silent

case_is "a task that holds the others up is told"
luge --slow 0.01 -e 'local s = os.clock() while os.clock() - s < 0.1 do end'
is 0 ""
says "luge: warning: task 1 has held the loop for"
finish
