# Every target works on a machine with only Python 3.11, pip and make; `make setup` is run by itself.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp

.DEFAULT_GOAL := help

.PHONY: help
help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

# --- set-up ---------------------------------------------------------------------------------------

.PHONY: setup
setup: $(STAMP) ## .venv with the locked packages and the command fluenzr in it

$(STAMP): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

# --- running --------------------------------------------------------------------------------------

.PHONY: serve
serve: $(STAMP) ## FluenzR on http://localhost:8000 (ARGS="--port 9000" for another port)
	$(BIN)/fluenzr serve $(ARGS)

.PHONY: demo
demo: $(STAMP) ## a scratch installation with sample data, simulated recipients and a fast clock
	$(BIN)/fluenzr demo $(ARGS)

# --- tests and quality ----------------------------------------------------------------------------

WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder

.PHONY: test
test: $(STAMP) ## every test, with real servers (as root on Debian they are installed when missing)
	$(BIN)/python -m tests.real.installed
	$(BIN)/python -c "from fluenzr_app.bundle import ensure_bundle; ensure_bundle(tell=print)"
	$(PYTEST) $(ARGS)

.PHONY: test-full
test-full: $(STAMP) ## the scenarios with the full numbers of mails, kills and processes
	$(BIN)/python -m tests.real.installed
	FLUENZR_TEST_FULL=1 $(BIN)/python -m pytest --timeout 3600 $(or $(ARGS),tests/scenarios tests/ui/test_accessibility.py)

.PHONY: check
check: $(STAMP) ## format, style, types, import rules, lock file, tree
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python .ci/lock.py check
	$(BIN)/python .ci/tree.py

.PHONY: format
format: $(STAMP) ## format the code and mend what can be mended by itself
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

.PHONY: screenshots
screenshots: $(STAMP) ## pictures of every page into build/screenshots (ARGS="empty dashboard" for some)
	$(BIN)/python -m tests.real.installed
	$(BIN)/python -m tests.ui.screenshots $(ARGS)

.PHONY: bench
bench: $(STAMP) ## measures the engine, prints JSON
	@$(BIN)/fluenzr bench --json

.PHONY: lock
lock: $(STAMP) ## requirements.lock anew from pyproject.toml
	$(BIN)/pip-compile -q --all-extras --generate-hashes --no-emit-index-url --no-emit-find-links --strip-extras \
		--allow-unsafe --no-header -o requirements.lock pyproject.toml
	$(BIN)/python .ci/lock.py sign
