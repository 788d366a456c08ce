#!/bin/sh
# The prompt: without a terminal, and in a real one, which tmux gives.
. tests/support/command.sh

XDG_STATE_HOME=$folder/state
export XDG_STATE_HOME

case_is "lines that come from no terminal"
given printf 'x = 1\nx + 1\n= x, "a"\nfor i = 1, 2 do\n  print(i)\nend\n'
luge -i
is 0 "2${nl}1$nl\"a\"${nl}1${nl}2$nl"
silent

case_is "waits, and tasks in the background"
given printf '%s\n' 't = luge.spawn(function() luge.sleep(0.01) print "b" end)' \
  'print "a"' 'luge.await(t)' 'print "c"'
luge -i
is 0 "a${nl}b${nl}c$nl"
silent

case_is "errors do not end it"
given printf '%s\n' 'error "one"' 'x = = 1' \
  'error(luge.error { kind = "tool", message = "two", tool = "t" })' \
  'luge.future():await()' 'luge.spawn(error, "three")' 'luge.sleep(0.01)' 'print "end"'
luge -i
grep -q '^end$' "$folder/out" || fail "it has ended: $(cat "$folder/out")"
is 0
says 'stdin:1: one'
says "unexpected symbol near '='"
says 'tool: two'
says '{ tool = "t" }'
says 'deadlock: every task waits'
says 'three'

case_is "values"
given printf '%s\n' '{ 1, 2.0, "x", { a = { b = { c = { 1 } } } }, [true] = print == nil }' \
  't = {} t.t = t' 't' '("x"):rep(600) == nil, "\27[31m\0\xFF"' '_' \
  'setmetatable({}, { __tostring = function() return "own\7" end })' \
  '{ ["a b"] = 1, ["end"] = 2 }' 'require("luge.json").null' \
  'setmetatable({}, { __tostring = function() error "no" end })'
luge -i
is 0 "{ 1, 2.0, \"x\", { a = { b = { c = {...} } } }, [true] = false }
{ t = { (itself) } }
false
\"\\x1B[31m\\x00\\xFF\"
false
own\\x07
{ [\"a b\"] = 1, [\"end\"] = 2 }
json.null
(its __tostring failed)
"
silent

case_is "a script before it, with its arguments"
file before.lua 'from = ...\n'
given printf '%s\n' 'from' 'arg[1]' 'os.exit(7)'
luge -i "$path" word
is 7 "\"word\"$nl\"word\"$nl"
luge -i -e 'error "before"' -- "$path"
is 1
says 'before'
luge -i test
is 2
says "option '-i' goes with a script"

case_is "what is unfinished at the end"
given printf 'print(1)\nprint('
luge -i
is 0 "1$nl"
says "near <eof>"

finish
command -v tmux >/dev/null || {
  echo "SKIPPED: what needs a terminal, for want of tmux"
  exit 0
}

# A shell in a terminal; `luge` in it is the command.
terminal() {
  LC_ALL=C.UTF-8 tmux -u -f /dev/null -S "$folder/tmux" "$@"
}
trap 'terminal kill-server 2>/dev/null; rm -rf "$folder"' EXIT
printf '#!/bin/sh\nexec "%s" "$@"\n' "$LUGE" >"$folder/luge"
chmod +x "$folder/luge"
terminal new-session -d -x 80 -y 50 \
  "env PATH='$folder:$PATH' ASAN_OPTIONS='${ASAN_OPTIONS:-}' PS1='\$ ' TERM=screen sh"

screen() {
  terminal capture-pane -p -J | sed 's, *$,,'
}

# sees TEXT: waits until a line of the screen is TEXT.
sees() {
  for _ in $(seq 200); do
    if screen | grep -qxF -- "$1"; then
      return
    fi
    sleep 0.1
  done
  fail "there is no line '$1' on the screen:$nl$(screen)"
  finish
}

# ends_with TEXT: waits until the last line that is not empty is TEXT.
ends_with() {
  for _ in $(seq 200); do
    if [ "$(screen | sed '/^$/d' | tail -n 1)" = "$1" ]; then
      return
    fi
    sleep 0.1
  done
  fail "the screen does not end with '$1':$nl$(screen)"
  finish
}

keys() {
  terminal send-keys "$@"
}

text() {
  terminal send-keys -l -- "$1"
}

enter() {
  text "$1"
  keys Enter
}

clear_screen() {
  keys C-l
}

case_is "a line that is typed"
enter 'luge'
sees '>'
enter '6 * 7'
sees '42'
enter 'for i = 1, 2 do'
sees '>>'
enter '  print("turn", i)'
enter 'end'
sees 'turn    2'
enter '"gr€€n ä"'
sees '"gr€€n ä"'

case_is "the background while one types"
enter 'gate = luge.event()'
enter 'luge.detach(function() gate:wait() print "from behind" end)'
enter 'luge.detach(function() luge.sleep(0.5) gate:set() end)'
text '"typed " .. '
sees 'from behind'
sees '> "typed " ..'
ends_with '> "typed " ..'
enter '"on"'
sees '"typed on"'

case_is "errors of the background"
text 'luge.detach(function() luge.sleep(0.3) error "late" end) return'
keys Enter
text '"go '
sees 'luge: stdin:1: late'
ends_with '> "go'
enter 'on"'
sees '"go on"'

case_is "Ctrl-C"
enter 'print "asleep" luge.sleep(1000)'
sees 'asleep'
keys C-c
sees '^Cinterrupted'
clear_screen
enter 'print "loop" while true do pcall(function() while true do end end) end'
sees 'loop'
keys C-c
sees '^Cinterrupted'
text 'not wanted'
sees '> not wanted'
keys C-c
sees '> not wanted^C'
enter '"after it"'
sees '"after it"'

case_is "Tab"
text 'luge.slee'
keys Tab
sees '> luge.sleep'
enter '(0) return "slept"'
sees '"slept"'
text 'string.r'
keys Tab Tab
sees 'rep      reverse'
ends_with '> string.re'
keys C-c
sees '> string.re^C'
enter 'q = luge.queue() q:put(1)'
text 'q:try_g'
keys Tab
enter '()'
sees '> q:try_get()'
text 'retu'
keys Tab
enter ' q:len()'
sees '0'

case_is "the hint at locals"
enter 'local z = 1'
sees "(a local is gone with what was typed; without 'local' it stays)"

case_is "Ctrl-D, and the terminal after it"
keys C-d
ends_with '$'
enter 'echo "left $?"; stty -a | grep -o " .icanon\| .echo " | tr -d "\n "'
sees 'left 0'
enter 'echo; clear'

case_is "history"
[ -n "$(find "$folder/state/luge/history" -perm 600)" ] ||
  fail "others may read the history"
enter 'luge'
sees '>'
keys Up
sees '> local z = 1'
keys C-c
sees '> local z = 1^C'
keys C-r
text 'typed'
keys Enter
sees '"typed on"'

case_is "a signal"
# shellcheck disable=SC2016 # the shell in it is to expand that
enter 'require("luge.process").run { "sh", "-c", "kill -TERM $PPID" }'
ends_with '$'
enter 'echo "ended $?"'
sees 'ended 143'
enter 'stty -a | grep -q " icanon" && stty -a | grep -q " echo " && echo sane'
sees 'sane'

case_is "os.exit"
enter 'luge'
sees '>'
enter 'os.exit(9)'
ends_with '$'
enter 'echo "ended $?"'
sees 'ended 9'
finish
