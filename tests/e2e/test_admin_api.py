"""The admin API as its OpenAPI document has it: schemathesis asks for whatever the document allows and forbids."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema_rs
import pytest
from lab.processes import PATIENCE, VENV, Pronk, free_port

# Routes after which the process is another one, or none. tests/admin asks for them.
_ENDING = ("/v1/upgrade", "/v1/stop")
# A parameter may have a form that no schema tells, such as the name of a member that there is: that is a 422.
_SETTINGS = """
[checks.positive_data_acceptance]
expected-statuses = [200, 401, 403, 404, 409, 422, 503]
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 414, 422]
"""
_CONFIGURATION = """
nodes: {{ a: {{ address: 127.0.0.1 }}, b: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ members: ['a:{}', 'b:{}'] }} }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:0', pool: p, persistence: source_addr }} }}
admin: {{ listen: '127.0.0.1:{}', tokens-file: tokens, audit-log: audit.log }}
"""


class Api(NamedTuple):
    """A pronk whose admin API listens on loopback, with a token of each role."""

    pronk: Pronk
    folder: Path
    url: str
    tokens: dict[str, str]

    def get(self, path: str, role: str = "admin") -> Any:
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {self.tokens[role]}"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer) if "json" in answer.headers["Content-Type"] else answer.read().decode()


@pytest.fixture
def api(binary: Path, folder: Path) -> Iterator[Api]:
    tokens = {}
    for role in ("viewer", "operator", "admin"):
        create = [binary, "admin", "token", "create", "--name", role, "--role", role, "--file", folder / "tokens"]
        tokens[role] = subprocess.run(create, check=True, capture_output=True, text=True).stdout.strip()
    port = free_port()
    file = folder / "pronk.yaml"
    file.write_text(_CONFIGURATION.format(free_port(), free_port(), port))
    pronk = Pronk(binary, file, folder / "pronk.log").wait_ready()
    yield Api(pronk, folder, f"http://127.0.0.1:{port}", tokens)
    pronk.stop()


def schemathesis(api: Api, *options: object) -> None:
    """Runs schemathesis against the document that the API serves."""
    document = api.folder / "openapi.json"
    document.write_text(json.dumps(api.get("/v1/openapi.json")))
    settings = api.folder / "schemathesis.toml"
    settings.write_text(_SETTINGS)
    command = [
        VENV / "schemathesis", "--config-file", settings, "run", document, "--url", api.url,
        "--phases", "examples,coverage,fuzzing", "--max-examples", 20, "--generation-deterministic", "--no-shrink",
        # Its wrong tokens would be failed logins, of which an address has few.
        "--exclude-checks", "ignored_auth",
        # Less than what an address may ask for in a second.
        "--rate-limit", "40/s", "--warnings", "off", *options,
    ]
    ran = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=10 * PATIENCE,
                         cwd=api.folder)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Too Many Requests" not in ran.stdout


def test_no_request_of_an_administrator_is_answered_otherwise_than_documented(api):
    exclude = [word for path in _ENDING for word in ("--exclude-path", path)]
    schemathesis(api, "-H", f"Authorization: Bearer {api.tokens['admin']}", *exclude)
    assert api.get("/healthz")["ok"]


def test_no_request_of_a_viewer_changes_anything(api):
    before = api.get("/v1/map")["process"]["pid"], api.get("/v1/administration"), api.get("/v1/stats")["started"]
    schemathesis(api, "-H", f"Authorization: Bearer {api.tokens['viewer']}")
    assert before == (api.get("/v1/map")["process"]["pid"], api.get("/v1/administration"), api.get("/v1/stats")["started"])
    records = [json.loads(line) for line in (api.folder / "audit.log").read_text().splitlines()]
    assert records and all(record["outcome"] == "refused" for record in records), records


def test_no_request_without_a_token_is_let_in(api):
    schemathesis(api, "--checks", "not_a_server_error,status_code_conformance,response_schema_conformance")


def test_answers_are_as_the_document_has_them(api):
    document = api.get("/v1/openapi.json")
    assert document["openapi"] == "3.1.0"
    asked = 0
    for path, methods in document["paths"].items():
        if "get" not in methods or any(it.get("required") for it in methods["get"]["parameters"]):
            continue
        content = methods["get"]["responses"]["200"]["content"]
        answer = api.get(path, "viewer")
        if "application/json" in content:
            schema = {"allOf": [content["application/json"]["schema"]], "components": document["components"]}
            jsonschema_rs.validator_for(schema).validate(answer)
        asked += 1
    assert asked >= 8


def test_document_without_a_running_pronk_is_the_one_that_is_served(api, binary):
    printed = subprocess.run([binary, "admin", "openapi"], check=True, capture_output=True, text=True).stdout
    assert json.loads(printed) == api.get("/v1/openapi.json", "viewer")
