# Everything starts here. `make run` does the main job, `make test` passes the tests; both set up what they need.
.DEFAULT_GOAL := help
SHELL := /bin/sh
# Bytecode is kept: without it every start compiles the program again.
FORBIDDEN := $(PYTHONDONTWRITEBYTECODE)
export PYTHONDONTWRITEBYTECODE :=
VENV := .venv/bin
READY := .venv/.ready
# Workers for the tests: one a core, two at the least.
WORKERS ?= 2

.PHONY: help setup run stop status test test-engines test-full lint bench lock docs clean

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' Makefile

$(READY): requirements/dev.txt requirements/uv.txt pyproject.toml scripts/setup
	@PYTHON="$(PYTHON)" scripts/setup

# Python compiles what it imports on first use, which is less than everything. Everything is compiled ahead where the
# shell forbids Python to write bytecode: there the command would compile the same again at every start.
setup: $(READY) ## Make .venv/ with the locked dependencies and the command mlops.
	@test -z "$(FORBIDDEN)" -o -e .venv/.compiled || { echo "setup  compiling" >&2; \
		$(VENV)/python -m compileall -q -j 0 .venv/lib mlops data model || true; touch .venv/.compiled; }

run: $(READY) ## Run the whole way for both models and leave the services running (DATA=file for your own housing data).
	@$(VENV)/mlops run $(if $(DATA),--data "$(DATA)")

status: $(READY) ## Show what runs.
	@$(VENV)/mlops status

stop: $(READY) ## Stop the released services.
	@$(VENV)/mlops stop

test: $(READY) ## Run the tests that need nothing but Python and git, the services' own included.
	@scripts/test

test-engines: $(READY) ## Run the tests on real engines; a missing one is skipped unless MLOPS_REQUIRE_ENGINES=1.
	@scripts/test-engines

test-full: $(READY) ## Run the full matrices: a kill at every step, every planted defect.
	@$(VENV)/python -m pytest tests -m "not engine" -n $(WORKERS) -q --timeout=1200

lint: $(READY) ## flake8, mypy, import contracts, workflow schemas and zizmor.
	@scripts/lint

bench: $(READY) ## Benchmarks beside peers, as ratios.
	@$(VENV)/python -m benchmarks

docs: $(READY) ## Write the generated references anew.
	@$(VENV)/mlops tree write

lock: $(READY) ## Resolve the lock files anew.
	@scripts/lock

clean: ## Remove what was built; services must be stopped first. State under .mlops/ stays.
	rm -rf .venv build dist .mypy_cache .pytest_cache .import_linter_cache htmlcov .coverage*
