#!/bin/sh
# Standard output and standard error: their order, readers that leave, what
# cannot be written.
# shellcheck disable=SC2016
. tests/support/command.sh

case_is "print and io.write"
luge -e 'print() print(1, 2.0, nil, true, "x") print(setmetatable({}, { __tostring = function() return "t" end }))
io.write("a", 1, 2.5, 1.0, "\n") print(io.write("") == io.stdout, io.stdout:write("b\n") == io.stdout)'
is 0 "
1	2.0	nil	true	x
t
a12.51
b
true	true
"
if command -v lua5.4 >/dev/null; then
  luge -e 'io.write(1.0, " ", 2^53, " ", -0.0, " ", 1e100, " ", math.mininteger)'
  is 0 "$(lua5.4 -e 'io.write(1.0, " ", 2^53, " ", -0.0, " ", 1e100, " ", math.mininteger)')"
fi
luge -e 'print(pcall(io.write, {})) print(pcall(print, setmetatable({}, { __tostring = function() return {} end })))'
is 0 "false	bad argument #1 to 'io.write' (string expected, got table)
false	'__tostring' must return a string
"

case_is "standard output comes before what is written to standard error"
last="luge >both 2>&1"
"$LUGE" -e 'print(1) io.stderr:write("2\n") print(3) io.write("4\n") io.stderr:write("5\n")
print(6) error("7", 0)' 2>&1 | head -7 >"$folder/out"
status=$?
is 0 "1${nl}2${nl}3${nl}4${nl}5${nl}6${nl}luge: 7$nl"

case_is "and before what another program prints"
luge -e 'print(1) os.execute("echo 2") print(3) io.popen("echo 4"):close() print(5)
io.popen("cat", "w"):write("6\n"):close() print(7)'
is 0 "1${nl}2${nl}3${nl}5${nl}6${nl}7$nl"

case_is "much output, and text in one large piece"
luge -e 'for i = 1, 200000 do print(i) end io.write(("x"):rep(1 << 20))'
is 0
[ "$(wc -c <"$folder/out")" -eq $((1288895 + 1048576)) ] || fail "some output is missing"

case_is "a reader that leaves ends the command quietly"
for code in 'for i = 1, 1e9 do print(i) end' \
  'for i = 1, 1e9 do print(i) luge.sleep(0) end' \
  'for i = 1, 1e9 do luge.stdout:write(i, "\n") end' \
  'while true do pcall(print, 1) luge.sleep(0) end'; do
  last="luge | head -1 with $code"
  { "$LUGE" -e "local luge = require 'luge'
    local h <close> = setmetatable({}, { __close = function() io.stderr:write('closed\n') end }) $code" \
    2>"$folder/err"; echo $? >"$folder/status"; } | head -1 >"$folder/out"
  status=$(cat "$folder/status")
  is 141 "1$nl"
  [ "$(cat "$folder/err")" = closed ] || fail "it says $(cat "$folder/err")"
done

case_is "what a program has done is not undone by a reader that leaves at the end"
{ "$LUGE" -e 'print(1) os.exit(3)'; echo $? >"$folder/status"; } 2>"$folder/err" | :
status=$(cat "$folder/status")
last="luge | :"
case $status in
  3 | 141) silent ;;
  *) fail "the status is $status" ;;
esac

case_is "what cannot be written is told"
if [ -c /dev/full ]; then
  last="luge >/dev/full"
  "$LUGE" -e 'print(io.write("x")) io.stdout:flush() print(io.write("y"))
  io.stderr:write(tostring(select(2, io.write("z"))), "\n")' >/dev/full 2>"$folder/err"
  status=$?
  : >"$folder/out"
  is 1
  says "No space left on device"
  says "luge: cannot write to standard output: No space left on device"
  "$LUGE" -e 'print(1) os.exit(0)' >/dev/full 2>"$folder/err"
  status=$?
  is 1
  "$LUGE" -e 'print(1) os.exit(7)' >/dev/full 2>"$folder/err"
  status=$?
  is 7
  "$LUGE" -e 'local luge = require "luge"
  luge.stdout:write("x") luge.stdout:flush()' >/dev/full 2>"$folder/err"
  status=$?
  is 1
  says "luge: io: cannot write to standard output: no space left on device"
fi

case_is "descriptors that are closed"
last="luge >&-"
"$LUGE" -e 'print(1)' >&- 2>"$folder/err"
status=$?
is 1
says "luge: cannot write to standard output: Bad file descriptor"
"$LUGE" -e 'io.stderr:write("x") local f = io.open("/dev/null") print(f ~= nil) error("x")' \
  2>&- >"$folder/out"
status=$?
is 1 "true$nl"

case_is "the three files"
luge -e 'print(io.stdout, io.stderr, io.type(io.stdout), io.type(1), io.output() == io.stdout)
print(io.stdout:seek("cur")) print(io.stdout:close()) print(io.close())
print(io.stdout:setvbuf("line"), io.stdout:flush() == io.stdout, io.flush() == io.stdout)
print(io.stdout:read()) print(pcall(io.stdout.lines, io.stdout)) print(pcall(io.stdout.write, 1, 2))
do local f <close> = io.stdout end print "open"'
is 0 "file (stdout)	file (stderr)	file	nil	true
nil	Illegal seek	29
nil	cannot close standard file
nil	cannot close standard file
true	true	true
nil	Bad file descriptor	9
false	Bad file descriptor
false	invalid: write: called on number 1: write FILE*:write(...), with a colon
open
"

case_is "io.output, and files that Lua opened"
OTHER=$folder/other
export OTHER
luge -e 'io.output(os.getenv "OTHER") io.write("file\n") print(io.output() ~= io.stdout, io.type(io.output()))
io.close() io.output(io.stdout) io.write("out\n") print(io.open(os.getenv "OTHER"):read("a"))'
is 0 "true	file${nl}out${nl}file$nl$nl"

case_is "luge.stdout and luge.stderr"
luge -e 'local luge = require "luge"
print(1) luge.stdout:write("a", 2, 3.5, "\n") luge.stderr:write("e\n"):flush() print(4)
print(luge.stdout:flush() == luge.stdout)
print(select(2, pcall(luge.stdout.write, luge.stdout, "x", {})))'
is 0 "1${nl}a23.5${nl}4${nl}true${nl}invalid: bad argument #2 to 'write': got a table, takes a string or a number$nl"
says e
finish
