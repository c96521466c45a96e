#!/usr/bin/env bash
# `make audit`: deny.toml against the tree of dependencies. Without a way to the advisory database it says so and holds
# the rest; any check that runs and fails, fails the audit.
set -euo pipefail
cd "$(dirname "$0")/.."

FETCH_SECONDS=${FETCH_SECONDS:-120}
VERSION=0.20
PATH="$PWD/target/tools/bin:$PATH"

if ! cargo deny --version >/dev/null 2>&1; then
    echo "installing cargo-deny $VERSION into target/tools (once, about a minute)"
    # Unoptimised: it builds in half the time and checks this tree in a second all the same.
    cargo install cargo-deny --version "^$VERSION" --locked --debug --quiet --root target/tools
fi

echo "fetching the advisory database (at most $FETCH_SECONDS s)"
if reason=$(GIT_TERMINAL_PROMPT=0 timeout "$FETCH_SECONDS" cargo deny fetch db 2>&1); then
    cargo deny --locked check --hide-inclusion-graph advisories bans licenses sources
else
    fetched=$?
    checked=0
    cargo deny --locked check --hide-inclusion-graph bans licenses sources || checked=$?
    echo
    echo "ADVISORIES WERE NOT CHECKED: the advisory database could not be fetched."
    if [ "$fetched" = 124 ]; then echo "  no answer within $FETCH_SECONDS s"; else sed 's/^/  /' <<<"$reason" | tail -n 3; fi
    exit "$checked"
fi
