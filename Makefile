# `make demo` and `make test` are all the set-up there is: each builds .venv once and keeps it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: install demo test lint types clean

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	# torch first and alone, so that the CPU build is taken where an index offers one
	$(BIN)/python -m pip install --quiet "torch>=2.9,<2.14"
	$(BIN)/python -m pip install --quiet --editable ".[test]"
	touch $@

install: $(VENV)/installed

demo: install
	$(BIN)/vlnenv demo

test: install
	$(BIN)/python -m pytest -n 2

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

clean:
	rm -rf $(VENV) build dist *.egg-info
