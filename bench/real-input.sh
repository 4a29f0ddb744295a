#!/usr/bin/env bash
# Backs up real folders together, twice, restores them elsewhere and compares every file: content, metadata, hard
# links, ACLs and extended attributes with rsync, and what find prints of each node. Prints sizes and times; ends with
# 0 only when there is no difference. Needs rsync, and root to compare owners.
#
#   npm run build
#   bench/real-input.sh WORK-FOLDER FOLDER…
set -euo pipefail
work=$1
shift
here=$(cd "$(dirname "$0")/.." && pwd)
export HOME="$work/home" XDG_DATA_HOME= XDG_CONFIG_HOME= XDG_CACHE_HOME=
rm -rf "$work"
mkdir -p "$HOME" "$work/out"
TIMEFORMAT='  %R s'
holdfast() { node "$here/bin/holdfast.js" "$@"; }

echo "source: $(find "$@" | wc -l) files and folders, $(du -scm --apparent-size "$@" | tail -1 | cut -f1) MiB"
echo "first backup:"
time holdfast -q backup "$@"
before=$(du -sb "$HOME/.local/share/holdfast/repository" | cut -f1)
echo "  repository: $((before / 1048576)) MiB"
echo "again, nothing changed:"
time holdfast -q backup "$@"
after=$(du -sb "$HOME/.local/share/holdfast/repository" | cut -f1)
echo "  added: $((after - before)) bytes"
echo "restore:"
time holdfast -q restore latest --target "$work/out"

# Folders have no size or link count of their own: these belong to the file system they are on.
nodes() { (cd "$1" && find . \( -type d -printf '%p %y %m %U:%G %T@\n' \) -o -printf '%p %y %m %U:%G %s %n %T@ %l\n') | sort; }
differences=0
for folder in "$@"; do
  found=$(rsync -n -aHAXi --checksum --delete "$folder/" "$work/out$folder/" | wc -l)
  found=$((found + $(diff <(nodes "$folder") <(nodes "$work/out$folder") | wc -l || true)))
  echo "$folder: $found differences"
  differences=$((differences + found))
done
[ "$differences" -eq 0 ]
