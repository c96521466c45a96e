"""A certificate that lacks the front end's name: the error that brings people to the guide."""

import pytest

from lab.front import HOST, PORTS

MISMATCH = f"Hostname mismatch, certificate is not valid for '{HOST}'"


@pytest.mark.parametrize("kind", PORTS)
def test_front_end_certificate_with_another_name(fronts, plain_cluster, certificates, kind):
    front = fronts(plain=plain_cluster, certificate=certificates.wrong_front)
    ran = front.shell("offload", kind, "show tables")
    assert ran.code != 0
    assert MISMATCH in ran.text


@pytest.mark.parametrize("kind", PORTS)
def test_passthrough_to_an_impalad_with_only_its_own_name(fronts, clusters, certificates, kind):
    front = fronts(tls=clusters.tls(1, [certificates.wrong_node]))
    ran = front.shell("passthrough", kind, "show tables")
    assert ran.code != 0
    assert MISMATCH in ran.text


def test_re_encrypt_needs_only_the_impalads_own_name(fronts, clusters, certificates):
    front = fronts(tls=clusters.tls(1, [certificates.wrong_node]))
    ran = front.shell("re-encrypt", "hs2", "show tables")
    assert ran.code == 0, ran.text


def test_re_encrypt_refuses_an_impalad_with_another_name(fronts, clusters, certificates):
    front = fronts(tls=clusters.tls(1, [certificates.wrong_front]))
    mark = front.pronk.mark()
    ran = front.shell("re-encrypt", "hs2", "show tables", "-t", "15000")
    assert ran.code != 0
    closed = front.pronk.closed(mark, "re-encrypt-hs2")
    assert closed["close.who"] == "member", closed
    assert "node1" in str(closed), closed
