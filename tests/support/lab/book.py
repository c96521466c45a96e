"""What docs/troubleshooting.md tells of clients' messages and close codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .processes import REPOSITORY

_HEAD = "| the client reports | cause | `close.code` | in passthrough | what to do |"


class Row(NamedTuple):
    """A row of a table: messages, why a client says so, and the codes by which pronk may log it."""

    messages: tuple[str, ...]
    cause: str
    codes: tuple[str, ...]
    passthrough_codes: tuple[str, ...]

    def codes_in(self, mode: str) -> tuple[str, ...]:
        return self.passthrough_codes if mode == "passthrough" else self.codes


def rows() -> Iterator[Row]:
    """The rows of all tables of clients' messages."""
    tables = (REPOSITORY / "docs" / "troubleshooting.md").read_text().split(_HEAD + "\n")[1:]
    for table in tables:
        for line in table.splitlines()[1:]:
            if not line.startswith("|"):
                break
            messages, cause, codes, passthrough, _ = line.strip("| ").split(" | ")
            yield Row(_quoted(messages), cause, _quoted(codes), _quoted(passthrough))


def pattern(message: str) -> re.Pattern[str]:
    """What matches a message of the book, in which `…` stands for anything."""
    return re.compile(".*".join(re.escape(part) for part in message.split("…")))


def _quoted(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([^`]+)`", cell))
