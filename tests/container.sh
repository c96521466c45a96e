#!/usr/bin/env bash
# Builds the container and looks at it where a builder with a network is there; elsewhere holds the Containerfile to the
# rules that matter.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    echo "Containerfile: $1" >&2
    exit 1
}

rules() {
    local file=Containerfile last
    last=$(tac $file | sed '/^FROM /q' | tac)
    [[ $last =~ $'\n'USER\ [1-9][0-9]*: ]] || fail "the last stage runs as root: write USER with a number"
    ! grep -qE '^(ADD|VOLUME|HEALTHCHECK) ' $file || fail "ADD, VOLUME and HEALTHCHECK are not used"
    ! awk '$1 == "FROM" && ($2 !~ /:[^\/]+$/ || $2 ~ /:latest$/)' $file | grep . || fail "an image has no version"
    ! grep -nE '^RUN .*(curl|wget|sudo|chmod 777)' $file || fail "a step fetches something or opens a folder to all"
    grep -q '^ENTRYPOINT \["/usr/bin/pronk"\]' $file || fail "the entry point is not pronk"
    while read -r word; do
        case $word in
        '' | '#'* | FROM | ARG | WORKDIR | COPY | RUN | USER | ENV | EXPOSE | STOPSIGNAL | ENTRYPOINT | CMD) ;;
        *) fail "there is no instruction $word" ;;
        esac
    done < <(sed -E ':join; /\\$/{N; s/\\\n//; b join}' $file | awk '{ print $1 }')
}

rules
for builder in podman docker; do
    if command -v $builder >/dev/null && $builder info >/dev/null 2>&1; then
        echo "building the container with $builder"
        if ! $builder build -q --build-arg PROFILE=release -t pronk-test -f Containerfile . >target/container.log 2>&1; then
            grep -qiE 'no such host|dial tcp|timeout|connection refused|unreachable|denied' target/container.log || {
                cat target/container.log >&2
                exit 1
            }
            continue
        fi
        $builder run --rm --read-only pronk-test --version
        [ "$($builder inspect -f '{{.Config.User}}' pronk-test)" = 65532:65532 ] || fail "it runs as root"
        exit 0
    fi
done
echo "Containerfile: its rules hold (no builder here that reaches a registry of images)"
