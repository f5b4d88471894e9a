# Every target makes .venv and installs what it needs when that is missing or older than the files that say what it is.
PYTHON ?= python3
VENV   ?= .venv
EDGE   ?= .venv-edge
EPOCHS ?= 5
COVERAGE ?=
INSTALLED := $(VENV)/.installed
BIN := $(VENV)/bin
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# Makes the environment of a folder, also over one that a failed attempt has left: that has no pip.
PYTHON_NEEDED := import sys; sys.exit(sys.version_info < (3, 11) and "toolkit needs Python 3.11 or newer; make PYTHON=python3.12, for instance, takes another one")
environment = test -x $(1)/bin/pip || { $(PYTHON) -c '$(PYTHON_NEEDED)' && $(PYTHON) -m venv $(1); }

.PHONY: run test test-unit test-gpu test-cpus cpus fuzz kill photos tasks docs site check format edge dist benchmark exported exported-tiny tiny-fashion trained study picture clean
.DELETE_ON_ERROR:

run: $(INSTALLED)  ## the whole road: train, export, verify, bench (EPOCHS=100 for the full recipe)
	$(BIN)/toolkit run --epochs $(EPOCHS)

# Whatever the environment says: without bytecode each process that runs tests compiles all of them, and hundreds of
# processes compile toolkit.
test test-unit: export PYTHONDONTWRITEBYTECODE :=
# The threads of a process wait for each other busily, and its tests have a core or less.
test test-unit: export OPENBLAS_NUM_THREADS := 1

