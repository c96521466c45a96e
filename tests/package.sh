#!/usr/bin/env bash
# Installs the Debian package in a clean Debian, starts pronk by its unit's command line, uses the command without options
# as root, as a member of the group pronk and as somebody else, and removes it: nothing may be left.
#
#   tests/package.sh [PACKAGE]      without it one is made of the binary for tests
#
# The clean Debian is a folder that debootstrap fills (once: target/debian.tar). Skipped, with a plain message, where that or
# chroot is not to be had.
set -euo pipefail
cd "$(dirname "$0")/.."

main() {
    [ "$(id -u)" = 0 ] || skip "it needs root, for chroot"
    unshare -m true 2>/dev/null || skip "this machine has no mount namespaces"
    command -v debootstrap >/dev/null || install_debootstrap >/dev/null 2>&1 || skip "debootstrap is not to be had"
    base
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    package=${1:-$(DPKG_DEB_COMPRESSOR_TYPE=none packaging/deb.sh "$(tests/support/pronk-binary.sh debug)" "$work")}
    mkdir "$work/debian"
    tar -xf target/debian.tar -C "$work/debian"
    # Its root is a folder of mktemp's, which lets nobody else in.
    chmod 0755 "$work/debian"
    cp "$package" "$work/debian/pronk.deb"
    cp "$0" "$work/debian/test.sh"
    # Its own mounts and processes, which end with it.
    unshare --mount --pid --fork sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" bash /test.sh --inside' "$work/debian"
    echo "the Debian package: installed, started, used and removed"
}

install_debootstrap() {
    local install="apt-get install -qq -y --no-install-recommends debootstrap"
    export DEBIAN_FRONTEND=noninteractive
    # The lists may be missing or old.
    $install || { apt-get update -qq && $install; }
}

skip() {
    echo "tests/package.sh is skipped: $1"
    exit 0
}

# Fills target/debian.tar, once.
base() {
    [ ! -e target/debian.tar ] || return 0
    local release folder
    release=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
    folder=$(mktemp -d)
    echo "filling a clean Debian ($release), once"
    if ! debootstrap --variant=minbase "$release" "$folder" >target/debootstrap.log 2>&1; then
        rm -rf "$folder"
        skip "debootstrap fails: $(tail -n 1 target/debootstrap.log)"
    fi
    rm -rf "$folder"/var/cache/apt/archives/*.deb "$folder"/var/lib/apt/lists/*
    tar -cf target/debian.tar.new -C "$folder" .
    mv target/debian.tar.new target/debian.tar
    rm -rf "$folder"
}

inside() {
    export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
    files >/tmp/before
    cat /etc/passwd /etc/group >/tmp/accounts-before

    echo "- install"
    dpkg -i /pronk.deb >/tmp/dpkg.log 2>&1 || { cat /tmp/dpkg.log; exit 1; }
    [ "$(stat -c '%U %G %a' /etc/pronk)" = "root pronk 750" ]
    [ -s /usr/share/man/man1/pronk-verify.1.gz ] && [ -s /usr/share/bash-completion/completions/pronk ]
    [ -s /usr/share/pronk/prometheus/alerts.yaml ] && [ -s /usr/share/pronk/grafana/pronk.json ]
    cat >/etc/pronk/pronk.yaml <<'YAML'
nodes:
  node1: { address: 127.0.0.1 }
pools:
  pool: { members: ["node1:21050"] }
virtual-servers:
  vs: { destination: "127.0.0.1:31050", pool: pool }
YAML
    chgrp pronk /etc/pronk/pronk.yaml
    runuser -u pronk -- pronk check /etc/pronk/pronk.yaml >/dev/null

    echo "- no pronk runs: the command says where it has looked"
    refused "/run/pronk/pronk.sock" pronk show map

    echo "- start, as the unit does"
    unit=/usr/lib/systemd/system/pronk.service
    command=$(sed -n 's/^ExecStart=//p' $unit)
    install -d -o pronk -g pronk -m "$(sed -n 's/^RuntimeDirectoryMode=//p' $unit)" /run/pronk
    install -d -o pronk -g pronk -m "$(sed -n 's/^StateDirectoryMode=//p' $unit)" /var/lib/pronk
    (
        umask "$(sed -n 's/^UMask=//p' $unit)"
        export RUNTIME_DIRECTORY=/run/pronk STATE_DIRECTORY=/var/lib/pronk
        # Split into words as systemd does.
        # shellcheck disable=SC2086
        exec setpriv --reuid pronk --regid pronk --clear-groups --no-new-privs $command
    ) >/tmp/pronk.log 2>&1 &
    pid=$!
    until grep -q "serving" /tmp/pronk.log; do
        kill -0 $pid 2>/dev/null || { cat /tmp/pronk.log; exit 1; }
        sleep 0.05
    done
    [ "$(stat -c '%U %G %a' /run/pronk/pronk.sock)" = "pronk pronk 660" ]

    echo "- use, without options"
    useradd --no-create-home --groups pronk alice
    useradd --no-create-home bob
    [[ $(pronk show map) == *vs* ]]
    pronk reload >/dev/null
    runuser -u pronk -- pronk show map >/dev/null
    runuser -u alice -- pronk show map >/dev/null
    refused "permission denied" runuser -u bob -- pronk show map
    refused "member of the socket's group" runuser -u bob -- pronk show map
    # No impalad is there: it says so, and that pronk has its port.
    pronk verify /etc/pronk/pronk.yaml --json >/tmp/verified.json && exit 1
    grep -q '"pronk listens on 127.0.0.1:31050"' /tmp/verified.json && grep -q member-refuses /tmp/verified.json
    userdel alice && userdel bob

    echo "- stop"
    kill -TERM $pid
    wait $pid
    [ ! -e /run/pronk/pronk.sock ]

    echo "- remove"
    # systemd removes what it made at the stop.
    rmdir /run/pronk
    dpkg --remove pronk >>/tmp/dpkg.log 2>&1
    [ -e /etc/pronk/pronk.yaml ] || { echo "removing it removed the configuration"; exit 1; }
    rm /etc/pronk/pronk.yaml
    dpkg --purge pronk >>/tmp/dpkg.log 2>&1 || { cat /tmp/dpkg.log; exit 1; }
    files >/tmp/after
    diff /tmp/before /tmp/after || { echo "the package leaves files behind"; exit 1; }
    cat /etc/passwd /etc/group | diff /tmp/accounts-before - || { echo "the package leaves its account behind"; exit 1; }
}

# Runs a command that has to fail, and to say this.
refused() {
    local words=$1 said
    shift
    if said=$("$@" 2>&1); then echo "it is not refused: $*"; exit 1; fi
    [[ $said == *"$words"* ]] || { echo "$* does not say \"$words\": $said"; exit 1; }
}

# Every file, but what dpkg and the account tools keep for themselves, and this test.
files() {
    find / -xdev \( -path /proc -o -path /tmp -o -path /var/lib/dpkg -o -path /var/log -o -path /var/cache \) -prune -o -print |
        grep -Ev '^/etc/(passwd|group|shadow|gshadow|subuid|subgid)-?$|^/etc/\.pwd\.lock$' | sort
}

if [ "${1:-}" = --inside ]; then inside; else main "$@"; fi
