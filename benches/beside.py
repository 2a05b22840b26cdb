#!/usr/bin/env python3
"""Measures the release program beside cotp and oathtool, as whole processes, in one run, and writes it down.

    cargo build --release && cargo install cotp && python3 benches/beside.py [--sizes 1000,10000] [--write]

Prints a table; with --write it stands in docs/performance.md between its marks. Linux only. Both open by the same password,
each by the key derivation that it has chosen; times are medians, the two take turns. COTP names another than that in PATH.
"""
import argparse
import datetime
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import growth

COTP = os.environ.get("COTP") or shutil.which("cotp") or os.path.expanduser("~/.cargo/bin/cotp")
FIRST = b"Service000000"
ROWS = [  # key, what is measured, unit
    ("start", "password typed to codes", "ms"),
    ("code", "one code by password, from the command line", "ms"),
    ("idle", "idle CPU a minute", "ms"),
    ("wakes", "idle wake-ups a second", ""),
    ("bytes", "idle bytes to the terminal a second", ""),
    ("key", "a key to the screen", "ms"),
    ("search", "a letter of a search to the screen", "ms"),
    ("memory", "memory while open", "MiB"),
]


class Otpanel:
    def __init__(self, accounts):
        self.home = growth.Home(accounts)
        self.home.run("import", "--yes", "links")
        self.close = self.home.close

    def panel(self):
        self.home.run("lock")
        return growth.Panel(self.home), b"assword"

    def code(self, name):
        return self.home.run("--password-file", "pw", "code", name)

    def kept(self, name):
        """Milliseconds for a code while the kernel keeps the key."""
        return self.home.run("code", name)


class Cotp:
    """A private home of cotp's, filled through its own import."""

    def __init__(self, links):
        self.dir = tempfile.mkdtemp(prefix="otpanel-beside-")
        self.env = growth.environment(self.dir, COTP_DB_PATH=os.path.join(self.dir, "db.cotp"))
        with open(os.path.join(self.dir, "links"), "w", encoding="utf-8") as file:
            json.dump({"items": links}, file)
        first = growth.Panel(self, [COTP, "list"])
        first.until(b"Choose a password")
        first.write(growth.PASSWORD + "\r")
        first.until(b"Retype")
        first.write(growth.PASSWORD + "\r")
        first.end()
        self.run("import", "--otp-uri", "--path", "links")

    def run(self, *args):
        began = time.perf_counter()
        done = subprocess.run([COTP, "--password-stdin", *args], env=self.env, cwd=self.dir,
                              input=growth.PASSWORD.encode() + b"\n", capture_output=True)
        took = (time.perf_counter() - began) * 1000
        if done.returncode:
            sys.exit("cotp %s: %s" % (" ".join(args), done.stderr.decode()))
        return took

    def panel(self):
        return growth.Panel(self, [COTP]), b"Password:"

    def code(self, name):
        return self.run("extract", "--label", name)

    def close(self):
        shutil.rmtree(self.dir)


def opened(program):
    """An open panel, and the milliseconds from its typed password to its codes."""
    panel, prompt = program.panel()
    panel.until(prompt)
    time.sleep(0.2)
    while panel.read(0.1):
        pass
    panel.write(growth.PASSWORD)
    time.sleep(0.2)
    while panel.read(0.1):
        pass
    began = time.perf_counter()
    panel.write("\r")
    panel.until(FIRST)
    return panel, (time.perf_counter() - began) * 1000


def stays_open(program):
    """What an open panel costs, and how fast it answers."""
    panel, _ = opened(program)
    panel.idle(3)  # what the start leaves to do
    row = {"memory": panel.status("VmRSS") / 1024}
    wakes, written, began = panel.wakes(), panel.written, time.perf_counter()
    row["idle"] = panel.idle(growth.IDLE_SECONDS)
    took = time.perf_counter() - began
    row["wakes"], row["bytes"] = (panel.wakes() - wakes) / took, (panel.written - written) / took
    row["key"] = statistics.median(panel.key(b"j" if n % 20 < 10 else b"k") for n in range(1, 41))
    panel.key(b"/")
    row["search"] = statistics.median(panel.key(b"s" if n % 2 == 0 else b"\x7f") for n in range(40))
    panel.close()
    return row


def measure(accounts):
    ours = Otpanel(accounts)
    with open(ours.home.path("links"), encoding="utf-8") as file:
        theirs = Cotp(file.read().split())
    name = "user%06d@example.com" % (accounts // 2)
    programs, rows = [ours, theirs], [{}, {}]
    for key, times, once in (("code", 7, lambda it: it.code(name)), ("start", 3, start_once)):
        taken = [[once(it) for it in programs] for _ in range(times)]
        for n, row in enumerate(rows):
            row[key] = statistics.median(turn[n] for turn in taken)
    for it, row in zip(programs, rows):
        row.update(stays_open(it))
    ours.code(name)  # from here on the kernel keeps the key
    turns = [(ours.kept(name), oathtool()) for _ in range(60)]
    kept, bare = (statistics.median(turn[n] for turn in turns) for n in (0, 1))
    for it in programs:
        it.close()
    return rows, kept, bare


def start_once(program):
    panel, took = opened(program)
    panel.close()
    return took


def oathtool():
    began = time.perf_counter()
    subprocess.run(["oathtool", "--totp", "-b", "JBSWY3DPEHPK3PXP"], check=True, capture_output=True)
    return (time.perf_counter() - began) * 1000


def table(results):
    version = subprocess.run([COTP, "--version"], check=True, capture_output=True, text=True).stdout.split()[-1]
    lines = ["| accounts | measured | otpanel | cotp %s | cotp / otpanel |" % version, "|---:|---|---:|---:|---:|"]
    for accounts, (rows, kept, bare) in results.items():
        for key, what, unit in ROWS:
            ours, theirs = (row[key] for row in rows)
            ratio = growth.shown(theirs / ours) if ours else "-"
            lines.append("| %s | %s | %s | %s | %s |" % (
                format(accounts, ","), what + (", " + unit if unit else ""), growth.shown(ours), growth.shown(theirs), ratio))
        lines.append("| %s | one code while the kernel keeps the key, ms; oathtool, which keeps nothing, takes %s | %s | | |" % (
            format(accounts, ","), growth.shown(bare), growth.shown(kept)))
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="1000,10000")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    for program, how in ((growth.PROGRAM, "cargo build --release"), (COTP, "cargo install cotp")):
        if not os.path.exists(program):
            sys.exit("%s is not there: %s" % (program, how))
    text = table({int(n): measure(int(n)) for n in args.sizes.split(",")})
    print(text)
    if args.write:
        growth.write_down("beside", text)


if __name__ == "__main__":
    main()
