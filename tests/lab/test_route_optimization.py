"""Requirements M3, M4 and M7 (RFC 4449) in the lab: the direct path, through moves, and what attackers make of it."""

import pytest
from conftest import passed


@pytest.mark.lab("route-optimization")
@pytest.mark.parametrize("words", [
    ("mode=mn-cn",), ("mode=mn-cn", "kbm=shared", "moves=10"), ("mode=mn-mn",), ("mode=mn-mn", "kbm=shared", "moves=10"),
    ("rtt=500", "moves=6", "seed=3"), ("rtt_mn_ha=120", "rtt_mn_cn=40", "rtt_ha_cn=100", "moves=6", "seed=4"),
    ("rtt_mn_ha=40", "rtt_mn_cn=120", "rtt_ha_cn=140", "mode=mn-mn", "moves=6", "seed=6"),
    ("token=old", "rtt_mn_ha=120", "rtt_mn_cn=40", "rtt_ha_cn=100", "moves=2", "seed=7"),
    ("rtt=80", "overlap_ms=200", "moves=6", "seed=5"), ("links=one", "moves=6", "seed=8"), ("walk=home", "moves=6", "seed=9"),
    ("walk=home", "kbm=shared", "rtt=500", "moves=6", "seed=10")], ids=" ".join)
def test_direct_path(result, words):
    passed(result)
    f, moves = result["figures"], next((int(w[6:]) for w in words if w.startswith("moves=")), 20)
    assert len(f["direct_gap_ms"]) == moves and None not in f["direct_gap_ms"]
    assert "walk=home" in words or all(f["expected_gap_ms"] - 1 <= gap <= f["expected_gap_ms"] + 20 for gap in f["direct_gap_ms"])
    assert f["lost"] == 0 and f["duplicated"] == 0
    assert f["ha_payload_packets_while_direct"] == [0] * moves


@pytest.mark.lab("attacks")
@pytest.mark.parametrize("words", [()])
def test_attacks(result, words):
    passed(result)
    assert result["figures"]["attacks_tried"] >= 28 and result["figures"]["attacks_succeeded"] == 0


@pytest.mark.lab("direct_restart")
@pytest.mark.parametrize("words", [("kbm=rr",), ("kbm=shared",)], ids=" ".join)
def test_either_end_is_killed(result, words):
    passed(result)
