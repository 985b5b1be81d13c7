# `make demo`: train, measure and plot.  `make test`: lint, types and every test.
PYTHON ?= python3
BIN := .venv/bin
export OMP_NUM_THREADS ?= 1

.PHONY: help demo test test-fast lint package docs bench results clean

help:
	@echo "make demo   plain GAN and IID-GAN on the 2D-Ring: table and figures, a few minutes"
	@echo "make test   lint, types and every test"
	@echo "make test-fast  the tests that take less than a second each"
	@echo "make package    wheel and sdist; the wheel is installed and tried in an empty environment"
	@echo "make docs       the site, in build/site; broken links and references are errors"
	@echo "make results update the tables in docs from results and presets, without training"
	@echo "make bench  runs/performance.md: speed against plain loops and JAX, on a quiet machine"
	@echo "make clean  remove the environment and the demo's runs"

demo: .venv/runtime
	$(BIN)/iidgan table ring --quick --results runs/demo/results --runs runs/demo

# Three processes on two cores, since many tests wait for processes that they start.
test: lint
	$(BIN)/pytest -n 3 --dist worksteal --durations=10

test-fast: .venv/development
	$(BIN)/pytest -n 2 -m "not slow"

package: .venv/development
	rm -rf build dist .venv/package
	$(BIN)/python -m build --outdir dist .
	$(PYTHON) -m venv .venv/package
	.venv/package/bin/pip install --quiet --no-compile --constraint requirements.txt dist/*.whl
	cd dist && ../.venv/package/bin/iidgan doctor

docs: .venv/development
	$(BIN)/python -m tools.build_site

lint: .venv/development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

results: .venv/runtime
	$(BIN)/python tools/update_results.py
	$(BIN)/python -m tools.update_presets
	$(BIN)/python -m tools.update_reproduce

bench: .venv/development
	$(BIN)/pip install --quiet --requirement requirements-bench.txt
	$(BIN)/python -m benchmarks --out runs/performance.md

.venv/runtime: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement requirements.txt
	$(BIN)/pip install --quiet --no-deps --editable .
	@touch $@

.venv/development: .venv/runtime requirements-dev.txt requirements-docs.txt requirements-data.txt
	$(BIN)/pip install --quiet --requirement requirements-dev.txt
	$(BIN)/pip install --quiet --no-deps --requirement requirements-data.txt
	@touch $@

clean:
	rm -rf .venv runs/demo
