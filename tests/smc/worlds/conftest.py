import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "reference"))


@pytest.fixture(scope="session")
def bank():
    from smc.worlds import ObjectBank

    return ObjectBank.procedural(2)
