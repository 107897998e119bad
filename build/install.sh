#!/usr/bin/env bash
# Installs Lanthorn as a service of systemd on a bare Debian or Ubuntu box, from the folder this script stands in: a folder made by
# `npm run pack` (has its own Node and everything else; nothing is downloaded), or a checkout (needs Node 20 or newer and npm, packs
# itself first).
#
#   sudo build/install.sh                    asks before it changes anything; --yes does not
#   build/install.sh --dry-run               prints every command and changes nothing; needs no root
#   sudo build/install.sh --lan              listens for the network, over TLS, instead of for this box only
#   sudo build/install.sh --uninstall        removes the program; data and keys stay, unless --purge is given too
#   build/install.sh --prefix <folder>       puts the files below that folder, as for a package: no user, no service, no root
#
# Ends with 0 done, 1 failed, 2 confirmation missing or wrong usage, 78 not on this system.
set -euo pipefail
umask 022

readonly user=lanthorn
readonly least_free_mb=2000
# Driver branches: from here on CUDA 13 runs, and from there CUDA 12.
readonly cuda13_driver=580
readonly cuda12_driver=525

dry_run=false
yes=false
lan=false
start=true
uninstall=false
purge=false
prefix=

usage() {
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
}

say() {
  printf '%s\n' "$*"
}

# fail <status> <sentence>
fail() {
  printf 'install: %s\n' "$2" >&2
  exit "$1"
}

# Shows a command, and runs it unless this is a dry run.
run() {
  printf '+'
  printf ' %q' "$@"
  printf '\n'
  if [[ $dry_run == false ]]; then "$@"; fi
}

# write <mode> <file> <text>: text that is no secret. Never over a file that is there.
write() {
  if [[ -e $2 ]]; then
    say "  $2 is there and stays as it is"
    return
  fi
  say "+ write $2 ($1)"
  if [[ $dry_run == false ]]; then (umask 077 && printf '%s\n' "$3" >"$2" && chmod "$1" "$2"); fi
}

while (($# > 0)); do
  case $1 in
    --dry-run) dry_run=true ;;
    --yes | -y) yes=true ;;
    --lan) lan=true ;;
    --no-start) start=false ;;
    --uninstall) uninstall=true ;;
    --purge) purge=true ;;
    --prefix)
      (($# > 1)) || fail 2 "--prefix needs a folder."
      mkdir -p "$2"
      prefix=$(cd "$2" && pwd)
      shift
      ;;
    --help | -h)
      usage
      exit 0
      ;;
    *) fail 2 "$1 is not known; --help says what is." ;;
  esac
  shift
done
if [[ $purge == true && $uninstall == false ]]; then fail 2 "--purge goes with --uninstall."; fi

top=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
program=$prefix/opt/lanthorn
data=$prefix/var/lib/lanthorn
settings=$prefix/etc/lanthorn
units=$prefix/etc/systemd/system
command=$prefix/usr/local/bin/lanthorn
# Without a prefix this box itself is changed: users and services too.
whole_system=true
if [[ -n $prefix ]]; then whole_system=false; fi

confirm() {
  if [[ $yes == true || $dry_run == true ]]; then return; fi
  [[ -t 0 ]] || fail 2 "Nobody is here to ask. Look with --dry-run, then run it with --yes."
  local answer
  read -r -p "$1 [y/N] " answer
  [[ $answer == [yY]* ]] || fail 2 "Nothing was changed."
}

# --- what is here -----------------------------------------------------------------------------------------------------------------

