#!/bin/bash
# Shows the suite at work: on its usual ports, with configuration and data in a
# temporary folder, so that var/ is left alone.
set -eu
cd "$(dirname "$0")/.."
demo=$(mktemp -d)
conf=$demo
logs=$demo
work=$demo
show=0
# shellcheck source=scripts/suite.sh
. scripts/suite.sh
trap 'stop_all || true; rm -rf "$demo"' EXIT

# Files of its own: those in conf/ may name a database that others use.
cat >"$conf/lars-dns.conf" <<EOF
[store]
driver = sqlite
path = $demo/lars.db
EOF
cp "$conf/lars-dns.conf" "$conf/lars-reporter.conf"
cat >"$conf/lars-lb-agent.conf" <<EOF
[agent]
snapshot = $demo/lars-lb-agent.routes
[loadbalance]
policy = adaptive
; The hosts are made up: nothing is sent to them.
check = none
; Rather than every 15 s, as somebody is waiting.
report_timeout = 1
[admin]
addr = 127.0.0.1:7782
EOF
LARS_CONF=$conf/lars-dns.conf
LARS_AGENT=$(agent_address)
LARS_ADMIN=$(admin_address lars-lb-agent)
export LARS_CONF LARS_AGENT LARS_ADMIN

title() { printf '\n== %s\n' "$*"; }

# run COMMAND...: shows the command, then what it prints.
run() {
	printf '$ %s\n' "${*//$demo\//}"
	"$@"
}

# until_prints TEXT COMMAND...: runs the command until its output has TEXT, for
# 10 s at most, and shows the last run.
until_prints() {
	local text=$1 give_up=$((SECONDS + 10)) output
	shift
	until output=$("$@" 2>&1) && [[ $output == *"$text"* ]]; do
		if [ $SECONDS -ge $give_up ] || [ $interrupted -eq 1 ] || ! all_alive; then
			printf '%s\n' "$output" >&2
			echo "$0: '$*' did not come to print '$text'" >&2
			exit 1
		fi
		sleep 0.1
	done
	printf '$ %s\n%s\n' "${*//$demo\//}" "$output"
}

check_ports
title 'A store, and four routes in it'
run bin/lars db init
run bin/lars route import conf/sample-routes.csv
run bin/lars route ls

title 'The suite: lars-dns, lars-reporter and lars-lb-agent'
start_all 1 1
echo 'up'

title 'A program asks the agent which host to call, calls it, and reports how it went'
run bin/example 1 1

title 'A host is added to the route: lars-dns sees it and pushes it to the agent'
run bin/lars route add 1 1 192.168.1.200:7777
until_prints 192.168.1.200:7777 bin/lars route 1 1

title 'The agent now gives out both hosts in turn'
run bin/lars get 1 1
run bin/lars get 1 1

title 'The report has travelled from the agent over lars-reporter into the store'
until_prints 192.168.1.177:7777 bin/lars counts

title 'Calls to one of the hosts fail, so the agent leaves it out, and says why'
run bin/lars simulate 1 1 --calls 200 --err-rate 0 --host-err 192.168.1.200:7777=1
run bin/lars agent hosts 1 1

title 'All three stop'
stop_all
echo 'stopped; everything worked. Next: make run'
