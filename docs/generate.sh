#!/usr/bin/env bash
# Writes the examples that `pronk init` makes and the catalogue of metrics, and puts the files that documentation shows
# into it: whatever stands between `<!-- file: PATH -->` and `<!-- end -->` is that file. Usage: docs/generate.sh PRONK
set -euo pipefail
cd "$(dirname "$0")/.."
PRONK=$1

DAEMONS=(
    --daemon nightly56-2.gce.example.com=10.17.84.2
    --daemon nightly56-3.gce.example.com=10.17.84.3
    --daemon nightly56-4.gce.example.com=10.17.84.4
)

main() {
    local mode page
    for mode in plain passthrough offload; do
        example "$mode" --mode "$mode" --port 21050,21000
    done
    example re-encrypt --mode re-encrypt --port 21050,21000 --ca-file cluster-ca.pem
    example hue --mode offload --port 21050,21000 --hue
    catalogue docs/metrics.md
    for page in README.md docs/*.md examples/*.md; do
        show_files "$page"
    done
}

example() {
    local name=$1
    shift
    "$PRONK" init - --front-end f5-impala.sjc.example.com "${DAEMONS[@]}" "$@" |
        sed "s/pronk\.yaml/$name.yaml/g" >"examples/$name.yaml"
}

# Puts the catalogue of metrics into a page, between its marks.
catalogue() {
    local page=$1
    {
        sed '/^<!-- metrics -->$/q' "$page"
        "$PRONK" metrics --catalogue
        echo
        sed -n '/^<!-- \/metrics -->$/,$p' "$page"
    } >"$page.new"
    mv "$page.new" "$page"
}

show_files() {
    local page=$1
    awk '
        /^<!-- file: .* -->$/ { print; path = $3; print "```yaml"; while ((getline line < path) > 0) print line; print "```"; skip = 1 }
        /^<!-- end -->$/ { skip = 0 }
        !skip && !/^<!-- file: .* -->$/ { print }
    ' "$page" >"$page.new"
    mv "$page.new" "$page"
}

main
