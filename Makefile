# Thin targets: each is one or two commands that a person could type.
PYTHON ?= python3
VENV ?= .venv
READY := $(VENV)/.ready
RUN := $(VENV)/bin
HELM ?= helm
KUBECONFORM ?= kubeconform
COMPILE := $(RUN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-header --no-annotate

.PHONY: demo test chaos-claims verify-chart format generate requirements clean

demo: $(READY)  ## a real Kafka, a registry, the simulator and two workers, until Ctrl-C or DEMO_SECONDS
	$(RUN)/producer demo

test: $(READY)  ## everything that a change must pass
	$(RUN)/pytest $(PYTEST_ARGS)

chaos-claims: $(READY)  ## many workers, killed, stopped and paused, again and again
	CLAIMS_STREAMERS=200 CLAIMS_ROUNDS=20 CLAIMS_PAUSE_SECONDS=30 $(RUN)/pytest -s tests/system/test_claims.py $(PYTEST_ARGS)

verify-chart: $(READY)  ## the chart, with Helm and kubeconform; KUBECONFORM_SCHEMAS names the schemas' folder
	HELM=$(HELM) KUBECONFORM=$(KUBECONFORM) $(RUN)/pytest tests/helm

format: $(READY)  ## let ruff put the code in its form
	$(RUN)/ruff format . && $(RUN)/ruff check --fix .

generate: $(READY)  ## the generated files that are checked in
	$(RUN)/python -m tools.generate

requirements: $(READY)  ## the pinned requirement files, from pyproject.toml
	$(COMPILE) --output-file requirements/image.txt pyproject.toml
	$(COMPILE) --output-file requirements/dev.txt --all-extras --group dev pyproject.toml

clean:  ## what the other targets made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(READY): requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@
