# SPDX-License-Identifier: GPL-2.0-or-later
"""Configuration files as a daemon reads them, for the tests of both daemons.

good/NAME.conf must be accepted without a word, and print as good/NAME.out; that print-out must be accepted in turn and
print the same.  bad/NAME.conf must be refused with exit status 1 and exactly the lines of bad/NAME.err.

HOMEBOUND_BUILD is the build folder.  After a change of wording: HOMEBOUND_GOLDEN=write, then read the difference.
"""
import os
import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
BUILD = pathlib.Path(os.environ.get("HOMEBOUND_BUILD", TOP / "build"))
WRITE = os.environ.get("HOMEBOUND_GOLDEN") == "write"


def expect(path, text):
    if WRITE:
        path.write_text(text)
    assert text == path.read_text()


class Daemon:
    def __init__(self, program, folder):
        self.program = program
        self.good, self.bad = (sorted((folder / kind).glob("*.conf")) for kind in ("good", "bad"))

    def __call__(self, *args, cwd):
        return subprocess.run([self.program, "-t", *args], cwd=cwd, capture_output=True, text=True, timeout=60)

    def accepts(self, conf, tmp_path):
        silent = self("-c", conf.name, cwd=conf.parent)
        assert (silent.returncode, silent.stderr) == (0, "")
        once = self("-p", "-c", conf.name, cwd=conf.parent)
        assert (once.returncode, once.stderr) == (0, "")
        expect(conf.with_suffix(".out"), once.stdout)
        printed = tmp_path / "printed.conf"
        printed.write_text(once.stdout)
        twice = self("-p", "-c", str(printed), cwd=tmp_path)
        assert (twice.returncode, twice.stderr, twice.stdout) == (0, "", once.stdout)

    def refuses(self, conf):
        got = self("-c", conf.name, cwd=conf.parent)
        assert (got.returncode, got.stdout) == (1, "")
        expect(conf.with_suffix(".err"), got.stderr)
        for line in got.stderr.splitlines():
            # file, line, reason, remedy
            assert re.match(r"[^:]+:[1-9][0-9]*: .+(; .+|\?$)", line), line
