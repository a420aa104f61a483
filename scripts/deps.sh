#!/bin/bash
# Installs what the tests need and this machine lacks: a C compiler, because
# the race detector is built with cgo, and MariaDB's server with Galera, which
# the tests start for themselves in temporary folders, one server or a cluster of
# three. No service is installed or started.
set -eu

has_compiler() {
	local dir ok=0
	dir=$(mktemp -d)
	printf '#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n' >"$dir/a.c"
	${CC:-gcc} -pthread -o "$dir/a" "$dir/a.c" >/dev/null 2>&1 || ok=1
	rm -rf "$dir"
	return $ok
}

has_mariadb() {
	command -v mariadbd >/dev/null || [ -x /usr/sbin/mariadbd ] || [ -x /usr/libexec/mariadbd ]
}

has_galera() {
	ls /usr/lib*/libgalera_smm.so /usr/lib*/galera*/libgalera_smm.so 2>/dev/null | grep -q .
}

packages=()
has_compiler || packages+=(gcc libc6-dev)
has_mariadb || packages+=(mariadb-server-core)
has_galera || packages+=(galera-4)
if [ ${#packages[@]} -eq 0 ]; then
	exit 0
fi

give_up() {
	echo "deps: $1" >&2
	echo "deps: the tests need a C compiler with its headers, MariaDB's server (mariadbd), and Galera (libgalera_smm.so)." >&2
	echo "deps: on Debian and Ubuntu: apt-get install ${packages[*]}" >&2
	exit 1
}

command -v apt-get >/dev/null || give_up "missing, and there is no apt-get to install it with: ${packages[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
	sudo -n true 2>/dev/null || give_up "missing, and installing needs root: ${packages[*]}"
	as_root=(sudo -n)
fi

echo "deps: installing ${packages[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -qq -o DPkg::Lock::Timeout=120 "$@" >>"$log" 2>&1
}
# The lists may be old or missing; without a network they may also be enough.
apt update || echo "deps: apt-get update failed; going on with the package lists at hand"
if ! apt install --no-install-recommends "${packages[@]}"; then
	cat "$log" >&2
	give_up "apt-get install failed, see above"
fi
if ! has_compiler || ! has_mariadb || ! has_galera; then
	give_up "installed, but still not found"
fi
echo "deps: done"
