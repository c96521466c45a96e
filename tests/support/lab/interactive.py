"""impala-shell at a terminal, as a person has it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Optional

import pexpect

from .clients import environment
from .names import with_names
from .processes import PATIENCE

_PROMPT = r"\[[^\]\r\n]+\] [\w`]*> ?$"


class Shell:
    """A session of impala-shell under a pseudo-terminal."""

    def __init__(
        self, hosts: Path, command: Sequence[object], home: Path, env: Optional[Mapping[str, str]] = None
    ) -> None:
        argv = with_names(hosts, command)
        env = environment({"HOME": str(home), "TERM": "dumb", **(env or {})})
        self._child = pexpect.spawn(
            argv[0], argv[1:], env=env, encoding="utf-8", timeout=PATIENCE, dimensions=(50, 200), echo=False)
        self.prompt = ""
        self.banner = self._until_prompt()

    def run(self, statement: str) -> str:
        """Types a statement; returns what is printed until the next prompt."""
        self.type(statement)
        return self._until_prompt()

    def type(self, statement: str) -> None:
        self._child.sendline(statement)

    def interrupt(self) -> None:
        """Presses Ctrl-C."""
        self._child.sendintr()

    def wait_for(self, pattern: str) -> str:
        """What is printed up to and with the pattern."""
        self._child.expect(pattern)
        return self._child.before + self._child.after

    def rest(self) -> str:
        """What is printed until the next prompt."""
        return self._until_prompt()

    def served_by(self) -> Optional[str]:
        """The impalad that this session is connected to."""
        return daemon(self.run("select version();"))

    def quit(self) -> None:
        """Ends the session as its user does."""
        self._child.sendline("quit;")
        self._child.expect(pexpect.EOF)
        self.close()

    def close(self) -> None:
        """Ends the session whatever it is doing."""
        self._child.close(force=True)

    def _until_prompt(self) -> str:
        self._child.expect(_PROMPT)
        self.prompt = self._child.after
        return self._child.before.replace("\r\n", "\n")


def daemon(text: str) -> Optional[str]:
    """The name of the simulated impalad in a printed version."""
    found = re.search(r"\) on ([\w-]+)", text)
    return found[1] if found else None
