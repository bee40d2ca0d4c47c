#!/bin/sh
# The library of PC/SC readers, for the tests: it has no wheels, so it is compiled where that can be done, else its tests are listed as not run.
set -eu
lock=requirements-pcsc.lock
done=.venv/$lock.installed
[ ! -f "$done" ] || [ "$lock" -nt "$done" ] || exit 0
if .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --require-hashes -r $lock 2>.venv/pyscard.log; then
    touch "$done"
else
    echo "missing: pyscard (apt install gcc swig libpcsclite-dev python3-dev; see .venv/pyscard.log); not run without it: PC/SC readers"
fi
