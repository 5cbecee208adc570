#!/bin/sh
# Installs hailo-device-manager and hailo-depth on this machine, upgrades them,
# checks them and removes them. `install.sh --help` says how.
set -eu

usage() {
	cat <<'EOF'
install.sh installs hailo-device-manager and hailo-depth from a built checkout.

Usage: install.sh install|uninstall|verify [options]

  install    install or upgrade, and start both services
  verify     check the installation, one line for each check
  uninstall  stop the services and remove what was installed

Options:
  --no-start          install: start nothing (the services start with the machine)
  --purge             uninstall: remove settings, logs and caches as well
  --bin-dir DIR       built programs (default: ../bin, or ../bin/arm64 where only that is for this machine)
  --lib-dir DIR       folder of libonnxruntime.so.1 (default: ../lib/onnxruntime, or ../lib/onnxruntime-arm64)
  --models-dir DIR    folder of models (default: ../models)
  --prefix-root DIR   work on a file tree in DIR, for packages and tests: no users, no services
  --help              print this
EOF
}

say() { printf '%s\n' "$*"; }
step() { printf '==> %s\n' "$*"; }

# fail WHAT WHAT-TO-DO
fail() {
	printf 'install.sh: %s\n' "$1" >&2
	printf '    %s\n' "$2" >&2
	exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

here=$(cd "$(dirname "$0")" && pwd)
root=
bin_dir=
lib_dir=
models_dir=$here/../models
start=yes
purge=no

manager_unit=hailo-device-manager.service
depth_unit=hailo-depth.service
group=hailo-device-mgr
socket=/run/hailo/device.sock
list=/usr/lib/hailo/installed-files
limits_dropin=/etc/systemd/system/hailo-depth.service.d/50-resource-limits.conf

options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--bin-dir | --lib-dir | --models-dir | --prefix-root)
			[ -n "${2:-}" ] || fail "$1 needs a folder" "see install.sh --help"
			case $1 in
			--bin-dir) bin_dir=$2 ;;
			--lib-dir) lib_dir=$2 ;;
			--models-dir) models_dir=$2 ;;
			--prefix-root)
				mkdir -p "$2" || fail "$2 cannot be made" "name a folder that you may write to"
				root=$(cd "$2" && pwd)
				# "/" would be the machine itself, without what belongs to it.
				[ "$root" != / ] || fail "--prefix-root / is this machine" "leave the option out to install on it"
				;;
			esac
			shift 2
			;;
		--no-start) start=no; shift ;;
		--purge) purge=yes; shift ;;
		--help | -h) usage; exit 0 ;;
		*) fail "unknown option $1" "see install.sh --help" ;;
		esac
	done
}

need_root() {
	[ -n "$root" ] || [ "$(id -u)" -eq 0 ] || fail "this needs root" "run it with sudo: sudo $0 $command"
}

need_systemd() {
	if [ -z "$root" ] && ! { have systemctl && [ -d /run/systemd/system ]; }; then
		fail "systemd does not run this machine" \
			"install by hand and start the daemons by other means, or use --prefix-root to fill a folder"
	fi
}

# machine FILE: the machine that a program is for, as uname -m calls it. It reads
# the ELF header: four bytes of magic, and at 18 the machine.
machine() {
	[ "$(od -An -tx1 -N4 "$1" | tr -d ' \n')" = 7f454c46 ] || { say "no ELF program"; return; }
	case $(od -An -tu1 -j18 -N1 "$1" | tr -d ' ') in
	62) say x86_64 ;;
	183) say aarch64 ;;
	40) say armv7l ;;
	*) say "another machine" ;;
	esac
}

# defaults finds what was built: here, or elsewhere for a Pi and copied here.
defaults() {
	if [ -z "$bin_dir" ]; then
		bin_dir=$here/../bin
		[ -f "$bin_dir/hailo-depth" ] || [ "$(uname -m)" != aarch64 ] || bin_dir=$bin_dir/arm64
	fi
	if [ -z "$lib_dir" ]; then
		lib_dir=$here/../lib/onnxruntime
		[ -f "$lib_dir/libonnxruntime.so.1" ] || [ "$(uname -m)" != aarch64 ] || lib_dir=$lib_dir-arm64
	fi
}

