"""The judge: the tolerance ladder, the fabrication guard and the taxonomy of failures."""

from pipeline.judge.judging import judge
from pipeline.judge.request import JudgeRequest
from pipeline.judge.verdict import Verdict

__all__ = ["JudgeRequest", "Verdict", "judge"]
