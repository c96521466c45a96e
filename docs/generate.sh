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
    output docs/metrics.md metrics metrics --catalogue
    output docs/admin-api.md routes admin routes
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

# Puts what a command of pronk's prints into a page, between marks: output PAGE MARK WORDS...
output() {
    local page=$1 mark=$2
    shift 2
    {
        sed "/^<!-- $mark -->\$/q" "$page"
        "$PRONK" "$@"
        echo
        sed -n "/^<!-- \/$mark -->\$/,\$p" "$page"
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