check_system() {
  [[ $(uname -s) == Linux && $(uname -m) == x86_64 ]] || fail 78 "This is for Linux on x86-64; elsewhere use \`npm start\`."
  local name=unknown like=
  if [[ -r /etc/os-release ]]; then
    name=$(sed -n 's/^PRETTY_NAME="\{0,1\}\([^"]*\).*/\1/p' /etc/os-release)
    like=$(sed -n 's/^ID\(_LIKE\)\{0,1\}="\{0,1\}\([^"]*\).*/\2/p' /etc/os-release | tr '\n' ' ')
  fi
  say "System    $name"
  case " $like " in
    *" debian "* | *" ubuntu "*) ;;
    *) say "          not Debian or Ubuntu: the program runs where glibc is 2.34 or newer, the rest is untried" ;;
  esac
  local glibc
  glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null || true)
  [[ $(printf '%s\n' "2.34" "${glibc##* }" | sort -V | head -n 1) == 2.34 ]] ||
    fail 78 "The engine needs glibc 2.34 or newer (Debian 12, Ubuntu 22.04), and this is ${glibc:-another C library}."
  if [[ $whole_system == true && $dry_run == false ]]; then
    [[ $(id -u) == 0 ]] || fail 1 "Run it as root: sudo $0"
    [[ -d /run/systemd/system ]] || fail 78 "systemd does not run here. In a container use build/docker/Dockerfile."
  fi
  local place=${prefix:-/opt} free_mb
  [[ -d $place ]] || place=/
  free_mb=$(df -Pm "$place" | awk 'NR == 2 { print $4 }')
  say "Disk      $free_mb MB free at $place"
  ((free_mb >= least_free_mb)) || fail 78 "The program needs $least_free_mb MB, and models much more."
}

# Sets needs_cuda_ext. A box without a GPU, or without NVIDIA's libraries, is no reason to stop: `lanthorn doctor` says what computes.
check_gpu() {
  needs_cuda_ext=false
  local found driver libraries wanted
  if ! found=$(nvidia-smi --query-gpu=driver_version,name,memory.total --format=csv,noheader 2>/dev/null) || [[ -z $found ]]; then
    say "GPU       nvidia-smi shows none: the engine looks for Vulkan, else the CPU computes"
    return
  fi
  say "GPU       ${found//$'\n'/; }"
  driver=${found%%.*}
  wanted=13
  if [[ ! $driver =~ ^[0-9]+$ ]]; then
    say "          the driver's version was not understood"
    return
  elif ((driver < cuda12_driver)); then
    say "          driver $driver is too old for the engine's CUDA ($cuda12_driver or newer): it looks for Vulkan"
    return
  elif ((driver < cuda13_driver)); then
    wanted=12
    needs_cuda_ext=true
  fi
  libraries=$(ldconfig -p 2>/dev/null || true)
  if [[ $libraries == *"libcublas.so.$wanted "* && $libraries == *"libcudart.so.$wanted "* ]]; then
    say "          CUDA $wanted with its libraries"
  else
    say "          libcudart.so.$wanted and libcublas.so.$wanted are not installed: NVIDIA's package cuda-libraries-$wanted-x brings"
    say "          them; without them the engine looks for Vulkan (libvulkan1), else the CPU computes"
  fi
}

# Sets source, the folder that is copied, and packs a checkout where that is needed.
find_source() {
  if [[ -x $top/node/bin/node && -d $top/dist/server ]]; then
    source=$top
    say "Program   $top, packed"
    if [[ $needs_cuda_ext == true && ! -d $top/node_modules/@node-llama-cpp/linux-x64-cuda-ext ]]; then
      say "          packed without CUDA 12, which this driver needs: on the machine that packs, first run"
      say "          npm install --no-save @node-llama-cpp/linux-x64-cuda-ext@$(engine_version "$top")"
    fi
    return
  fi
  source=$top/out/lanthorn
  [[ -f $top/package-lock.json ]] || fail 78 "$top is neither a checkout nor a folder made by \`npm run pack\`."
  say "Program   $top, a checkout that is packed first"
  local major
  major=$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\).*/\1/p')
  if ((${major:-0} < 20)) || ! command -v npm >/dev/null; then
    fail 78 "A checkout needs Node 20 or newer with npm once, to pack itself (the Node that serves is the project's own). Install one, \
or run \`npm run pack\` on another machine and copy out/lanthorn here: its build/install.sh needs nothing."
  fi
}

