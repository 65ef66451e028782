# Every target builds on `setup`: a virtual environment in .venv with the command .venv/bin/surgewatch.
PYTHON ?= python3
HELM ?= helm
BIN := .venv/bin
STAMP := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format lint types contracts bench bench-detection docs catalogues manifests lock wheel image sbom clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 18

setup: $(STAMP) ## make .venv with everything in it

$(STAMP): pyproject.toml requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Surgewatch needs Python 3.11 or newer (make PYTHON=python3.12 ...)")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: --requirement requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## replay Roxham Road, winter 2022-23, through a whole system on this machine
	$(BIN)/surgewatch demo

# One process more than cores, as many tests wait for a broker; folder by folder, so that no file with a long
# test comes last. Threads of the linear algebra would only get in each other's way.
test: export OPENBLAS_NUM_THREADS = 1
test: setup ## run every test (real Kafka, Prometheus and browser where they are to be had)
	$(BIN)/python -m pytest --dist loadfile --no-loadscope-reorder \
	  --numprocesses $$($(BIN)/python -c 'import os; print(os.cpu_count() + 1)')

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

bench-detection: setup ## the detection suites over twenty seeds: means and standard errors
	$(BIN)/python -m benchmarks.seeds

docs: setup ## write what is generated: references, rules, dashboards
	$(BIN)/python -m surgewatch.reference.settings_page
	$(BIN)/python -m surgewatch.reference.metrics_page
	$(BIN)/python -m surgewatch.reference.questions_table
	$(BIN)/python -m surgewatch.reference.openapi
	$(BIN)/python -m surgewatch.reference.asyncapi
	$(BIN)/python deploy/prometheus/surges.py
	$(BIN)/python deploy/grafana/dashboards.py

catalogues: setup ## bring the messages to be translated up to date: alerts/languages/*.po
	$(BIN)/python -m surgewatch.reference.catalogues

manifests: ## render the Helm chart for kustomize (needs helm)
	$(HELM) template surgewatch deploy/helm/surgewatch --namespace surgewatch --skip-tests > deploy/kubernetes/surgewatch.yaml

LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--custom-compile-command "make lock" $(UPGRADE)
EXTRAS = --extra rocksdb --extra msk --extra registry
lock: setup ## write the lock files; UPGRADE=--upgrade takes the newest versions
	$(LOCK) pyproject.toml $(EXTRAS) --output-file requirements.lock
	$(LOCK) pyproject.toml $(EXTRAS) --extra apprise --group dev --constraints requirements.lock --output-file requirements-dev.lock
	$(LOCK) --group build --constraints requirements-dev.lock --output-file requirements-build.lock

wheel: setup ## build the wheel and the source distribution into build/dist
	$(BIN)/python -m hatchling build --directory build/dist

image: ## build the container image surgewatch:local, without Docker
	deploy/image/build

sbom: setup image ## list what is in the image, with licences, in build/image
	$(BIN)/python deploy/image/inventory.py

clean: ## remove what the targets made
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
