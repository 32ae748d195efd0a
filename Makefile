# `make demo` and `make test` are all that a newcomer needs; each sets up .venv by itself.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
DEMO := demo_output
WORK := $(DEMO)/work
LARGE ?= $(DEMO)/large
LANGUAGES := English Urdu
SPEECH_DATA ?= data
FACE_DATA ?= data/faces
GOLDEN ?= data/golden/published_methods.npz
LIBRISPEECH ?= LibriSpeech/train-clean-100

.PHONY: help demo test test-faults lint licences fuzz format lock encoders bench bench-speech bench-faces bench-scoring bench-training bench-embeddings bench-cleaning bench-treatments table-methods clean

help:  ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 26

# A new environment only when the lock has changed. uv comes first, from the lock's own version; where
# Python was packaged without venv, uv makes the environment instead.
$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "voxface needs Python 3.10 or newer; name one with make PYTHON=python3.11")'
	@echo "setting up .venv from requirements.lock (several GB at the first time)"
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv 2>/dev/null || { rm -rf .venv; \
		$(PYTHON) -m pip install --quiet --target .uv "$$(grep -oE '^uv==[0-9.]+' requirements.lock)" && \
		.uv/bin/uv venv --quiet --seed --python $(PYTHON) .venv && rm -rf .uv; }
	@[ -x $(BIN)/uv ] || $(BIN)/python -m pip install --quiet --disable-pip-version-check \
		"$$(grep -oE '^uv==[0-9.]+' requirements.lock)"
	@$(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes --python $(BIN)/python requirements.lock
	@touch $(READY)

demo: $(READY)  ## the generated world, from raw media to a submission and a report
	$(BIN)/python -m demo $(DEMO)/world --size small
	$(BIN)/python -m preprocessing $(DEMO)/world/dataset --out $(WORK)
	$(BIN)/python -m features $(WORK)
	for language in $(LANGUAGES); do \
		$(BIN)/python train.py configs/best.yaml --features $(WORK)/features --language $$language --out checkpoints/demo_$$language || exit; done
	$(BIN)/python inference.py submit --dataset $(DEMO)/world/dataset --features $(WORK)/features \
		$(foreach language,$(LANGUAGES),--checkpoint $(language)=checkpoints/demo_$(language)) \
		--unscorable median --out $(DEMO)/submission.zip
	$(BIN)/python inference.py evaluate --scores $(DEMO)/submission.zip --truth $(DEMO)/world/truth
	$(BIN)/python inference.py report --submission $(DEMO)/submission.zip --truth $(DEMO)/world/truth \
		$(foreach language,$(LANGUAGES),--checkpoint $(language)=checkpoints/demo_$(language)) \
		--dataset $(DEMO)/world/dataset --work $(WORK) \
		--metadata $(DEMO)/world/truth/identities.csv --by sex appearance_group age:1 --out $(DEMO)/report.html

test: $(READY)  ## every test, the whole pipeline on a tiny world among them
	$(BIN)/python -m pytest

test-faults: $(READY)  ## kill every stage again and again, stop a node of a cluster, scan millions of files (docs/reliability.md); half an hour
	$(BIN)/python -m benchmarks.faults --out benchmarks/results/faults.json

lint: $(READY)  ## style and types; licences and known vulnerabilities of the packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/python -m checks.dependencies licences
	$(BIN)/python -m checks.dependencies vulnerabilities

licences: $(READY)  ## write docs/licences.md
	$(BIN)/python -m checks.dependencies licences --out docs/licences.md

fuzz: $(READY)  ## damaged files into everything that reads, some minutes (docs/reliability.md)
	$(BIN)/python -m benchmarks.fuzz --out benchmarks/results/fuzz.json

format: $(READY)  ## lay the code out and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(READY)  ## renew requirements.lock from the ranges in requirements*.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --upgrade \
		--custom-compile-command "make lock" requirements.txt requirements-dev.txt --output-file requirements.lock
	$(MAKE) $(READY)

encoders: $(READY)  ## train the embedded networks anew; LIBRISPEECH=DIR names the folder of real speakers
	@[ -d "$(LIBRISPEECH)" ] || { echo "no folder '$(LIBRISPEECH)': make encoders LIBRISPEECH=DIR, LibriSpeech's train-clean-100 (https://www.openslr.org/12)"; exit 1; }
	$(BIN)/python -m demo $(DEMO)/corpus --size none --pretraining
	$(BIN)/python train.py configs/encoders/ecapa-compact.yaml --media $(DEMO)/corpus/pretraining --media $(LIBRISPEECH) \
		--out $(DEMO)/corpus/ecapa-first
	$(BIN)/python train.py configs/encoders/ecapa-compact-long.yaml --media $(DEMO)/corpus/pretraining --media $(LIBRISPEECH) \
		--set start_from=$(DEMO)/corpus/ecapa-first --out $(DEMO)/corpus/ecapa-second
	$(BIN)/python train.py configs/encoders/ecapa-compact-labels.yaml --media $(DEMO)/corpus/pretraining --media $(LIBRISPEECH) \
		--set start_from=$(DEMO)/corpus/ecapa-second --out $(DEMO)/corpus/ecapa-third
	$(BIN)/python train.py configs/encoders/ecapa-compact-whitened.yaml --media $(DEMO)/corpus/pretraining --media $(LIBRISPEECH) \
		--set start_from=$(DEMO)/corpus/ecapa-third --out checkpoints/embedded/ecapa-compact
	$(BIN)/python train.py configs/keynote.yaml --media $(DEMO)/corpus/pretraining --media $(LIBRISPEECH) \
		--set encoder=$(DEMO)/corpus/ecapa-second --out checkpoints/embedded/keynote-compact
	$(BIN)/python train.py configs/encoders/face-compact.yaml --media $(DEMO)/corpus/pretraining --out $(DEMO)/corpus/face-first
	$(BIN)/python train.py configs/encoders/face-compact-long.yaml --media $(DEMO)/corpus/pretraining \
		--set start_from=$(DEMO)/corpus/face-first --out checkpoints/embedded/face-compact

bench: $(READY)  ## measure the demo: keynote extraction, and where the error comes from
	$(BIN)/python -m benchmarks.keynote $(WORK) $(DEMO)/world/truth --out benchmarks/results/keynote.json
	$(BIN)/python -m benchmarks.gap $(DEMO)/world/dataset $(WORK) $(DEMO)/world/truth --out benchmarks/results/gap.json

bench-speech: $(READY)  ## measure the speech front end on real speech: make bench-speech SPEECH_DATA=FOLDER (docs/speech.md)
	$(BIN)/python -m benchmarks.speech $(SPEECH_DATA) --out benchmarks/results/speech.json

bench-faces: $(READY)  ## measure the face front end on photographs: make bench-faces FACE_DATA=FOLDER, after make demo (docs/faces.md)
	@[ -d "$(FACE_DATA)" ] || { echo "no folder '$(FACE_DATA)': make bench-faces FACE_DATA=DIR, the photographs that benchmarks/truth/shared_faces.csv names"; exit 1; }
	$(BIN)/python -m benchmarks.faces $(FACE_DATA) --out benchmarks/results/faces.json \
		$(if $(wildcard $(WORK)/face/manifest),--world $(WORK) $(DEMO)/world/truth)

bench-embeddings: $(READY)  ## measure the features stage: make bench-embeddings SPEECH_DATA=FOLDER (docs/features.md)
	$(BIN)/python -m benchmarks.embeddings $(SPEECH_DATA) --out benchmarks/results/embeddings.json

bench-cleaning: $(READY)  ## what each way of cleaning does to the face-voice error of a generated world (docs/speech.md)
	$(BIN)/python -m demo $(DEMO)/cleaning --size small --seed 7
	$(BIN)/python -m benchmarks.cleaning_choice $(DEMO)/cleaning --out benchmarks/results/cleaning_choice.json

bench-treatments: $(READY)  ## what may be done to scores beyond the model's own, after make demo (docs/scoring.md)
	for language in $(LANGUAGES); do \
		$(BIN)/python train.py configs/fop.yaml --features $(WORK)/features --language $$language --out $(DEMO)/fop_$$language || exit; done
	$(BIN)/python -m benchmarks.treatments $(DEMO)/world/dataset $(WORK)/features $(DEMO)/world/truth \
		--system $(foreach language,$(LANGUAGES),checkpoints/demo_$(language)) \
		--system $(foreach language,$(LANGUAGES),$(DEMO)/fop_$(language)) --out benchmarks/results/treatments.json

table-methods: $(READY)  ## every method on the large world, 5 seeds: make table-methods LARGE=DIR, in which the world and its work folder are made
	$(BIN)/python -m demo $(LARGE)/world --size large
	$(BIN)/python -m preprocessing $(LARGE)/world/dataset --out $(LARGE)/work
	$(BIN)/python -m features $(LARGE)/work
	$(BIN)/python -m benchmarks.methods $(LARGE)/world $(LARGE)/work $(LARGE)/runs --out benchmarks/results/methods.json

bench-training: $(READY)  ## measure the training loop beside the published loops' way of feeding (docs/training.md)
	$(BIN)/python -m benchmarks.training

bench-scoring: $(READY)  ## measure the measures: speed, exactness, memory (docs/protocols.md); GOLDEN=FILE adds published numbers
	$(BIN)/python -m benchmarks.scoring --out benchmarks/results/scoring.json $(if $(wildcard $(GOLDEN)),--golden $(GOLDEN))

clean:  ## remove what the demo made
	rm -rf $(DEMO) $(foreach language,$(LANGUAGES),checkpoints/demo_$(language))
