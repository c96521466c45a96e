"""LDAP logins (SASL PLAIN, or Basic over HTTP) through every mode."""

import pytest

from lab.front import MODES, PORTS, Front

LDAP = {"options": ["--auth", "ldap", "--ldap-password", "right"]}


@pytest.fixture(scope="module")
def ldap_front(binary, certificates, workspace, shared_clusters):
    front = Front(
        workspace / "ldap", binary, certificates.authority.cert, certificates.front,
        shared_clusters.tls(1, **dict(LDAP)), shared_clusters.plain(1, **dict(LDAP)))
    yield front
    front.stop()


def login(front, mode, kind, password):
    options = ("-l", "-u", "alice", f"--ldap_password_cmd=printf {password}", "--connect_max_tries=1")
    return front.shell(mode, kind, "select user()", *options)


@pytest.mark.parametrize("kind", PORTS)
@pytest.mark.parametrize("mode", MODES)
def test_ldap_login(ldap_front, mode, kind):
    ran = login(ldap_front, mode, kind, "right")
    assert ran.code == 0, ran.text
    assert "alice" in ran.out


@pytest.mark.parametrize("mode", MODES)
def test_refusal_of_a_wrong_password_reaches_the_user(ldap_front, mode):
    ran = login(ldap_front, mode, "hs2", "wrong")
    assert ran.code != 0
    assert "Error validating the login" in ran.text
