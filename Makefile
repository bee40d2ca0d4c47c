# The commands of the project; `make` alone lists them.

PACKAGES = gateway drivers sync config simulators journal
# For fuzz-sources: spoilt files for each parser.
FILES = 100000
# For fuzz-codecs: inputs for each codec.
RUNS = 200000
ATHERIS = .venv/atheris
# For simulate: one simulated morning each.
SEEDS = 1-1000
PYTHONS = python3.13 python3.12 python3.11 python3
BIN = .venv/bin
# What is installed: everything here; requirements-gateway.lock or requirements-journal.lock on the machine that runs one of them.
LOCK = requirements.lock
INSTALLED = .venv/$(LOCK).installed
# The extras of drivers whose libraries come as wheels; pcsc needs a compiler and has a lock of its own.
DRIVERS = gpio modbus nfc osdp zkteco
LOCKING = uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --group build --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.PHONY: help env check test fuzz-sources fuzz-codecs simulate faults demo bench mutants docs format lock

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

env: $(INSTALLED) ## the environment .venv with exactly the locked versions, and nothing else on this machine

check: env ## format, lint, types, layers, budgets, documents: everything that needs no device and no broker
	@$(BIN)/ruff format --check . || { echo "check: run 'make format'" >&2; exit 1; }
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/mypy examples/driver
	$(BIN)/lint-imports
	$(BIN)/pytest --quiet -p no:cacheprovider tests/test_architecture.py tests/test_contract.py tests/test_docs.py
	@echo "check: all good"

test: check ## check, then every test, against real readers' bytes, a real broker and real processes
	PYTHON=$(BIN)/python tests/needs.sh
	tests/pyscard.sh
	@# Many tests wait: three workers for two cores. Whoever has nothing left to do takes from the others.
	$(BIN)/pytest -n 3 --dist worksteal

fuzz-sources: env ## FILES=100000 spoilt files for each parser of sources, PARSERS="asc icalendar" only for some
	$(BIN)/python -m tests.fuzz $(PARSERS) --files $(FILES)

fuzz-codecs: env ## RUNS=200000 inputs for each codec, guided by its code; atheris goes into a folder of its own
	@[ -d $(ATHERIS) ] || $(BIN)/python -m pip install --quiet --disable-pip-version-check --target $(ATHERIS) 'atheris>=2.3,<4'
	PYTHONPATH=$(ATHERIS) $(BIN)/python -m tests.fuzz.guided $(CODECS) --runs $(RUNS)

simulate: env ## simulated mornings with faults: SEEDS=1-1000, or one seed and its story
	$(BIN)/python -m tests.faults $(SEEDS)

faults: env ## the fault matrix with real processes, at many more system calls than in make test
	tests/needs.sh
	FAULTS=8 $(BIN)/pytest tests/faults/test_matrix.py tests/faults/test_clocks.py tests/faults/test_power.py

demo: env ## one compressed school morning on this machine, from tap to parent
	$(BIN)/python -m simulators morning --demo

bench: env ## the benchmarks beside their limits and peers; writes bench/results.json
	$(BIN)/python -m bench

docs: env ## docs/contract, made anew from the code
	$(BIN)/python -m gateway schema > docs/contract/asyncapi.json

mutants: env ## spoil each rule of the domain once and see whether a test notices; takes an hour, writes mutants/
	PYTHONPATH=. $(BIN)/python -m mutmut run --max-children 1
	PYTHONPATH=. $(BIN)/python -m mutmut results

format: env ## put the code into its one shape
	$(BIN)/ruff format --quiet .
	$(BIN)/ruff check --fix --quiet .

lock: ## newest versions that pyproject.toml allows, with their hashes (needs uv)
	$(LOCKING) --upgrade $(DRIVERS:%=--extra %) --extra journal --extra simulators --group dev --output-file requirements.lock
	$(LOCKING) --constraint requirements.lock $(DRIVERS:%=--extra %) --output-file requirements-gateway.lock
	$(LOCKING) --constraint requirements.lock --extra pcsc --output-file requirements-pcsc.lock
	$(LOCKING) --constraint requirements.lock --extra journal --output-file requirements-journal.lock

$(INSTALLED): $(LOCK) pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q $(PACKAGES)
	@touch $@

$(BIN)/python:
	@for python in $(PYTHONS); do \
		$$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		exec $$python -m venv .venv; \
	done; \
	echo "no Python 3.11 or newer that can make an environment was found: apt install python3-venv" >&2; exit 1
