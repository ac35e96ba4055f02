"""Tests of the scripted replies."""