engine_version() {
  sed -n 's/^ *"version": "\([0-9.]*\)",\{0,1\}$/\1/p' "$1/node_modules/node-llama-cpp/package.json" | head -n 1
}

# As whoever owns the checkout, so that root leaves nothing of its own in it.
as_owner() {
  local owner
  owner=$(stat -c %U "$top")
  if [[ $(id -u) == 0 && $owner != root && $owner != UNKNOWN ]]; then
    run runuser -u "$owner" -- "$@"
  else
    run "$@"
  fi
}

# --- installing -------------------------------------------------------------------------------------------------------------------

install_user() {
  if getent passwd "$user" >/dev/null; then
    say "  user $user is there"
  else
    run useradd --system --user-group --home-dir /var/lib/lanthorn --no-create-home --shell /usr/sbin/nologin "$user"
  fi
  # Whose devices the GPUs of AMD and Intel are.
  local group
  for group in video render; do
    if getent group "$group" >/dev/null; then run usermod -aG "$group" "$user"; fi
  done
}

install_program() {
  if [[ $source != "$top" ]]; then
    if [[ $needs_cuda_ext == true ]]; then
      local engine
      engine=$(sed -n 's/^ *"node-llama-cpp": "\([0-9.]*\)",\{0,1\}$/\1/p' "$top/package.json" | head -n 1)
      as_owner npm --prefix "$top" ci --ignore-scripts --no-audit --no-fund
      as_owner npm --prefix "$top" install --no-save --ignore-scripts --no-audit --no-fund \
        "@node-llama-cpp/linux-x64-cuda-ext@$engine"
    fi
    as_owner npm --prefix "$top" run --silent pack
  fi
  run mkdir -p "$(dirname "$program")" "$(dirname "$command")" "$units"
  # Beside the old one, and then in its place: a running server keeps its files to its end.
  run rm -rf "$program.new"
  run cp -a --reflink=auto "$source" "$program.new"
  if [[ $whole_system == true ]]; then run chown -R root:root "$program.new"; fi
  run rm -rf "$program.old"
  if [[ -e $program ]]; then run mv "$program" "$program.old"; fi
  run mv "$program.new" "$program"
  run rm -rf "$program.old"
  run install -m 0644 "$top/build/systemd/lanthorn.service" "$top/build/systemd/lanthorn-gpu.service" "$units/"
  run rm -f "$command"
  write 755 "$command" "$(command_text)"
}

# Commands work on the service's data folder, which belongs to its own user.
command_text() {
  cat <<'END'
#!/bin/sh
# Lanthorn's command line, for the service of this box. Made by build/install.sh.
if [ -z "${LANTHORN_URL:-}${LANTHORN_HOME:-}" ]; then
  export LANTHORN_HOME=/var/lib/lanthorn
  if [ "$(id -u)" = 0 ]; then
    export HOME=/var/lib/lanthorn
    exec runuser -u lanthorn -- /opt/lanthorn/node/bin/node /opt/lanthorn/build/lanthorn.js "$@"
  elif [ "$(id -un)" != lanthorn ]; then
    echo "lanthorn: the data folder of the service belongs to its own user: sudo lanthorn $*" >&2
    echo "          as a client, set LANTHORN_URL and LANTHORN_API_KEY." >&2
    exit 4
  fi
fi
exec /opt/lanthorn/node/bin/node /opt/lanthorn/build/lanthorn.js "$@"
END
}

settings_text() {
  say "# Settings of the service, one LANTHORN_NAME=value a line; docs/configuration.md lists them. Then: systemctl restart lanthorn"
  if [[ $lan == true ]]; then
    say "LANTHORN_HOST=0.0.0.0"
    say "LANTHORN_TLS_MODE=self-signed"
  else
    say "# For the network, with keys and over TLS:"
    say "#LANTHORN_HOST=0.0.0.0"
    say "#LANTHORN_TLS_MODE=self-signed"
  fi
}