# check_built leaves in $workers those that there are.
check_built() {
	workers=
	for program in hailo-device-manager hailo-depth; do
		[ -x "$bin_dir/$program" ] || fail "$bin_dir/$program is missing" \
			"build first, on this machine with \"make build\" or on another one with \"make build-arm64\"; or name the folder with --bin-dir"
	done
	for name in onnx hailort sim; do
		[ ! -x "$bin_dir/hailo-worker-$name" ] || workers="$workers hailo-worker-$name"
	done
	case "$workers " in
	*-onnx\ * | *-hailort\ *) ;;
	*) fail "$bin_dir has neither hailo-worker-onnx nor hailo-worker-hailort" "build first: \"make build\" or \"make build-arm64\"" ;;
	esac
	case "$workers " in
	*-onnx\ *)
		[ -f "$lib_dir/libonnxruntime.so.1" ] || fail "$lib_dir/libonnxruntime.so.1 is missing" \
			"get it with \"make onnxruntime\" (\"make onnxruntime-arm64\" for a Pi), or name its folder with --lib-dir"
		;;
	esac
	ls "$models_dir"/*.yaml >/dev/null 2>&1 || fail "$models_dir has no models" "name their folder with --models-dir"
	[ -n "$root" ] || check_runs
}

# check_runs refuses programs that this machine cannot run.
check_runs() {
	ours=$(uname -m)
	for program in hailo-device-manager hailo-depth $workers; do
		theirs=$(machine "$bin_dir/$program")
		[ "$theirs" = "$ours" ] || fail "$bin_dir/$program is for $theirs, and this machine is $ours" \
			"build on this machine with \"make build\"; for a Raspberry Pi elsewhere with \"make build-arm64\""
		rebuild="make build"
		[ "$program" != hailo-worker-hailort ] || rebuild="make worker-hailort" # it is for one release of HailoRT
		output=$("$bin_dir/$program" --help 2>&1) || fail "$bin_dir/$program does not run here: $(say "$output" | head -n 1)" \
			"it was built for another system, perhaps with a newer C library or a 64-bit one: build it on this machine with \"$rebuild\""
	done
}

# put SOURCE TARGET MODE installs a file and notes it. It replaces a file by
# renaming, so that programs that run keep theirs.
put() {
	target=$root$2
	mkdir -p "$(dirname "$target")"
	cp "$1" "$target.new"
	chmod "$3" "$target.new"
	[ -n "$root" ] || chown root:root "$target.new"
	mv -f "$target.new" "$target"
	say "$2" >>"$new_list"
}

install_files() {
	step "programs to /usr/bin and /usr/lib/hailo"
	put "$bin_dir/hailo-device-manager" /usr/bin/hailo-device-manager 0755
	put "$bin_dir/hailo-depth" /usr/bin/hailo-depth 0755
	for worker in $workers; do
		put "$bin_dir/$worker" "/usr/lib/hailo/$worker" 0755
	done
	case "$workers " in
	*-onnx\ *) put "$lib_dir/libonnxruntime.so.1" /usr/lib/hailo/libonnxruntime.so.1 0644 ;;
	*) say "    no hailo-worker-onnx: pictures are worked on by the NPU only" ;;
	esac
	case "$workers " in
	*-hailort\ *) ;;
	*) say "    no hailo-worker-hailort: the CPU does the work, also where there is an NPU" ;;
	esac

	step "models to /usr/share/hailo/models"
	for file in "$models_dir"/*.yaml "$models_dir"/*.onnx "$models_dir"/*.hef; do
		[ ! -f "$file" ] || put "$file" "/usr/share/hailo/models/$(basename "$file")" 0644
	done

	step "units, users, udev rules and documentation"
	put "$here/$manager_unit" "/usr/lib/systemd/system/$manager_unit" 0644
	put "$here/$depth_unit" "/usr/lib/systemd/system/$depth_unit" 0644
	put "$here/sysusers.d/hailo.conf" /usr/lib/sysusers.d/hailo.conf 0644
	put "$here/udev/99-hailo-device-manager.rules" /usr/lib/udev/rules.d/99-hailo-device-manager.rules 0644
	for program in hailo-device-manager hailo-depth; do
		put "$here/man/$program.8" "/usr/share/man/man8/$program.8" 0644
		put "$here/completion/$program" "/usr/share/bash-completion/completions/$program" 0644
	done
	put "$here/README.md" /usr/share/doc/hailo/README.md 0644
	put "$here/hailo-device-manager.yaml" /usr/share/doc/hailo/hailo-device-manager.yaml 0644
	put "$here/hailo-depth.yaml" /usr/share/doc/hailo/hailo-depth.yaml 0644
}

# install_config NAME [OTHER]: settings are the administrator's; a file that is
# there stays, as does the one that the earlier service read.
install_config() {
	file=/etc/hailo/$1
	for there in "$file" ${2:+"$2"}; do
		if [ -e "$root$there" ]; then
			say "    $there is kept; what is new is in /usr/share/doc/hailo/$1"
			return
		fi
	done
	mkdir -p "$root/etc/hailo"
	cp "$here/$1" "$root$file"
	chmod 0644 "$root$file"
	say "    $file is new"
}

# setting SECTION KEY FILE prints a value of a YAML file that is written as the
# examples are: sections at the margin, keys indented, one a line. SECTION "" is
# for keys at the margin.
setting() {
	[ -f "$3" ] || return 0
	awk -v section="$1" -v key="$2" '
		/^[^ #]/ { inside = $1 == section ":" }
		(section == "" ? /^[^ #]/ : inside && /^ /) && $1 == key ":" {
			sub(/^[^:]*:[ \t]*/, "")
			if (/^["\047]/) { quote = substr($0, 1, 1); $0 = substr($0, 2); sub(quote ".*", "") } else sub(/[ \t]*(#.*)?$/, "")
			if ($0 != "null" && $0 != "~") print
			exit
		}' "$3"
}

