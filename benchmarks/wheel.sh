#!/bin/sh
# Build the wheel, install it alone into a bare environment, and run commands of the README from a folder without the sources.
# Usage: sh benchmarks/wheel.sh UV PYTHON
set -eu
uv=$1
python=$2
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
study=$PWD/examples/school
"$uv" build --quiet --wheel --out-dir "$made"
"$uv" venv --quiet --python "$python" "$made/bare"
"$uv" pip install --quiet --python "$made/bare" "$made"/*.whl
cd "$made"
for call in "--version" "--help" "theory list" "theory validate framework" "evidence claims" "evidence list" "check $study" \
	"dynamics gains hub" "simulate --design haifa simulated-haifa"; do
	echo "dyadloop $call"
	# shellcheck disable=SC2086
	"$made/bare/bin/dyadloop" $call >"$made/out" 2>&1 || { cat "$made/out"; exit 1; }
done
