"""Every check and every test: what `make test` runs. The last line is pytest's own summary.

`python -m tests.everything [WORD...]` gives further words to pytest, and then asks for no coverage.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
PYTHON = sys.executable

NEEDED: dict[str, Callable[[], bool]] = {
    "chromium": lambda: shutil.which("chromium") is not None,
    "golang-go": lambda: shutil.which("go") is not None,
    "golang-golang-x-mod-dev": lambda: Path("/usr/share/gocode/src/golang.org/x/mod/sumdb").exists(),
    "gcc": lambda: shutil.which("cc") is not None,
    "libc6-dev": lambda: Path("/usr/include/stdio.h").exists(),
    "fonts-noto-cjk": lambda: any(Path("/usr/share/fonts").rglob("NotoSansCJK*")),
}
"""Debian's packages that the tests use, and how each is recognised."""

PROVED = "commonweal/kernel/*,commonweal/services/*/rules.py,commonweal/services/*/rules/*"
"""Where every branch should have been taken."""

Step = Callable[[], bool]


def install_what_is_missing() -> bool:
    """Through apt, as root; otherwise say what to install. What is missing is an error, never a skip."""
    missing = [name for name, found in NEEDED.items() if not found()]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *missing]):
            subprocess.run(["apt-get", *words], env=environment, check=False, stdout=subprocess.DEVNULL)
        missing = [name for name, found in NEEDED.items() if not found()]
    if missing:
        print(f"missing: apt-get install {' '.join(missing)}")
    return not missing


def run(*words: str) -> bool:
    """Run one tool in the checkout."""
    return subprocess.run(words, cwd=ROOT, check=False).returncode == 0


def tool(name: str, *words: str) -> Step:
    """A step that runs one tool of the environment."""
    return lambda: run(str(Path(PYTHON).parent / name), *words)


class Tests:
    """The run of pytest: printed as it comes, its last line kept for the end."""

    summary = "0 passed"

    def __init__(self, words: list[str]) -> None:
        self.words = words

    def run(self) -> bool:
        """Two workers; coverage reaches them and the commands that tests start."""
        measure = [] if self.words else ["-m", "coverage", "run"]
        command = [PYTHON, *measure, "-m", "pytest", "-n", "2", "--dist", "worksteal", *self.words]
        for old in ROOT.glob(".coverage*"):
            old.unlink()
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                print(line, end="", flush=True)
                self.summary = line.strip() or self.summary
        return process.returncode == 0

    def measure(self) -> bool:
        """The branches of the kernel and of the rules have been taken: 99 % of them; the goal is every one."""
        return bool(self.words) or (
            run(PYTHON, "-m", "coverage", "combine", "-q")
            and run(PYTHON, "-m", "coverage", "report", f"--include={PROVED}", "--skip-covered", "--fail-under=99")
        )


def main(words: list[str]) -> int:
    """Run every step, say how long each took, and fail if any failed."""
    tests = Tests(words)
    steps: dict[str, Step] = {
        "packages": install_what_is_missing,
        "ruff check": tool("ruff", "check", "-q", "."),
        "ruff format": tool("ruff", "format", "-q", "--check", "."),
        "lint-imports": lambda: _quietly(str(Path(PYTHON).parent / "lint-imports"), "--no-logo"),
        "mypy": tool("mypy", "--no-error-summary", "commonweal", "bench", "tests", "conftest.py"),
        "pytest": tests.run,
        "coverage": tests.measure,
    }
    failed, took = [], {}
    for name, step in steps.items():
        begin = time.monotonic()
        if not step():
            failed.append(name)
        took[name] = time.monotonic() - begin
    print("\n" + "\n".join(f"{name:<14}{'FAILED' if name in failed else 'ok':<8}{took[name]:6.1f} s" for name in steps))
    print(f"{'all':<14}{'FAILED' if failed else 'ok':<8}{sum(took.values()):6.1f} s\n\n{tests.summary}")
    return 1 if failed else 0


def _quietly(*words: str) -> bool:
    """Run one tool whose output matters only when it fails."""
    done = subprocess.run(words, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout + done.stderr)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
