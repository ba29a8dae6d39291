"""The home agent and the node under loss, after a crash, and under attack."""

import pytest
from conftest import passed


@pytest.mark.lab("lossy")
@pytest.mark.parametrize("words", [("seed=1-20",), ("seed=101-120",)], ids=" ".join)
def test_seeds_converge(result, words):
    passed(result)
    assert len(result["runs"]) == 20 and sum(result["figures"]["agreed"]) == 20


@pytest.mark.lab("restart")
def test_restart(result):
    passed(result)
    figures = result["figures"]
    assert figures["lost"] == 0 and set(figures["bindings"]) == {1001} and figures["bindings_after"] == 1101
    assert figures["node_lost"] == {"down": 0, "up": 0}
    for name in ("node", "node_moved"):
        assert max(figures[f"{name}_traffic_ms"].values()) < 100, name


@pytest.mark.lab("hostile")
def test_hostile(result):
    passed(result)
    for name in ("home_agent", "mobile_node"):
        assert result["figures"][f"{name}_kinds"] > 3000
        # a few kinds are no Mobility Header or Neighbor Discovery at all, and end in the kernel
        assert result["figures"][f"{name}_malformed"] > 0.5 * result["figures"][f"{name}_packets"]
