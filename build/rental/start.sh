#!/usr/bin/env bash
# Starts Lanthorn on a rented machine (Vast.ai, RunPod) and keeps it running. The entry point of the image's target `rental`, and what
# vast/onstart.sh calls. Runs at every start of the machine, after a resume too: all it finds in the data folder stays as it is.
#
#   - the data folder (models, settings, ledger, admin key) is LANTHORN_HOME, else /data: where the market's persistent disk is mounted
#   - the admin key lies in the data folder's admin.key (0600); it is never printed
#   - the market's public name and port are found, printed, and told to the server as LANTHORN_PUBLIC_URL and LANTHORN_HOSTS
#   - a server that crashes is started again, later each time; one that cannot start, or that keeps crashing, would burn money for
#     nothing: then this machine is stopped with the key that the market gave it
#
# Settings are LANTHORN_* as everywhere. Read here only: LANTHORN_PROGRAM (where Lanthorn lies), LANTHORN_RUN_AS (uid:gid of the server,
# `root` to stay root), LANTHORN_FIRST_PAUSE_S (before the first new try), LANTHORN_STOP_WHEN_BROKEN (`false`: leave the machine running).
set -euo pipefail
umask 077

say() {
  printf 'lanthorn-start: %s\n' "$*" >&2
}

fail() {
  say "$1"
  exit 78
}

is_name() {
  [[ $1 =~ ^[A-Za-z0-9][A-Za-z0-9.-]*$ ]]
}

is_port() {
  [[ $1 =~ ^[0-9]{1,5}$ ]]
}

# --- where things are -----------------------------------------------------------------------------------------------------------

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
program=${LANTHORN_PROGRAM:-$(dirname "$(dirname "$here")")}
run_as=${LANTHORN_RUN_AS:-10001:10001}
first_pause_s=${LANTHORN_FIRST_PAUSE_S:-1}
stop_when_broken=${LANTHORN_STOP_WHEN_BROKEN:-true}
unset LANTHORN_PROGRAM LANTHORN_RUN_AS LANTHORN_FIRST_PAUSE_S LANTHORN_STOP_WHEN_BROKEN

[[ -f $program/build/lanthorn.js ]] || fail "Lanthorn is not in $program. Use the image's target \`rental\`, or set LANTHORN_PROGRAM."
node=$program/node/bin/node
[[ -x $node ]] || node=$program/node_modules/node/bin/node
[[ -x $node ]] || fail "There is no Node in $program. Use the image's target \`rental\`, or a folder made by \`npm run pack\`."

if [[ -z ${LANTHORN_HOME:-} ]]; then
  LANTHORN_HOME=/data
  # Images that are not ours have no /data; there both markets keep what is to last in /workspace.
  if [[ ! -d /data && -d /workspace ]]; then LANTHORN_HOME=/workspace/lanthorn; fi
fi
export LANTHORN_HOME

# --- whose the server is --------------------------------------------------------------------------------------------------------

# Words put before the server's command: nothing, or what gives root up.
as=()

hand_over() {
  local owner
  [[ $run_as =~ ^[1-9][0-9]*:[1-9][0-9]*$ ]] || fail "LANTHORN_RUN_AS must be uid:gid, or root."
  owner=$(stat -c %u:%g "$LANTHORN_HOME")
  # Weights are large and many: owners are looked at one level deep, and changed below only where the folder was somebody else's.
  if [[ $owner != "$run_as" ]] && ! chown -R "$run_as" "$LANTHORN_HOME" 2>/dev/null; then
    say "The disk at $LANTHORN_HOME does not let its owner be changed: the server runs as root."
    return
  fi
  as=(setpriv --reuid "${run_as%:*}" --regid "${run_as#*:}" --clear-groups --no-new-privs)
  # Drivers keep compiled kernels in the home folder.
  export HOME=$LANTHORN_HOME
}

