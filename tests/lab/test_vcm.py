"""Requirements V1 to V15 in the lab: two nodes leave the office while they talk, and go on directly; who is killed, lost packets,
an attacker's link, attackers."""

import os

import pytest
from conftest import BUILD, passed

if not os.path.exists(os.path.join(BUILD, "vcm", "vcmd")):
    pytest.skip(f"{BUILD} has no vcmd", allow_module_level=True)

BOTH = [f"embodiment={e} keys={k}" for e in (1, 2) for k in ("symmetric", "asymmetric")]


def runs(*texts):
    return pytest.mark.parametrize("words", [tuple(t.split()) for t in texts], ids=" ".join)


@pytest.mark.lab("vcm")
@runs(*BOTH)
def test_whole_story(result, words):
    """Nothing is lost, repeated or readable; the path is direct as fast as the messages are; moves cost no message (V1 to V12)."""
    passed(result)
    f = result["figures"]
    assert (f["lost"], f["duplicated"], f["clear"], f["reused"], f["sg_payload_packets_while_direct"]) == (0, 0, 0, 0, 0)
    assert len(f["direct_gap_ms"]) == 4


@pytest.mark.lab("vcm")
@runs("where=gateway", "embodiment=2 where=gateway", "kcn=no", "rtt=300")
def test_other_arrangements(result, words):
    passed(result)


@pytest.mark.lab("vcm")
@runs("ipsec=strongswan")
def test_gateway_with_strongswan(result, words):
    """V13."""
    passed(result)


@pytest.mark.lab("vcm")
@runs("rekey=60")
def test_new_keys(result, words):
    """V14."""
    passed(result)


@pytest.mark.lab("vcm")
@runs("loss=20")
def test_lost_messages(result, words):
    """V9: whatever is lost while the session is set up, nobody sends what the other one cannot read."""
    passed(result)


@pytest.mark.lab("vcm")
@runs(*[f"kill={who} seed={seed}" for seed, who in enumerate(("vcm", "mn1", "mn2", "sg"), 1)])
def test_somebody_dies(result, words):
    """V14: nothing becomes readable, and the path is direct again."""
    passed(result)
    assert result["figures"]["clear"] == 0


@pytest.mark.lab("vcm", "fake=yes")
def test_fake_office(result):
    """V2: a link that looks like the office does not make a node talk in clear."""
    passed(result)
    assert result["figures"]["clear"] == 0


@pytest.mark.lab("vcm_attacks")
def test_attacks(result):
    passed(result)
    assert result["figures"]["tried"] == 8
