#!/usr/bin/env bash
# Make the environment for `make run` (argument: run) or `make test` (argument: test), and nothing that is there already.
#
# Needs Python 3.11 or later and, for what Debian keeps in packages of their own (python3-venv, chromium), either root,
# sudo without a password, or somebody who installed them before. Every failure is one sentence saying what to do.
set -euo pipefail
cd "$(dirname "$0")/.."

purpose="${1:-run}"
case "$purpose" in
    run) lock=requirements.txt ;;
    test) lock=requirements-dev.txt ;;
    *) echo "setup: the argument must be 'run' or 'test', not '$purpose'." >&2; exit 2 ;;
esac

say() { echo "setup: $*" >&2; }
fail() { echo "setup: $*" >&2; exit 1; }

# One setup at a time: `make run` in one terminal and `make test` in another share the environment.
exec 9<scripts/setup.sh
if command -v flock >/dev/null; then flock 9; fi

apt_updated=""
# apt_install PACKAGE: true if the package could be installed. Never asks a question.
apt_install() {
    command -v apt-get >/dev/null || return 1
    local root=()
    if [ "$(id -u)" != 0 ]; then
        sudo -n true 2>/dev/null || return 1
        root=(sudo -n)
    fi
    if [ -z "$apt_updated" ]; then
        "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null >&2 || true
        apt_updated=yes
    fi
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" </dev/null >&2
}

is_recent() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# PYTHON may name the interpreter to use; otherwise the newest known to work comes first.
find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3.11 python3.12 python3.13 python3; do
        if command -v "$candidate" >/dev/null && is_recent "$candidate"; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

make_venv() {
    local python
    python="$(find_python)" || fail "Marginalia needs Python 3.11 or later, and none is on PATH; install it, or set PYTHON to its path."
    if [ -x .venv/bin/python ] && is_recent .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1; then
        return
    fi
    say "making .venv with $("$python" --version)"
    rm -rf .venv
    if ! "$python" -m venv .venv >/dev/null 2>&1; then
        # Debian's python3 comes without ensurepip, which is in a package named after the version.
        rm -rf .venv
        local version
        version="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
        say "this Python cannot make environments yet; installing Debian's python$version-venv"
        apt_install "python$version-venv" || apt_install python3-venv \
            || fail "python$version cannot make a virtual environment because Debian's python$version-venv is missing; install it with: apt-get install python$version-venv"
        "$python" -m venv .venv || fail "$python -m venv .venv failed although python$version-venv is installed; the lines above say why."
    fi
}

# The stamp names the interpreter and the content of the lock file, so that a changed lock or Python installs anew and
# an unchanged one costs a few milliseconds.
stamp_of() {
    { .venv/bin/python -c 'import sys; print(sys.version)'; cat "$1"; } | sha256sum | cut -d' ' -f1
}

pip_install() {
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r "$1" </dev/null
}

# The version that requirements-dev.txt pins.
install_uv() {
    if [ -x .venv/bin/uv ]; then return; fi
    awk '/^[a-z]/ { here = /^uv==/ } here' requirements-dev.txt > .venv/uv.txt
    pip_install .venv/uv.txt
}

install_lock() {
    local stamp=".venv/.installed-$purpose" wanted
    wanted="$(stamp_of "$lock")"
    if [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ]; then return; fi
    say "installing $lock (a minute or two the first time)"
    # uv takes a third of pip's time, but knows nothing of pip's settings: behind a mirror it may not get far.
    { install_uv && .venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r "$lock" </dev/null; } \
        || pip_install "$lock" || fail "pip could not install $lock; its message above says which package and why."
    rm -f .venv/.installed-*
    echo "$wanted" > "$stamp"
    # What tests need includes what running needs, in the same versions.
    if [ "$purpose" = test ]; then
        stamp_of requirements.txt > .venv/.installed-run
    fi
}

# Pictures are exported by chromium; the browser tests go through pages with its headless shell, in three fifths of the
# processor time, where that can be had, and with chromium itself elsewhere.
ensure_chromium() {
    if command -v chromium >/dev/null && command -v chromium-headless-shell >/dev/null; then return; fi
    say "installing Debian's chromium for the browser tests and picture exports"
    apt_install chromium chromium-headless-shell fonts-liberation || apt_install chromium fonts-liberation || true
    command -v chromium >/dev/null \
        || fail "the browser tests need Debian's chromium, which is not on PATH and could not be installed here; install it with: apt-get install chromium"
}

make_venv
install_lock
if [ "$purpose" = test ]; then ensure_chromium; fi
