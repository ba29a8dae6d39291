"""Requirement U4 and the system side: nothing is left behind, nothing is half applied, tunnels carry what they must."""

import pytest
from conftest import passed


@pytest.mark.lab("badconfig")
def test_faulty_configurations_change_nothing(result):
    passed(result)
    assert result["figures"]["refused"] >= 30


@pytest.mark.lab("clean")
def test_kernel_is_as_before(result):
    passed(result)


@pytest.mark.lab("tunnel")
def test_tunnel(result):
    passed(result)
