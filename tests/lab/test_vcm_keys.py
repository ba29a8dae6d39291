"""A key of a session in a file that is left of a run, or in a message to somebody else, is found."""

import os
import struct
import sys
from types import SimpleNamespace

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lab"))
from homebound_lab import layers, packets, vcm_wire, vpn_keys  # noqa: E402
from homebound_lab.evidence import Evidence  # noqa: E402
from homebound_lab.headers import UDP  # noqa: E402
from homebound_lab.intranet import addresses  # noqa: E402

KEY, KCN = bytes(range(100, 120)), bytes(range(200, 220))
AT = addresses(1)
STATE = f"""src {AT.home["mn1"]} dst {AT.home["mn2"]}
\tproto esp spi 0x00004711 reqid 7 mode tunnel
\treplay-window 0 flag af-unspec
\taead rfc4106(gcm(aes)) 0x{KEY.hex()} 128
"""


@pytest.fixture
def evidence(tmp_path):
    (tmp_path / "xfrm-mn1.log").write_text(STATE)
    e = Evidence(str(tmp_path), {"keys": "symmetric"}, 1, {}, [])
    e.files = tmp_path
    return e


def offer(to, kind=vcm_wire.OFFER):
    """As it is seen on its way to a node."""
    kcn = vcm_wire.option(vpn_keys.KCN, bytes([len(KCN), 1, 1]) + KCN + b"ab")
    message = vcm_wire.message(kind, 1, 2, 3, [vcm_wire.sa(1, 0x4711, KEY), kcn])
    text = struct.pack(">HHHH", vcm_wire.PORT, vcm_wire.PORT, 8 + len(message), 0) + message
    return {"link1": [layers.Seen(1.0, "link1", None, None, b"", (), packets.octets(AT.vcm), packets.octets(AT.internal[to]), UDP, text, b"")]}


def failures(e, seen):
    vpn_keys.judge(e, seen, AT)
    return e.failures


def test_nothing(evidence):
    (evidence.files / "mip6d-mn1.log").write_text("all is well\n")
    assert failures(evidence, offer("mn2")) == []
    assert evidence.figures == {"keys_known": 2, "keys_in_files": 0}


@pytest.mark.parametrize("what", [KEY, KCN, KEY.hex().encode(), KCN.hex().upper().encode()])
def test_in_a_file(evidence, what):
    os.mkdir(evidence.files / "kept")
    (evidence.files / "kept" / "store").write_bytes(b"before" + what + b"behind")
    assert "kept/store" in failures(evidence, offer("mn1"))[0]


def test_told_to_another(evidence):
    assert "others than their nodes" in failures(evidence, offer("mn3"))[0]


def test_told_in_another_message(evidence):
    assert "others than their nodes" in failures(evidence, offer("mn1", vcm_wire.PEER_READY))[0]


def test_told_though_they_are_derived(evidence):
    evidence.keys.keys = "asymmetric"
    assert "others than their nodes" in failures(evidence, offer("mn1"))[0]
