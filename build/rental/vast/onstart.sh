#!/usr/bin/env bash
# For Vast.ai's launch modes `ssh` and `jupyter`, which put their own entry point before the image's and call this at every start: the
# server is started behind it, since a start script that never ends is for entry points. In the mode `args` the image's own entry
# point, ../start.sh, does everything and this is not needed.
#
#   template's on-start script:  /opt/lanthorn/build/rental/vast/onstart.sh
#
# The log goes to LANTHORN_START_LOG, else /var/log/lanthorn.log.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
log=${LANTHORN_START_LOG:-/var/log/lanthorn.log}
unset LANTHORN_START_LOG
export LANTHORN_RENTAL_MARKET=vast

# A session of its own, so that it outlives the shell that Vast runs this in. A second one, at a start while the first still runs,
# finds the server and ends.
nohup setsid "$here/../start.sh" </dev/null >>"$log" 2>&1 &
printf 'lanthorn-start: starting; the log is %s\n' "$log"