# read_limits leaves resource_limits of hailo-depth.yaml in $memory and $cpu.
read_limits() {
	memory=$(setting resource_limits memory_max "$root/etc/hailo/hailo-depth.yaml")
	cpu=$(setting resource_limits cpu_quota "$root/etc/hailo/hailo-depth.yaml")
	say "${memory:-1}" | grep -qxE '[0-9]+[KMGT%]?' ||
		fail "resource_limits.memory_max in /etc/hailo/hailo-depth.yaml: $memory is no amount" "write it as 1G, 1536M or 50%, and install again"
	say "${cpu:-1%}" | grep -qxE '[0-9]+%' ||
		fail "resource_limits.cpu_quota in /etc/hailo/hailo-depth.yaml: $cpu is no share" "write it as 200% for two cores, and install again"
}

# install_limits makes settings of the unit of them.
install_limits() {
	if [ -z "$memory$cpu" ]; then
		rm -f "$root$limits_dropin"
		rmdir "$root$(dirname "$limits_dropin")" 2>/dev/null || :
		return
	fi
	mkdir -p "$root$(dirname "$limits_dropin")"
	{
		say "# Written by install.sh from resource_limits in /etc/hailo/hailo-depth.yaml."
		say "[Service]"
		if [ -n "$memory" ]; then
			say "MemoryMax=$memory"
			# The unit's own bounds may be higher, or much lower. Go is told two thirds.
			say "MemoryHigh=infinity"
			limit=$(say "$memory" | awk '/%$/ { exit } {
				n = $0 + 0
				if (/K$/) n *= 1024; else if (/M$/) n *= 1048576; else if (/G$/) n *= 1073741824; else if (/T$/) n *= 1099511627776
				printf "%.0fB", n * 2 / 3
			}')
			[ -z "$limit" ] || say "Environment=GOMEMLIMIT=$limit"
		fi
		[ -z "$cpu" ] || say "CPUQuota=$cpu"
	} >"$root$limits_dropin"
	chmod 0644 "$root$limits_dropin"
	say "$limits_dropin" >>"$new_list"
	say "    limits of hailo-depth:${memory:+ memory $memory}${cpu:+ CPU $cpu}"
}

