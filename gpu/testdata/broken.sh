#!/bin/sh
# Breaks the kernels and their launch in six ways, one at a time, and prints what notices each. It fails
# where nothing does. Run by make broken, in the root of the repository; bin is the folder that make
# test-cuda filled.
set -eu
bin=$1
cxx=$2
flags=$3
include=$4
dir=$(mktemp -d)
trap 'test ! -f "$dir/list.c" || cp "$dir/list.c" gpu/list.c; rm -rf "$dir"' EXIT
missed=0

# try NAME PROGRAM: runs the tests with the library of $dir and prints the first complaint.
try() {
	for seed in 1 2; do
		if ! (cd gpu && LD_LIBRARY_PATH=$dir RSIE_EMU_SEED=$seed RSIE_EMU_PROCESSORS=2 "$2" -test.failfast \
			-test.run 'TestConform/(members|odd|hand|samples_33)') >"$dir/out" 2>&1; then
			echo "| $1 | seed $seed: $(grep -m1 -oE 'emulated CUDA: .*|[^ ]+/[^ ]+: digest.*' "$dir/out" || tail -1 "$dir/out") |"
			return
		fi
	done
	echo "| $1 | NOT NOTICED |"
	missed=1
}

# broken NAME FILE EXPRESSION [FLAG]: changes a kernel by sed and compiles it for the emulated device.
broken() {
	rm -rf "$dir/kernels"
	cp -r kernels "$dir/kernels"
	sed -i -E "$3" "$dir/kernels/$2"
	if [ -z "${4-}" ] && cmp -s "kernels/$2" "$dir/kernels/$2"; then
		echo "$1: $2 has no such text any more" >&2
		exit 1
	fi
	$cxx $flags ${4-} -DRSIE_EMULATED -include "$dir/kernels/emu/cuda_emulation.h" -I"$include" \
		-c "$dir/kernels/emu/kernels.cpp" -o "$dir/kernels.o"
	$cxx $flags -shared -Wl,-soname,libcuda.so.1 -Wl,-z,now "$dir/kernels.o" "$bin/lib/block.o" "$bin/lib/memory.o" \
		"$bin/lib/missing.o" "$bin/lib/driver.o" -o "$dir/libcuda.so.1"
	try "$1" "$bin/gpu.test"
}

echo "| broken | noticed by |"
echo "|---|---|"
broken "missing barrier" lanes.h '/for \(int width = LANES \/ 2; width > 0; width \/= 2\) \{/,/\}/s/__syncthreads\(\);//'
broken "off by one at the tail" lanes.h '/define EACH.*threadIdx/s/j < \(to\)/j + 1 < (to)/'
broken "wrong stream in the key" mutate.h 's/STREAM_MUTATE\b/STREAM_MUTATE_MASK/'
broken "contraction allowed" lanes.h '' -ffp-contract=fast
broken "unordered sum" lanes.h 's/^\ttree\[l\] = leaf;/\tstatic float total; static int came; if (came++ % LANES == 0) total = 0; total = total + leaf; __syncthreads(); float sum = total; __syncthreads(); return sum;/'
cp gpu/list.c "$dir/list.c"
sed -i 's/size_t size = offsetof.*/size_t size = sizeof arguments;/' gpu/list.c
go test -tags cuda -c -o "$dir/gpu.test" ./gpu
cp "$dir/list.c" gpu/list.c
rm "$dir/list.c"
cp "$bin/lib/libcuda.so.1" "$dir/libcuda.so.1"
try "wrong size of the parameters" "$dir/gpu.test"
exit $missed
