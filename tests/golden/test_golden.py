# SPDX-License-Identifier: GPL-2.0-or-later
"""Configuration files as mip6d reads them: the folders good/ and bad/, see config_files.py."""
import os
import subprocess

import pytest
from config_files import BUILD, HERE, TOP, Daemon

MIP6CTL = os.environ.get("MIP6CTL", str(BUILD / "ctl" / "mip6ctl"))
mip6d = Daemon(os.environ.get("MIP6D", str(BUILD / "mip6d" / "mip6d")), HERE)


@pytest.mark.parametrize("conf", mip6d.good, ids=lambda p: p.stem)
def test_good(conf, tmp_path):
    mip6d.accepts(conf, tmp_path)


@pytest.mark.parametrize("conf", mip6d.bad, ids=lambda p: p.stem)
def test_bad(conf):
    mip6d.refuses(conf)


def test_enough_bad_ones():
    assert len(mip6d.bad) >= 35


def test_no_file(tmp_path):
    got = mip6d("-c", "none.conf", cwd=tmp_path)
    assert got.returncode == 1
    assert got.stderr == "none.conf: cannot read the configuration: No such file or directory\n"


OURS = sorted(p for p in (TOP / "examples").glob("*.conf") if not p.stem.startswith(("swanctl", "strongswan", "vcmd")))


@pytest.mark.parametrize("conf", OURS, ids=lambda p: p.stem)
def test_examples(conf, tmp_path):
    keys = tmp_path / "ipsec.keys"
    keys.touch(0o600)
    keys.write_text(subprocess.run([MIP6CTL, "ipsec", "keys", "2001:db8:1::100", "2001:db8:1::1000"], check=True,
                                   capture_output=True, text=True).stdout)
    here = tmp_path / conf.name
    here.write_text(conf.read_text().replace("/etc/mip6d/ipsec.keys", str(keys)))
    got = mip6d("-c", str(here), cwd=HERE)
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


# --- the file of shared keys (RFC 4449)

KCN, NONCES = "000102030405060708090a0b0c0d0e0f10111213", "1122334455667788 99aabbccddeeff00"
PAIR = "2001:db8:1::100 2001:db8:c::c"
SECRETS = (KCN, "1122334455667788", "99aabbccddeeff00")


def with_keys(tmp_path, text, mode=0o600):
    keys, conf = tmp_path / "keys", tmp_path / "mip6d.conf"
    keys.write_bytes(text.encode())
    keys.chmod(mode)
    conf.write_text(f'role = "correspondent";\nshared_keys = "{keys}";\n')
    got = mip6d("-p", "-c", str(conf), cwd=tmp_path)
    assert not any(secret in got.stdout + got.stderr for secret in SECRETS), "a secret was told"
    return got


def test_shared_keys(tmp_path):
    other = KCN.replace("00", "77")
    got = with_keys(tmp_path, f"# ours, theirs\n\n{PAIR} {KCN} {NONCES}\n"
                              f"2001:db8:1::100\t2001:db8:c::d {other.upper()}00 01 02 # another\n")
    assert (got.returncode, got.stderr) == (0, "") and f'shared_keys = "{tmp_path}/keys";' in got.stdout


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_shared_keys_are_nobody_elses(tmp_path, mode):
    got = with_keys(tmp_path, f"{PAIR} {KCN} {NONCES}\n", mode)
    assert got.returncode == 1 and "others may read it; say  chmod 600" in got.stderr


@pytest.mark.parametrize("lines, line, what", [
    (f"{PAIR} {KCN}\n", 1, "a line has five words"),
    (f"\n{PAIR} {KCN} {NONCES} more\n", 2, "a line has five words"),
    (f"2001:db8:c::c nobody {KCN} {NONCES}", 1, "must be routable IPv6 addresses"),
    (f"fe80::1 2001:db8:c::c {KCN} {NONCES}", 1, "must be routable IPv6 addresses"),
    (f"2001:db8:c::c 2001:db8:c::c {KCN} {NONCES}", 1, "both addresses are the same"),
    (f"{PAIR} {KCN[2:]} {NONCES}", 1, "the Kcn must be 40 to 128"),
    (f"{PAIR} {KCN}0 {NONCES}", 1, "the Kcn must be 40 to 128"),
    (f"{PAIR} {'0' * 130} {NONCES}", 1, "the Kcn must be 40 to 128"),
    (f"{PAIR} {KCN[:-1]}g {NONCES}", 1, "the Kcn must be 40 to 128"),
    (f"{PAIR} {KCN} 123 99aabbccddeeff00", 1, "a nonce must be 2 to 128"),
    (f"{PAIR} {KCN} {NONCES}\n{PAIR} {KCN}22 {NONCES}\n", 2, "this pair of addresses was there already"),
    (f"{PAIR} {KCN} {NONCES}\n{PAIR}d {KCN.upper()} 01 02\n", 2, "this Kcn is another pair's already"),
    (f"{PAIR} {KCN} {NONCES}\n\0", 0, "holds a NUL octet"),
])
def test_wrong_shared_keys(tmp_path, lines, line, what):
    got = with_keys(tmp_path, lines)
    where = f"{tmp_path}/keys:{line}: " if line else f"{tmp_path}/keys: "
    assert got.returncode == 1 and got.stderr.startswith(where) and what in got.stderr and got.stderr.count("\n") == 1


def test_no_such_keys(tmp_path):
    (tmp_path / "mip6d.conf").write_text(f'role = "correspondent";\nshared_keys = "{tmp_path}/none";\n')
    got = mip6d("-c", "mip6d.conf", cwd=tmp_path)
    assert got.returncode == 1 and got.stderr.startswith(f"{tmp_path}/none: there is no such file")


def test_shared_keys_by_a_symbolic_link(tmp_path):
    real = tmp_path / "real"
    real.write_text(f"{PAIR} {KCN} {NONCES}\n")
    real.chmod(0o600)
    (tmp_path / "keys").symlink_to(real)
    (tmp_path / "mip6d.conf").write_text(f'role = "correspondent";\nshared_keys = "{tmp_path}/keys";\n')
    got = mip6d("-c", "mip6d.conf", cwd=tmp_path)
    assert got.returncode == 1 and "is a symbolic link" in got.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_shared_keys_of_another_user(tmp_path):
    keys = tmp_path / "keys"
    keys.write_text(f"{PAIR} {KCN} {NONCES}\n")
    keys.chmod(0o600)
    os.chown(keys, 65534, 65534)
    (tmp_path / "mip6d.conf").write_text(f'role = "correspondent";\nshared_keys = "{keys}";\n')
    got = mip6d("-c", "mip6d.conf", cwd=tmp_path)
    assert got.returncode == 1 and "belongs to another user" in got.stderr


def test_shared_keys_that_nobody_uses(tmp_path):
    keys = tmp_path / "keys"
    keys.write_text(f"{PAIR} {KCN} {NONCES}\n")
    keys.chmod(0o600)
    (tmp_path / "mip6d.conf").write_text(
        f'role = "home-agent";\nshared_keys = "{keys}";\ncorrespondent = {{ enabled = false; }};\n'
        'home_agent = { address = "2001:db8:1::1000"; home_prefixes = ( "2001:db8:1::/64" ); ipsec = "none"; };\n')
    got = mip6d("-c", "mip6d.conf", cwd=tmp_path)
    assert got.returncode == 1 and got.stderr.startswith("mip6d.conf:2: shared_keys: has no use")
