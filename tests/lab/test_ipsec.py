"""Requirements M6 and T1 in the lab: every scenario with IPsec, and nothing that it protects is seen in clear on any link."""

import json
import os
import sys

import pytest
from conftest import ROOT, passed

sys.path.insert(0, os.path.join(ROOT, "lab"))

from homebound_lab import opened  # noqa: E402
from homebound_lab.ipsec import LENGTHS  # noqa: E402

MIGRATE, HOME = "arrangement=migrate", "arrangement=home-address"


def protected(result):
    passed(result)
    clear = result["figures"]["clear"]
    assert not any(clear) if isinstance(clear, list) else clear == 0


@pytest.mark.lab("handover", "ipsec=manual", "moves=6")
@pytest.mark.parametrize("words", [("payload=no",), ("payload=no", HOME), ("payload=yes",), ("payload=yes", HOME)], ids=" ".join)
def test_moves(result, words):
    protected(result)
    f = result["figures"]
    assert f["lost"] == 0 and f["duplicated"] == 0 and None not in f["downlink_gap_ms"]
    assert len(f["esp"]) == (4 if "payload=yes" in words else 2)  # an SA for each direction and use


SCENARIOS = [
    ("restart", MIGRATE), ("restart", HOME), ("lossy", MIGRATE, "seed=1-6"), ("lossy", HOME, "seed=21-26"),
    ("hostile", HOME), ("nemo", MIGRATE, "moves=3"), ("nemo", HOME, "moves=3", "mode=explicit"), ("revocation", MIGRATE),
    ("heartbeat", HOME), ("ha_switch", MIGRATE), ("discovery", HOME), ("route-optimization", MIGRATE, "moves=6"),
    ("route-optimization", HOME, "moves=3", "mode=mn-mn", "interval_us=5000"), ("discovery", MIGRATE, "known=one"),
    ("attacks", MIGRATE), ("direct_restart", HOME), ("demo", HOME), ("clean", MIGRATE), ("tunnel", MIGRATE)]


@pytest.mark.lab()
@pytest.mark.parametrize("words", [(*s, "ipsec=manual", "payload=yes") for s in SCENARIOS], ids=" ".join)
def test_scenarios(result, words):
    protected(result)


SWAN = [("handover", "moves=6", "payload=no"), ("handover", "moves=6", "payload=yes"), ("restart", "payload=yes"),
        ("route-optimization", "moves=6", "payload=no"), ("nemo", "moves=3", "payload=yes"),
        ("ha_switch", "interval_us=5000", "payload=yes"), ("discovery", "payload=no", HOME), ("clean", "payload=yes"),
        ("direct_restart", "payload=no")]


@pytest.mark.lab()
@pytest.mark.parametrize("words", [(*s, "ipsec=strongswan") for s in SWAN], ids=" ".join)
def test_with_strongswan(result, words):
    protected(result)


@pytest.mark.lab("ipsec_attacks")
@pytest.mark.parametrize("words", [("payload=no", MIGRATE), ("payload=yes", HOME)], ids=" ".join)
def test_attacks(result, words):
    protected(result)
    assert result["figures"]["attacks_tried"] >= 22 and result["figures"]["attacks_succeeded"] == 0


def manual_keys(result):
    with open(os.path.join(result["out"], "inside.json")) as f:
        return json.load(f)["runs"][0]["facts"]["watched"]["keys"]


@pytest.mark.lab("route-optimization", "ipsec=manual", "payload=yes", "moves=2", "kbm=rr")
@pytest.mark.parametrize("words", [(f"algorithm={a}",) for a in sorted(LENGTHS)], ids=" ".join)
def test_others_can_open_it(result, words):
    """tshark, or OpenSSL, finds in ESP what is not seen in clear, given the keys; and nothing with others."""
    protected(result)
    path, keys = os.path.join(result["out"], "core-ha.pcapng"), manual_keys(result)
    signal = {k[3] for k in keys if k[2] == "signal"}
    found = {(m.spi in signal, m.what) for m in opened.decrypts(path, keys)}
    assert {(True, "Binding Update"), (True, "Binding Acknowledgement"), (False, "Home Test Init"), (False, "Home Test"),
            (False, "UDP")} <= found
    assert not opened.decrypts(path, [[*k[:5], k[5][::-1]] for k in keys])
