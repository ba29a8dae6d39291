"""Requirements V3, V5, V6 and V11 in the lab: a security gateway alone (doc/vcm.md)."""

import pytest
from conftest import passed


@pytest.mark.lab("gateway")
@pytest.mark.parametrize("words", [(), ("kill=yes",)], ids=" ".join)
def test_gateway(result, words):
    """It notices who leaves and returns and who talks, nothing passes in clear, also without its daemon."""
    passed(result)
