"""A real Prometheus from Debian scrapes a pronk under load: metrics, dashboard and alerts hold what they promise."""

import contextlib
import json
import re
import socket
import socketserver
import ssl
import subprocess
import threading
import time
import urllib.parse
import urllib.request

import pytest

from lab.front import HOST
from lab.processes import PATIENCE, REPOSITORY, Pronk, free_port

BIN = REPOSITORY / "target" / "prometheus" / "usr" / "bin"
ALERTS = REPOSITORY / "packaging" / "prometheus" / "alerts.yaml"
DASHBOARD = REPOSITORY / "packaging" / "grafana" / "pronk.json"
# What Grafana puts in the place of the dashboard's variables.
VARIABLES = {"$__rate_interval": "10s", "$job": ".*", "$instance": ".*", "$virtual_server": ".*", "$pool": ".*"}


def promtool(*arguments, stdin=None):
    done = subprocess.run([str(BIN / "promtool"), *map(str, arguments)], input=stdin, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


class Echo(socketserver.ThreadingTCPServer):
    """A member that answers every byte with itself."""

    allow_reuse_address = True
    daemon_threads = True

    class RequestHandlerClass(socketserver.BaseRequestHandler):
        def handle(self):
            with contextlib.suppress(OSError):
                while data := self.request.recv(65536):
                    self.request.sendall(data)

    def __init__(self, port):
        super().__init__(("127.0.0.1", port), self.RequestHandlerClass)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.shutdown()
        self.server_close()


class Prometheus:
    """A Prometheus that scrapes one target each second, with the alerts of the package as they are but for the waits."""

    def __init__(self, folder, port, ca, token):
        # The waits before an alert fires are hours; the rest is as the package has it.
        waits = re.compile(r"(?m)^(\s+for:) .*$")
        (folder / "alerts.yaml").write_text(waits.sub(r"\1 1s", ALERTS.read_text()))
        (folder / "prometheus.yaml").write_text(json.dumps({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(folder / "alerts.yaml")],
            "scrape_configs": [{
                "job_name": "pronk",
                "scheme": "https",
                "tls_config": {"ca_file": str(ca), "server_name": HOST},
                "authorization": {"credentials_file": str(token)},
                "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
            }],
        }))
        self._url = f"http://127.0.0.1:{free_port()}"
        log = (folder / "prometheus.log").open("wb")
        self._process = subprocess.Popen(
            [str(BIN / "prometheus"), f"--config.file={folder / 'prometheus.yaml'}", f"--storage.tsdb.path={folder / 'tsdb'}",
             f"--web.listen-address={self._url[7:]}"], stdout=log, stderr=log)
        log.close()

    def ask(self, path, **parameters):
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self._url}/api/v1/{path}?{query}", timeout=10) as answer:
            return json.load(answer)["data"]

    def query(self, expression):
        return self.ask("query", query=expression)["result"]

    def firing(self):
        alerts = self.ask("alerts")["alerts"]
        return {(each["labels"]["alertname"], each["labels"].get("member") or each["labels"].get("source", ""))
                for each in alerts if each["state"] == "firing"}

    def stop(self):
        self._process.terminate()
        self._process.wait(timeout=PATIENCE)


def until(what, holds):
    deadline = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(OSError):
            if holds():
                return
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.2)


def expressions():
    """Every query of the dashboard, with the title of its panel."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"]
            for name, value in VARIABLES.items():
                expression = expression.replace(name, value)
            assert "$" not in expression, expression
            yield panel["title"], expression


class Load:
    """Clients that come and go without end: with TLS, without a member to serve them, and one that stays."""

    def __init__(self, ca, port, deserted):
        self._end = threading.Event()
        self._context = ssl.create_default_context(cafile=str(ca))
        self._threads = [threading.Thread(target=self._run, args=(visit, at), daemon=True)
                         for visit, at in ((self._visit, port), (self._refused, deserted))]
        for thread in self._threads:
            thread.start()

    def _run(self, visit, port):
        while not self._end.wait(0.05):
            with contextlib.suppress(OSError):
                visit(port)

    def _visit(self, port):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as tcp:
            with self._context.wrap_socket(tcp, server_hostname=HOST) as tls:
                tls.sendall(b"x" * 10_000)
                received = 0
                while received < 10_000:
                    received += len(tls.recv(65536)) or 10_000

    @staticmethod
    def _refused(port):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as tcp:
            tcp.sendall(b"x")
            tcp.recv(1)

    def stop(self):
        self._end.set()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def prometheus_lab(binary, certificates, folder):
    """pronk with a member that works and one that can be stopped, under load, scraped by a Prometheus."""
    with contextlib.ExitStack() as stack:
        # Ends in two days, as none of the others does.
        names = f"subjectAltName=DNS:{HOST}"
        ending = certificates.authority.issue("ending", f"/CN={HOST}", (names, "extendedKeyUsage=serverAuth"), days=2)
        ports = [free_port() for _ in range(5)]
        token = folder / "token"
        made = subprocess.run([str(binary), "admin", "token", "create", "--name", "prometheus", "--role", "viewer",
                               "--file", str(folder / "tokens")], capture_output=True, text=True, check=True)
        token.write_text(made.stdout)
        members = {port: Echo(port) for port in ports[:2]}
        (folder / "pronk.yaml").write_text(f"""
