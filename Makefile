# Two commands do all the set-up, in .venv beside this file; with another Python: make PYTHON=python3.13 demo
.POSIX:
PYTHON = python3
# Words for pytest: make test ARGS="-k golden"
ARGS =
WORKERS = 2

help:
	@echo "make demo   .venv, msroi in it, and its demo: a photo, its map, plain JPEG and ours, a page"
	@echo "make test   the same with what the tests need (the extra 'test'), and the tests"

demo: environment
	@"$(PYTHON)" building/environment.py
	@.venv/bin/python -m msroi demo

test: environment
	@"$(PYTHON)" building/environment.py test
	@.venv/bin/python -m pytest -n $(WORKERS) --dist loadfile --most-skipped 20 $(ARGS)

environment:
	@command -v "$(PYTHON)" >/dev/null || { echo "msroi: no $(PYTHON) here; install Python 3.11 or later (apt install python3 python3-venv)" >&2; exit 1; }

.PHONY: help demo test environment
