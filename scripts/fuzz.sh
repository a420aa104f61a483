#!/bin/bash
# Runs every fuzz target of the module, one after the other, for the time that
# is given (default 10s) each.
set -eu
cd "$(dirname "$0")/.."
go=${GO:-go}
time=${1:-10s}

targets=0
while IFS=: read -r file declaration; do
	name=${declaration#func }
	echo "fuzz: ${file%/*} $name"
	# By default Go spends up to a minute on each new input to make it smaller:
	# inputs as long as some of these would leave no time to look for others.
	$go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 1s "${file%/*}" </dev/null
	targets=$((targets + 1))
done < <(grep -roE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | sort)
echo "fuzz: $targets targets, $time each, nothing found"
