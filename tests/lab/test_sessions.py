"""Requirements V9 and V10 in the lab: the kernel's part of a session is made, renewed and ended without a packet lost."""

import pytest
from conftest import passed


@pytest.mark.lab("sessions")
def test_sessions(result):
    passed(result)
