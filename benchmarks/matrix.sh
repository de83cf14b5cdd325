#!/bin/sh
# The tests that need no long computation on every supported Python: with the lock, the oldest and the newest allowed packages.
# Usage: sh benchmarks/matrix.sh UV [TESTS...]. Exit codes: 0 all green; 1 something is red; 3 what ran is green, but an
# interpreter is not on this machine (each is named). PYTHONS and KINDS choose a part, such as PYTHONS=3.13 KINDS=highest.
set -eu
uv=$1
shift
tests=${*:-"tests/theory tests/data tests/evidence tests/measures tests/dynamics"}
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
failed=""
absent=""
# pyenv puts a stand-in on PATH for each version that it keeps; most answer "command not found", so its own folder is asked too.
interpreter() {
	for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python \
		"$("$uv" python find --no-project "$1" 2>/dev/null)"; do
		"$candidate" -c 'import sys; print(sys.executable)' 2>/dev/null && return
	done
	return 1
}
for python in ${PYTHONS:-3.11 3.12 3.13}; do
	found=$(interpreter "$python") || {
		echo "python $python: absent, left out"
		absent="$absent $python"
		continue
	}
	for kind in ${KINDS:-lock lowest-direct highest}; do
		home=$made/$python-$kind
		"$uv" venv --quiet --python "$found" "$home"
		if [ "$kind" = lock ]; then
			"$uv" pip install --quiet --python "$home" --require-hashes -r requirements.lock &&
				"$uv" pip install --quiet --python "$home" --no-deps -e .
		else
			"$uv" pip install --quiet --python "$home" --resolution "$kind" -e '.[dev,sbml,signals,voice]'
		fi || { failed="$failed $python-$kind(not-installed)"; continue; }
		# shellcheck disable=SC2086
		"$home/bin/python" -m pytest -q -m "not slow" -n 2 --dist loadscope $tests && echo "python $python, $kind: green" || failed="$failed $python-$kind"
	done
done
[ -z "$failed" ] || { echo "red:$failed"; exit 1; }
[ -z "$absent" ] || { echo "green, but not tried for want of an interpreter:$absent"; exit 3; }
