#!/bin/sh
# Runs every fuzzer of the repository for a while: fuzz.sh TIME
set -eu

grep -rl --include='*_test.go' '^func Fuzz' . | while read -r file; do
	sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file" | while read -r name; do
		echo "$(dirname "$file") $name"
		go test -run '^$' -fuzz "^$name\$" -fuzztime "$1" -fuzzminimizetime 1s "$(dirname "$file")"
	done
done
