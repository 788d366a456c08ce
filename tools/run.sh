# shellcheck shell=sh
# What scripts/picture and scripts/reference share: to be sourced in the root of
# the tree, with their arguments. Runs $tool, a program, by the command.
case ${1:-} in
  "" | --check) ;;
  *)
    sed -n '2,/^set/s/^# \{0,1\}//p' "scripts/${0##*/}"
    [ "$1" = --help ] || exit 2
    exit 0
    ;;
esac
LUGE=${LUGE:-build/luge}
export LUGE
if ! command -v "$LUGE" >/dev/null; then
  echo "scripts/${0##*/}: there is no $LUGE: run scripts/build" >&2
  exit 1
fi
exec "$LUGE" "${tool:?}" "$@"
