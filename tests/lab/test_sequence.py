"""Manual keys in the lab (doc/ipsec.md): no sequence number twice with a key, whatever ends; old packets are refused."""

import pytest
from conftest import passed


@pytest.mark.lab("sequence")
@pytest.mark.parametrize("words", [("payload=yes",), ("payload=yes", "arrangement=home-address")], ids=" ".join)
def test_sequence(result, words):
    passed(result)
    assert len(result["figures"]["numbers"]) == 10 and sum(result["figures"]["replayed"]) >= 5
