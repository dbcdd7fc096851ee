# shellcheck shell=bash
# Starting, watching and ending daemons without an init system.
#
# A pid file holds a pid, the start time of that process, so that a recycled pid is never taken for
# ours, and a sum of the configuration it was started with. Every daemon leads a session of its own.

lock() {
  [ -d "$STATE" ] || make_state
  exec 9>"$STATE/lock"
  flock -w 300 9 || die "another run has held $STATE/lock for 5 minutes"
}

started_at() { # pid; field 22 of stat, counted after the command's name, which may hold anything
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  read -r -a stat <<<"${stat##*) }"
  [ "${stat[0]}" != Z ] || return 1
  echo "${stat[19]}"
}

read_pid_file() { # name; sets pid, start and sum
  pid='' start='' sum=''
  [ ! -e "$RUN/$1.pid" ] || read -r pid start sum <"$RUN/$1.pid" || true
}

alive() {
  local pid start sum
  read_pid_file "$1"
  [ -n "$pid" ] && [ "$(started_at "$pid")" = "$start" ]
}

pid_of() {
  local pid start sum
  read_pid_file "$1"
  echo "$pid"
}

start() { # name... ; one that runs with another configuration is restarted
  local name pid start sum wanted=()
  for name in "$@"; do
    read_pid_file "$name"
    if ! alive "$name" || [ "$sum" != "$(configuration_sum "$name")" ]; then wanted+=("$name"); fi
  done
  stop "${wanted[@]}"
  for name in "${wanted[@]}"; do
    say "starting $name"
    launch "$name"
  done
}

run_as() { # name user command...
  local name=$1 user=$2 pid
  shift 2
  (cd / && exec setsid setpriv --reuid "$user" --regid "$user" --init-groups --no-new-privs \
    env HOME="$STATE/home/$user" "$@") </dev/null >>"$LOGS/$name.out" 2>&1 9>&- &
  pid=$!
  echo "$pid $(started_at "$pid") $(configuration_sum "$name")" >"$RUN/$name.pid"
}

await() { # name ; until it answers, while nothing that was started ends
  local end=$((SECONDS + WAIT)) name
  until answers "$1"; do
    for name in "${SERVICES[@]}"; do
      [ ! -e "$RUN/$name.pid" ] || alive "$name" || fail "$name" "ended while starting"
    done
    [ "$SECONDS" -lt "$end" ] || fail "$1" "has not answered for $WAIT s"
    sleep 0.2
  done
}

fail() { # name what
  show_end_of "$1"
  # The API only passes on what the conductor answers.
  [ "$1" != senlin-api ] || show_end_of senlin-conductor
  die "$1: $2"
}

show_end_of() { # name
  local log
  for log in "$LOGS/$1.out" "$LOGS"/*/"$1.log"; do
    [ ! -s "$log" ] || { echo "--- the end of $log"; tail -n 20 "$log" | cut -c 1-400; }
  done >&2
}

# The session outlives a leader that was killed, and the kernel gives a session's number to no new
# process while it lasts: its members are ours unless the number's process started at another time.
# A zombie has ended; only its parent can remove it.
session_of() { # pid start
  local now
  now=$(started_at "$1") || true
  if [ -z "$now" ] || [ "$now" = "$2" ]; then pgrep -s "$1" -r D,R,S,T,t,I || true; fi
}

stop() { # name... ; all are asked together, then waited for
  local name pid start sum end=$((SECONDS + 20)) members=() stopped=()
  for name in "$@"; do
    ! alive "$name" || { ask_to_end "$name"; stopped+=("$name"); }
  done
  for name in "$@"; do
    while alive "$name" && [ "$SECONDS" -lt "$end" ]; do sleep 0.1; done
    read_pid_file "$name"
    [ -n "$pid" ] || continue
    while mapfile -t members < <(session_of "$pid" "$start") && [ ${#members[@]} -gt 0 ]; do
      [ "$SECONDS" -lt $((end + 10)) ] || die "$name: process ${members[*]} does not end"
      kill -KILL "${members[@]}" 2>/dev/null || true
      sleep 0.1
    done
    rm -f "$RUN/$name.pid"
  done
  [ ${#stopped[@]} -eq 0 ] || say "stopped ${stopped[*]}"
}

ask_to_end() {
  local pid
  pid=$(pid_of "$1")
  if [ "$1" = rabbitmq ]; then
    # Its shell wrapper would start a second Erlang machine to pass the word on; the server
    # understands the signal itself.
    pkill -TERM -P "$pid" || kill -TERM "$pid" || true
  else
    kill -TERM "$pid" || true
  fi
}

once() { # mark command... ; done once for each state directory
  local mark=$STATE/.done-$1
  shift
  [ ! -e "$mark" ] || return 0
  "$@" >>"$LOGS/setup.log" 2>&1 || { tail -n 20 "$LOGS/setup.log" >&2; die "$1, see $LOGS/setup.log"; }
  touch "$mark"
}

both() { # two command lines, side by side
  local pid ok=0
  ($1) &
  pid=$!
  ($2) || ok=1
  wait "$pid" || ok=1
  [ "$ok" = 0 ] || exit 1
}
