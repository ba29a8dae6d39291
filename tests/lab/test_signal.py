"""What home agent and node say to each other beside registrations: RFC 5846, RFC 5847, RFC 5142, RFC 4283."""

import pytest
from conftest import passed


@pytest.mark.lab("revocation")
def test_revocation(result):
    passed(result)
    assert result["figures"]["indications"] == ["1", "7", "1", "1"]


@pytest.mark.lab("heartbeat")
def test_heartbeat(result):
    passed(result)
    assert result["figures"]["node_requests"] >= 9


@pytest.mark.lab("ha_switch")
def test_switch_of_the_home_agent(result):
    passed(result)
    assert result["figures"]["lost_up"] == [0, 0]


@pytest.mark.lab("ha_switch", "path=direct")
def test_a_direct_path_does_not_notice(result):
    passed(result)
    assert result["figures"]["lost_down"] == [0, 0] and result["figures"]["carried_by_home_agents"] == 0


@pytest.mark.lab("ha_switch", "rtt=500")
def test_switch_of_a_home_agent_far_away(result):
    passed(result)
