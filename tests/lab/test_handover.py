"""Requirements M1 and M2 in the lab: a node that moves keeps its sessions, and is cut off no longer than it must be."""

import pytest
from conftest import passed

GAPS = ("downlink_sent_ms", "downlink_gap_ms", "uplink_gap_ms")


def complete(result, moves=20):
    for name in GAPS:
        assert len(result["figures"][name]) == moves and None not in result["figures"][name], name
    assert result["figures"]["lost"] == 0 and result["figures"]["duplicated"] == 0


@pytest.mark.lab("handover")
@pytest.mark.parametrize("words", [("rtt=0",), ("rtt=100",), ("rtt=500",), ("rtt=100", "seed=7", "moves=10"),
                                   ("rtt=100", "uplink=cautious", "moves=10"), ("rtt=500", "uplink=cautious", "moves=10"),
                                   ("rtt=100", "optimistic_dad=no", "moves=10"), ("rtt=100", "router=instant", "moves=10"),
                                   ("rtt=100", "links=two", "moves=10"), ("rtt=100", "carrier=no", "interval_us=5000", "moves=10")], ids=" ".join)
def test_moves(result, words):
    passed(result)
    complete(result, next((int(w[6:]) for w in words if w.startswith("moves=")), 20))
    assert result["figures"]["clear"] > 0  # without IPsec the watcher must see something
