#!/usr/bin/env python3
"""Measures how the release program grows with the number of accounts, as a whole process, and writes it down.

    cargo build --release && python3 benches/growth.py [--sizes 10,100,1000] [--write]

Prints a table; with --write it stands in docs/performance.md between its marks, and as a plot in docs/pictures/growth.svg.
Linux only. The vault opens by a key that the kernel keeps (`unlock: (remember: ...)`), so that no key derivation and no
keychain hides what grows. Times are medians; what is written down ought to come from a machine that does nothing else.
"""
import argparse
import base64
import datetime
import fcntl
import hashlib
import math
import os
import pty
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "release", "otpanel")
PASSWORD = "correct horse battery"
IDLE_SECONDS = 30
COLUMNS = [  # key, heading, unit
    ("import", "import a list", "ms"),
    ("code", "one code", "ms"),
    ("start", "start to codes", "ms"),
    ("key", "a key", "ms"),
    ("search", "a letter of a search", "ms"),
    ("idle", "idle CPU a minute", "ms"),
    ("peak", "peak memory", "MiB"),
    ("file", "vault file", "KiB"),
]


def environment(home, **more):
    """What a measured program sees of the world."""
    return {"HOME": home, "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TERM": "xterm-256color", **more}


class Home:
    """A private home with a vault of so many accounts, whose key the kernel keeps."""

    def __init__(self, accounts):
        self.accounts = accounts
        self.dir = tempfile.mkdtemp(prefix="otpanel-growth-")
        self.env = environment(self.dir, XDG_RUNTIME_DIR=self.path("run"))
        os.makedirs(self.path("run"), mode=0o700)
        os.makedirs(self.path(".config/otpanel"))
        self.write("pw", PASSWORD)
        self.write("links", "".join(
            "otpauth://totp/Service%06d:user%06d%%40example.com?secret=%s&issuer=Service%06d\n" % (
                n, n, base64.b32encode(hashlib.sha1(b"growth %d" % n).digest()).decode(), n)
            for n in range(accounts)))
        self.run("--password-file", "pw", "init", "--unlock", "password", "--no-backup", "--recovery-key-file", "recovery")
        self.write(".config/otpanel/config.ron", '(unlock: (remember: "30m"), idle_lock_secs: 0)')
        self.run("--password-file", "pw", "list")
        self.run("list")

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), 0o600)

    def run(self, *args):
        began = time.perf_counter()
        done = subprocess.run([PROGRAM, *args], env=self.env, cwd=self.dir, stdin=subprocess.DEVNULL, capture_output=True)
        took = (time.perf_counter() - began) * 1000
        if done.returncode:
            sys.exit("otpanel %s: %s" % (" ".join(args), done.stderr.decode()))
        return took

    def close(self):
        subprocess.run([PROGRAM, "lock"], env=self.env, cwd=self.dir, capture_output=True)
        shutil.rmtree(self.dir)


