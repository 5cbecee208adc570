#!/bin/sh
# Tests the HailoRT worker against the double of the library, twice: with the
# race detector, and with AddressSanitizer in everything. Needs Go, g++ and make.
set -eu
cd "$(dirname "$0")/.."

packages="./hailort/... ./cmd/hailo-worker-hailort"
headers="-I$PWD/hailort/double/include"
plain=$PWD/lib/hailort-double
asan=$PWD/lib/hailort-double-asan

make -s -C hailort/double surface
make -s -C hailort/double OUT="$plain"
make -s -C hailort/double OUT="$asan" FLAGS="-fsanitize=address -fno-omit-frame-pointer"
make -s -C hailort/double OUT="$asan" FLAGS="-fsanitize=address -fno-omit-frame-pointer" selftest

# The tests mostly wait for what they delay: more of them at a time than cores.
export CGO_ENABLED=1
export CGO_CXXFLAGS="-O1 -g -Werror $headers"
# shellcheck disable=SC2086 # a list of packages
{
	CGO_LDFLAGS="-L$plain" go vet -tags hailort $packages
	CGO_LDFLAGS="-L$plain" go tool -modfile=tools/go.mod staticcheck -tags hailort $packages
	CGO_LDFLAGS="-L$plain" go test -tags hailort -race -count=1 -parallel 4 $packages
	CGO_LDFLAGS="-L$asan" CGO_CXXFLAGS="$CGO_CXXFLAGS -fsanitize=address -fno-omit-frame-pointer" \
		go test -tags hailort -asan -count=1 -parallel 4 $packages
}
