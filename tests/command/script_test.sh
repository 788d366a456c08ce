#!/bin/sh
# Scripts that cannot be read, or are none; and how their errors are shown.
. tests/support/command.sh

case_is "missing, unreadable, a folder"
luge "$folder/none.lua"
is 1 ""
says "luge: cannot open $folder/none.lua: No such file or directory"
luge "$folder"
is 1 ""
says "luge: cannot read $folder: Is a directory"
file secret.lua 'print(1)'
chmod 000 "$path"
if ! [ -r "$path" ]; then
  luge "$path"
  is 1 ""
  says "luge: cannot open $path: Permission denied"
fi

case_is "modules are found beside the script, before those elsewhere"
mkdir -p "$folder/a ü/parts" "$folder/b"
printf 'return "beside"' >"$folder/a ü/part.lua"
printf 'return "below"' >"$folder/a ü/parts/init.lua"
printf 'return "elsewhere"' | tee "$folder/b/part.lua" >"$folder/b/other.lua"
printf 'print(require "part", require "parts", (require "other"))' >"$folder/a ü/main.lua"
luge "$folder/a ü/main.lua"
is 1 ""
says "module 'other' not found"
result=$(cd "$folder/b" && "$LUGE" "../a ü/main.lua")
[ "$result" = "$(printf 'beside\tbelow\telsewhere')" ] || fail "$result"

case_is "a syntax error has its place, and no traceback"
file syntax.lua 'print(1)\nlocal x =\n'
luge "$path"
is 1 ""
says "luge: $path:3: unexpected symbol near <eof>"
if grep -q traceback "$folder/err"; then
  fail "a syntax error has a traceback"
fi

case_is "a traceback holds nothing of luge's own, and is left out where it is empty"
luge -e 'return require "luge".gather { 1 }'
is 1 ""
says "luge: invalid: bad list for 'gather'"
if grep -q traceback "$folder/err"; then
  fail "it says: $(cat "$folder/err")"
fi
luge --env-file "$folder/none.env" -e 'print(1)'
is 1 ""
says "none.env: no such file or directory"
if grep -q traceback "$folder/err"; then
  fail "it says: $(cat "$folder/err")"
fi
# shellcheck disable=SC2016
luge -e 'local luge = require "luge"
local handled = luge.future()
luge.signal("HUP", function() handled:resolve() error "in a handler" end)
os.execute "kill -HUP $PPID"
handled:await()'
is 1 ""
says "in a handler"
if grep -q "luge\.internal" "$folder/err"; then
  fail "it says: $(cat "$folder/err")"
fi

case_is "what is not text"
# shellcheck disable=SC2016
"$LUGE" -e 'io.write(string.dump(load("print(1)")))' >"$folder/compiled.luac"
luge "$folder/compiled.luac"
is 1 ""
says "$folder/compiled.luac is compiled Lua: luge runs source text only"
file zero.lua 'print(1)\0'
luge "$path"
is 1 ""
says "luge: $path is not a text file"
given "$LUGE" -e 'io.write(string.dump(load("print(1)")))'
luge -
is 1 ""
says "luge: standard input is compiled Lua"

case_is "a first line that begins with #, and a byte order mark"
file hash.lua '#!/usr/bin/env luge\nprint("ok")\nerror("x")'
luge "$path"
is 1 "ok$nl"
says "luge: $path:3: x"
file bom.lua '\357\273\277print("ok")'
luge "$path"
is 0 "ok$nl"
given printf '\357\273\277#!/usr/bin/env luge\nprint("ok")'
luge -
is 0 "ok$nl"
given printf '#'
luge -
is 0 ""
file empty.lua ''
luge "$path"
is 0 ""

case_is "a long script"
"$LUGE" -e 'for i = 1, 20000 do print("x = " .. i) end print "print(x)"' \
  >"$folder/long.lua"
luge "$folder/long.lua"
is 0 "20000$nl"

case_is "an uncaught error: message, causes, traceback"
file error.lua <<'LUA'
local luge = require "luge"
local function fetch()
  error(luge.error { kind = "io", message = "no file",
    cause = luge.error { kind = "network", message = "no host" } })
end
local task = luge.spawn(fetch)
luge.await(task)
LUA
luge "$path"
is 1 ""
says "luge: io: no file"
says "caused by: network: no host"
says "stack traceback:"
says "error.lua:3: in"
says "error.lua:7: in main chunk"

case_is "a task that nobody awaited"
luge -e 'local luge = require "luge"
luge.detach(function() error("lost", 0) end) luge.sleep(0)'
is 1 ""
says "luge: lost"

case_is "errors of every type"
luge -e 'error(nil)'
is 1 ""
says "luge: nil"
luge -e 'error({})'
is 1 ""
says "luge: (error object is a table without __tostring)"
luge -e 'error(setmetatable({}, { __tostring = error }))'
is 1 ""
says "whose __tostring failed)"
luge -e 'error(setmetatable({}, { __tostring = function() return "mine" end }))'
is 1 ""
says "luge: mine"
luge -e 'error(42)'
is 1 ""
says "luge: 42"

case_is "control characters do not reach the terminal"
luge -e 'error("a\27[31m\194\155b\7\t\195\169", 0)'
is 1 ""
says "luge: a\\x1B[31m\\x9Bb\\x07	é"

case_is "a deadlock is told, task by task"
luge -e 'local luge = require "luge" luge.queue():get()'
is 1 ""
says "luge: deadlock: "
says "task 1 waits for an item in a queue"

case_is "a main task that cancels itself has failed"
luge -e 'local luge = require "luge" luge.current():cancel("enough") luge.sleep(1)'
is 1 ""
says "luge: cancelled: enough"

case_is "the memory limit"
luge --memory-limit=8M -e 'local s = ("x"):rep(1 << 20) while true do s = s .. s end'
is 1 ""
says "not enough memory"
luge --memory-limit=1K -e ''
is 1 ""
says "luge: not enough memory or file descriptors to start"
finish
