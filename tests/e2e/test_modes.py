"""Every client through every TLS mode: the guide's `Verification`."""

import json

import pytest

from lab.front import HOST, MODES, PORTS
from lab.interactive import daemon

TABLES = ["customers", "sample_07", "sample_08"]


@pytest.mark.parametrize("kind", PORTS)
@pytest.mark.parametrize("mode", MODES)
def test_impala_shell_shows_tables(front, mode, kind):
    mark = front.pronk.mark()
    ran = front.shell(mode, kind, "show tables; select version()")
    assert ran.code == 0, ran.text
    assert f"Connected to {HOST}:{front.ports[mode, kind]}" in ran.err
    assert [line.strip("| ") for line in ran.out.splitlines()[3:6]] == TABLES, ran.out

    closed = front.pronk.closed(mark, f"{mode}-{kind}")
    served_by = daemon(ran.out)
    assert served_by and served_by in str(closed["member"]), closed
    # The mode shows in what pronk itself did of TLS.
    terminated = mode != "passthrough"
    assert bool(closed.get("client_tls_version")) == terminated, closed


@pytest.mark.parametrize("mode", MODES)
def test_impyla_shows_tables(front, mode):
    ran = front.impyla(mode, "show tables", "select version()")
    assert ran.code == 0, ran.text
    tables, version = (json.loads(line) for line in ran.out.splitlines())
    assert tables == [[name] for name in TABLES]
    assert daemon(version[0][0])


@pytest.mark.parametrize("kind", PORTS)
@pytest.mark.parametrize("mode", MODES)
def test_large_result_is_intact(front, mode, kind):
    from engine import payload

    rows, size = 20_000, 1_000
    ran = front.shell(mode, kind, f"select rows({rows}, {size})", "-B", "--quiet")
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert len(lines) == rows
    wrong = [number for number, line in enumerate(lines) if line != f"{number}\t{payload(number, size)}"]
    assert not wrong, f"{len(wrong)} rows differ, the first is {wrong[0]}"
