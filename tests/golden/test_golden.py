# SPDX-License-Identifier: GPL-2.0-or-later
"""Configuration files as mip6d reads them.

good/NAME.conf must be accepted without a word, and print as good/NAME.out; that print-out must be accepted in turn and
print the same.  bad/NAME.conf must be refused with exit status 1 and exactly the lines of bad/NAME.err.

HOMEBOUND_BUILD is the build folder.  After a change of wording: HOMEBOUND_GOLDEN=write, then read the difference.
"""
import os
import pathlib
import re
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("HOMEBOUND_BUILD", HERE.parent.parent / "build"))
MIP6D = os.environ.get("MIP6D", str(BUILD / "mip6d" / "mip6d"))
WRITE = os.environ.get("HOMEBOUND_GOLDEN") == "write"
GOOD = sorted((HERE / "good").glob("*.conf"))
BAD = sorted((HERE / "bad").glob("*.conf"))


def mip6d(*args, cwd):
    return subprocess.run([MIP6D, "-t", *args], cwd=cwd, capture_output=True, text=True, timeout=60)


def expect(path, text):
    if WRITE:
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("conf", GOOD, ids=lambda p: p.stem)
def test_good(conf, tmp_path):
    silent = mip6d("-c", conf.name, cwd=conf.parent)
    assert (silent.returncode, silent.stderr) == (0, "")
    once = mip6d("-p", "-c", conf.name, cwd=conf.parent)
    assert (once.returncode, once.stderr) == (0, "")
    expect(conf.with_suffix(".out"), once.stdout)
    printed = tmp_path / "printed.conf"
    printed.write_text(once.stdout)
    twice = mip6d("-p", "-c", str(printed), cwd=tmp_path)
    assert (twice.returncode, twice.stderr, twice.stdout) == (0, "", once.stdout)


@pytest.mark.parametrize("conf", BAD, ids=lambda p: p.stem)
def test_bad(conf):
    got = mip6d("-c", conf.name, cwd=conf.parent)
    assert got.returncode == 1
    assert got.stdout == ""
    expect(conf.with_suffix(".err"), got.stderr)
    for line in got.stderr.splitlines():
        # file, line, reason, remedy
        assert re.match(r"[^:]+:[1-9][0-9]*: .+(; .+|\?$)", line), line


def test_enough_bad_ones():
    assert len(BAD) >= 35


def test_no_file(tmp_path):
    got = mip6d("-c", "none.conf", cwd=tmp_path)
    assert got.returncode == 1
    assert got.stderr == "none.conf: cannot read the configuration: No such file or directory\n"


@pytest.mark.parametrize("conf", sorted((HERE.parent.parent / "examples").glob("*.conf")), ids=lambda p: p.stem)
def test_examples(conf):
    got = mip6d("-c", str(conf), cwd=HERE)
    assert (got.returncode, got.stderr) == (0, "")


def test_a_hundred_thousand_home_addresses(tmp_path):
    conf = tmp_path / "many.conf"
    nodes = ",\n".join(f'"2001:db8:1::{i >> 16:x}:{i & 0xffff:x}"' for i in range(1, 100001))
    conf.write_text(
        'role = "home-agent";\nhome_agent = {\naddress = "2001:db8:1::f:0:0";\nhome_prefixes = ( "2001:db8:1::/64" );\n'
        f'home_addresses = (\n{nodes}\n);\nipsec = "none";\n}};\n')
    got = mip6d("-p", "-c", str(conf), cwd=tmp_path)
    assert got.returncode == 0, got.stderr[:1000]
    assert got.stdout.count("2001:db8:1::") == 100002