mkdir -p "$LANTHORN_HOME" || fail "The data folder $LANTHORN_HOME cannot be made. Mount a disk there, or set LANTHORN_HOME."
if [[ $(id -u) == 0 && $run_as != root ]]; then hand_over; fi
[[ -w $LANTHORN_HOME ]] || fail "The data folder $LANTHORN_HOME cannot be written by user $(id -u). Mount a disk there that it may write."

# --- the admin key --------------------------------------------------------------------------------------------------------------

key_file=$LANTHORN_HOME/admin.key
# One that came in the environment is written down as well, for commands on this machine. The server itself makes one at the first
# start where there is none. A file that is there stays: that key works too.
if [[ -n ${LANTHORN_ADMIN_KEY:-} && ! -e $key_file ]]; then
  # shell: secret-shown, because it goes into the file; printf is part of the shell, so that no list of processes has the key.
  "${as[@]}" tee "$key_file" >/dev/null < <(printf '%s\n' "$LANTHORN_ADMIN_KEY")
fi
if [[ -e $key_file ]]; then chmod 600 "$key_file"; fi

# --- the market's name for this machine -----------------------------------------------------------------------------------------

: "${LANTHORN_PORT:=4747}"
: "${LANTHORN_HOST:=0.0.0.0}"
is_port "$LANTHORN_PORT" || fail "LANTHORN_PORT must be a number: a market maps a port that is known before."

market=${LANTHORN_RENTAL_MARKET:-}
if [[ -z $market ]]; then
  if [[ -n ${RUNPOD_POD_ID:-} ]]; then
    market=runpod
  elif [[ -n ${VAST_CONTAINERLABEL:-}${CONTAINER_ID:-} ]]; then
    market=vast
  fi
fi

# Sets public_host and public_url for a port that the market maps as it is; nothing is in front of the server, so it encrypts itself.
direct_address() {
  local address=$1 port=$2 scheme=https
  if [[ -z ${LANTHORN_TLS_MODE:-} ]] && ! grep -qs '^tls:' "$LANTHORN_HOME/lanthorn.yaml"; then
    export LANTHORN_TLS_MODE=self-signed
  fi
  if [[ ${LANTHORN_TLS_MODE:-} == off ]]; then scheme=http; fi
  public_host=$address
  if [[ $address == *:* ]]; then address="[$address]"; fi
  public_url=$scheme://$address:$port
}

public_host=
public_url=
case $market in
  vast)
    mapped=VAST_TCP_PORT_$LANTHORN_PORT
    if [[ -z ${PUBLIC_IPADDR:-} ]] || ! is_port "${!mapped:-}"; then
      say "Vast.ai maps no port to $LANTHORN_PORT here: add -p $LANTHORN_PORT:$LANTHORN_PORT to the template's options."
    else
      direct_address "$PUBLIC_IPADDR" "${!mapped}"
    fi
    ;;
  runpod)
    mapped=RUNPOD_TCP_PORT_$LANTHORN_PORT
    if [[ -n ${RUNPOD_PUBLIC_IP:-} ]] && is_port "${!mapped:-}"; then
      direct_address "$RUNPOD_PUBLIC_IP" "${!mapped}"
    elif is_name "${RUNPOD_POD_ID:-}"; then
      # RunPod's proxy encrypts, and speaks plain HTTP to the pod.
      public_host=$RUNPOD_POD_ID-$LANTHORN_PORT.proxy.runpod.net
      public_url=https://$public_host
    else
      say "RUNPOD_POD_ID is not set: the public address is not known."
    fi
    ;;
  "") say "This is neither Vast.ai nor RunPod, as far as can be seen: the public address is not known." ;;
  *) say "LANTHORN_RENTAL_MARKET=$market: only vast and runpod say their public address." ;;
