"""Mirrors of the portal for tests: real web and XRootD servers before files under real names."""
