# Thin targets: each is one or two commands that a person could type.
PYTHON ?= python3
VENV ?= .venv
READY := $(VENV)/.ready
RUN := $(VENV)/bin
HELM ?= helm
KUBECONFORM ?= kubeconform
KUBE_SCORE ?= kube-score
HELM_UNITTEST ?= helm-unittest
HELM_DOCS ?= helm-docs
PROMETHEUS ?= prometheus
PROMTOOL ?= promtool
ALERTMANAGER ?= alertmanager
CLUSTER_BIN ?= .cluster/bin
CLUSTER_CRDS ?= .cluster/crds
CONSUMERS ?= .consumers
KCAT ?= kcat
SPARK_SUBMIT ?= spark-submit
PEERS ?= .peers
IMAGE ?= .image
AGAINST ?= HEAD
COMPILE := $(RUN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-header --no-annotate

.PHONY: demo test bench discovery chaos-claims chaos-delivery chaos-doors chaos-lookups chaos-rolling chaos-sign chaos-strangers chaos-takeover verify-chart verify-cluster verify-monitoring consumers peers sbom format generate release-schemas requirements clean

demo: $(READY)  ## a real Kafka, a registry, the simulator and two workers, until Ctrl-C or DEMO_SECONDS
	$(RUN)/producer demo

test: $(READY)  ## everything that a change must pass
	$(RUN)/pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

chaos-claims: $(READY)  ## many workers, killed, stopped and paused, again and again
	CLAIMS_STREAMERS=200 CLAIMS_ROUNDS=20 CLAIMS_PAUSE_SECONDS=30 $(RUN)/pytest -s tests/system/test_claims.py $(PYTEST_ARGS)
	CLAIMS_LIST=10000 CLAIMS_EDITS=100 $(RUN)/pytest -s tests/kafka/test_long_list.py $(PYTEST_ARGS)
	CLAIMS_SEEDS=60 CLAIMS_SCHEDULE_SECONDS=45 CLAIMS_QUIET_SECONDS=15 CLAIMS_BUGS=1 $(RUN)/pytest -s tests/system/test_claims_schedule.py $(PYTEST_ARGS)

chaos-delivery: $(READY)  ## Kafka away for half an hour, workers killed fifty times, errors that last; KFAKED names a kfaked
	FAULT_SECONDS=30 $(RUN)/pytest -s tests/kafka/test_lasting_errors.py $(PYTEST_ARGS)
	OUTAGE_SECONDS=1800 ROLLING_SECONDS=600 STOP_RECORDS=60000 DELIVERY_RATE=2000 DELIVERY_KILLS=50 $(RUN)/pytest -s tests/system/test_delivery.py $(PYTEST_ARGS)
	DELIVERY_SEEDS=300 $(RUN)/pytest tests/delivery/test_delivery_schedules.py $(PYTEST_ARGS)

bench: $(READY)  ## what a worker costs, beside the commit AGAINST names, with BENCH_ARGS; 1 where something became slower
	$(RUN)/python -m tools.bench --against $(AGAINST) $(BENCH_ARGS)

discovery: $(READY)  ## a week of virtual time: how soon a hundred, a thousand and five thousand streamers' lives are found
	$(RUN)/python -m tools.discovery

chaos-doors: $(READY)  ## two hundred rooms whose door shuts in nine ways, and opens again; PROMTOOL lets the alert be judged
	DOORS_SECONDS=300 $(RUN)/pytest tests/system/test_doors.py $(PYTEST_ARGS)
	DOORS_ROOMS=200 $(RUN)/pytest -s tests/system/test_doors_nine.py $(PYTEST_ARGS)

chaos-lookups: $(READY)  ## a thousand streamers looked up for ten minutes, at an address that is blocked beyond its budget
	LOOKUPS_AWAY=1000 LOOKUPS_LIVE=50 LOOKUPS_RATE=10 LOOKUPS_SECONDS=600 $(RUN)/pytest -s tests/system/test_lookups.py $(PYTEST_ARGS)

chaos-sign: $(READY)  ## four workers and forty rooms on a key of ten calls a minute, which they share: 25 minutes
	SIGN_CALLS=10 SIGN_LIMIT=10/60 SIGN_ROOMS=40 SIGN_SLACK=1.1 SIGN_HOLD_SECONDS=50 $(RUN)/pytest -s tests/system/test_sign_budget.py $(PYTEST_ARGS)

chaos-rolling: $(READY)  ## a rolling deployment of four workers with forty rooms
	ROLLING_ROOMS=40 $(RUN)/pytest -s tests/system/test_rolling_deployment.py $(PYTEST_ARGS)

chaos-takeover: $(READY)  ## a worker with 250 live rooms killed, among a thousand streamers
	TAKEOVER_LIVE=750 TAKEOVER_AWAY=250 $(RUN)/pytest -s tests/system/test_takeover.py $(PYTEST_ARGS)

chaos-strangers: $(READY)  ## odd answers one by one, two thousand streamers claimed at once, a million inputs for the readers
	STRANGERS_IN_TURN=1 $(RUN)/pytest -s tests/system/test_strangers.py $(PYTEST_ARGS)
	CROWD=1000 $(RUN)/pytest -s tests/system/test_crowd.py $(PYTEST_ARGS)
	BOMBS=all $(RUN)/pytest -s tests/system/test_bombs.py $(PYTEST_ARGS)
	GROWTH_ROOMS=60 $(RUN)/pytest -s tests/system/test_growth.py $(PYTEST_ARGS)
	BURST_FRAMES=100 $(RUN)/pytest -s tests/system/test_burst.py $(PYTEST_ARGS)
	FUZZ_EXAMPLES=100000 $(RUN)/pytest $$(find tests -name 'test_*fuzz*.py') $(PYTEST_ARGS)

verify-chart: $(READY)  ## the chart, with Helm, its linters and kubeconform; KUBECONFORM_SCHEMAS names the schemas' folder
	HELM=$(HELM) HELM3=$(HELM3) KUBECONFORM=$(KUBECONFORM) KUBE_SCORE=$(KUBE_SCORE) HELM_UNITTEST=$(HELM_UNITTEST) HELM_DOCS=$(HELM_DOCS) $(RUN)/pytest tests/helm $(PYTEST_ARGS)

verify-cluster: $(READY)  ## the chart on a real API server; CLUSTER_BIN has its binaries, CLUSTER_CRDS those of the operators
	CLUSTER_BIN=$(CLUSTER_BIN) CLUSTER_CRDS=$(CLUSTER_CRDS) HELM=$(HELM) HELM3=$(HELM3) $(RUN)/pytest -s tests/cluster $(PYTEST_ARGS)

verify-monitoring: $(READY)  ## alerts, rules and dashboards, with Prometheus, promtool, Alertmanager and Helm
	PROMETHEUS=$(PROMETHEUS) PROMTOOL=$(PROMTOOL) ALERTMANAGER=$(ALERTMANAGER) HELM=$(HELM) $(RUN)/pytest -s tests/observability $(PYTEST_ARGS)

consumers: $(READY) $(CONSUMERS)/.ready  ## golden files and topics, read by what is not ours
	CONSUMERS=$(CONSUMERS) KCAT=$(KCAT) SPARK_SUBMIT=$(SPARK_SUBMIT) $(RUN)/pytest tests/consumers --verbose

peers: $(READY) $(PEERS)/.ready  ## clients that are not ours, in rooms of the simulator
	PEERS=$(PEERS) $(RUN)/pytest -s tests/peers --verbose

sbom: requirements/sbom.txt requirements/image.txt  ## what the image has in it (CycloneDX), and under which licences
	$(PYTHON) -m venv --clear $(IMAGE)/tool
	$(IMAGE)/tool/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/sbom.txt
	$(PYTHON) -m venv --clear --without-pip $(IMAGE)/producer
	$(IMAGE)/tool/bin/python -m pip --python $(IMAGE)/producer install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/image.txt
	$(IMAGE)/tool/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file $(IMAGE)/sbom.cdx.json $(IMAGE)/producer

format: $(READY)  ## let ruff put the code in its form
	$(RUN)/ruff format . && $(RUN)/ruff check --fix .

generate: $(READY)  ## the generated files that are checked in
	$(RUN)/python -m tools.generate

release-schemas: $(READY)  ## today's schemas as those of the package's version; what is released stays
	$(RUN)/python -m tools.release_schemas

requirements: $(READY)  ## the pinned requirement files, from pyproject.toml
	$(COMPILE) --output-file requirements/image.txt pyproject.toml
	$(COMPILE) --output-file requirements/dev.txt --all-extras --group dev pyproject.toml
	$(COMPILE) --output-file requirements/consumers.txt --group pyproject.toml:consumers
	$(COMPILE) --output-file requirements/peers.txt tests/peers/requirements.in
	$(COMPILE) --output-file requirements/sbom.txt --group pyproject.toml:sbom

clean:  ## what the other targets made
	rm -rf $(VENV) $(CONSUMERS) $(PEERS) $(IMAGE) .bench .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(READY): requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(CONSUMERS)/.ready: requirements/consumers.txt tests/consumers/package-lock.json tests/consumers/go.sum
	$(PYTHON) -m venv --clear $(CONSUMERS)
	$(CONSUMERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/consumers.txt
	cp tests/consumers/package.json tests/consumers/package-lock.json $(CONSUMERS)
	if command -v npm; then npm ci --prefix $(CONSUMERS) --ignore-scripts --no-audit --no-fund; fi
	cp tests/consumers/go.mod tests/consumers/go.sum $(CONSUMERS)
	if command -v go; then cd $(CONSUMERS) && go mod download; fi
	touch $@

$(PEERS)/.ready: requirements/peers.txt tests/peers/package-lock.json
	$(PYTHON) -m venv --clear $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/peers.txt
	cp tests/peers/package.json tests/peers/package-lock.json $(PEERS)
	if command -v npm; then npm ci --prefix $(PEERS) --ignore-scripts --no-audit --no-fund; fi
	touch $@