# Three at a time, also on two cores: many wait for a process, a server or the next turn. A file at a time, since its
# tests share what takes long to make; in the order of tests/conftest.py.
test: $(INSTALLED)  ## every test (COVERAGE=yes: and how much of each module they run)
	$(if $(COVERAGE),$(BIN)/python -m tests.coverage_report) $(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

test-unit: $(INSTALLED)  ## the quick ones, which load no TensorFlow: under a minute together, on two cores
	$(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder -m "not slow and not road and not mnist"

test-gpu: $(INSTALLED)  ## what docs/train.md is to say of --device gpu, on a machine that has one
	$(BIN)/python -m tests.gpu

test-cpus: $(INSTALLED)  ## the shipped models on emulated CPUs and this one, the edge part on a Pi's (needs qemu-user and gcc)
	$(BIN)/python -m tests.cpus.guests build
	$(BIN)/pytest tests/cpus/emulated.py tests/remote/emulated.py

cpus: $(INSTALLED)  ## docs/cpus.md and docs/arm64-cost.md: what came out there (needs qemu-user and gcc)
	$(BIN)/python -m tests.cpus.pages

kill: $(INSTALLED)  ## verbs killed at every write and at random, half an hour at most; docs/robustness.md
	$(BIN)/python -m tests.kill

fuzz: $(INSTALLED)  ## 10,000 damaged files, to every reader and verb; docs/robustness.md
	$(BIN)/python -m tests.fuzz

photos: $(INSTALLED)  ## digits in photos of twenty kinds, how many are read right; docs/predict.md (needs the full MNIST)
	$(BIN)/python -m tests.digits

tasks: $(INSTALLED)  ## tables, sensors, sound and images, from data to device; docs/tasks.md
	$(BIN)/python -m tests.tasks

docs: $(INSTALLED)  ## docs/commands.md anew, then the site
	$(BIN)/python -m tests.command_reference
	$(MAKE) site

site: $(INSTALLED)  ## the pages as a site, in site/: a broken link is an error
	$(BIN)/python $(PIP_INSTALL) --group docs
	rm -rf build/pages site
	mkdir -p build/pages
	cp --parents *.md docs/*.md docs/example.py docs/*.png docs/*.svg exported/*/*.md exported/*/*.png exported/*/charts/*.png build/pages
	$(BIN)/zensical build --strict --clean

check: $(INSTALLED)  ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(INSTALLED)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# By uv, in a fifth of the time; by pip where uv reaches no index (it does not read what pip is configured to).
DEVELOPMENT := --build-constraint constraints.txt --editable '.[train,serve]' --group dev
$(INSTALLED): pyproject.toml constraints.txt
	@$(call environment,$(VENV))
	$(BIN)/python $(PIP_INSTALL) --upgrade pip uv
	$(BIN)/uv pip install --python $(BIN)/python --quiet --constraint constraints.txt $(DEVELOPMENT) || \
		$(BIN)/python $(PIP_INSTALL) --no-compile $(DEVELOPMENT)
	touch $@

edge: $(EDGE)/.installed  ## what a device installs, without TensorFlow: what works here, and the shipped models on it
	$(EDGE)/bin/toolkit doctor
	$(EDGE)/bin/toolkit verify --golden
	$(EDGE)/bin/toolkit bench

$(EDGE)/.installed: pyproject.toml constraints.txt
	@$(call environment,$(EDGE))
	$(EDGE)/bin/python $(PIP_INSTALL) --no-compile --upgrade pip
	$(EDGE)/bin/python $(PIP_INSTALL) --no-compile --build-constraint constraints.txt --editable '.[edge]'
	touch $@

dist: $(INSTALLED)  ## the wheel and the source archive, in dist/
	$(BIN)/python -m hatchling build

benchmark: $(INSTALLED)  ## figures of docs/measurements.md that are ratios; run it with nothing else running
	$(BIN)/python tests/benchmarks/training_speed.py
	$(BIN)/python tests/benchmarks/help_speed.py
	$(BIN)/python tests/benchmarks/verify_memory.py
	$(BIN)/python tests/benchmarks/many_photos.py
	$(BIN)/python -m tests.benchmarks.applications
	$(BIN)/python tests/benchmarks/worker_cost.py
	$(BIN)/python tests/benchmarks/study_overhead.py
	$(BIN)/python tests/benchmarks/edge_footprint.py
	$(BIN)/python tests/benchmarks/serve_load.py
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --group rivals
	$(BIN)/python tests/benchmarks/disturbance.py
	$(BIN)/toolkit certify exported/cnn/cnn-int8.tflite
	$(BIN)/python tests/benchmarks/busy_core.py exported/cnn/cnn-int8.tflite
	$(BIN)/python tests/benchmarks/against_others.py

# To record the runs anew, with nothing else running: rm docs/run.txt
picture: $(INSTALLED)  ## docs/run.svg: of the run that docs/run.txt is the record of
	$(BIN)/python docs/picture.py

# Hours, on two cores. Called again, it goes on where it was.
study: $(INSTALLED)  ## exported/study/: training choices compared on the full MNIST
	$(BIN)/toolkit study --data mnist --epochs 20,100 --jobs 2 --output exported/study

exported: $(INSTALLED)  ## exported/cnn, mlp and tiny: made again from their Keras originals, verified and timed
	$(BIN)/toolkit export exported/cnn exported/mlp
	$(BIN)/toolkit export --format tflite,onnx,c exported/tiny
	$(BIN)/toolkit verify --save --margin 0.1
	$(BIN)/toolkit bench

# Trained on the full MNIST, about an hour on two cores; 'make exported' then verifies them. The seed of the CNN is the
# one of 0 to 3 with the lowest validation loss after 12 epochs.
trained: runs/cnn-full/metrics.json runs/mlp-full/metrics.json  ## exported/cnn and exported/mlp: trained anew
	$(BIN)/toolkit export cnn-full mlp-full

runs/cnn-full/metrics.json: | $(INSTALLED)
	$(BIN)/toolkit train --data mnist --model cnn --seed 1 --name cnn-full

runs/mlp-full/metrics.json: | $(INSTALLED)
	$(BIN)/toolkit train --data mnist --model mlp --name mlp-full

# A search ends after TRIALS candidates, or after HOURS, which count while it runs; the last trainings follow, however
# long they take. Called again, it goes on where it was. What it finds depends on the clock only if HOURS end it first.
HOURS ?= 6
TRIALS ?= 60
LONG := --trials $(TRIALS) --hours $(HOURS) --epochs 8 --warmup 2 --average 0.999 --qat
# What a search has found and how, in exported/search-….
reported = mkdir -p exported/$(1:tiny-%=search-%) && \
	cp -r $(addprefix runs/$(1)/,search.md search.html charts) exported/$(1:tiny-%=search-%)
# The smallest network of a search that is surely as good as the CNN.
FOUND := import json, sys; proof = json.load(sys.stdin)["proof"]; members = proof["members"] if proof else []; \
	found = [one["name"] for one in members if one["as_good"] and one["verdict"] != "fail"]; \
	print(*found[:1] or sys.exit("nothing was found that is surely as good as the CNN"))

# Exit code 1 of the search: 99.3 % are not shown. What is surely as good as the CNN is exported all the same.
exported-tiny: $(INSTALLED)  ## exported/tiny: the smallest network that is surely as good as the CNN, searched on the full MNIST
	$(BIN)/toolkit search --data mnist --name tiny-mnist $(LONG) --max-size 16kB --max-macs 0.42M \
		--max-instructions 0.2035M --min-accuracy 99.3 --final-epochs 120 --augment shift=0.07,rotate,zoom || test $$? = 1
	found=$$($(BIN)/toolkit search --show tiny-mnist --json | $(BIN)/python -c '$(FOUND)') && \
		$(BIN)/toolkit export --format tflite,onnx,c tiny-mnist/$$found
	$(BIN)/toolkit verify --save --margin 0.1 exported/tiny
	$(call reported,tiny-mnist)

FINALISTS ?= 6
tiny-fashion: $(INSTALLED)  ## exported/search-fashion: the front of size and accuracy on Fashion-MNIST
	$(BIN)/toolkit search --data fashion-mnist --name tiny-fashion $(LONG) --max-size 32kB \
		--finalists $(FINALISTS) --final-epochs 60 --augment shift=0.07,zoom,flip
	$(call reported,tiny-fashion)

clean:
	rm -rf $(VENV) $(EDGE) dist build site .cache .mypy_cache .pytest_cache .ruff_cache