esac
if [[ -n ${LANTHORN_PUBLIC_URL:-} ]]; then public_url=$LANTHORN_PUBLIC_URL; fi
if [[ -n $public_host ]]; then LANTHORN_HOSTS=${LANTHORN_HOSTS:+$LANTHORN_HOSTS,}$public_host; fi
# A prefix on a rented disk would be paid for as storage, and is worth little there.
: "${LANTHORN_ENGINE_KV_STORE:=ram}"
# What a market leaves between SIGTERM and SIGKILL is about five seconds.
: "${LANTHORN_SHUTDOWN_GRACE_MS:=3000}"
: "${LANTHORN_HEADLESS:=true}"
export LANTHORN_PORT LANTHORN_HOST LANTHORN_ENGINE_KV_STORE LANTHORN_SHUTDOWN_GRACE_MS LANTHORN_HEADLESS
if [[ -n $public_url ]]; then export LANTHORN_PUBLIC_URL=$public_url; fi
if [[ -n $market ]]; then export LANTHORN_RENTAL_MARKET=$market; fi
if [[ -n ${LANTHORN_HOSTS:-} ]]; then export LANTHORN_HOSTS; fi

say "data folder $LANTHORN_HOME, admin key in $key_file"
say "public address ${public_url:-unknown}"

# --- run, and run again ---------------------------------------------------------------------------------------------------------

# What this script waits for, the server or a pause; 0: nothing.
awaited=0
asked_to_stop=false

forward() {
  asked_to_stop=true
  if ((awaited > 0)); then kill -TERM "$awaited" 2>/dev/null || true; fi
}
trap forward TERM INT HUP

# Waits for the process that was just started and sets status to its exit status. A signal for us ends `wait` as well, with a status
# that looks like an end by it.
await() {
  local again
  awaited=$!
  # One that came before the number was known.
  if [[ $asked_to_stop == true ]]; then forward; fi
  while true; do
    status=0
    wait "$awaited" || status=$?
    if ((status <= 128)); then break; fi
    if kill -0 "$awaited" 2>/dev/null; then continue; fi
    # Either it was ended by a signal, and its status is told once only, or its own status is still to be had. Bash says 127 for a
    # process it has told of, and now and then -1 where a signal came in between.
    again=0
    wait "$awaited" 2>/dev/null || again=$?
    if ((again >= 0 && again != 127)); then status=$again; fi
    break
  done
  awaited=0
}

# With the market's key for this one machine; it says what came of it and never fails.
stop_machine() {
  if [[ -z $market || $stop_when_broken == false ]]; then return; fi
  say "Nothing can be served here, and the machine costs money: stopping it."
  "${as[@]}" "$node" "$program/build/rental/stop-machine.js" "$market" || true
}

most_tries=10
# Seconds. A server that ran so long was in order: the next crash is a first one again.
good_run_s=600
longest_pause_s=60
tries=0
pause_s=$first_pause_s

while true; do
  started_s=$SECONDS
  "${as[@]}" "$node" "$program/build/lanthorn.js" serve --headless --first-key-file "$key_file" &
  await
  # 143, ended by SIGTERM, is what was asked for: it had not set up its own way to stop yet.
  if [[ $asked_to_stop == true && $status == 143 ]]; then status=0; fi
  if [[ $asked_to_stop == true || $status == 0 ]]; then exit "$status"; fi
  if ((status == 78)); then
    say "The server cannot start as asked (exit 78); the reason stands above."
    stop_machine
    exit 78
  fi
  if ((SECONDS - started_s >= good_run_s)); then
    tries=0
    pause_s=$first_pause_s
  fi
  tries=$((tries + 1))
  if ((tries >= most_tries)); then
    say "The server ended $tries times in a row, last with exit $status."
    stop_machine
    exit 1
  fi
  say "The server ended with exit $status; starting it again in $pause_s s (try $((tries + 1)) of $most_tries)."
  sleep "$pause_s" &
  await
  if [[ $asked_to_stop == true ]]; then exit 0; fi
  pause_s=$((pause_s * 2 > longest_pause_s ? longest_pause_s : pause_s * 2))
done
