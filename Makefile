# Every target builds on `setup`: a virtual environment in .venv with the command .venv/bin/surgewatch.
PYTHON ?= python3
HELM ?= helm
BIN := .venv/bin
STAMP := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format lint types contracts bench bench-detection docs manifests clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 18

setup: $(STAMP) ## make .venv with everything in it

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Surgewatch needs Python 3.11 or newer (make PYTHON=python3.12 ...)")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable ".[rocksdb]" --group dev
	@touch $@

demo: setup ## replay Roxham Road, winter 2022-23, through a whole system on this machine
	$(BIN)/surgewatch demo

test: setup ## run every test (real Kafka, Prometheus and browser where they are to be had)
	$(BIN)/python -m pytest

check: format lint types contracts test ## all that a change must pass

format: setup ## is the code formatted?
	$(BIN)/ruff format --check .

lint: setup ## ruff
	$(BIN)/ruff check .

types: setup ## mypy, strict
	$(BIN)/mypy

contracts: setup ## who may import whom
	$(BIN)/lint-imports --no-cache

bench: setup ## speed, latency and memory, as ratios in one run
	$(BIN)/python -m benchmarks

bench-detection: setup ## the detection suites, beside the reference figures
	$(BIN)/python -m benchmarks.detection

docs: setup ## write what is generated: references, rules, dashboards
	$(BIN)/python -m surgewatch.reference.settings_page
	$(BIN)/python -m surgewatch.reference.metrics_page
	$(BIN)/python -m surgewatch.reference.questions_table
	$(BIN)/python deploy/prometheus/surges.py
	$(BIN)/python deploy/grafana/dashboards.py

manifests: ## render the Helm chart for kustomize (needs helm)
	$(HELM) template surgewatch deploy/helm/surgewatch --namespace surgewatch --skip-tests > deploy/kubernetes/surgewatch.yaml

clean: ## remove what the targets made
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
