# Ladon: each target does all of its own set-up.
#   make run         the whole analysis on this machine, on synthetic data, to a report
#   make test        the test suite       make test-slow   the tests that take minutes
#   make bench       speeds, as ratios    make lint        style and types
#   make testbed     what the full suite needs beyond Python packages (as root)

SHELL := /bin/bash
VENV ?= .venv
PYTHON := $(VENV)/bin/python
STAMP := $(VENV)/.ladon-installed
RUN_ARGUMENTS ?=
# As many tests at a time as there are cores, each file in one process (tests/conftest.py).
TEST_PROCESSES ?= -n logical --maxprocesses 4 --dist loadscope --no-loadscope-reorder

.PHONY: run test test-slow bench lint testbed setup clean

run: setup
	$(VENV)/bin/ladon run $(RUN_ARGUMENTS)

test: setup
	$(PYTHON) -m pytest $(TEST_PROCESSES) -m "not slow and not benchmark" $(PYTEST_ARGUMENTS)

test-slow: setup
	$(PYTHON) -m pytest -m "slow" $(PYTEST_ARGUMENTS)

bench: setup
	$(PYTHON) -m pytest -m benchmark -s tests/benchmarks $(PYTEST_ARGUMENTS)

lint: setup
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/snakefmt --check pipeline/workflow
	$(VENV)/bin/mypy

testbed: setup
	./tests/testbed.sh

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt tools/setup.sh
	./tools/setup.sh $(VENV)
	touch $(STAMP)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
