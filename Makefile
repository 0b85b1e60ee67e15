# Two commands are enough: `make run` and `make test`. All logic is in `commonweal ...`; this file only prepares the ground.
.DEFAULT_GOAL := help
.PHONY: help run test engines lock clean
PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/python -m uv

help:  ## show what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

run: .venv/run.stamp  ## open the platform on this machine (COMMONWEAL_PORT, COMMONWEAL_DATA_DIR)
	@$(BIN)/commonweal run

test: .venv/test.stamp  ## every check and every test, the browser included
	@$(BIN)/python -m tests.everything

engines: .venv/run.stamp  ## add the compiled numerics that the step-free map and the forest need (about 500 MB)
	@$(UV) pip install -q -c requirements-dev.lock -e '.[access,faces,tiles,forest]'

lock:  ## renew the two lock files (hashes, no addresses)
	$(UV) pip compile -q pyproject.toml --generate-hashes --no-header -o requirements.lock
	$(UV) pip compile -q pyproject.toml --group dev --all-extras -c requirements.lock --generate-hashes --no-header -o requirements-dev.lock

clean:  ## remove what was built; the data directory stays
	rm -rf .venv .mypy_cache .ruff_cache .hypothesis .import_linter_cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "Python 3.11 or newer with venv is needed: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -m venv .venv

# The uv that installs the rest is an ordinary dependency of the environment; it is not part of the runtime.
.venv/uv.stamp: .venv/bin/python
	@$(BIN)/python -m pip install -q --disable-pip-version-check uv==0.13.9 && touch $@

.venv/run.stamp: requirements.lock pyproject.toml .venv/uv.stamp
	@test -e .venv/test.stamp || $(UV) pip sync -q --require-hashes --link-mode=hardlink requirements.lock
	@$(UV) pip install -q --no-deps -e . && touch $@

.venv/test.stamp: requirements-dev.lock pyproject.toml .venv/uv.stamp
	@$(UV) pip sync -q --require-hashes requirements-dev.lock
	@$(UV) pip install -q --no-deps -e . && touch $@
