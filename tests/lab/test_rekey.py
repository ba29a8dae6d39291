# SPDX-License-Identifier: GPL-2.0-or-later
"""SAs are replaced under traffic and at moves, and nothing is lost."""

import pytest


@pytest.mark.parametrize("arrangement", ["migrate", "home-address"])
def test_rekey(result, arrangement):
    r = result("rekey", "ipsec=strongswan", "payload=yes", f"arrangement={arrangement}", "moves=8")
    assert (r["figures"]["lost"], r["figures"]["clear"], r["figures"]["reused"]) == (0, 0, 0)
    assert r["figures"]["data_sas"] >= 3
