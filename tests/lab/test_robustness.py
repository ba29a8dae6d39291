"""The home agent and the node under loss, after a crash, and under attack."""

import pytest
from conftest import passed


@pytest.mark.lab("lossy", "seed=1-200")
def test_200_seeds_converge(result):
    passed(result)
    assert len(result["runs"]) == 200 and sum(result["figures"]["agreed"]) == 200


@pytest.mark.lab("restart")
def test_restart(result):
    passed(result)
    assert result["figures"]["lost"] == 0 and set(result["figures"]["bindings"]) == {1001}


@pytest.mark.lab("hostile")
def test_hostile(result):
    passed(result)
    assert result["figures"]["home_agent_kinds"] > 3000 and result["figures"]["mobile_node_kinds"] > 3000
