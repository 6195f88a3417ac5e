#!/usr/bin/env bash
# Drives the real window on a display of its own, from the empty state to an
# exported TIFF: try the demo stack, stack, export. Needs Xvfb and xdotool.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --quiet
program=$PWD/target/debug/parfocal
home=$(mktemp -d)
display=:$((RANDOM % 400 + 100))
Xvfb "$display" -screen 0 1280x800x24 >"$home/xvfb.log" 2>&1 &
xvfb=$!
window=
finish() {
  if [ -n "$window" ]; then kill "$window" 2>/dev/null || true; fi
  kill "$xvfb" 2>/dev/null || true
  rm -rf "$home"
}
trap finish EXIT
sleep 1

export DISPLAY=$display HOME=$home XDG_CONFIG_HOME=$home/config XDG_CACHE_HOME=$home/cache
ICED_BACKEND=tiny-skia "$program" >"$home/window.log" 2>&1 &
window=$!

# Waits until a command succeeds.
await() {
  local what=$1
  shift
  for _ in $(seq 240); do
    if "$@"; then return 0; fi
    kill -0 "$window" 2>/dev/null || { echo "the window is gone:"; cat "$home/window.log"; exit 1; }
    sleep 0.5
  done
  echo "waited in vain for $what"
  exit 1
}
is_open() { xdotool search --name "$1" >/dev/null 2>&1; }
has_file() { [ -s "$1" ]; }

await "the window" is_open '^Parfocal$'
sleep 1
# Without a window manager nobody else gives it the keyboard.
xdotool windowfocus "$(xdotool search --name '^Parfocal$' | tail -n 1)"
# Try the demo stack.
xdotool mousemove 724 432 click 1
await "the demo stack" is_open '^demo .* Parfocal$'
sleep 1
xdotool mousemove 640 400
xdotool key ctrl+r
out=$home/demo-hybrid.tif
# While the job runs there is nothing to export, so this opens the dialog when
# it is done, and the return key writes the file.
export_it() {
  has_file "$out" && return 0
  xdotool key ctrl+e
  sleep 1
  xdotool key Return
  sleep 1
  has_file "$out"
}
await "the exported file" export_it

size=$(stat -c %s "$out")
[ "$size" -gt 1000000 ] || { echo "the file has only $size bytes"; exit 1; }
magic=$(head -c 4 "$out" | od -An -tx1 | tr -d ' ')
case $magic in 49492a00 | 49492b00) ;; *) echo "no TIFF: $magic"; exit 1 ;; esac
"$program" sharpness "$out" >/dev/null
echo "the window exported $size bytes"