install_settings() {
  run install -d -m 0700 "$settings"
  if [[ $lan == true && -e $settings/lanthorn.env ]]; then say "  --lan changes nothing there: set LANTHORN_HOST in it"; fi
  write 600 "$settings/lanthorn.env" "$(settings_text)"
  # Secret, so neither a command's argument nor shown.
  if [[ -e $settings/master.key ]]; then
    say "  $settings/master.key is there and stays as it is"
  else
    say "+ write 32 random bytes, as base64, to $settings/master.key (600)"
    if [[ $dry_run == false ]]; then (umask 077 && head -c 32 /dev/urandom | base64 >"$settings/master.key"); fi
  fi
}

start_service() {
  run systemctl daemon-reload
  if [[ $start == false ]]; then return; fi
  run systemctl enable lanthorn.service
  run systemctl restart lanthorn.service
  if [[ $dry_run == true ]]; then return; fi
  local tries=0 address=
  # The first start makes the ledger and looks at the GPU; the server says where it is when it is ready.
  while ((tries < 60)); do
    address=$(sed -n 's/.*"url":"\([^"]*\)".*/\1/p' "$data/server.json" 2>/dev/null || true)
    if [[ -n $address ]]; then break; fi
    sleep 1
    tries=$((tries + 1))
  done
  if [[ -z $address ]]; then fail 1 "The service is not ready after a minute: journalctl -u lanthorn -n 50"; fi
  say "Ready     $address"
}

install_all() {
  check_system
  check_gpu
  find_source
  confirm "Install Lanthorn to $program${prefix:+ (files only)}?"
  if [[ $whole_system == true ]]; then install_user; fi
  install_program
  install_settings
  if [[ $whole_system == true ]]; then start_service; fi
  say "Keys      the admin key: $data/admin.key, made at the first start; what provider keys are sealed with: $settings/master.key"
  say "Settings  $settings/lanthorn.env, or $data/lanthorn.yaml"
  say "Data      $data, models in $data/models"
  if [[ $lan == true ]]; then
    say "Address   https://<this box>:4747, with a certificate that it makes; \`sudo lanthorn doctor\` shows its fingerprint"
  else
    say "Address   http://127.0.0.1:4747, for this box only, unless the settings say otherwise"
  fi
  say "next      sudo lanthorn doctor · sudo lanthorn keys create <name> · journalctl -u lanthorn"
}

# --- removing ---------------------------------------------------------------------------------------------------------------------

uninstall_all() {
  if [[ $whole_system == true && $dry_run == false ]]; then [[ $(id -u) == 0 ]] || fail 1 "Run it as root: sudo $0 --uninstall"; fi
  if [[ $purge == true ]]; then
    confirm "Remove Lanthorn AND its models, ledger, settings and keys in $data and $settings? They cannot be had back."
  else
    confirm "Remove Lanthorn? Data and keys stay in $data and $settings."
  fi
  if [[ $whole_system == true ]]; then
    if [[ -e $units/lanthorn.service || $dry_run == true ]]; then run systemctl disable --now lanthorn.service lanthorn-gpu.service; fi
  fi
  run rm -rf "$program" "$prefix/var/cache/lanthorn"
  run rm -f "$units/lanthorn.service" "$units/lanthorn-gpu.service" "$command"
  if [[ $whole_system == true ]]; then run systemctl daemon-reload; fi
  if [[ $purge == false ]]; then
    say "Data and keys are still in $data and $settings; --uninstall --purge removes them too."
    return
  fi
  run rm -rf "$data" "$settings"
  if [[ $whole_system == true ]] && getent passwd "$user" >/dev/null; then run userdel "$user"; fi
  say "Nothing of it is left."
}

if [[ $uninstall == true ]]; then uninstall_all; else install_all; fi