nodes: {{ node1: {{ address: 127.0.0.1 }} }}
monitors: {{ quick: {{ type: tcp, interval: 300ms, timeout: 1s }} }}
profiles:
  api: {{ type: client-ssl, cert-key-chain: [{{ cert: {certificates.front.cert}, key: {certificates.front.key} }}] }}
  front: {{ type: client-ssl, cert-key-chain: [{{ cert: {ending.cert}, key: {ending.key} }}] }}
pools:
  pool: {{ members: ["node1:{ports[0]}", "node1:{ports[1]}"], monitors: [quick] }}
  deserted: {{ members: ["node1:1"], monitors: [quick] }}
virtual-servers:
  vs: {{ destination: "127.0.0.1:{ports[2]}", pool: pool, client-ssl: front, hostname: {HOST}, persistence: source_addr }}
  vs-deserted: {{ destination: "127.0.0.1:{ports[3]}", pool: deserted }}
admin: {{ listen: "127.0.0.1:{ports[4]}", client-ssl: api, tokens-file: tokens }}
""")
        pronk = Pronk(binary, folder / "pronk.yaml", folder / "pronk.log").wait_ready()
        stack.callback(pronk.stop)
        load = Load(certificates.authority.cert, ports[2], ports[3])
        stack.callback(load.stop)
        prometheus = Prometheus(folder, ports[4], certificates.authority.cert, token)
        stack.callback(prometheus.stop)
        yield pronk, prometheus, members, str(ending.cert)


def test_rules_and_their_tests_hold():
    code, said = promtool("check", "rules", ALERTS)
    assert code == 0, said
    code, said = promtool("test", "rules", *sorted((REPOSITORY / "tests" / "prometheus").glob("*_test.yaml")))
    assert code == 0, said


def test_every_alert_and_query_names_metrics_that_exist(binary):
    catalogue = subprocess.run([str(binary), "metrics", "--catalogue"], capture_output=True, text=True, check=True).stdout
    known = set(re.findall(r"^\| `(\w+)`", catalogue, re.MULTILINE))
    assert len(known) > 40
    queries = [expression for _, expression in expressions()] + re.findall(r"(?m)^\s+(?:expr:|pronk_|and |/ ).*$", ALERTS.read_text())
    for query in queries:
        for name in re.findall(r"\b(?:pronk|process)_\w+", query):
            assert re.sub(r"_(bucket|sum|count)$", "", name) in known, f"{name} in {query}"


def test_prometheus_scrapes_and_alerts(prometheus_lab):
    pronk, prometheus, members, certificate = prometheus_lab
    until("it is scraped", lambda: prometheus.query("pronk_build_info"))
    (target,) = prometheus.ask("targets")["activeTargets"]
    assert target["health"] == "up", target

    # What promtool finds wrong with names, types and help.
    with socket.socket(socket.AF_UNIX) as unix:
        unix.connect(str(pronk.admin_socket))
        unix.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        answer = b"".join(iter(lambda: unix.recv(65536), b"")).decode()
    head, _, page = answer.partition("\r\n\r\n")
    assert "text/plain; version=0.0.4" in head and "transfer-encoding" not in head.lower(), head
    code, said = promtool("check", "metrics", stdin=page)
    assert (code, said) == (0, ""), said

    # Rates need two scrapes, and connections that have ended.
    for title, query in expressions():
        until(f"{title} has data: {query}", lambda query=query: prometheus.query(query))
    groups = prometheus.ask("rules")["groups"]
    wrong = [rule["name"] for group in groups for rule in group["rules"] if rule["health"] not in ("ok", "unknown")]
    assert not wrong, wrong

    until("the ending certificate is told", lambda: ("PronkCertificateExpires", certificate) in prometheus.firing())
    port = next(iter(members))
    assert ("PronkMemberDown", f"node1:{port}") not in prometheus.firing()
    members.pop(port).stop()
    until("the member is told", lambda: ("PronkMemberDown", f"node1:{port}") in prometheus.firing())
    # Taken out on purpose, it is no longer news.
    pronk.command("disable", "member", f"node1:{port}", "--reason", "repair")
    until("it ends", lambda: ("PronkMemberDown", f"node1:{port}") not in prometheus.firing())
