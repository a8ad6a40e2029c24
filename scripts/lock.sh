#!/usr/bin/env bash
# Resolve requirements*.in into requirements*.txt: every package pinned, every file hashed, valid for Python 3.11 and
# later on any platform. Run it (`make lock`) after changing a .in file and commit all four.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-emit-index-url --no-emit-find-links "$1" --output-file "$2" "${@:3}"
}

compile requirements.in requirements.txt
# The second file is constrained by the first, so that tests run against exactly what users run.
compile requirements-dev.in requirements-dev.txt --constraint requirements.txt
