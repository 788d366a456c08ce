#!/bin/sh
# luge build: executables that hold a script and its modules.
. tests/support/command.sh

# What is built is run in another folder, where none of the sources is.
real=$LUGE
case $real in
  */*) real=$(cd "$(dirname "$real")" && pwd)/$(basename "$real") ;;
esac
LUGE=$real
sources=$folder/sources
mkdir -p "$sources/shapes" "$folder/elsewhere"

# build ARGUMENT...: in the folder of the sources.
build() {
  cd "$sources" || exit 1
  luge build "$@"
  cd - >/dev/null || exit 1
}

# app NAME ARGUMENT...: runs what was built.
app() {
  LUGE=$sources/$1
  shift
  cd "$folder/elsewhere" || exit 1
  luge "$@"
  cd - >/dev/null || exit 1
  LUGE=$real
}

source_file() {
  cat >"$sources/$1"
}

source_file shapes.lua <<'END'
#!/not/lua
local M = { name = ..., path = select(2, ...) }
M.circle = require("shapes.circle")
require "luge".sleep(0.001) -- a module may wait
function M.fail()
  error "broken"
end
return M
END
source_file shapes/circle.lua <<'END'
return "round"
END
source_file shapes/dynamic.lua <<'END'
return "found"
END
source_file unused.lua <<'END'
return "unused-module"
END
source_file app.lua <<'END'
#!/usr/bin/env luge
local shapes = require "shapes"
-- require "unused"
local text = [[ require "unused" ]] .. 'require "unused"' .. "\" require 'unused'"
--[==[ require "unused" ]] ]==]
print(shapes.name, shapes.path, shapes.circle)
print(#arg, arg[0]:match "[^/]*$", arg[-1], ...)
if arg[1] == "dynamic" then print(require("shapes." .. arg[1])) end
if arg[1] == "fail" then shapes.fail() end
if arg[1] == "wait" then require("luge").spawn(print, "spawned") end
os.exit(tonumber(arg[2]))
END

case_is "a script with modules"
build app.lua -o app
is 0
says "app.lua:8: which module is computed when it runs"
grep -q 'app.lua with 2 modules' "$folder/out" || fail "it does not tell: $(cat "$folder/out")"
[ -n "$(find "$sources/app" -perm -755)" ] || fail "it is no executable"
if grep -q unused-module "$sources/app"; then
  fail "it holds what is not required"
fi
tab=$(printf '\t')
app app
is 0 "shapes$tab./shapes.lua${tab}round${nl}0${tab}app${tab}nil$nl"
silent

case_is "from elsewhere: modules are found beside the script"
(cd / && "$LUGE" build "$sources/app.lua" -o "$sources/elsewhere") >"$folder/out" 2>&1
grep -q 'app.lua with 2 modules' "$folder/out" || fail "$(cat "$folder/out")"

case_is "all arguments are the script's"
app app --timeout 5 -e x
is 5 "shapes$tab./shapes.lua${tab}round${nl}4${tab}app${tab}nil$tab--timeout${tab}5$tab-e${tab}x$nl"
app app test 3
is 3
app app --version
is 0
app app wait 0
is 0

case_is "tracebacks name the sources"
app app fail
is 1
says './shapes.lua:6: broken'
says "./shapes.lua:6: in"
says 'app.lua:9: in main chunk'

case_is "what is computed can be included"
app app dynamic
is 1
says "no module 'shapes.dynamic' in the executable"
build app.lua --include shapes.dynamic -o app
is 0
app app dynamic
grep -q '^found' "$folder/out" || fail "it is not found: $(cat "$folder/err")"
build app.lua --include shapes.none -o app
is 1
says "there is no module 'shapes.none' to be included"

case_is "workers have its modules"
source_file worker.lua <<'END'
local worker = require "luge.worker"
require "jobs"
print(worker.run("jobs:double", 4), worker.run(function() return require("jobs").path end))
END
source_file jobs.lua <<'END'
return { path = select(2, ...), double = function(x) return 2 * x end }
END
build worker.lua -o app
is 0
app app
is 0 "8$tab./jobs.lua$nl"

case_is "what does not parse is not built"
source_file bad.lua <<'END'
local ok = require "wrong"
END
source_file wrong.lua <<'END'
return +
END
build bad.lua -o bad
is 1
says './wrong.lua:1:'
[ ! -e "$sources/bad" ] || fail "there is something nevertheless"
source_file missing.lua <<'END'
print(pcall(require, "x"), (pcall(function() return require "not.there" end)))
END
build missing.lua -o missing
is 0
says "missing.lua:1: there is no module 'not.there'"
app missing
is 0

case_is "options that go in"
source_file confined.lua <<'END'
print((pcall(require("luge.fs").read, "/etc/passwd")))
print((pcall(string.rep, "x", 1 << 26)))
END
build --sandbox --memory-limit=32M confined.lua -o confined
is 0
app confined --allow-read
is 0 "false${nl}false$nl"
source_file slow.lua <<'END'
require "luge".sleep(100)
END
build slow.lua --timeout 0.05 -o slow
is 0
app slow
is 124
for wrong in '--timeout=x' '--allow-net=300.1.1.1' '--memory-limit 0' --allow-fish; do
  # shellcheck disable=SC2086
  build slow.lua $wrong -o wrong
  is 2
  [ ! -e "$sources/wrong" ] || fail "$wrong is built"
done

case_is "wrong usage"
build
is 2
says "which script"
build app.lua
is 2
says "-o APP"
for option in -e -i --env-file --bogus; do
  build $option app.lua -o x
  is 2
  says "unknown option '$option'"
done
build app.lua slow.lua -o x
is 2
build --help
is 0
silent
build none.lua -o x
is 1
says "none.lua"

case_is "where it goes"
build slow.lua -o shapes
is 1
says "shapes is a directory"
build slow.lua -o slow.lua
is 1
says "slow.lua is the script itself"
build slow.lua -o none/x
is 1
says "none/x"
build slow.lua --timeout 0.05 -o confined
is 0
app confined
is 124
[ -z "$(find "$sources" -name 'confined.*' ! -name confined.lua)" ] ||
  fail "something is left behind"

case_is "what is behind it, or missing"
cp "$sources/missing" "$sources/longer"
echo more >>"$sources/longer"
app longer
is 0
size=$(wc -c <"$sources/missing")
head -c $((size - 10)) "$sources/missing" >"$sources/shorter"
chmod +x "$sources/shorter"
app shorter
is 1
says "it is not there"
{
  head -c $((size - 10)) "$sources/missing"
  echo "0123456789"
} >"$sources/changed"
chmod +x "$sources/changed"
app changed
is 1
says "it is damaged"
finish
