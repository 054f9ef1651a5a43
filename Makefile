# Every target makes what it needs from a bare clone: Python 3.11+ and make are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
KAFKA_LIBS := build/kafka/libs

# `make demo SECONDS=20 RATE=0 FORMAT=avro KEEP=1`: handed on as options, since bash gives SECONDS a meaning of its own.
DEMO_OPTIONS := $(if $(filter command line environment,$(origin SECONDS)),--seconds $(SECONDS)) $(if $(RATE),--rate $(RATE)) $(if $(FORMAT),--format $(FORMAT)) $(if $(filter 1 yes true,$(KEEP)),--keep)

.PHONY: demo test check format test-kafka bench bench-transforms clean

demo: $(STAMP)
	@$(BIN)/headrace demo $(DEMO_OPTIONS)

# Most tests wait for processes that they started, so a few more files than there are cores can run side by side.
JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 1)

test: $(STAMP)
	$(BIN)/python -m pytest -m "not kafka" --numprocesses $(JOBS) --dist loadfile

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The tests marked `kafka` run on our servers and on Apache Kafka; needs Java 17+ and Maven.
test-kafka: $(STAMP) $(KAFKA_LIBS)/.fetched
	HEADRACE_KAFKA_LIBS=$(CURDIR)/$(KAFKA_LIBS) $(BIN)/python -m pytest -m kafka

bench: $(STAMP)
	$(BIN)/python -m benchmarks.pipeline

# Ours against Kafka Connect's own classes; `make bench-transforms ONLY=Cast` measures those with that in their names.
bench-transforms: $(STAMP) $(KAFKA_LIBS)/.fetched
	HEADRACE_KAFKA_LIBS=$(CURDIR)/$(KAFKA_LIBS) $(BIN)/python -m benchmarks.transforms $(ONLY)

$(STAMP): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "headrace needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv module is missing. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	$(BIN)/python -m compileall -q src
	@touch $@

$(KAFKA_LIBS)/.fetched: tests/kafka/pom.xml
	@command -v mvn >/dev/null && command -v java >/dev/null || { echo "make test-kafka needs Java 17+ and Maven. On Debian and Ubuntu: apt-get install default-jre-headless maven" >&2; exit 1; }
	rm -rf $(KAFKA_LIBS)
	mvn -B -ntp -q -f tests/kafka/pom.xml dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/$(KAFKA_LIBS) -DincludeScope=runtime
	@touch $@

clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis
