# make demo | test | quick | install | clean      Needs Python >= 3.11 and make; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test quick install clean

demo: .venv/.experiments
	$(BIN)/mesmrise run manipulation

# Many small arrays: more threads than one only wait for each other.
test: .venv/.test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest

quick: .venv/.plot,worlds
	$(BIN)/python -m experiments.quick

install: .venv/.all

# One stamp per set of extras: a finished install is not repeated until its inputs change. A failed one leaves no stamp.
.venv/.%: pyproject.toml constraints.txt | .venv/bin/pip
	@echo "installing mesmrise[$*] into .venv ..."
	@$(PIP) -e ".[$*]" || { echo "mesmrise: the install of [$*] failed; the lines above name the package or version that is missing." >&2; exit 1; }
	@touch $@

.venv/bin/pip:
	@command -v $(PYTHON) >/dev/null || { echo "mesmrise needs Python >= 3.11; '$(PYTHON)' was not found (make PYTHON=/path/to/python)." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "mesmrise needs Python >= 3.11; '$(PYTHON)' is $$($(PYTHON) -V 2>&1) (make PYTHON=/path/to/python)." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "mesmrise needs Python's venv module (on Debian and Ubuntu: the package python3-venv)." >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "mesmrise: creating .venv failed; the lines above say why." >&2; exit 1; }

clean:
	rm -rf .venv build dist *.egg-info
