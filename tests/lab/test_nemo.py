"""Requirement M7, network mobility (RFC 3963): hosts behind a mobile router notice nothing of its moves."""

import pytest
from conftest import passed


@pytest.mark.lab("nemo")
@pytest.mark.parametrize("words", [("rtt=100",), ("rtt=100", "mode=explicit", "seed=3", "moves=6"), ("rtt=500", "moves=3"),
                                   ("rtt=0", "mode=explicit", "moves=3")], ids=" ".join)
def test_network_moves(result, words):
    passed(result)
    figures = result["figures"]
    assert figures["lost"] == 0 and figures["duplicated"] == 0
    for name in ("downlink_sent_ms", "downlink_gap_ms", "uplink_gap_ms"):
        assert None not in figures[name], name
    assert figures["tunnelled_from_h1"] > 0
