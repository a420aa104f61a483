# Starting and stopping the three daemons: for run.sh and demo.sh, which are
# bash and source this file. They set, before they call anything here:
#   conf  folder of lars-dns.conf, lars-reporter.conf and lars-lb-agent.conf;
#         absolute where the daemons are started
#   logs  folder that receives a NAME.log of each daemon
#   work  working directory of the daemons, where they keep their files
#   show  1 to show the daemons' output too, with their names in front
# shellcheck shell=bash disable=SC2154

daemons=(lars-dns lars-reporter lars-lb-agent)
declare -A pids=() # of the daemons that were started and not yet waited for
interrupted=0

trap 'interrupted=1' INT TERM HUP

# setting FILE SECTION KEY DEFAULT prints what FILE says.
setting() {
	local value
	value=$(awk -F '[ \t]*=[ \t]*' -v section="[$2]" -v key="$3" '
		/^\[/ { inside = index($0, section) == 1 }
		inside && $1 == key { sub(/[ \t]+[;#].*/, "", $2); print $2; exit }' "$conf/$1.conf")
	echo "${value:-$4}"
}

# agent_address prints where the agent is to be asked.
agent_address() {
	local ip
	ip=$(setting lars-lb-agent agent ip 127.0.0.1)
	[ "$ip" = 0.0.0.0 ] && ip=127.0.0.1
	echo "$ip:$(setting lars-lb-agent agent port 8888)"
}

# admin_address DAEMON prints where its admin server listens; nothing if it is
# off.
admin_address() { setting "$1" admin addr ""; }

# taken PROTOCOL IP PORT tells whether another program has the port.
taken() {
	local a b c d here
	IFS=. read -r a b c d <<<"$2"
	here=$(printf '%02X%02X%02X%02X:%04X' "$d" "$c" "$b" "$a" "$3")
	cat "/proc/net/$1" "/proc/net/${1}6" 2>/dev/null | awk -v protocol="$1" -v here="$here" '
		protocol == "tcp" && $4 != "0A" { next } # 0A: listening
		$2 == here { found = 1 }
		substr($2, length($2) - 4) == substr(here, 9) {
			address = substr($2, 1, length($2) - 5)
			if (address ~ /^0+$/ || here ~ /^00000000/) found = 1
		}
		END { exit !found }'
}

# is_free DAEMON PROTOCOL IP PORT says so when another program has the port.
is_free() {
	if [ "$4" -eq 0 ] || ! taken "$2" "$3" "$4"; then
		return 0
	fi
	echo "$0: $2 port $4 on $3, which $1 needs, is taken by another program." >&2
	return 1
}

# check_ports says which ports are taken, before daemons fail one by one.
check_ports() {
	local ip port daemon admin failed=0
	is_free lars-dns tcp "$(setting lars-dns reactor ip 127.0.0.1)" "$(setting lars-dns reactor port 7778)" || failed=1
	is_free lars-reporter tcp "$(setting lars-reporter reactor ip 127.0.0.1)" "$(setting lars-reporter reactor port 7779)" || failed=1
	ip=$(setting lars-lb-agent agent ip 127.0.0.1)
	port=$(setting lars-lb-agent agent port 8888)
	for port in "$port" $((port + 1)) $((port + 2)); do
		is_free lars-lb-agent udp "$ip" "$port" || failed=1
	done
	for daemon in "${daemons[@]}"; do
		admin=$(admin_address "$daemon")
		case $admin in
		'' | \[*) ;; # off, or IPv6: the daemon itself will say
		*) is_free "$daemon" tcp "${admin%:*}" "${admin##*:}" || failed=1 ;;
		esac
	done
	[ $failed -eq 0 ] && return
	echo "$0: is the suite running already? Stop that program, or set other ports in conf/." >&2
	return 1
}

# start_all starts the daemons and returns when the agent has the route of
# module $1 $2, or at once without arguments.
start_all() {
	local daemon bin=$PWD/bin
	# Job control gives the daemons process groups of their own, so that
	# Ctrl-C reaches this script alone and they are asked to stop once: a
	# second signal would cut them short.
	set -m
	for daemon in "${daemons[@]}"; do
		if [ "$show" -eq 1 ]; then
			(cd "$work" && exec "$bin/$daemon" -conf "$conf/$daemon.conf") > >(tee "$logs/$daemon.log" | sed -u "s/^/$daemon | /") 2>&1 &
		else
			(cd "$work" && exec "$bin/$daemon" -conf "$conf/$daemon.conf") >"$logs/$daemon.log" 2>&1 &
		fi
		pids[$daemon]=$!
	done
	set +m
	[ $# -eq 0 ] && return
	local give_up=$((SECONDS + 20))
	until bin/lars register "$1" "$2" >/dev/null 2>&1; do
		all_alive || return 1
		[ $interrupted -eq 1 ] && return 1
		if [ $SECONDS -ge $give_up ]; then
			echo "$0: the suite did not come up within 20 s; it last said:" >&2
			tail -n 3 "$logs"/*.log >&2
			return 1
		fi
		sleep 0.1 # between two questions: the agent may answer "not yet" at once
	done
	all_alive
}

# all_alive fails, and says why, when a daemon has ended.
all_alive() {
	local daemon
	for daemon in "${!pids[@]}"; do
		kill -0 "${pids[$daemon]}" 2>/dev/null && continue
		local code=0
		wait "${pids[$daemon]}" || code=$?
		unset "pids[$daemon]"
		echo "$0: $daemon ended with exit code $code; its last lines:" >&2
		tail -n 10 "$logs/$daemon.log" | sed 's/^/    /' >&2
		return 1
	done
}

# stop_all stops the daemons one after the other, the agent first, so that it
# can hand over its last counts. It fails when one of them did not end well.
stop_all() {
	local daemon code failed=0
	for daemon in lars-lb-agent lars-reporter lars-dns; do
		[ -n "${pids[$daemon]:-}" ] || continue
		kill -TERM "${pids[$daemon]}" 2>/dev/null || true
		while :; do
			code=0
			wait "${pids[$daemon]}" || code=$?
			# A signal to this script ends wait early, not the daemon.
			kill -0 "${pids[$daemon]}" 2>/dev/null || break
		done
		unset "pids[$daemon]"
		# 143: it was so young that it did not handle SIGTERM yet.
		if [ $code -ne 0 ] && [ $code -ne 143 ]; then
			echo "$0: $daemon did not stop well: exit code $code" >&2
			failed=1
		fi
	done
	return $failed
}
