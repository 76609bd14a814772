#!/bin/sh
# Reads one JSON line per batch and answers one with the fitness of every point: the area of a
# box for a given volume. A point is log(width), log(depth) of a box that holds one litre; the
# cost is its surface in square decimetres, plus a quarter for the lid. awk does the arithmetic.
while IFS= read -r line; do
	printf '%s\n' "$line" | awk '{
		sub(/.*"points":\[\[/, ""); sub(/\]\].*$/, "")
		n = split($0, points, /\],\[/)
		for (i = 1; i <= n; i++) {
			split(points[i], x, ",")
			width = exp(x[1]); depth = exp(x[2]); height = 1 / (width * depth)
			area = 2.25 * width * depth + 2 * height * (width + depth)
			answer = answer (i > 1 ? "," : "") sprintf("%.17g", area)
		}
		print "{\"fitness\":[" answer "]}"
	}'
done