# remove_file PATH removes an installed file and folders that are left empty.
remove_file() {
	case $1 in
	/usr/* | /etc/systemd/system/*) ;;
	*) fail "$list names $1, where nothing was installed" "correct the list, or remove the files by hand" ;;
	esac
	case $1 in
	*/../*) fail "$list names $1" "correct the list, or remove the files by hand" ;;
	esac
	rm -f "$root$1"
	dir=$(dirname "$1")
	while [ "$dir" != / ]; do
		# Ours only; with --prefix-root the others too, which are of our making.
		case $dir in
		*hailo*) ;;
		*) [ -n "$root" ] || break ;;
		esac
		rmdir "$root$dir" 2>/dev/null || break
		dir=$(dirname "$dir")
	done
}

# finish_list removes what an earlier version installed and this one does not.
finish_list() {
	say "$list" >>"$new_list"
	if [ -f "$root$list" ]; then
		while read -r path; do
			grep -qxF "$path" "$new_list" || remove_file "$path"
		done <"$root$list"
	fi
	cp "$new_list" "$root$list.new"
	chmod 0644 "$root$list.new"
	mv -f "$root$list.new" "$root$list"
}

do_install() {
	need_root
	need_systemd
	defaults
	check_built
	read_limits
	umask 022
	new_list=$(mktemp)
	trap 'rm -f "$new_list"' EXIT
	[ ! -f "$root$list" ] || say "an installation is there: upgrading it"
	install_files
	step "settings to /etc/hailo"
	install_config hailo-device-manager.yaml
	install_config hailo-depth.yaml /etc/xdg/hailo-depth/hailo-depth.json
	install_limits
	finish_list
	if [ -n "$root" ]; then
		say "installed under $root"
		return
	fi

	step "users hailo-device-mgr and hailo-depth"
	systemd-sysusers /usr/lib/sysusers.d/hailo.conf || fail "the users could not be made" \
		"see the message above; systemd-sysusers /usr/lib/sysusers.d/hailo.conf tries again"
	step "udev rules"
	# After the users: udev looks names up when it reads the rules. "change" gives
	# a device that is there to the group, without the restart that "add" means.
	if have udevadm && udevadm control --reload 2>/dev/null; then
		udevadm trigger --action=change --settle --subsystem-match=hailo_chardev --subsystem-match=hailo1x ||
			say "    udev did not settle; the device gets its group when the machine starts"
	else
		say "    udev does not run here; the rules apply when it does"
	fi
	step "services"
	systemctl daemon-reload
	systemctl enable --quiet "$manager_unit" "$depth_unit" || fail "the services could not be enabled" \
		"see the message above; systemctl enable $manager_unit $depth_unit tries again"
	if [ "$start" = no ]; then
		say "installed; start with: systemctl restart $manager_unit $depth_unit"
		return
	fi
	for unit in "$manager_unit" "$depth_unit"; do
		systemctl reset-failed "$unit" 2>/dev/null || : # so that earlier failures do not count
		systemctl restart "$unit" || fail "$unit did not start" "journalctl -u $unit -n 30 says why"
		say "    $unit runs"
	done
	say "installed; check with: $0 verify"
	port=$(setting server port /etc/hailo/hailo-depth.yaml)
	say "try it in a browser: http://$(hostname):${port:-11439}/"
}

do_uninstall() {
	need_root
	if [ ! -f "$root$list" ]; then
		say "nothing is installed: $root$list does not exist"
	else
		if [ -z "$root" ]; then
			need_systemd
			step "stopping the services"
			systemctl disable --now --quiet "$depth_unit" "$manager_unit" || say "    they could not be stopped; going on"
		fi
		step "removing files"
		while read -r path; do
			remove_file "$path"
		done <"$root$list"
		if [ -z "$root" ]; then
			systemctl daemon-reload
			! have udevadm || udevadm control --reload 2>/dev/null || :
		fi
	fi
	if [ "$purge" = yes ]; then
		step "removing settings, logs and caches"
		rm -f "$root/etc/hailo/hailo-device-manager.yaml" "$root/etc/hailo/hailo-depth.yaml"
		rmdir "$root/etc/hailo" 2>/dev/null || :
		[ -z "$root" ] || rmdir "$root/etc" "$root" 2>/dev/null || :
		rm -rf "$root/var/lib/hailo-device-manager" "$root/var/log/hailo" "$root/var/cache/hailo-depth"
	else
		say "settings in /etc/hailo, logs and caches stay; uninstall --purge removes them"
	fi
	[ -n "$root" ] || say "the users hailo-device-mgr and hailo-depth stay: other services may be in their groups"
	say "uninstalled"
}

failures=0

# check WHAT HINT COMMAND...: one line, and the hint when the command fails. It
# leaves in $passed whether it did not.
check() {
	what=$1
	hint=$2
	shift 2
	if "$@" >/dev/null 2>&1; then
		say "ok    $what"
		passed=yes
	else
		passed=no
		say "FAIL  $what"
		say "      $hint"
		failures=$((failures + 1))
	fi
}

# get URL prints the answer; it fails unless that is a success.
get() {
	if have curl; then
		curl -sf --max-time 5 "$1"
	elif have wget; then
		wget -q -T 5 -t 1 -O - "$1"
	else
		return 1
	fi
}

# await_ready URL waits up to half a minute: a model may just be loading.
await_ready() {
	tries=0
	until get "$1"; do
		tries=$((tries + 1))
		[ $tries -lt 15 ] || return 1
		sleep 2
	done
}

has_user() { [ "$(id -gn "$1")" = "$1" ]; }
in_group() { id -Gn "$1" | tr ' ' '\n' | grep -qx "$2"; }
files_there() {
	while read -r path; do
		[ -f "$root$path" ] || { lost=$path; return 1; }
	done <"$root$list"
}
has_mode() { [ "$(stat -c '%a %U %G' "$1")" = "$2" ]; }
worker_runs() { "$1" --help; }

verify_files() {
	check "an installation is there" "run: install.sh install" test -f "$root$list"
	[ $failures -eq 0 ] || return 0
	lost=
	check "all its files are there" "install again: install.sh install" files_there
	[ -z "$lost" ] || say "      missing: $lost"
	for program in hailo-device-manager hailo-depth; do
		check "/usr/bin/$program can be run" "install again: install.sh install" test -x "$root/usr/bin/$program"
	done
}

verify_machine() {
	for name in onnx hailort; do
		[ ! -e "/usr/lib/hailo/hailo-worker-$name" ] || check "hailo-worker-$name runs" \
			"/usr/lib/hailo/hailo-worker-$name --help says what it lacks" worker_runs "/usr/lib/hailo/hailo-worker-$name"
	done
	hint="make the users: systemd-sysusers /usr/lib/sysusers.d/hailo.conf"
	check "user and group $group" "$hint" has_user "$group"
	check "user and group hailo-depth" "$hint" has_user hailo-depth
	check "hailo-depth is in the group $group" "$hint" in_group hailo-depth "$group"
	check "settings of hailo-device-manager" "hailo-device-manager --check-config names the wrong one" hailo-device-manager --check-config
	check "settings of hailo-depth" "hailo-depth serve --check-config names the wrong one" hailo-depth serve --check-config
	for unit in "$manager_unit" "$depth_unit"; do
		check "$unit starts with the machine" "systemctl enable $unit" systemctl is-enabled "$unit"
		check "$unit runs" "journalctl -u $unit -n 30 says why it does not; systemctl restart $unit starts it" systemctl is-active "$unit"
	done

	check "socket $socket" "journalctl -u $manager_unit -n 30; device.sock is where the settings say so" test -S "$socket"
	[ ! -S "$socket" ] || check "socket is for the group $group" "stat $socket; socket_mode and socket_group in /etc/hailo/hailo-device-manager.yaml" \
		has_mode "$socket" "660 $group $group"

	node=
	for path in /dev/hailo[0-9]* /dev/h1x-[0-9]*; do
		[ ! -c "$path" ] || node=$path
	done
	if [ -z "$node" ]; then
		say "      no NPU: neither /dev/hailo0 nor /dev/h1x-0; the CPU does the work"
	else
		check "$node is for the group $group" "udevadm trigger --action=change $node; is there a later rule in /etc/udev/rules.d?" \
			has_mode "$node" "660 root $group"
		[ -e /usr/lib/hailo/hailo-worker-hailort ] || say "      there is an NPU, but no hailo-worker-hailort; the CPU does the work"
	fi

	if ! have curl && ! have wget; then
		check "curl or wget" "install one to check the answers: apt install curl" false
		return 0
	fi
	bind=$(setting "" http /etc/hailo/hailo-device-manager.yaml)
	bind=${bind:-127.0.0.1:5099}
	case $bind in
	0 | off | false | none | disable | disabled) say "      status of hailo-device-manager is switched off (http: $bind); not checked" ;;
	*)
		case $bind in
		*:*) ;;
		*) bind=127.0.0.1:$bind ;;
		esac
		check "hailo-device-manager answers on http://$bind" "journalctl -u $manager_unit -n 30" get "http://$bind/v1/device/status"
		[ $passed = no ] || check "hailo-device-manager is ready" "curl http://$bind/readyz says what it waits for" await_ready "http://$bind/readyz"
		;;
	esac
	host=$(setting server host /etc/hailo/hailo-depth.yaml)
	case $host in
	"" | 0.0.0.0 | ::) host=127.0.0.1 ;;
	*:*) host="[$host]" ;;
	esac
	port=$(setting server port /etc/hailo/hailo-depth.yaml)
	url=http://$host:${port:-11439}
	check "hailo-depth answers on $url" "journalctl -u $depth_unit -n 30" get "$url/health"
	[ $passed = no ] || check "hailo-depth is ready" "curl $url/health/ready says what it waits for" await_ready "$url/health/ready"
	check "nothing else is to fix: chip, driver, library, access, models" "hailo-device-manager doctor says what to do, line by line" hailo-device-manager doctor
}

do_verify() {
	verify_files
	[ $failures -ne 0 ] || [ -n "$root" ] || {
		need_systemd
		verify_machine
	}
	if [ $failures -gt 0 ]; then
		say "$failures checks failed"
		exit 1
	fi
	say "all checks passed"
}

command=${1:-}
case $command in
install | uninstall | verify) shift ;;
--help | -h | help) usage; exit 0 ;;
"") usage >&2; exit 1 ;;
*) fail "unknown command $command" "see install.sh --help" ;;
esac
options "$@"
case $command in
install) do_install ;;
uninstall) do_uninstall ;;
verify) do_verify ;;
esac
