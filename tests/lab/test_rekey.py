"""SAs are replaced under traffic and at moves, and nothing is lost."""

import pytest
from conftest import passed


def nothing_lost(result):
    passed(result)
    f = result["figures"]
    assert (f["lost"], f["clear"], f["reused"]) == (0, 0, 0)
    assert f["data_sas"] >= 3


@pytest.mark.lab("rekey", "ipsec=strongswan", "payload=yes", "arrangement=migrate")
def test_moved_sas(result):
    nothing_lost(result)


@pytest.mark.lab("rekey", "ipsec=strongswan", "payload=yes", "arrangement=home-address")
def test_sas_between_home_addresses(result):
    nothing_lost(result)
