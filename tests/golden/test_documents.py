# SPDX-License-Identifier: GPL-2.0-or-later
"""What README.md and the manual pages show: configurations load, and the commands are those that there are."""
import os
import re
import subprocess

import pytest
from config_files import BUILD, HERE, TOP, Daemon

MIP6CTL = os.environ.get("MIP6CTL", str(BUILD / "ctl" / "mip6ctl"))
DAEMONS = {"mip6d": Daemon(os.environ.get("MIP6D", str(BUILD / "mip6d" / "mip6d")), HERE),
           "vcmd": Daemon(os.environ.get("VCMD", str(BUILD / "vcm" / "vcmd")), HERE)}


def blocks(name):
    """What a document has apart from its text."""
    text = (TOP / name).read_text()
    if name.endswith(".md"):
        return [re.sub("(?m)^    ", "", b) for b in re.findall(r"(?m)(?:^    .*\n|^\n)+", text)]
    return re.findall(r"\.Bd -literal.*\n((?:.*\n)*?)\.Ed", text)


def configurations(name):
    """[(daemon, text)]: a file begins with the role, or with the manager's address, and ends where the last group does."""
    found = []
    for block in blocks(name):
        for daemon, first in (("mip6d", "role ="), ("vcmd", "address =")):
            file = re.search(rf"(?m)^{first}(?:.*\n)*?.*;(?=\n\n|\n?\Z)", block)
            if file:
                found.append((daemon, file[0]))
    return found


CONFIGURATIONS = {f"{name}-{n}": c for name in ("README.md", "man/mip6d.conf.5", "man/vcmd.conf.5")
                  for n, c in enumerate(configurations(name), 1)}


def test_enough():
    assert len(CONFIGURATIONS) == 6


@pytest.mark.parametrize("which", CONFIGURATIONS)
def test_configuration(which, tmp_path):
    daemon, text = CONFIGURATIONS[which]
    keys = tmp_path / "ipsec.keys"
    keys.touch(0o600)
    keys.write_text(ctl("ipsec", "keys", "2001:db8:1::100", "2001:db8:1::1000").stdout)
    (tmp_path / "conf").write_text(text.replace("/etc/mip6d/ipsec.keys", str(keys)) + "\n")
    got = DAEMONS[daemon]("-c", "conf", cwd=tmp_path)
    assert (got.returncode, got.stderr) == (0, "")


def ctl(*words):
    return subprocess.run([MIP6CTL, *words], capture_output=True, text=True)


KEYS = sorted({line.split(">>")[0].split("ipsec keys ")[1].strip() for name in ("README.md", "man/mip6ctl.8")
               for block in blocks(name) for line in block.split("\n") if line.startswith("mip6ctl ipsec keys ")})


@pytest.mark.parametrize("words", KEYS)
def test_keys(words):
    got = ctl("ipsec", "keys", *words.split())
    assert (got.returncode, got.stderr) == (0, "")
    assert len(got.stdout.splitlines()) == (2 if words.split()[0] in ("gateway", "manager") else 4)


def verbs(text):
    """The verbs that mip6ctl says it has."""
    return set(re.findall(r"(?m)^  ([a-z][a-z-]+) ", text))


def test_verbs():
    """All that there are, and no others, in the synopsis and in the list of mip6ctl(8)."""
    page = (TOP / "man" / "mip6ctl.8").read_text()
    synopsis, rest = page.split(".Sh SYNOPSIS\n")[1].split(".Sh DESCRIPTION\n")
    listed, manager = rest.split(".It Cm vcm Ar verb")
    has = verbs(ctl("help").stdout)
    assert has == set(re.findall(r"(?:\.Nm|socket|-?j|Fl j)\n\.Cm ([a-z-]+)", synopsis)) - {"help"}
    assert has - {"vcm"} <= set(re.findall(r"(?m)^\.It Cm ([a-z-]+)", listed + manager))
    of_vcm = re.findall(r"(?m)^\.It Cm ([a-z-]+)(?: Ar node \| Cm ([a-z]+))?", manager.split("\n.El\n")[0])
    assert verbs(ctl("vcm").stderr) == {v for pair in of_vcm for v in pair if v}
