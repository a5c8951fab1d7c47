# Each target works from nothing but git, make and python3; a second run reuses the environment.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
DATA ?= ../shared/data
ROWS ?= all
TABLES ?= none
CURVES ?= none
GATES ?= none
STUDIES ?= none
OUT ?= runs/demo
# Tests run with one thread each, so that they are repeatable and do not fight over cores.
ONE = OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

.PHONY: demo test install lint real bench notice clean

demo: $(VENV)/.train
	$(BIN)/isocenter demo -o $(OUT) --overwrite

test: $(VENV)/.dev
	$(ONE) ISOCENTER_DATA=$(abspath $(DATA)) $(BIN)/python -m pytest $(ARGS)

install: $(VENV)/.all

lint: $(VENV)/.dev
	$(BIN)/ruff check src tests real benchmarks zoo
	$(BIN)/mypy

real: $(VENV)/.dev
	$(BIN)/python -m real --data $(DATA) --rows $(ROWS) --tables $(TABLES) --curves $(CURVES) --gates $(GATES) \
		--studies $(STUDIES)

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks $(ARGS)

notice: $(VENV)/.dev
	$(BIN)/python tools/notice.py

clean:
	rm -rf $(VENV)

# One stamp an extra; it is made anew when the versions or the package's own list of needs change.
$(VENV)/.venv:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.%: $(VENV)/.venv pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$*]'
	touch $@
