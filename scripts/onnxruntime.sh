#!/bin/sh
# Puts libonnxruntime.so.1 into a folder, from the npm package that
# third_party/onnxruntime pins by version and hash.
#
#   onnxruntime.sh FOLDER [x64|arm64]
set -eu

target=$1
arch=${2:-}
pin=third_party/onnxruntime

if [ -z "$arch" ]; then
	case $(uname -m) in
	x86_64) arch=x64 ;;
	aarch64) arch=arm64 ;;
	*)
		echo "ONNX Runtime: no library for $(uname -m); set HAILO_ONNXRUNTIME_LIB to one of your own" >&2
		exit 1
		;;
	esac
fi

# The stamp says which pin the library came from: a new pin replaces it.
stamp="$(cksum <"$pin/package-lock.json") $arch"
if [ -f "$target/libonnxruntime.so.1" ] && [ "$(cat "$target/stamp" 2>/dev/null)" = "$stamp" ]; then
	exit 0
fi
command -v npm >/dev/null || {
	echo "npm is missing: apt install npm" >&2
	exit 1
}

echo "fetching ONNX Runtime (once, about 80 MB)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$pin/package.json" "$pin/package-lock.json" "$pin/.npmrc" "$work/"
(cd "$work" && npm ci --no-progress --loglevel=error >/dev/null)
library=$work/node_modules/onnxruntime-node/bin/napi-v6/linux/$arch/libonnxruntime.so.1
[ -f "$library" ] || {
	echo "the package has no libonnxruntime.so.1 for linux/$arch" >&2
	exit 1
}
mkdir -p "$target"
cp "$library" "$target/libonnxruntime.so.1.new"
mv "$target/libonnxruntime.so.1.new" "$target/libonnxruntime.so.1"
printf '%s\n' "$stamp" >"$target/stamp"
