# Two commands for a fresh clone: `make demo` and `make test`. Everything they need goes into .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

OLDEST := .venvs/oldest

.PHONY: demo test test-oldest test-kernel bench lab app lint lock clean

demo: $(VENV)/installed
	@$(BIN)/t1data demo

# In two processes, a file of tests at a time: what the tests of one file share is made once.
test: $(VENV)/installed-dev lint
	$(BIN)/python -m pytest -n 2 --dist loadfile

# The same behaviour with the oldest versions that pyproject.toml allows; their own warnings are not ours to mend.
test-oldest: $(OLDEST)/installed
	$(OLDEST)/bin/python -m pytest -o filterwarnings=default tests/test_profiles.py tests/test_plots.py tests/tables

# The walks on an older kernel, which runs threads and the messages of widgets in another way than the newest.
test-kernel: $(VENV)/installed-dev
	@$(PIP) install --no-deps --upgrade --target .venvs/kernel ipykernel==6.30.1 nest-asyncio==1.6.0
	PYTHONPATH=.venvs/kernel $(BIN)/python -m pytest tests/browser

# Every goal of speed and memory, one line of figures each; hours on a quiet machine, which it needs to say something.
GOALS := start first upsert "upsert --source csv" "upsert --source frame" "upsert --shape wide --rows 100000" limits memory \
    inventories referrals diff "diff --judge" "diff --rows 50000000 --limit 1GB --only t1data,bare --pairs 1" \
    scaling "scaling --job diff" "scaling --job diff-1GB" "reading --rows 1000000 --fetch 50000" soak

bench: $(VENV)/installed-dev
	@for goal in $(GOALS); do $(BIN)/python -m benchmarks.$$goal || exit 1; done

# The notebooks in JupyterLab, and the forms alone as an app; each on a free port of this machine, until Ctrl-C.
PORT = $$($(BIN)/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
ROOT_MAY := $(if $(filter 0,$(shell id -u)),--allow-root)

lab: $(VENV)/installed-dev
	@port=$(PORT); export JUPYTER_TOKEN=$$($(BIN)/python -c 'import secrets; print(secrets.token_hex(16))'); \
	echo "JupyterLab: http://127.0.0.1:$$port/lab?token=$$JUPYTER_TOKEN"; \
	exec $(BIN)/python -W ignore::DeprecationWarning -m jupyterlab --no-browser -y $(ROOT_MAY) --ServerApp.ip=127.0.0.1 --ServerApp.port=$$port \
	    --ServerApp.port_retries=0 --ServerApp.root_dir=notebooks --log-level=WARN \
	    --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate --LabApp.extension_manager=readonly

app: $(VENV)/installed-dev
	@port=$(PORT); echo "The forms: http://127.0.0.1:$$port/"; \
	JUPYTER_PATH=$(CURDIR)/t1data/forms exec $(BIN)/python -m voila notebooks/06_forms.ipynb --no-browser \
	    --Voila.ip=127.0.0.1 --port=$$port --template=t1data --Voila.log_level=WARN

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The lock files name every package with its hashes and no address, so that pip takes each from wherever
# this machine is set up to look, and refuses any file that is not the one that was tested.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("t1data needs Python 3.11 or newer; this is %d.%d. Name another: make demo PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python requirements.lock pyproject.toml
	@echo "Installing t1data into $(VENV) (once) ..."
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/bin/python requirements-dev.lock pyproject.toml
	@echo "Installing t1data and its test tools into $(VENV) (once) ..."
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/installed

$(OLDEST)/installed: requirements-oldest.lock pyproject.toml
	$(PYTHON) -m venv $(OLDEST)
	@$(OLDEST)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements-oldest.lock
	@$(OLDEST)/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation -e .
	@touch $@

# Needs `uv` on the path. --no-header and --no-annotate keep addresses out; a test looks for any that slip in.
lock:
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --group dev --all-extras -o requirements-dev.lock
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --group build -c requirements-dev.lock -o requirements.lock
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --group test --resolution lowest-direct -o requirements-oldest.lock

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
