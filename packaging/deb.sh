#!/usr/bin/env bash
# Makes a Debian package of a pronk binary, with dpkg-deb alone.
#
#   packaging/deb.sh BINARY FOLDER      prints the path of the package, which is in FOLDER
set -euo pipefail

[ $# = 2 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
binary=$(realpath "$1")
mkdir -p "$2"
folder=$(realpath "$2")
cd "$(dirname "$0")/.."

version=$("$binary" --version | cut -d ' ' -f 2)
architecture=$(dpkg --print-architecture)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 0755 "$root"

put() {
    install -D -m "$1" "$2" "$root/$3"
}

put 0755 "$binary" usr/bin/pronk
# A package has no use for the lines of the source; the profiles `release` and `dist` leave them out already.
strip --strip-debug "$root/usr/bin/pronk" 2>/dev/null || true
put 0644 packaging/pronk.service usr/lib/systemd/system/pronk.service
put 0644 packaging/pronk.socket usr/share/doc/pronk/examples/pronk.socket
put 0644 packaging/pronk.sysusers usr/lib/sysusers.d/pronk.conf
put 0644 LICENSE usr/share/doc/pronk/copyright
gzip -9nc CHANGELOG.md >"$root/changelog.gz" && put 0644 "$root/changelog.gz" usr/share/doc/pronk/changelog.gz && rm "$root/changelog.gz"
for file in README.md CONTRIBUTING.md docs/*.md packaging/README.md; do put 0644 "$file" "usr/share/doc/pronk/$file"; done
put 0644 packaging/prometheus/alerts.yaml usr/share/pronk/prometheus/alerts.yaml
put 0644 packaging/grafana/pronk.json usr/share/pronk/grafana/pronk.json
if [ -d examples ]; then
    find examples -type f -printf '%P\n' | while read -r file; do put 0644 "examples/$file" "usr/share/doc/pronk/examples/$file"; done
fi

install -d "$root/usr/share/man/man1"
"$binary" man "$root/usr/share/man/man1"
gzip -9n "$root"/usr/share/man/man1/*
install -d "$root/usr/share/bash-completion/completions" "$root/usr/share/zsh/vendor-completions" \
    "$root/usr/share/fish/vendor_completions.d"
"$binary" completions bash >"$root/usr/share/bash-completion/completions/pronk"
"$binary" completions zsh >"$root/usr/share/zsh/vendor-completions/_pronk"
"$binary" completions fish >"$root/usr/share/fish/vendor_completions.d/pronk.fish"

install -d "$root/DEBIAN"
# The newest symbol that the binary takes from the C library.
libc=$(objdump -T "$binary" 2>/dev/null | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -n 1 | cut -d _ -f 2 || true)
cat >"$root/DEBIAN/control" <<CONTROL
Package: pronk
Version: $version
Architecture: $architecture
Maintainer: The pronk developers <pronk@localhost>
Section: net
Priority: optional
Depends: libc6${libc:+ (>= $libc)}, libgcc-s1, passwd
Recommends: ca-certificates
Suggests: krb5-user
Installed-Size: $(du -sk "$root/usr" | cut -f 1)
Description: load balancer for Apache Impala
 A full-proxy, TLS-terminating load balancer for Apache Impala, in the terms
 of an F5 BIG-IP, with a linter for certificates and a certificate store.
CONTROL
for script in postinst prerm postrm; do install -m 0755 "packaging/deb/$script" "$root/DEBIAN/$script"; done
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"

package="$folder/pronk_${version}_$architecture.deb"
dpkg-deb --root-owner-group --build "$root" "$package" >/dev/null
echo "$package"
