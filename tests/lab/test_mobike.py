"""A tunnel that strongSwan moves with MOBIKE (RFC 4555), requirements T15 and T16."""

import pytest
from conftest import passed


@pytest.mark.lab("mobike")
def test_mobike(result):
    passed(result)
    f = result["figures"]
    assert f["lost_uplink"] == 0 and f["clear"] == 0
    assert f["updates"] == len(f["ike_exchanges"]) == 20


@pytest.mark.lab("mobike", "rtt=500", "moves=6", "inner=configured")
def test_a_gateway_far_away(result):
    passed(result)


@pytest.mark.lab("mobike", "mobike=no", "moves=6")
def test_a_set_up_at_each_move(result):
    passed(result)
    assert result["figures"]["lost_uplink"] == 0


@pytest.mark.lab("mobike", "mip6d=no", "moves=4")
def test_without_mip6d(result):
    """For comparison: the kernel alone takes seconds for an address."""
    passed(result)
    assert min(result["figures"]["downlink_gap_ms"]) > 1000


@pytest.mark.lab("mobike", "inner=other", "moves=6")
def test_a_home_address_that_is_not_the_inner_address(result):
    """SAs of their own are asked for, and move with those of the tunnel that is there."""
    passed(result)


@pytest.mark.lab("mobike", "restart=yes", "moves=2")
def test_either_daemon_is_killed(result):
    passed(result)


@pytest.mark.lab("mobike", "links=two", "moves=6")
def test_both_links_for_a_while(result):
    """Nothing is lost: what is still under way to the former address is taken there."""
    passed(result)
    assert result["figures"]["lost_downlink"] == 0
