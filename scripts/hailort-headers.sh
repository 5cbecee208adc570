#!/bin/sh
# Checks that HailoRT can be built against: hailort-headers.sh INCLUDE LIB
# Prints the release of the library that lies in LIB.
set -eu

include=$1
lib=$2
oldest=5.1.0

# fail WHAT WHAT-TO-DO
fail() {
	printf 'make worker-hailort: %s\n    %s\n' "$1" "$2" >&2
	exit 1
}
install="install HailoRT $oldest or newer: \"apt install h10-hailort\" on Raspberry Pi OS (hailo-h10-all has the driver too), or Hailo's own package hailort; set HAILORT_INCLUDE and HAILORT_LIB where it lies elsewhere"

[ -f "$include/hailo/hailort.hpp" ] || fail "$include/hailo/hailort.hpp is missing" "$install"
[ -f "$include/hailo/genai/speech2text/speech2text.hpp" ] || fail "the headers in $include/hailo are older than HailoRT $oldest" "$install"
# The link without a version, which the linker wants, names the release.
[ -e "$lib/libhailort.so" ] || fail "$lib/libhailort.so is missing" "$install"
release=$(basename "$(readlink -f "$lib/libhailort.so")")
release=${release#libhailort.so.}
case $release in
[0-9]*.[0-9]*.[0-9]*) ;;
*) fail "$lib/libhailort.so does not lead to a library with a version (libhailort.so.5.1.1)" "$install" ;;
esac
first=$(printf '%s\n%s\n' "$oldest" "$release" | sort -V | head -n 1)
[ "$first" = "$oldest" ] || fail "HailoRT $release is in $lib" "$install"
printf '%s\n' "$release"
