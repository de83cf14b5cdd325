# Two commands do everything from a bare machine with Python >= 3.11: `make demo` and `make test`.
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
QUICK := $(BIN)/pytest -m "not slow" -n 2 --dist loadscope
SHAPED := tests/estimands tests/laws tests/model tests/simulation
UV_VERSION := 0.13.9
# The first interpreter that really runs and is new enough.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)

# Tests start many processes, and each would compile the sources of the package anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo test check docs coverage changelog calibrate bench reports lock matrix wheel clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' Makefile | sed 's/:.*##/\t/'

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "dyadloop needs Python 3.11 or newer; none was found on PATH" >&2; exit 2; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet uv==$(UV_VERSION)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $(STAMP)

install: $(STAMP)  ## make .venv from the lock

demo: $(STAMP)  ## run the main job on the shipped real study
	$(BIN)/dyadloop run examples/school --out results/school

check: $(STAMP)  ## linters, import layers and types
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/lint-imports
	$(BIN)/deptry src
	$(BIN)/basedpyright --level error

test: check  ## linters, types and tests; in some rooms types and shapes of arguments are checked as well
	$(QUICK) $(SHAPED:%=--ignore=%)
	CHECK_SHAPES=1 $(QUICK) $(SHAPED)

docs: $(STAMP)  ## build the site in docs/_build/html; tutorials run, warnings are errors
	$(BIN)/python docs/gallery.py
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet docs docs/_build/html
	@echo "open docs/_build/html/index.html"

coverage: $(STAMP)  ## the quick tests, with the share of lines that they run
	CHECK_SHAPES=1 $(QUICK) --cov --cov-report term:skip-covered

changelog: $(STAMP)  ## fold the notes of changes/ into CHANGELOG.md: `make changelog VERSION=0.2.0`
	$(BIN)/towncrier build --yes --version $(VERSION)

calibrate: $(STAMP)  ## the slow calibration runs
	CHECK_SHAPES=1 $(BIN)/pytest -m slow -s

bench: $(STAMP)  ## print the benchmark ratios
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r benchmarks/requirements.lock
	$(BIN)/python benchmarks/likelihood.py
	$(BIN)/python benchmarks/filters.py
	$(BIN)/python benchmarks/fit.py
	$(BIN)/python benchmarks/simulation.py
	$(BIN)/python benchmarks/measures.py
	$(BIN)/python benchmarks/synchrony_before.py
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/threads.py

reports: demo  ## run the shipped real studies and renew their reports in docs/reports
	cp results/school/report.html docs/reports/school.html
	for study in diaries mindfulness; do \
		$(BIN)/dyadloop run examples/$$study --out results/$$study && \
		cp results/$$study/report.html docs/reports/$$study.html || exit 1; done

lock: $(STAMP)  ## renew requirements.lock for every supported Python
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url \
		--python-version 3.11 --extra dev --extra docs --extra io --extra sbml --extra signals --extra voice pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url \
		--python-version 3.11 --extra peers -c requirements.lock pyproject.toml -o benchmarks/requirements.lock

matrix: $(STAMP)  ## the quick tests on every supported Python, with locked, oldest and newest packages
	sh benchmarks/matrix.sh $(BIN)/uv

wheel: $(STAMP)  ## install the wheel into a bare environment and run the commands of the README
	sh benchmarks/wheel.sh $(BIN)/uv $(BIN)/python

clean:  ## remove the environment and all results
	rm -rf $(VENV) results
