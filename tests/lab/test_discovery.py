"""Requirement M5 in the lab: home agents and home prefixes are discovered."""

import pytest
from conftest import passed


@pytest.mark.lab("discovery")
@pytest.mark.parametrize("words", [(), ("rtt=500",)], ids=lambda w: " ".join(w) or "rtt=100")
def test_discovery(result, words):
    passed(result)
    f = result["figures"]
    assert f["requests"] and f["replies"] and f["solicitations"] and f["advertisements"] >= 2
