"""`ladon explain`: what happened to each stage that did not pass, and where to look."""

from pipeline.explain.reading import explain
from pipeline.explain.story import Explanation, StageStory, StepFault
from pipeline.explain.telling import print_explanation

__all__ = ["Explanation", "StageStory", "StepFault", "explain", "print_explanation"]
