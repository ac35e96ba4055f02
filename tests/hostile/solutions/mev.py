"""Returns energies in MeV.

stage: convert
caught by: bench
category: units
attribution: model
"""

from pipeline.stages.convert.reference_hyy_2025 import BRANCHES  # noqa: F401
from pipeline.stages.convert.reference_hyy_2025 import convert as honest


def convert(events):
    found = honest(events)
    for name in ("m_yy", "pt_yy", "ph1_pt", "ph2_pt", "ph1_e", "ph2_e"):
        found[name] = found[name] * 1000
    return found
