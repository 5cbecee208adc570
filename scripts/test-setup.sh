#!/bin/sh
# Installs what the tests need beyond the build: a browser, which drives the
# page, systemd's tools, which check the units, shellcheck, and groff, which reads
# the manual pages. Does nothing when they are there.
set -eu

missing=
command -v "${CHROMIUM:-chromium}" >/dev/null || command -v chromium-browser >/dev/null ||
	command -v google-chrome >/dev/null || missing="$missing chromium"
command -v systemd-analyze >/dev/null || missing="$missing systemd"
command -v shellcheck >/dev/null || missing="$missing shellcheck"
command -v groff >/dev/null || missing="$missing groff-base"
command -v "${CXX:-g++}" >/dev/null || missing="$missing g++"
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
	as_root=sudo
fi
if ! command -v apt-get >/dev/null || { [ -n "$as_root" ] && ! command -v sudo >/dev/null; }; then
	echo "the tests need$missing; please install it" >&2
	exit 1
fi
echo "installing$missing for the tests"
$as_root apt-get update -qq
# shellcheck disable=SC2086 # a list of names
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
