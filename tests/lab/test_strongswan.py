"""strongSwan with the connections of examples/. Scenario strongswan: what mip6d relies on; our daemons take part in the
arrangement home-address only, without IPsec, and policies are installed by hand. Scenario ike: with mip6d."""

import pytest
from conftest import passed

MOVES = [("arrangement=migrate",), ("arrangement=migrate", "by=agent"), ("arrangement=migrate", "tell=last"),
         ("arrangement=home-address",), ("arrangement=home-address", "by=agent")]


@pytest.mark.parametrize("words", MOVES, ids=" ".join)
@pytest.mark.lab("strongswan")
def test_a_move_is_no_matter_of_ike_messages(result, words):
    passed(result)
    assert result["figures"]["ike_messages_in_moves"] == [0, 0, 0]


@pytest.mark.lab("strongswan", "roam=yes")
def test_roam_events_have_to_be_off(result):
    """The reason for examples/strongswan-mobile-node.conf; and a test that the test above can fail."""
    assert min(result["figures"]["ike_messages_in_moves"]) > 0


@pytest.mark.lab("strongswan", "part=restart")
def test_killed_and_started_again(result):
    passed(result)


@pytest.mark.lab("strongswan", "part=acquire")
def test_packets_without_an_sa(result):
    passed(result)


@pytest.mark.lab("strongswan", "part=auth", "auth=certificates")
def test_certificates(result):
    passed(result)


@pytest.mark.lab("strongswan", "part=auth", "auth=eap-mschapv2")
def test_eap(result):
    passed(result)


TOGETHER = [(f"arrangement={arrangement}", f"first={first}")
            for arrangement in ("migrate", "home-address") for first in ("strongswan", "mip6d")]


@pytest.mark.parametrize("words", [*TOGETHER, ("payload=no",)], ids=" ".join)
@pytest.mark.lab("ike")
def test_node_and_home_agent(result, words):
    passed(result)
