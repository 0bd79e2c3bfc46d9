# make demo | test | lint | bench | matrix | mutate
#
# Each target makes the environment it needs in VENV, at its first run and again when pyproject.toml or the version
# changes.
# PYTHON names another interpreter (3.11 or later), VENV another place for the environment.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

# Three workers, since many tests wait for a process or a clock. PYTEST_ARGS replaces the default selection, such as
# PYTEST_ARGS="tests/scenarios -k cursor". Coverage is counted in CI: it costs two thirds more processor time.
PYTEST_ARGS ?= -n 3

# What `make matrix` gives to pytest, and `make mutate` to tools/mutate.py.
MATRIX_ARGS ?= -n 2
MUTATE_ARGS ?=

.PHONY: demo test lint bench matrix mutate format clean

demo: $(VENV)/.runtime
	$(BIN)/python examples/forum.py

test: lint
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict src

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.runtime
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/servers.py
	$(BIN)/python benchmarks/segments.py

matrix:
	$(PYTHON) tools/matrix.py $(MATRIX_ARGS)

mutate: $(VENV)/.dev
	nice -n 19 $(BIN)/python tools/mutate.py $(MUTATE_ARGS)

clean:
	rm -rf $(VENV) dist build .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis

# A `python -m venv` over an environment that stands leaves its packages alone. An old pip knows no dependency groups.
$(VENV)/.runtime: pyproject.toml src/dynamix/version.py
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and "dynamix needs Python 3.11 or later, $(PYTHON) is %d.%d; name another as in: make PYTHON=python3.12 $(MAKECMDGOALS)" % v[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@
