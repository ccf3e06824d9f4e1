# make demo | test | quick | install          Needs Python >= 3.11 and make; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test quick install clean

demo: .venv/.experiments
	$(BIN)/mesmrise run manipulation

test: .venv/.test
	$(BIN)/python -m pytest

quick: .venv/.plot
	$(BIN)/python -m experiments.quick

install: .venv/.all

# One stamp per set of extras: a finished install is not repeated until its inputs change.
.venv/.%: pyproject.toml constraints.txt | .venv/bin/python
	@echo "installing mesmrise[$*] into .venv ..."
	@$(PIP) -e ".[$*]" || { echo "mesmrise: the install of [$*] failed; the line above names the missing package or version." >&2; exit 1; }
	@touch $@

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "mesmrise needs Python >= 3.11; '$(PYTHON)' was not found (make PYTHON=/path/to/python)." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "mesmrise needs Python >= 3.11; '$(PYTHON)' is $$($(PYTHON) -V)." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "mesmrise needs Python's venv module (on Debian and Ubuntu: the package python3-venv)." >&2; exit 1; }
	@$(PYTHON) -m venv .venv

clean:
	rm -rf .venv build dist *.egg-info
