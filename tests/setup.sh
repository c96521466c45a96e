#!/usr/bin/env bash
# Sees to it that the tools of `make test` are here: Rust with rustfmt and clippy, a C compiler (for the cryptography
# that rustls uses), OpenSSL's command, whose answers some tests compare with, and Python 3 with venv. What is missing is
# installed where that is possible and named where not.
# The clients of the end-to-end tests are tests/e2e/setup.sh's business.
set -euo pipefail

OLDEST_RUST=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$(dirname "$0")/../Cargo.toml")
missing=()

main() {
    rust
    have cc || debian gcc libc6-dev
    have cc || missing+=("a C compiler (Debian: gcc libc6-dev)")
    have openssl || debian openssl
    have openssl || missing+=("openssl (Debian: openssl)")
    have python3 || debian python3
    # A Python without ensurepip makes virtual environments that have no pip.
    python_venv || debian python3-venv
    python_venv || missing+=("Python 3 with venv (Debian: python3-venv)")
    # What makes the chains of tests/differential. Without it that test says that it is skipped.
    python3 -c 'import cryptography' 2>/dev/null || cryptography || echo "no Python package cryptography: tests/differential is skipped"
    if ((${#missing[@]})); then
        printf 'make test needs: %s\n' "${missing[@]}" >&2
        exit 1
    fi
}

cryptography() {
    local venv
    venv=$(dirname "$0")/../target/differential-venv
    "$venv/bin/python" -c 'import cryptography' 2>/dev/null ||
        { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet cryptography; }
}

rust() {
    if ! have cargo || ! have rustc; then
        missing+=("Rust $OLDEST_RUST or newer")
        return
    fi
    local version
    version=$(rustc --version | cut -d ' ' -f 2)
    newer_or_same "$version" "$OLDEST_RUST" || missing+=("Rust $OLDEST_RUST or newer (here: $version)")
    cargo fmt --version >/dev/null 2>&1 || component rustfmt
    cargo clippy --version >/dev/null 2>&1 || component clippy
}

component() {
    { have rustup && rustup component add "$1"; } || missing+=("the Rust component $1")
}

debian() {
    if ! have apt-get; then return; fi
    if [ "$(id -u)" != 0 ]; then
        echo "not root, so these Debian packages cannot be installed here: $*" >&2
        return
    fi
    echo "installing $*"
    # An unreachable mirror shows in what is still missing afterwards.
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >/dev/null ||
        { apt-get update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >/dev/null; } || true
}

python_venv() {
    have python3 && python3 -c 'import ensurepip, venv' 2>/dev/null
}

newer_or_same() {
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort --version-sort | head -n 1)" = "$2" ]
}

have() {
    command -v "$1" >/dev/null 2>&1
}

main
