#!/bin/bash
# Runs the suite in the foreground with the files in conf/, but for the agent's
# TCP checks, until Ctrl-C. On the first start the sample routes are put into
# the store.
set -eu
cd "$(dirname "$0")/.."
conf=conf
work=.
show=1
logs=$(mktemp -d)
# shellcheck source=scripts/suite.sh
. scripts/suite.sh
trap 'stop_all || true; rm -rf "$logs"' EXIT

LARS_CONF=$conf/lars-dns.conf
LARS_AGENT=$(agent_address)
export LARS_CONF LARS_AGENT
mkdir -p var
check_ports
bin/lars db init
routes() { bin/lars route export | grep -E '^-?[0-9]+,' || true; }
if [ -z "$(routes)" ]; then
	echo "no routes yet: importing conf/sample-routes.csv; its hosts are made up"
	bin/lars route import conf/sample-routes.csv
fi
IFS=, read -r modid cmdid _ < <(routes)

# This is for trying things out, with hosts that are made up and calls that
# lars simulate only pretends: nothing is to be sent to whoever has the addresses.
sed 's/^check = tcp/check = none/' "$conf/lars-lb-agent.conf" >"$logs/lars-lb-agent.conf"
cp "$conf/lars-dns.conf" "$conf/lars-reporter.conf" "$logs/"
conf=$logs

if start_all "$modid" "$cmdid"; then
	echo
	echo "The suite is up. Try, from another terminal: bin/example $modid $cmdid; bin/lars agent modules"
	echo "Ctrl-C stops it."
	echo
	while [ $interrupted -eq 0 ] && all_alive; do
		# Returns when a daemon ends or a signal arrives.
		wait -n "${pids[@]}" 2>/dev/null || true
	done
fi
[ $interrupted -eq 1 ] || exit 1
echo "stopping"
stop_all
