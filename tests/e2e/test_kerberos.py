"""`impala-shell -k --ssl`, the guide's last verification, with a realm of its own."""

from __future__ import annotations

import os
import shutil

import pytest

from lab.front import HOST, MODES, PORTS, Front
from lab.kerberos import REALM, Realm

# With PRONK_E2E_KERBEROS=1 a missing KDC is a failure, not a reason to skip.
_FOUND = shutil.which("krb5kdc", path=os.environ.get("PATH", "") + ":/usr/sbin")
pytestmark = pytest.mark.skipif(
    not _FOUND and os.environ.get("PRONK_E2E_KERBEROS") != "1",
    reason="no KDC here: run tests/e2e/setup.sh --kerberos",
)


@pytest.fixture(scope="module")
def realm(workspace):
    started = Realm(workspace / "realm")
    yield started
    started.stop()


@pytest.fixture(scope="module")
def alice(realm):
    """The environment of a user with a ticket."""
    return realm.login("alice")


@pytest.fixture(scope="module")
def kerberos_front(binary, certificates, workspace, shared_clusters, realm):
    """Impalads with the keys of their host and of the front end, as with a load balancer set in Cloudera Manager."""
    environments = [
        {**realm.environment, "KRB5_KTNAME": str(realm.keytab(f"impala/{HOST}", f"impala/node{number}.example.test"))}
        for number in (1, 2)
    ]
    keys = {"options": ["--auth", "kerberos"], "environments": environments}
    tls, plain = shared_clusters.tls(2, **dict(keys)), shared_clusters.plain(2, **dict(keys))
    front = Front(workspace / "kerberos", binary, certificates.authority.cert, certificates.front, tls, plain)
    yield front
    front.stop()


@pytest.mark.parametrize("kind", PORTS)
@pytest.mark.parametrize("mode", MODES)
def test_kerberos(kerberos_front, alice, mode, kind):
    ran = kerberos_front.shell(mode, kind, "show tables; select user()", "-k", env=alice)
    assert ran.code == 0, ran.text
    assert "sample_08" in ran.out
    assert f"alice@{REALM}" in ran.out


def test_keytab_without_the_front_end(fronts, clusters, realm, alice):
    """What a user sees when Impala was not restarted after the load balancer was configured."""
    keytab = realm.keytab("impala/node1.example.test")
    environment = {**realm.environment, "KRB5_KTNAME": str(keytab)}
    front = fronts(
        plain=clusters.plain(1, options=["--auth", "kerberos"], environments=[environment]), modes=["offload"])
    ran = front.shell("offload", "hs2", "show tables", "-k", env=alice)
    assert ran.code != 0
    assert f"impala/{HOST}@{REALM} not found in keytab" in ran.text
    # Asking for the node's own principal works, as the keytab has that one.
    assert front.shell("offload", "hs2", "show tables", "-k", "-b", "node1.example.test", env=alice).code == 0
