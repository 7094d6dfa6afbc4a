# Two commands matter: `make run` and `make test`. Both need only Python >= 3.11; everything else goes into .venv.
SHELL       := /bin/sh
VENV        := .venv
BIN         := $(VENV)/bin
INTERPRETERS := python3 python3.14 python3.13 python3.12 python3.11
# Of the interpreters on this machine the first that is new enough; `make run PYTHON=/path/to/python` overrides it.
PYTHON      ?= $(firstword $(foreach name,$(INTERPRETERS),$(shell command -v $(name) >/dev/null 2>&1 && \
                 $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && command -v $(name))))
INSTALL     := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
LOCK        := pip compile --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
                 --no-emit-index-url --no-emit-find-links --no-header --quiet
TOOLS       := .build/tools
CHECKED     := cds_service fhir_mappings models_onnx tests deploy

# The clinical rules, of the mapping and of the card, and their tests: the floor is in pyproject.toml, of lines and branches.
CLINICAL_TESTS := tests/fhir_mappings/patient tests/fhir_mappings/results tests/fhir_mappings/features tests/fhir_mappings/terminology \
                  tests/fhir_mappings/orders tests/cds_service/advice tests/cds_service/cards tests/cds_service/tenants/test_speaking.py \
                  tests/cds_service/test_site_folder.py tests/cds_service/test_tenant_advice.py \
                  tests/acceptance/test_added_models.py tests/acceptance/test_chart_at_order_hooks.py
CLINICAL    := fhir_mappings/patient/*,fhir_mappings/results/*,fhir_mappings/features/*,fhir_mappings/terminology/*,fhir_mappings/orders/*,cds_service/advice/*,cds_service/cards/*,cds_service/tenants/speaking.py

.PHONY: run hospital test golden coverage mutants matrix processors long sandbox launcher lint bench docs lock tools papers clean
.DELETE_ON_ERROR:

run: $(VENV)/serving  ## Start the service in demo mode on http://127.0.0.1:8000 and show one order with its card.
	@exec $(BIN)/cds-service demo

hospital: $(VENV)/serving  ## An invented hospital from its silent phase to cards: report, monitoring page, a refused and an accepted go-live; two minutes.
	$(BIN)/python deploy/hospital.py .build/hospital

test: $(VENV)/development  ## Every test that needs no server of its own; end-to-end tests run in .ci/run.
	$(BIN)/python -m pytest -n auto -m "not end_to_end and not benchmark and not long" $(TESTS)

golden: $(VENV)/development  ## The agreed answers anew, where a word or a number changed on purpose: read the difference before it is kept.
	$(BIN)/python -m tests.acceptance.golden
	$(BIN)/python -m tests.cds_service.cards.write_golden
	$(BIN)/python -m tests.acceptance.test_dialects
	$(BIN)/python -m tests.acceptance.golden_clients

coverage: $(VENV)/development  ## Which lines and branches of the clinical rules their tests reach; ends with an error below the floor.
	@rm -f .build/coverage*
	$(BIN)/coverage run -m pytest -q -n auto -m "not end_to_end and not benchmark and not long" $(CLINICAL_TESTS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --include="$(CLINICAL)" --skip-covered

mutants: $(VENV)/development  ## The rules changed one by one, a quarter of an hour: which changes do the tests let pass?
	$(BIN)/python -m tests.mutants

matrix: $(VENV)/development  ## The tests of the packages under each Python from 3.11 to 3.14 that is on this machine; tells the absent ones.
	@sh .ci/matrix

long: $(VENV)/development  ## The full runs of what `make test` only samples, and `make test` as other processors compute it: an hour.
	$(BIN)/python -m pytest -n auto -m long
	$(BIN)/python -m tests.simulations
	$(BIN)/python -m tests.emulated --whole

sandbox: $(VENV)/development  ## The official CDS Hooks sandbox, built from its sources (SANDBOX=folder), against the demo. Needs Node 20 and Chromium.
	@test -d "$(SANDBOX)" || { echo "Name the folder of its sources: make sandbox SANDBOX=folder" >&2; exit 1; }
	SANDBOX="$(abspath $(SANDBOX))" $(BIN)/python -m pytest -m sandbox tests/end_to_end/test_official_sandbox.py

launcher: $(VENV)/development  ## SMART launcher v2, run from its sources (LAUNCHER=folder), before the demo's FHIR store. Needs Node 20.
	@test -d "$(LAUNCHER)" || { echo "Name the folder of its sources: make launcher LAUNCHER=folder" >&2; exit 1; }
	LAUNCHER="$(abspath $(LAUNCHER))" $(BIN)/python -m pytest -m launcher tests/end_to_end/test_smart_launcher.py

processors: $(VENV)/development  ## What depends on floating point, as other processors compute it (needs qemu-user).
	$(BIN)/python -m tests.emulated

lint: $(VENV)/development
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/ruff format --check $(CHECKED)
	$(BIN)/mypy

bench: $(VENV)/development  ## Speed as ratios, in about a minute.
	$(BIN)/python -m pytest -m "benchmark and not long" -s tests/benchmarks

docs: $(VENV)/development  ## The documents as a site in .build/site; ends with an error where a link leads nowhere.
	$(BIN)/python -m mkdocs build --strict -f - < docs/mkdocs.yml

lock: $(BIN)/python  ## Pin again what pyproject.toml allows. The serving lock keeps to the versions that were tested.
	$(INSTALL) uv
	$(BIN)/uv $(LOCK) --upgrade --extra dev pyproject.toml -o requirements-dev.lock
	$(BIN)/uv $(LOCK) -c requirements-dev.lock pyproject.toml -o requirements.lock
	$(BIN)/uv $(LOCK) -c requirements-dev.lock --extra tracing pyproject.toml -o requirements-tracing.lock
	$(BIN)/uv $(LOCK) -c requirements-dev.lock requirements-build.in -o requirements-build.lock
	$(BIN)/uv $(LOCK) --upgrade requirements-tools.in -o requirements-tools.lock

papers: $(TOOLS)/filled $(VENV)/development  ## SBOM, audit and provenance in .build/papers; says where packages could not be asked about.
	$(TOOLS)/bin/python deploy/papers.py

tools: $(TOOLS)/filled  ## What only deploy/ and the papers need: Helm, Kubernetes' and Grafana's schemas, SBOM, audit. Two minutes, once.

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis

# The stamps below say which lock the environment was filled from; a changed lock fills it again.
$(VENV)/serving: requirements.lock requirements-build.lock pyproject.toml | $(BIN)/python
	@echo "Installing what serves (once, about a minute) ..."
	@$(INSTALL) --require-hashes -r requirements.lock -r requirements-build.lock
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/development: requirements-dev.lock requirements-build.lock pyproject.toml | $(BIN)/python
	@echo "Installing what tests and trains (once, about two minutes) ..."
	@$(INSTALL) --require-hashes -r requirements-dev.lock -r requirements-build.lock
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/serving

$(TOOLS)/filled: requirements-tools.lock .ci/helm
	@"$(PYTHON)" -m venv $(TOOLS)
	@$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r requirements-tools.lock
	@sh .ci/helm "$(CURDIR)/$(TOOLS)/bin"
	@touch $@

$(BIN)/python:
	@test -n "$(PYTHON)" || { \
	  echo "No Python 3.11 or newer was found (looked for: $(INTERPRETERS))." >&2; \
	  echo "Install one, or name it: make run PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) comes without venv and ensurepip, which are needed to set up $(VENV)." >&2; \
	  echo "On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@"$(PYTHON)" -m venv $(VENV)
