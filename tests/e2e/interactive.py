"""impala-shell at a terminal, as a person has it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Optional

import pexpect

from lab import clients
from lab.front import Front

_PROMPT = r"\[[^\]\r\n]+\] [\w`]*> ?$"


class Shell:
    """A session of impala-shell under a pseudo-terminal."""

    def __init__(self, front: Front, mode: str, kind: str, home: Path) -> None:
        command = front.with_names(front.shell_command(mode, kind))
        env = clients.environment({"HOME": str(home), "TERM": "dumb"})
        self._child = pexpect.spawn(
            command[0], command[1:], env=env, encoding="utf-8", timeout=25, dimensions=(50, 200), echo=False)
        self.banner = self._until_prompt()

    def run(self, statement: str) -> str:
        """Types a statement; returns what is printed until the next prompt."""
        self.type(statement)
        return self._until_prompt()

    def type(self, statement: str) -> None:
        self._child.sendline(statement)

    def wait_for(self, pattern: str) -> str:
        """What is printed up to and with the pattern."""
        self._child.expect(pattern)
        return self._child.before + self._child.after

    def rest(self) -> str:
        return self._until_prompt()

    def served_by(self) -> str:
        """The impalad that this session is connected to."""
        return daemon(self.run("select version();"))

    def quit(self) -> None:
        self._child.sendline("quit;")
        self._child.expect(pexpect.EOF)
        self._child.close()

    def close(self) -> None:
        self._child.close(force=True)

    def _until_prompt(self) -> str:
        self._child.expect(_PROMPT)
        return self._child.before


def daemon(text: str) -> Optional[str]:
    """The name of the simulated impalad in a printed version."""
    found = re.search(r"\) on ([\w-]+)", text)
    return found[1] if found else None
