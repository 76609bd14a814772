#!/bin/sh
# Runs the program given on the native backend and on CUDA and compares what it prints: trained models with
# all their files, and the digest of a small search on the quick suite, from every variant of the CPU too.
set -eu
rsie=$1
unset RSIE_CPU RSIE_REQUIRE_BACKEND
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for backend in native cuda; do
	for task in iris acrobot; do
		"$rsie" train "$task" --backend "$backend" --seed 1 --budget 2000 --runs 2 --out "$dir/$backend-$task" >"$dir/$backend-$task.txt"
		sed -i "s/$backend-$task/OUT/g" "$dir/$backend-$task.txt"
	done
done
for task in iris acrobot; do
	cmp "$dir/native-$task.txt" "$dir/cuda-$task.txt"
	diff -r "$dir/native-$task" "$dir/cuda-$task"
done

digest() { # where, backend
	RSIE_REQUIRE_BACKEND=$2 "$rsie" evolve --suite quick --backend "$2" --seed 1 --meta-population 4 --candidates 4 \
		--meta-generations 1 --base-budget 60 --runs-per-task 1 --final-runs 2 --out "$dir/$1" 2>"$dir/$1.err" |
		grep '^digest ' || cat "$dir/$1.err" >&2
}
cuda=$(digest evolve-cuda cuda)
test -n "$cuda"
for cpu in scalar avx2 avx512; do
	grep -q "$(echo $cpu | sed 's/scalar/./;s/avx512/avx512dq/')" /proc/cpuinfo || continue
	native=$(RSIE_CPU=$cpu digest "evolve-$cpu" native)
	test "$native" = "$cuda" || { echo "evolve: $cpu has $native, cuda has $cuda" >&2; exit 1; }
done
echo "native and cuda print and write the same; evolve: $cuda"