class Panel:
    """A panel on a terminal of 80 x 24."""

    def __init__(self, home, command=(PROGRAM,)):
        self.written = 0  # bytes to the terminal
        self.began = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
            os.chdir(home.dir)
            os.execve(command[0], command, home.env)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

    def read(self, seconds):
        if select.select([self.fd], [], [], max(0, seconds))[0]:
            try:
                some = os.read(self.fd, 1 << 16)
            except OSError:
                return b""
            self.written += len(some)
            if b"\x1b[6n" in some:  # some programs ask where the cursor is, and wait for an answer
                self.write("\x1b[1;1R")
            return some
        return b""

    def write(self, text):
        os.write(self.fd, text.encode())

    def until(self, text, seconds=120):
        """Milliseconds from the start until the terminal was sent a text."""
        seen, end = b"", time.perf_counter() + seconds
        while text not in seen:
            if time.perf_counter() > end:
                sys.exit("the panel never showed %r" % text)
            seen += self.read(1)
        return (time.perf_counter() - self.began) * 1000

    def key(self, key):
        """Milliseconds from a key to the first bytes that follow."""
        while self.read(0.02):
            pass
        began = time.perf_counter()
        os.write(self.fd, key)
        if not self.read(5):
            sys.exit("a key changed nothing")
        return (time.perf_counter() - began) * 1000

    def cpu(self):
        """Nanoseconds that all threads have run, by the kernel's count."""
        return self.threads(lambda path: int(open(path + "/schedstat").read().split()[0]))

    def idle(self, seconds):
        """Milliseconds of CPU that a minute costs in which nothing is done."""
        began, cpu = time.perf_counter(), self.cpu()
        while time.perf_counter() - began < seconds:
            self.read(0.5)
        return (self.cpu() - cpu) / 1e6 * 60 / (time.perf_counter() - began)

    def status(self, name, path=None):
        """A number of the kernel's status of the process, or of the thread of that path."""
        with open((path or "/proc/%d" % self.pid) + "/status", encoding="utf-8") as lines:
            return int(next(line for line in lines if line.startswith(name + ":")).split()[1])

    def threads(self, count):
        """The sum of a count over all threads."""
        total, tasks = 0, "/proc/%d/task" % self.pid
        for task in os.listdir(tasks):
            try:
                total += count("%s/%s" % (tasks, task))
            except FileNotFoundError:
                pass  # it has ended since
        return total

    def wakes(self):
        """How often a thread went to sleep of its own will."""
        return self.threads(lambda path: self.status("voluntary_ctxt_switches", path))

    def close(self):
        os.kill(self.pid, signal.SIGTERM)
        self.end()

    def end(self):
        while self.read(1):
            pass
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def measure(accounts):
    home = Home(accounts)
    row = {"import": home.run("import", "--yes", "links")}
    middle = "user%06d@example.com" % (accounts // 2)
    row["code"] = statistics.median(home.run("code", middle) for _ in range(15))
    starts = []
    for _ in range(5):
        panel = Panel(home)
        starts.append(panel.until(b"user000000"))
        panel.close()
    row["start"] = statistics.median(starts)
    panel = Panel(home)
    panel.until(b"user000000")
    row["peak"] = panel.status("VmHWM") / 1024
    panel.idle(3)  # what the start leaves to do
    row["idle"] = panel.idle(IDLE_SECONDS)
    row["key"] = statistics.median(panel.key(b"j" if n % 20 < 10 else b"k") for n in range(1, 41))
    panel.key(b"/")
    row["search"] = statistics.median(panel.key(b"s" if n % 2 == 0 else b"\x7f") for n in range(40))
    panel.close()
    row["file"] = os.path.getsize(home.path(".local/share/otpanel/vault.otpv")) / 1024
    home.close()
    return row


def shown(value):
    return "%.0f" % value if value >= 100 else "%.1f" % value if value >= 10 else "%.2f" % value


def table(rows):
    lines = ["| accounts | " + " | ".join("%s, %s" % (name, unit) for _, name, unit in COLUMNS) + " |",
             "|---:|" + "---:|" * len(COLUMNS)]
    for n, row in rows.items():
        lines.append("| %s | " % format(n, ",") + " | ".join(shown(row[key]) for key, _, _ in COLUMNS) + " |")
    return "\n".join(lines)


def plot(rows):
    """Milliseconds over accounts, both logarithmic, as SVG that reads on light and dark."""
    width, height, left, bottom = 720, 400, 60, 40
    lines = [("import", "#c0504d"), ("start", "#4f81bd"), ("code", "#9bbb59"), ("search", "#8064a2"), ("key", "#f79646"), ("idle", "#808080")]
    names = {key: name for key, name, _ in COLUMNS}
    values = [row[key] for row in rows.values() for key, _ in lines]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    sizes = sorted(rows)
    first, last = math.log10(sizes[0]), math.log10(sizes[-1])

    def x(n):
        return left + (math.log10(n) - first) / max(last - first, 1e-9) * (width - left - 150)

    def y(value):
        return 10 + (high - math.log10(value)) / (high - low) * (height - 10 - bottom)

    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12" fill="#888">' % (width, height)]
    for power in range(low, high + 1):
        at = y(10.0 ** power)
        out.append('<path d="M%d %.1fH%d" stroke="#8884"/><text x="%d" y="%.1f" text-anchor="end">%g ms</text>' % (left, at, width - 150, left - 6, at + 4, 10.0 ** power))
    for n in sizes:
        out.append('<text x="%.1f" y="%d" text-anchor="middle">%s</text>' % (x(n), height - 18, format(n, ",")))
    out.append('<text x="%.1f" y="%d" text-anchor="middle">accounts</text>' % ((left + width - 150) / 2, height - 2))
    ends = []
    for key, colour in sorted(lines, key=lambda line: -rows[sizes[-1]][line[0]]):
        points = " ".join("%.1f,%.1f" % (x(n), y(rows[n][key])) for n in sizes)
        at = max(y(rows[sizes[-1]][key]), ends[-1] + 14 if ends else 0)
        ends.append(at)
        out.append('<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/><text x="%d" y="%.1f" fill="%s">%s</text>' % (points, colour, width - 142, at + 4, colour, names[key]))
    return "\n".join(out + ["</svg>", ""])


def write_down(name, text):
    """Puts a table between its marks in docs/performance.md, with the day and the machine."""
    page = os.path.join(ROOT, "docs", "performance.md")
    with open(page, encoding="utf-8") as file:
        before, rest = file.read().split("<!-- %s: begin -->\n" % name)
    after = rest.split("<!-- %s: end -->" % name)[1]
    day = "Measured on %s, %d cores, load %.1f when it began.\n\n" % (datetime.date.today(), os.cpu_count(), LOAD)
    with open(page, "w", encoding="utf-8") as file:
        file.write(before + "<!-- %s: begin -->\n" % name + day + text + "\n<!-- %s: end -->" % name + after)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="10,100,1000,10000,100000")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    if not os.path.exists(PROGRAM):
        sys.exit("%s is not there: cargo build --release" % PROGRAM)
    rows = {int(n): measure(int(n)) for n in args.sizes.split(",")}
    print(table(rows))
    if args.write:
        write_down("growth", table(rows))
        with open(os.path.join(ROOT, "docs", "pictures", "growth.svg"), "w", encoding="utf-8") as file:
            file.write(plot(rows))


LOAD = os.getloadavg()[0]
if __name__ == "__main__":
    main()
