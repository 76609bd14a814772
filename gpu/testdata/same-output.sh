#!/bin/sh
# Runs the program given on the native backend and on CUDA and compares what it prints.
set -eu
rsie=$1
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
echo "native and cuda print and write the same"
