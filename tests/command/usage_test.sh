#!/bin/sh
# The command line: options, operands, what is wrong with them.
. tests/support/command.sh

case_is "--version and --help"
luge --version
is 0
silent
grep -q '^luge [0-9]' "$folder/out" || fail "--version names no version"
luge --help
is 0
silent
grep -q '^usage: luge' "$folder/out" || fail "--help does not show the usage"

case_is "what is no option is named, and where to read on"
for option in --bogus -x --versio --timeou=3; do
  luge "$option" file.lua
  is 2 ""
  says "unknown option '${option%=*}' (see luge --help)"
done
luge --version=1
is 2 ""
says "option '--version' takes no value"

case_is "a missing operand"
for option in -e --env-file --timeout --memory-limit --slow; do
  luge "$option"
  is 2 ""
  says "option '$option' needs "
  says "(see luge --help)"
done

case_is "bad values"
for value in 0 -1 x 1x nan inf ''; do
  luge --timeout "$value" -e 'print(1)'
  is 2 ""
  says "option '--timeout' takes a number of seconds above 0, not '$value'"
done
for value in 0 -1 x 1T 1KK '' 99999999999999999999 99999999999G; do
  luge "--memory-limit=$value" -e 'print(1)'
  is 2 ""
  says "option '--memory-limit' takes a number of bytes above 0"
done

case_is "what belongs to later versions is refused, not ignored"
for option in --trace --trace=x; do
  luge "$option" x -e 'print(1)'
  is 2 ""
  says "option '${option%=*}' is not part of this version (see luge --help)"
done
luge trace x
is 2 ""
says "'luge trace' is not part of this version"

case_is "permissions"
for value in '' "," "x," 300.1.1.1 10.0.0.0/40 a:70000 'x y' '*.'; do
  luge "--allow-net=$value" -e 'print(1)'
  is 2 ""
  says "allow-net"
done
luge '--allow-read=~/data' -e 'print(1)'
is 2 ""
says "allow-read=~/data: it begins with a ~"
luge --allow-everything -e 'print(1)'
is 2 ""
says "unknown option '--allow-everything'"
luge --sandbox=1 -e 'print(1)'
is 2 ""
says "option '--sandbox' takes no value"
luge --audit /nowhere/at/all -e 'print(1)'
is 1 ""
says "cannot open /nowhere/at/all"
luge --sandbox help
is 2 ""
says "permissions are for scripts"
luge --allow-net -e 'print(1)' --deny-read=/ '--allow-net=a,b:1,[::1]:2' -e 'print(2)'
is 0 "1${nl}2$nl"

case_is "values behind a space or an equals sign"
luge --timeout 60 --memory-limit=64MB --slow=10 -e 'print(1)'
is 0 "1$nl"
luge '-eprint(1)'
is 0 "1$nl"

case_is "code and script, in their order"
file script.lua 'print("script", a, b, ...)'
luge -e 'a = 1' --timeout=60 -e 'b = 2' "$path" x y
is 0 "script	1	2	x	y$nl"
luge -e 'error("no", 0)' "$path"
is 1 ""
says 'luge: no'
luge -e 'os.exit(3)' "$path"
is 3 ""

case_is "-- ends the options"
file -x.lua 'print("dash", arg[0])'
cd "$folder" || exit 1
luge -- -x.lua
is 0 "dash	-x.lua$nl"
cp -- -x.lua -
luge -- -
is 0 "dash	-$nl"
cp -- -x.lua build
luge -- build
is 0 "dash	build$nl"
luge ./build
is 0 "dash	./build$nl"
rm -- -
cd - >/dev/null || exit 1

case_is "no arguments: standard input is the script"
given printf 'print("in", arg[0], ...)\n'
luge
is 0 "in	$LUGE$nl"
luge
is 0 ""

case_is "- reads the script from standard input"
given printf 'print(arg[0], ...)'
luge - a b
is 0 "-	a	b$nl"
given printf 'error("no")'
luge -
is 1 ""
says "luge: stdin:1: no"
finish
