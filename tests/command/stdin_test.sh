#!/bin/sh
# Standard input: io.read, io.lines, io.stdin and luge.stdin; on a pipe, a
# file, nothing, and a descriptor that is closed.
# shellcheck disable=SC2016,SC2059
. tests/support/command.sh

# reads CODE TEXT OUTPUT: runs it with the text on a pipe, then from a file.
reads() {
  given printf "$2"
  luge -e "local luge = require 'luge' $1"
  is 0 "$3"
  printf "$2" >"$folder/text"
  last="luge <file -e $1"
  "$LUGE" -e "local luge = require 'luge' $1" \
    <"$folder/text" >"$folder/out" 2>"$folder/err"
  status=$?
  is 0 "$3"
}

case_is "lines"
reads 'for line in io.lines() do print("[" .. line .. "]") end' \
  'one\n\nthree' "[one]${nl}[]${nl}[three]$nl"
reads 'for line in io.stdin:lines("L") do io.write("[", line, "]") end' \
  'one\ntwo' "[one$nl][two]"
reads 'for a, b in io.lines(nil, 1, "l") do print(a, b) end' \
  'abc\ndef\n' "a	bc${nl}d	ef$nl"
reads 'for line in luge.stdin:lines() do print(#line) end' \
  'one\n\nthree' "3${nl}0${nl}5$nl"

case_is "the formats of io.read"
reads 'print(io.read())' 'a b\nc' "a b$nl"
reads 'print(io.read("n", "n", "n", "l"))' ' 12 0x1F -3.5e1 rest\n' \
  "12	31	-35.0	 rest$nl"
reads 'print(io.read("n"), io.read("a"))' 'x1' "nil	x1$nl"
reads 'print(io.read("n", "l"))' '12' "12	nil$nl"
reads 'print(io.read(3, 0, "a"))' 'abcdef' "abc		def$nl"
reads 'print(io.read(0), io.read("*a"), io.read(0), io.read("a"), io.read("l"))' \
  'x' "	x	nil		nil$nl"
reads 'print(io.stdin:read("L", "l"))' 'a\nb\n' "a$nl	b$nl"
reads 'print(pcall(io.read, "x")) print(pcall(io.read, -1))' 'a' \
  "false	bad argument #1 to 'io.read' (invalid format)
false	bad argument #1 to 'io.read' (negative count)
"

case_is "as Lua's own command reads them"
if command -v lua5.4 >/dev/null; then
  for text in '1 2 3' '0x 5' '1e+ 7' '.5 . -.e1' '12abc' '0x1p4 +0x.8' ''; do
    for formats in '"n","n","n","a"' '"n","l","a"' '"l","n"' '5,"n","a"'; do
      reads "print(io.read($formats))" "$text" \
        "$(printf '%s' "$text" | lua5.4 -e "print(io.read($formats))")$nl"
    done
  done
fi

case_is "luge.stdin"
reads 'print(luge.stdin:read(2), luge.stdin:all(), luge.stdin:read())' \
  'abcdef' "ab	cdef	nil$nl"
reads 'print(luge.stdin:read(10), luge.stdin:read(10), luge.stdin:all())' \
  'abc' "abc	nil	$nl"
reads 'for line in luge.stdin:lines() do print(line) break end print(io.read("a"))' \
  'one\ntwo\nthree' "one${nl}two${nl}three$nl"
reads 'print(table.concat(luge.stdin:lines():map(string.upper):collect(), "+"))' \
  'a\nb\nc\n' "A+B+C$nl"
