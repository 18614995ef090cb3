# Everything runs in .venv, installed once from requirements.lock; nothing here needs the network afterwards.

PYTHON ?= $(shell for candidate in python3.13 python3.12 python3.11 python3; do \
	$$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$candidate; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PACKAGES := coolify coolify_cli coolify_sandbox flows tasks blocks deployments

# Tests start hundreds of processes; without compiled modules each of them would compile everything again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo test unit bench lint format types imports docs pictures lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## Create .venv with the pinned versions

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found: install it, or run make PYTHON=/path/to/python3" >&2; exit 2; }
	@command -v git >/dev/null || { echo "git is needed and was not found: install it (Debian: apt-get install git)" >&2; exit 2; }
	@echo "Installing into $(VENV) (half a minute, once)"
	@$(PYTHON) -m venv $(VENV)
	@# The lock is whole; resolving again would look at versions newer than those that it allows, and stop there.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP) ## Run the main job in the sandbox: two good releases, a broken one, its rollback
	@$(BIN)/coolify demo

test: lint types imports $(STAMP) ## Lint, types, architecture and all tests
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist worksteal

unit: $(STAMP) ## The tests that need no server and no socket (seconds)
	$(BIN)/pytest tests/unit

bench: $(STAMP) ## What is promised about speed and memory, measured (half an hour)
	@failed=0; for one in benchmarks/bench_*.py; do echo "== $$one"; \
		$(BIN)/python -m "benchmarks.$$(basename $$one .py)" || failed=1; echo; done; exit $$failed

lint: $(STAMP) ## ruff: lint and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP) ## mypy --strict
	$(BIN)/mypy

imports: $(STAMP) ## The direction of imports
	$(BIN)/lint-imports

format: $(STAMP) ## Format and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(STAMP) ## Write the generated pages: configuration, schema, decisions, compatibility, commands
	$(BIN)/python -m coolify.config.reference docs
	$(BIN)/python -m coolify.decisions docs
	$(BIN)/python -m coolify.api.compatibility docs
	$(BIN)/python -m coolify_cli.reference docs

pictures: $(STAMP) ## Take the pictures of the documentation anew (needs chromium, prometheus and fonts-noto-color-emoji)
	COOLIFY_FLOWS_PICTURES=docs/images $(BIN)/pytest tests/pictures tests/e2e/test_prefect_ui.py

lock: ## Compile requirements.lock (needs uv; UPGRADE=--upgrade takes newer versions)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate $(UPGRADE) --quiet --output-file requirements.lock

clean: ## Remove .venv and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
