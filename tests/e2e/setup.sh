#!/bin/sh
# Prepares the machine for the tests with real clients: Debian packages, then Prometheus in target/prometheus
# and Python environments in target/e2e-venv and target/e2e-venv-older. Does nothing, and says nothing, when all of it is there.
#
#   tests/e2e/setup.sh [--kerberos]      --kerberos (or PRONK_E2E_KERBEROS=1) adds what a throw-away realm needs
#
# PYTHON names the interpreter to build the environments with (python3).
set -eu
cd "$(dirname "$0")/../.."

# The sasl package is compiled (gcc, g++, the -dev packages); its mechanisms are plugins (libsasl2-modules*);
# impala-shell calls klist (krb5-user) whenever a connection fails; unshare and mount give one command its own names.
packages="gcc g++ python3-dev python3-venv libsasl2-dev libkrb5-dev libsasl2-modules
          libsasl2-modules-gssapi-mit krb5-user openssl util-linux mount"
kerberos="krb5-kdc krb5-admin-server"

kerberos_wanted=${PRONK_E2E_KERBEROS:-0}
for argument in "$@"; do
    case $argument in
    --kerberos) kerberos_wanted=1 ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
done
[ "$kerberos_wanted" = 0 ] || packages="$packages $kerberos"

missing_packages() {
    for package in $packages; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf ' %s' "$package"
    done
}

# Installing a server package starts the server, unless this file forbids it. One that is there stays as it is.
policy=/usr/sbin/policy-rc.d
install_packages() {
    as_root=$1
    ours=
    if [ ! -e "$policy" ]; then
        ours=$policy
        trap '$as_root rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
        $as_root chmod 755 "$policy"
    fi
    install="$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends"
    # The lists may be missing or old; only then is it worth the time to fetch them.
    $install $missing >"$log" 2>&1 || { $as_root apt-get update -qq && $install $missing; } >"$log" 2>&1 || {
        cat "$log" >&2
        exit 1
    }
    if [ -n "$ours" ]; then
        $as_root rm -f "$ours"
        trap - EXIT
    fi
}

mkdir -p target
log=target/e2e-setup.log
if ! command -v dpkg-query >/dev/null; then
    echo "setup.sh: not a Debian system; going on in the hope that these are there:" $packages >&2
else
    missing=$(missing_packages)
    if [ -n "$missing" ]; then
        if [ "$(id -u)" = 0 ]; then
            as_root=
        elif sudo -n true 2>/dev/null; then
            as_root="sudo -n"
        else
            echo "setup.sh: some Debian packages are missing. Install them with" >&2
            echo "    sudo apt-get install --no-install-recommends$missing" >&2
            echo "(servers among them need not run) and start this again." >&2
            exit 1
        fi
        echo "setup.sh: installing$missing"
        install_packages "$as_root"
    fi
fi

# Prometheus with promtool, unpacked and not installed: the package would start its server.
prometheus=target/prometheus
if [ ! -x "$prometheus/usr/bin/promtool" ]; then
    if command -v apt-get >/dev/null && command -v dpkg >/dev/null; then
        echo "setup.sh: fetching prometheus"
        rm -rf "$prometheus"
        mkdir -p "$prometheus"
        fetch='cd "$1" && apt-get download -qq prometheus'
        if ! { sh -c "$fetch" sh "$prometheus" || { ${as_root-} apt-get update -qq && sh -c "$fetch" sh "$prometheus"; }; } >"$log" 2>&1 ||
            ! dpkg -x "$prometheus"/prometheus_*.deb "$prometheus"; then
            cat "$log" >&2
            exit 1
        fi
        rm -f "$prometheus"/*.deb
    else
        echo "setup.sh: no Debian system; put prometheus and promtool into $prometheus/usr/bin" >&2
    fi
fi

# make_environment FOLDER REQUIREMENTS. The stamp is written last, so an interrupted run begins anew.
python=${PYTHON:-python3}
make_environment() {
    venv=$1
    stamp=$venv/requirements.stamp
    wanted="$("$python" --version) $(sha256sum <"$2")"
    [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || return 0
    echo "setup.sh: making the Python environment in $venv (about a minute)"
    rm -rf "$venv"
    if ! { "$python" -m venv "$venv" &&
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$2"; } >"$log" 2>&1; then
        cat "$log" >&2
        exit 1
    fi
    echo "$wanted" >"$stamp"
}
make_environment target/e2e-venv tests/e2e/requirements.txt
# The clients of some years ago, which match names by other rules.
make_environment target/e2e-venv-older tests/e2e/requirements-older.txt
