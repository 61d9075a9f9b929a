# Sourced by the scripts: the repository's root, output, and helpers for long steps.
# shellcheck shell=bash disable=SC2034,SC2154

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
tools=$root/.tools
child=

say() { printf '%s\n' "$*"; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Forward signals to the running step, which bash would otherwise leave behind.
end_child() {
  trap - INT TERM
  if [[ -n $child ]]; then
    kill -TERM "$child" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
  fi
  exit "$1"
}
trap 'end_child 130' INT
trap 'end_child 143' TERM

# run COMMAND...: run a command, forward signals to it, and return its status.
run() {
  local status=0
  "$@" &
  child=$!
  wait "$child" || status=$?
  child=
  return "$status"
}

# try_step TITLE COMMAND...: run a step that may take long. Its output goes to the log; the
# terminal shows the title, and a line every ten seconds.
try_step() {
  local title=$1 status=0 started=$SECONDS
  shift
  say "  $title"
  printf '\n## %s\n' "$title" >>"$log"
  "$@" >>"$log" 2>&1 9>&- &
  child=$!
  while kill -0 "$child" 2>/dev/null; do
    sleep 0.1 9>&-
    if ((SECONDS - started > 0 && (SECONDS - started) % 10 == 0 && SECONDS != ${ticked:-0})); then
      ticked=$SECONDS
      say "    ... $((SECONDS - started)) s"
    fi
  done
  wait "$child" || status=$?
  child=
  return "$status"
}

# step TITLE COMMAND...: like try_step, but exit on failure, with the end of the log.
step() {
  if ! try_step "$@"; then
    printf '\nerror: this step failed: %s\nThe end of %s:\n\n' "$1" "$log" >&2
    tail -n 30 -- "$log" >&2
    exit 1
  fi
}
