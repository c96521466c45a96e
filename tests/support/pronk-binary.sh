#!/bin/sh
# Builds pronk and prints where cargo put the binary, which follows CARGO_TARGET_DIR, build.target-dir and build.target.
#
#   tests/support/pronk-binary.sh debug|release|dist
#
# What cargo says goes to standard error.
set -eu
cd "$(dirname "$0")/../.."
case ${1:-} in
debug) profile=dev ;;
release | dist) profile=$1 ;;
*) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
# The path is absolute, and JSON writes a path of usual characters as it is.
built=$("${CARGO:-cargo}" build --locked --profile "$profile" --bin pronk --message-format=json-render-diagnostics |
    sed -n '/"kind":\["bin"\]/s/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
[ -x "$built" ] || { echo "pronk-binary.sh: cargo has built no pronk" >&2; exit 1; }
echo "$built"
