# shellcheck shell=sh
# What the tests of the command share: to be sourced. $LUGE is the command.
#
#   luge ARGUMENT...        runs it, on an empty standard input; keeps what it
#                           printed, and its status
#   given COMMAND...        the standard input of the next `luge` is a pipe from
#                           that command
#   is STATUS [TEXT]        its status, and what it printed on standard output
#   says TEXT               standard error holds TEXT; `silent`: it is empty
#   case_is NAME            names what is tested, for messages
set -u
: "${LUGE:?names the command to be tested}"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failures=0
name=""

case_is() {
  name=$1
}

fail() {
  failures=$((failures + 1))
  printf '%s: %s\n' "$name" "$1" >&2
}

# In a pipeline `luge` would lose what it keeps.
given() {
  mkfifo "$folder/given"
  "$@" >"$folder/given" &
}

luge() {
  last="luge $*"
  if [ -p "$folder/given" ]; then
    # The shell's `cat` makes a pipe without a name of it.
    # shellcheck disable=SC2002
    cat "$folder/given" | "$LUGE" "$@" >"$folder/out" 2>"$folder/err"
    status=$?
    wait
    rm "$folder/given"
  else
    "$LUGE" "$@" >"$folder/out" 2>"$folder/err" </dev/null
    status=$?
  fi
}

is() {
  if [ "$status" != "$1" ]; then
    fail "'$last' has the status $status, not $1: $(cat "$folder/err")"
  fi
  if [ $# -gt 1 ] && [ "$(cat "$folder/out"; echo .)" != "$2." ]; then
    fail "'$last' prints '$(cat "$folder/out")', not '$2'"
  fi
}

says() {
  if ! grep -qF -- "$1" "$folder/err"; then
    fail "'$last' does not say '$1' but '$(cat "$folder/err")'"
  fi
}

silent() {
  if [ -s "$folder/err" ]; then
    fail "'$last' says '$(cat "$folder/err")'"
  fi
}

# file NAME [FORMAT]: a file, of what printf makes of FORMAT, or of standard
# input. Its path is in $path.
file() {
  path=$folder/$1
  if [ $# -gt 1 ]; then
    # shellcheck disable=SC2059
    printf "$2" >"$path"
  else
    cat >"$path"
  fi
}

finish() {
  [ "$failures" = 0 ] || exit 1
}

# A newline, for texts.
# shellcheck disable=SC2034 # for those who read this file
nl='
'
