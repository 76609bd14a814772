#!/bin/sh
# On a machine with a CUDA device: conformance on the true driver, compute-sanitizer, benchmarks. It
# prints a table for bench/results. CPATH and LIBRARY_PATH come from make gpu-check; the
# library found there serves the link alone, the program loads the driver of the system.
set -eu
cd "$(dirname "$0")/.."
unset LD_LIBRARY_PATH RSIE_EMU_SEED RSIE_EMU_LOG
if ! command -v nvidia-smi >/dev/null || ! nvidia-smi >/dev/null 2>&1; then
	echo "gpu-check: no CUDA device here (nvidia-smi); make test-cuda needs none" >&2
	exit 1
fi
bin=../bin/cuda
go test -tags cuda -c -o "$bin/gpu.test" .
echo "| what | result |"
echo "|---|---|"
echo "| device, driver | $(nvidia-smi --query-gpu=name,driver_version,clocks.max.sm,clocks.max.mem --format=csv,noheader | head -1) |"
echo "| commit, date | $(git rev-parse --short HEAD), $(date -u +%Y-%m-%d) |"
row() { # name, command...
	name=$1
	shift
	if "$@" >"$bin/check.txt" 2>&1; then result=pass; else result="FAIL: $(tail -1 "$bin/check.txt")"; fi
	echo "| $name | $result |"
}
row "the bits of the native backend" "$bin/gpu.test" -test.count=1
if command -v compute-sanitizer >/dev/null; then
	for tool in memcheck racecheck synccheck initcheck; do
		row "compute-sanitizer $tool" compute-sanitizer --tool "$tool" --error-exitcode 1 "$bin/gpu.test" -test.run "TestConform/(dynamics|elman|gru|width|matrices)"
	done
else
	echo "| compute-sanitizer | not installed |"
fi
"$bin/gpu.test" -test.run '^$' -test.bench . | grep '^Benchmark' | while read -r name rest; do
	echo "| $name | $rest |"
done
