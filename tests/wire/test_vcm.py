# SPDX-License-Identifier: GPL-2.0-or-later
"""tools/wireshark/homebound-vcm.lua reads what the codec writes: the corpus has one message of each type, and what fuzzers found."""

import os
import shutil
import subprocess

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CORPUS = os.path.join(TOP, "tests", "fuzz", "corpus", "vcm")
SCRIPT = os.path.join(TOP, "tools", "wireshark", "homebound-vcm.lua")

pytestmark = pytest.mark.skipif(not shutil.which("tshark"), reason="no tshark")


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    from scapy.all import IPv6, UDP, Raw, wrpcap

    path = str(tmp_path_factory.mktemp("vcm") / "vcm.pcap")
    packets = []
    for name in sorted(n for n in os.listdir(CORPUS) if not n.endswith("-found")):
        with open(os.path.join(CORPUS, name), "rb") as f:
            packets.append(IPv6(src="fd00::1", dst="fd00::2") / UDP(sport=27960, dport=27960) / Raw(f.read()))
    wrpcap(path, packets, linktype=101)
    return path


def fields(capture, names, which="", more=()):
    words = ["tshark", "-n", "-X", "lua_script:" + SCRIPT, "-r", capture, "-Y", "hbvcm" + which, "-T", "fields", "-E", "separator=;", *more]
    for name in names:
        words += ["-e", name]
    p = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return [line.split(";") for line in p.stdout.splitlines()]


def test_all_types(capture):
    rows = fields(capture, ["hbvcm.type", "hbvcm.sequence", "hbvcm.epoch"])
    assert [int(r[0]) for r in rows] == [*range(1, 16), 7]
    assert {r[2].lower() for r in rows[1:]} == {"0x1112131415161718"}


def test_nothing_malformed(capture):
    assert fields(capture, ["frame.number"], " && hbvcm.malformed") == []


def test_offer(capture):
    names = ["hbvcm.session", "hbvcm.generation", "hbvcm.peer.internal", "hbvcm.peer.home", "hbvcm.algorithm", "hbvcm.sa.direction",
             "hbvcm.sa.spi", "hbvcm.sa.key_length", "hbvcm.lifetime", "hbvcm.linger", "hbvcm.kcn.length", "hbvcm.sa.key", "hbvcm.kcn"]
    symmetric, asymmetric = fields(capture, names, " && hbvcm.type == 7")
    assert symmetric == ["0x3132333435363738", "3", "fd00::102", "2001:db8:1::102", "aes-gcm-256", "1,2", "0x00001001,0xfffffffe", "36,36",
                         "3600", "30", "20", "", ""]
    assert asymmetric[7] == "0,0" and asymmetric[10] == ""


def test_secrets_only_when_asked(capture):
    shown = fields(capture, ["hbvcm.sa.key"], " && hbvcm.type == 7", ["-o", "hbvcm.secrets:TRUE"])
    assert shown[0][0].startswith("010203")
    with open(SCRIPT) as f:
        assert "Show keys\", false" in f.read()


def test_report(capture):
    names = ["hbvcm.node.internal", "hbvcm.node.outside", "hbvcm.pair.trigger", "hbvcm.correspondent.address"]
    assert fields(capture, names, " && hbvcm.type == 3") == [["fd00::101,fd00::102", "1,0", "1,2", "fd00:0:0:2::80"]]
