#!/bin/sh
# The demonstration behind `make demo`. See demo.py.
set -eu
cd "$(dirname "$0")/../.."
tests/e2e/setup.sh
exec target/e2e-venv/bin/python tests/demo/demo.py