reads 'local parts = {} for part in function() return luge.stdin:read() end do
  parts[#parts + 1] = part end print(table.concat(parts))' 'abc' "abc$nl"

case_is "what comes is bounded"
reads 'local ok, err = pcall(luge.stdin:lines { max_line = 3 }.next, luge.stdin:lines { max_line = 3 })
  print(err.kind, err.what, err.limit) print(io.read())' 'abcd\n' \
  "limit	stdin	3${nl}abcd$nl"
reads 'local s = luge.stdin:lines { max_line = 3 } print(s:next(), s:next())' \
  'abc\nabc' "abc	abc$nl"
reads 'print(pcall(luge.stdin.all, luge.stdin, { max = 3.0 })) print(#luge.stdin:all { max = 4 })' \
  'abcd' "false	limit: standard input has more than the 3 bytes that are allowed for all of it
4
"
reads 'for _, f in ipairs { "read", "all", "lines" } do
  print(f, select(2, pcall(luge.stdin[f], luge.stdin, f == "read" and -1 or { max = 1, x = 1 })).kind) end' \
  '' "read	invalid${nl}all	invalid${nl}lines	invalid$nl"

case_is "the end is the end for ever"
reads 'io.read("a") for i = 1, 3 do print(io.read(), luge.stdin:read(), io.read(1)) end' 'x' \
  "nil	nil	nil${nl}nil	nil	nil${nl}nil	nil	nil$nl"
luge -e 'print(io.read(), io.read("a"), io.read("n"))'
is 0 "nil		nil$nl"

case_is "a descriptor that is closed"
last='luge <&-'
"$LUGE" -e 'print(io.read()) print(#require"luge".stdin:all())' \
  <&- >"$folder/out" 2>"$folder/err"
status=$?
is 0 "nil${nl}0$nl"

case_is "a folder cannot be read"
last='luge <folder'
"$LUGE" -e 'print(select(2, io.read())) print(pcall(io.lines()))
print(select(2, pcall(require"luge".stdin.read, 0)).errno)' \
  <"$folder" >"$folder/out" 2>"$folder/err"
status=$?
is 0 "Is a directory	21
false	illegal operation on a directory
EISDIR
"

case_is "a line of 8 MB, and 100,000 short ones"
given "$LUGE" -e 'io.write(("x"):rep(8 << 20), "\n") for i = 1, 100000 do print(i) end'
luge -e 'print(#io.read()) local n = 0 for line in io.lines() do n = n + line end print(n)'
is 0 "8388608${nl}5000050000$nl"

case_is "other tasks go on while one reads"
GO=$folder/go OTHER=$folder/other
export GO OTHER
mkfifo "$GO"
given sh -c 'read -r _ <"$1"; echo hello' sh "$GO"
luge -e 'local luge = require "luge"
local reader = luge.spawn(function() print("got", io.read()) end)
for i = 1, 3 do luge.sleep(0) print(i, reader:waiting_for()) end
local go <close> = assert(io.open(os.getenv "GO", "w"))
go:write("\n")'
is 0 "1	standard input${nl}2	standard input${nl}3	standard input${nl}got	hello$nl"

case_is "tasks read in their order, and a cancelled one takes nothing"
given sh -c 'read -r _ <"$1"; printf "one\\ntwo\\nthree\\n"' sh "$GO"
luge -e 'local luge = require "luge"
local list = {}
for i = 1, 4 do
  list[i] = luge.spawn(function() return i, io.read() end)
end
luge.sleep(0)
list[2]:cancel()
local go = assert(io.open(os.getenv "GO", "w"))
go:write("\n") go:close()
for _, i in ipairs { 1, 3, 4 } do print(luge.await(list[i])) end
print(list[2]:status())'
is 0 "1	one${nl}3	two${nl}4	three${nl}cancelled$nl"

case_is "a read that is cancelled gives up at once, and the next one has it all"
given sh -c 'printf par; read -r _ <"$1"; echo tial' sh "$GO"
luge -e 'local luge = require "luge"
print(pcall(luge.timeout, 0.02, io.read))
local go = assert(io.open(os.getenv "GO", "w"))
go:write("\n") go:close()
print(io.read())'
is 0 "false	timeout: timed out after 0.02 seconds${nl}partial$nl"

case_is "a pending read is no deadlock, but the end is"
given sh -c 'read -r _ <"$1"' sh "$GO"
luge -e 'local luge = require "luge"
local q = luge.queue()
luge.spawn(function() q:put(io.read() or "end") end)
local go = assert(io.open(os.getenv "GO", "w"))
go:write("\n") go:close()
print(q:get())
q:get()'
is 1 "end$nl"
says "luge: deadlock: "

case_is "standard input in a finalizer, or where Lua cannot wait"
reads 'print(pcall(table.sort, { 1, 2 }, function() return io.read() end))' 'x' \
  "false	invalid: cannot wait inside a function that table.sort calls$nl"

case_is "io.input, and files that Lua opened"
printf 'file\n' >"$folder/other"
given printf 'pipe\n'
luge -e 'print(io.input() == io.stdin, io.type(io.stdin), io.stdin)
io.input(os.getenv "OTHER") print(io.read(), io.read()) io.input():close()
io.input(io.stdin) print(io.read())
for line in io.lines(os.getenv "OTHER") do print(line) end
print(io.stdin:close()) print(io.stdin:write("x"))'
is 0 "true	file	file (stdin)
file	nil
pipe
file
nil	cannot close standard file
nil	Bad file descriptor	9
"
finish
