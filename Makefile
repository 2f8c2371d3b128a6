# One Makefile for hand, hook and CI. Every target does its own set-up; a second run starts at once.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
# For two cores: in a third of their time tests wait, for browsers, servers, and what they killed.
WORKERS ?= 3

.PHONY: help demo test lint bench bench-relevance docs dist weights clean

help: ## Say what the targets do
	@grep -E '^[a-z.-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 20

$(VENV)/.done: pyproject.toml constraints.txt tests/oracles.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "emorank needs Python 3.11 or later")'
	test -x $(RUN)/python || $(PYTHON) -m venv $(VENV)
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(RUN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[web,postgresql,compare,explainers,onnx,film,heic,ray,docs]' --group test --group lint
	$(RUN)/python -m pip install --quiet --disable-pip-version-check \
		--no-deps --ignore-requires-python --requirement tests/oracles.txt
	touch $@

.venv: $(VENV)/.done ## Make the environment

weights: $(VENV)/.done ## Fetch the ImageNet weights once
	@$(RUN)/emorank weights path >/dev/null 2>&1 || $(RUN)/emorank weights get

demo: weights ## The whole study on the shipped sample, in at most five minutes
	$(RUN)/emorank run sample --out demo

test: weights ## All tests, in random order
	OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(RUN)/python -m pytest \
		--numprocesses $(WORKERS) --dist worksteal

lint: $(VENV)/.done ## Style, types, and which layer imports which
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/lint-imports

bench: weights ## The benchmarks, each against a named peer or limit
	$(RUN)/python -m benchmarks

bench-relevance: weights ## Relevance against zennit and captum: cost, memory, a figure
	$(RUN)/python -m benchmarks.relevance_cost --figure docs/images/relevance_cost.png

docs: $(VENV)/.done ## Build the site of the documentation, site/index.html, and check what it says
	$(RUN)/python -m docs.site site
	$(RUN)/python -m pytest -q tests/test_documentation.py

dist: $(VENV)/.done ## Build what is uploaded, dist/, and check it as PyPI does
	rm -rf dist
	$(RUN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --group release
	$(RUN)/python -m hatchling build --directory dist
	$(RUN)/python -m twine check --strict dist/*

clean: ## Remove the environment, the demo study, the site and the distributions
	rm -rf $(VENV) demo site dist
