#!/bin/sh
# Learns on the standard suite with default settings from several seeds and judges each winner on
# fresh seeds of the training and validation tasks, and on 40 generated tasks of families that took
# no part. Prints one Markdown section per seed.
#
#	bench/standard.sh RSIE SEED...
set -eu
rsie=$1
shift
folder=${STANDARD_OUT:-standard}
rivals=sep-cma-es,snes,snes-assembled
training=iris,wine,digits,breast_cancer,diabetes,spirals,sines,cartpole_swingup,pendulum,acrobot
validation=penguins,wine_autoencoder,sunspots,opticks,swingup_short,mountaincar
unseen='generated:geometry,resample,series,control?seed=1&count=10'

# judge prints a command, what it says and its cost.
judge() {
	echo
	echo "\`rsie $*\`"
	echo
	echo '```'
	"$rsie" "$@" 2>/dev/null
	echo '```'
}

mkdir -p "$folder"
for seed; do
	run=$folder/seed$seed
	echo
	echo "## Seed $seed"
	began=$(date +%s)
	judge evolve --suite standard --seed "$seed" --out "$run"
	echo
	times >"$folder/times"
	echo "$(($(date +%s) - began)) s on $(nproc) cores; user and system time of all commands so far: $(tail -1 "$folder/times")."
	winner=$run/strategies.json
	judge compare --summary --strategies "$winner,$rivals" --suite standard --tasks $training --runs 10 --seed 777
	judge compare --summary --strategies "$winner,$rivals" --suite standard --tasks $validation --runs 10 --seed 778
	judge compare --summary --strategies "$winner,$rivals" --suite "$unseen" --runs 5 --seed 779
done
