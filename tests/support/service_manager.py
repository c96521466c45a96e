#!/usr/bin/env python3
"""Stands in for systemd: starts a service with listening sockets, takes its notifications, and restarts it.

usage: service_manager.py [--listen HOST:PORT]... [--store N] [--watchdog SECONDS] -- PROGRAM ARGUMENTS...

As a socket unit it opens each address (sd_listen_fds(3)). With a store it keeps up to N descriptors that the service sends
(FDSTORE in sd_notify(3)), and passes them on at the next start. It reads commands from standard input (restart, term, kill, stop)
and prints each event as a line of JSON.
"""

import argparse
import array
import ctypes
import json
import os
import signal
import socket
import sys
import tempfile
import threading
import time

PR_SET_CHILD_SUBREAPER = 36


def say(event, **what):
    print(json.dumps({"event": event, **what}), flush=True)


class Manager:
    def __init__(self, options):
        self.options = options
        self.sockets = [(self.listen(at), "pronk.socket") for at in options.listen]
        self.stored = []
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "notify")
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(self.path)
        self.main = None
        self.ended = threading.Event()
        # What a process of the service leaves behind is this one's, as in systemd's control group.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
        threading.Thread(target=self.take_notifications, daemon=True).start()
        threading.Thread(target=self.reap, daemon=True).start()

    @staticmethod
    def listen(at):
        host, port = at.rsplit(":", 1)
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, int(port)))
        listening.listen(4096)
        return listening.detach()

    def start(self):
        passed = self.sockets + self.stored
        environment = dict(os.environ, NOTIFY_SOCKET=self.path)
        if self.options.watchdog:
            environment["WATCHDOG_USEC"] = str(int(self.options.watchdog * 1e6))
        self.ended.clear()
        pid = os.fork()
        if pid == 0:
            # First out of the way of the numbers from 3 on.
            moved = [os.dup2(number, 500 + at) for at, (number, _) in enumerate(passed)]
            for at, number in enumerate(moved):
                os.dup2(number, 3 + at, inheritable=True)
                os.close(number)
            os.closerange(3 + len(passed), 500)
            if passed:
                environment.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(passed)))
                environment["LISTEN_FDNAMES"] = ":".join(name for _, name in passed)
            if self.options.watchdog:
                environment["WATCHDOG_PID"] = str(os.getpid())
            os.execve(self.options.program[0], self.options.program, environment)
        self.main = pid
        say("started", pid=pid, passed=[name for _, name in passed])

    def reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, 0)
            except ChildProcessError:
                time.sleep(0.01)
                continue
            say("ended", pid=pid, status=os.waitstatus_to_exitcode(status))
            if pid == self.main:
                self.ended.set()

    def take_notifications(self):
        while True:
            text, control, _, _ = self.notify.recvmsg(65536, socket.CMSG_SPACE(4 * 64))
            descriptors = array.array("i")
            for level, kind, data in control:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    descriptors.frombytes(data[: len(data) - len(data) % 4])
            fields = dict(line.split("=", 1) for line in text.decode().splitlines() if "=" in line)
            if "FDSTORE" in fields:
                self.store(list(descriptors), fields.get("FDNAME", "stored"))
                continue
            for descriptor in descriptors:
                os.close(descriptor)
            if "FDSTOREREMOVE" in fields:
                gone = [it for it in self.stored if it[1] == fields["FDNAME"]]
                self.stored = [it for it in self.stored if it not in gone]
                for number, name in gone:
                    os.close(number)
                    say("forgot", name=name)
                continue
            if "MAINPID" in fields and int(fields["MAINPID"]) != self.main:
                self.main = int(fields["MAINPID"])
            say("notified", main=self.main, **fields)

    def store(self, descriptors, name):
        for descriptor in descriptors:
            same = any(os.path.sameopenfile(descriptor, known) for known, _ in self.stored)
            if same or len(self.stored) >= self.options.store:
                os.close(descriptor)
            else:
                self.stored.append((descriptor, name))
                say("stored", name=name)

    def stop(self):
        os.kill(self.main, signal.SIGTERM)
        self.ended.wait()

    def run(self):
        self.start()
        for command in sys.stdin:
            match command.strip():
                case "restart":
                    self.stop()
                    self.start()
                case "kill":
                    os.kill(self.main, signal.SIGKILL)
                    self.ended.wait()
                    self.start()
                case "term":
                    os.kill(self.main, signal.SIGTERM)
                case "stop":
                    break
        if not self.ended.is_set():
            os.kill(self.main, signal.SIGKILL)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", action="append", default=[])
    parser.add_argument("--store", type=int, default=0)
    parser.add_argument("--watchdog", type=float, default=0)
    parser.add_argument("program", nargs="+")
    Manager(parser.parse_args()).run()


if __name__ == "__main__":
    main()
