# Every target makes .venv and installs what it needs when that is missing or older than the files that say what it is.
PYTHON ?= python3
VENV   ?= .venv
EPOCHS ?= 5
INSTALLED := $(VENV)/.installed
BIN := $(VENV)/bin

.PHONY: run test test-unit check format benchmark exported clean
.DELETE_ON_ERROR:

run: $(INSTALLED)  ## the whole road: train, export, verify, bench (EPOCHS=100 for the full recipe)
	$(BIN)/toolkit run --epochs $(EPOCHS)

test: $(INSTALLED)  ## every test
	$(BIN)/pytest

test-unit: $(INSTALLED)  ## the tests that take under a minute together
	$(BIN)/pytest -m "not slow and not road and not mnist"

check: $(INSTALLED)  ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(INSTALLED)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
	    --build-constraint constraints.txt --editable '.[train]' --group dev
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
