# `make run` and `make test` are all that anybody needs; each makes what it depends on.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:

PORT ?= 8501
HOST ?= localhost
# Tests in parallel: two that work and one that waits for a browser fit two cores (`make test JOBS=0` runs all in one
# process).
JOBS ?= 3
PY := .venv/bin/python
# A stray PYTHONPATH or user site must not change what runs.
export PYTHONNOUSERSITE := 1
unexport PYTHONPATH

.PHONY: help run test lint bench screenshots samples lock clean setup setup-test

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

setup:
	@scripts/setup.sh run

setup-test:
	@scripts/setup.sh test

run: setup ## open the dashboard on sample data (PORT=8501 HOST=localhost)
	@exec $(PY) -m lib.ui.server --host "$(HOST)" --port "$(PORT)" --sample sample-incident

lint: setup-test ## check lint rules, formatting and types
	@$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m pyright

test: lint ## run everything: lint, types, unit, property, app and browser tests
	@$(PY) -m pytest -n $(JOBS)

bench: setup-test ## measure time and memory against pandas and scikit-learn
	@$(PY) -m benchmarks

screenshots: setup-test ## take the pictures in docs/screenshots again
	@$(PY) scripts/screenshots.py

samples: setup ## make the files in sample_data again, from their seed
	@$(PY) -m sample_data.make

lock: setup-test ## resolve requirements*.in into requirements*.txt
	@scripts/lock.sh

clean: ## remove the environment and everything that tools left behind
	@rm -rf .venv .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
