"""Requirements M6 and U1 in the lab: mip6ctl tells of SAs what the kernel has, and their counters go on over moves."""

import pytest
from conftest import passed


@pytest.mark.lab("sas")
@pytest.mark.parametrize("words", [("payload=yes",), ("arrangement=home-address",)], ids=" ".join)
def test_sas(result, words):
    passed(result)
    assert len(result["figures"]["sequence"]) == 8
