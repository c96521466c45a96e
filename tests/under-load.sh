#!/usr/bin/env bash
# Runs the Rust and the end-to-end tests again and again while other work keeps every core busy, and stops at the first
# failure: a test that waits for time to pass instead of for what it tests fails here sooner or later.
#
#   tests/under-load.sh [N]      N is how many times (10)
#
# Prepare with tests/e2e/setup.sh --kerberos.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1:-10}
busy=()
running=
trap 'for pid in "${busy[@]}" $running; do kill "$pid" 2>/dev/null || true; done' EXIT
# A signal ends the script, and so runs the trap above.
trap 'exit 130' INT TERM HUP

# In the background and waited for, as a trap does not run while a command is in the foreground.
run() {
    "$@" &
    running=$!
    wait "$running"
    running=
}

# Built at leisure.
PRONK_BIN=$(tests/support/pronk-binary.sh debug)
export PRONK_BIN
run cargo nextest run --locked --no-run

for _ in $(seq "$(nproc)"); do
    # It ends with this script, even where no trap can run.
    sh -c 'while kill -0 "$1" 2>/dev/null; do :; done' busy $$ &
    busy+=($!)
done
for round in $(seq "$rounds"); do
    echo "under load, round $round of $rounds"
    run cargo nextest run --locked --status-level fail --final-status-level fail
    run env PRONK_E2E_KERBEROS=1 target/e2e-venv/bin/python -m pytest tests/e2e -q -x
done
