# foley: the two commands a newcomer needs are `make demo` and `make test`; `make help` lists all.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
MODELS := $(VENV)/.models
FOLEY_CACHE ?= $(CURDIR)/.cache
export FOLEY_CACHE

.PHONY: help demo test check format bench models samples clean

help: ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(STAMP) ## install what is needed and give a sample its sound
	$(BIN)/foley run samples/workshop.mp4 --overwrite --prompt "$$($(BIN)/python samples/prompt.py workshop)"
	@echo "Watch samples/workshop.foley.mp4, open samples/workshop.foley/report.html"

test: $(STAMP) $(MODELS) ## install what is needed, models' packages too, and run all tests
	bash .ci/system-packages tests
	$(BIN)/python -m pytest -n auto --dist loadfile -q

check: $(STAMP) $(MODELS) ## format, lint, types (with the models' packages, whose types count too), layers
	$(BIN)/ruff format --check foley tests samples benchmarks examples
	$(BIN)/ruff check foley tests samples benchmarks examples
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## put the code into shape
	$(BIN)/ruff format foley tests samples benchmarks examples
	$(BIN)/ruff check --fix foley tests samples benchmarks examples

bench: $(STAMP) ## measure speed, memory, sync, cuts and more; rewrites docs/measured.md
	$(BIN)/python -m benchmarks

models: $(MODELS) ## add the packages that neural models need (torch first, by itself)

$(MODELS): $(STAMP)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torchvision==0.28.0
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[models,editors,review,cluster,dev]'
	touch $@

samples: $(STAMP) ## render the sample clips again
	$(BIN)/python samples/render.py

clean: ## remove what the commands above made, but for the samples
	rm -rf $(VENV) .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache samples/*.foley samples/*.foley.mp4

$(STAMP): pyproject.toml constraints.txt .ci/system-packages
	bash .ci/system-packages
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@
