"""Each hostile solution, from the coder's reply to the verdict, ends as its file says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.hostile.attack import Attack, all_attacks, knowledge, wall_s
from tests.hostile.chain import LIMITS, Chain
from tests.hostile.conftest import Host, StubbornModel

pytestmark = pytest.mark.sandbox

ATTACKS = all_attacks()


@pytest.mark.parametrize("attack", [pytest.param(a, id=a.name) for a in ATTACKS])
def test_attack_ends_as_its_file_says(attack: Attack, chain: Chain, host: Host) -> None:
    code = attack.code(knowledge(chain, host.secret_file, host.canary))
    limits = replace(LIMITS, wall_s=wall_s(attack))
    ending = chain.solve(attack.name, attack.stage, StubbornModel(code), limits)
    said = (ending.caught_by, ending.failure)
    if attack.caught_by == "contained":
        assert ending.caught_by == "nobody", said
    else:
        assert ending.caught_by == attack.caught_by, said
        assert ending.failure["category"] == attack.category, said
        assert ending.failure["attribution"] == attack.attribution, said
