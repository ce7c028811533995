#!/bin/sh
# Installs the programs of ffmpeg-easy on this machine, beside the version that is there:
#
#   install.sh [--from FOLDER|ARCHIVE] [--prefix PREFIX] [--service NAME]...
#   install.sh --roll-back | --uninstall | --list  [--prefix PREFIX]
#
#   --from       a folder or .tar.gz with producer, worker and monitor; without it, they are built from this checkout by cargo
#   --prefix     where to: /usr/local as root, otherwise ~/.local
#   --service    broker, monitor or worker: also runs at each start of the machine (systemd as root, launchd on macOS)
#   --roll-back  back to the version before; services that run are restarted
#   --uninstall  removes programs and services; settings, keys, scratch and the broker's data stay, and are named
#
# Versions lie in PREFIX/lib/ffmpeg-easy/VERSION, and PREFIX/bin leads to one of them, so an upgrade is one rename, and
# running programs keep their files. The last three versions are kept.
set -eu

programs="producer worker monitor"
here=$(cd "$(dirname "$0")" && pwd)
from='' prefix='' services='' do=install

fail() {
  echo "install: $1" >&2
  exit 1
}

value() { [ $# -ge 2 ] && [ -n "$2" ] || fail "$1 needs a value"; }

while [ $# -gt 0 ]; do
  case $1 in
    --from) value "$@"; from=$2; shift ;;
    --prefix) value "$@"; prefix=$2; shift ;;
    --service)
      value "$@"
      case $2 in broker | monitor | worker) services="$services $2" ;; *) fail "there is no service '$2': broker, monitor or worker" ;; esac
      shift ;;
    --roll-back | --uninstall | --list) do=${1#--} ;;
    -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit ;;
    *) fail "unknown option '$1': see --help" ;;
  esac
  shift
done

if [ -z "$prefix" ]; then
  if [ "$(id -u)" = 0 ]; then prefix=/usr/local; else prefix=$HOME/.local; fi
fi
case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
versions=$prefix/lib/ffmpeg-easy
current=$versions/current
previous=$versions/previous
pages=$prefix/share/man/man1

# Which version a link leads to; nothing if there is none.
target() { [ -L "$1" ] && basename "$(readlink "$1")" || true; }

# lead LINK VERSION: by a rename, so that there is no moment without the link.
lead() {
  ln -s "$2" "$1.new.$$"
  # -T and -h: without them, mv would move into the folder that the old link leads to.
  mv -fT "$1.new.$$" "$1" 2>/dev/null || mv -fh "$1.new.$$" "$1"
}

has_systemd() { [ "$(uname -s)" = Linux ] && [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ]; }

agents=$HOME/Library/LaunchAgents
agent() { echo "$agents/ffmpeg-easy.$1.plist"; }

restart_services() {
  for service in broker monitor worker; do
    if has_systemd; then
      systemctl try-restart "ffmpeg-easy-$service.service" 2>/dev/null || true
    elif [ "$(uname -s)" = Darwin ] && [ -e "$(agent $service)" ]; then
      launchctl kickstart -k "gui/$(id -u)/ffmpeg-easy.$service" || true
    fi
  done
}

# A broker with a new configuration is not what an upgrade is about, so its restart is left to the person.
add_service() {
  if has_systemd; then
    id ffmpeg-easy >/dev/null 2>&1 ||
      useradd --system --home-dir /var/lib/ffmpeg-easy --shell /usr/sbin/nologin ffmpeg-easy
    install -d -m 0750 -o ffmpeg-easy -g ffmpeg-easy /etc/ffmpeg-easy
    sed "s|/usr/bin/\(monitor\|worker\)|$prefix/bin/\1|" "$here/../systemd/ffmpeg-easy-$1.service" \
      >"/etc/systemd/system/ffmpeg-easy-$1.service"
    systemctl daemon-reload
    systemctl enable --now "ffmpeg-easy-$1.service" ||
      fail "the service '$1' did not start: see journalctl -u ffmpeg-easy-$1"
  elif [ "$(uname -s)" = Darwin ]; then
    mkdir -p "$agents" "$HOME/Library/Logs/ffmpeg-easy"
    sed "s|@PREFIX@|$prefix|g; s|@HOME@|$HOME|g" "$here/../launchd/ffmpeg-easy.$1.plist" >"$(agent "$1")"
    launchctl bootstrap "gui/$(id -u)" "$(agent "$1")" || launchctl kickstart -k "gui/$(id -u)/ffmpeg-easy.$1"
  else
    fail "services need systemd and root, or macOS: start '$1' by what this machine has instead"
  fi
  echo "install: the service '$1' runs"
}

remove_services() {
  for service in broker monitor worker; do
    if has_systemd && [ -e "/etc/systemd/system/ffmpeg-easy-$service.service" ]; then
      systemctl disable --now "ffmpeg-easy-$service.service"
      rm -f "/etc/systemd/system/ffmpeg-easy-$service.service"
      systemctl daemon-reload
    elif [ "$(uname -s)" = Darwin ] && [ -e "$(agent $service)" ]; then
      launchctl bootout "gui/$(id -u)/ffmpeg-easy.$service" || true
      rm -f "$(agent $service)"
    fi
  done
}

digest() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -c1-12; }

install_programs() {
  made=''
  if [ -z "$from" ]; then
    command -v cargo >/dev/null || fail "no cargo: install Rust, or name a folder of built programs by --from"
    root=$(cd "$here/../.." && pwd)
    (cd "$root" && cargo build --release --locked -p ffmpeg-easy-producer -p ffmpeg-easy-worker -p ffmpeg-easy-monitor)
    from=${CARGO_TARGET_DIR:-$root/target}/release
  elif [ -f "$from" ]; then
    made=$(mktemp -d)
    tar -xzf "$from" -C "$made" || fail "$from is no .tar.gz"
    # Archives hold one folder, or the programs themselves.
    from=$(dirname "$(find "$made" -name producer -type f | head -n 1)")
  fi
  for program in $programs; do
    [ -x "$from/$program" ] || fail "there is no program '$program' in $from"
  done
  said=$("$from/producer" --version) || fail "$from/producer does not run on this machine"
  # Two builds of one version are two versions here.
  version=$(echo "$said" | sed 's/^[^ ]* *//')-$(cd "$from" && cat $programs | digest)

  mkdir -p "$prefix/bin"
  new=$versions/$version
  if [ ! -d "$new" ]; then
    part=$versions/.$version.$$
    mkdir -p "$part"
    for program in $programs; do
      cp "$from/$program" "$part/$program"
      chmod 755 "$part/$program"
    done
    # For `man`: each program writes its own pages. Those of earlier versions cannot.
    for program in $programs; do "$part/$program" manual "$part/man" >/dev/null 2>&1 || true; done
    mv "$part" "$new"
  fi
  [ -z "$made" ] || rm -rf "$made"
  for program in $programs; do
    link=$prefix/bin/$program
    if [ -e "$link" ] && [ "$(readlink "$link" || true)" != "../lib/ffmpeg-easy/current/$program" ]; then
      fail "$link is there and is not of ffmpeg-easy: move it away, or choose another --prefix"
    fi
  done

  old=$(target "$current")
  if [ "$old" != "$version" ]; then
    [ -z "$old" ] || lead "$previous" "$old"
    lead "$current" "$version"
  fi
  for program in $programs; do
    [ -L "$prefix/bin/$program" ] || ln -s "../lib/ffmpeg-easy/current/$program" "$prefix/bin/$program"
  done
  lead_pages
  forget_old
  restart_services
  echo "install: version $version is in $prefix/bin${old:+ (before: $old)}"
  case :$PATH: in *:"$prefix/bin":*) ;; *) echo "install: $prefix/bin is not in PATH: add it" ;; esac
}

# Links to the manual pages of the current version, and to no others.
lead_pages() {
  forget_pages
  for page in "$current"/man/*.1; do
    [ -e "$page" ] || continue
    mkdir -p "$pages"
    link=$pages/$(basename "$page")
    [ -e "$link" ] || ln -s "../../../lib/ffmpeg-easy/current/man/$(basename "$page")" "$link"
  done
}

forget_pages() {
  for link in "$pages"/*.1; do
    case $(readlink "$link" || true) in ../../../lib/ffmpeg-easy/current/man/*) rm -f "$link" ;; esac
  done
}

# The current one, the one before, and the newest of the others.
forget_old() {
  kept=0
  for entry in $(ls -t "$versions"); do
    case $entry in current | previous | "$(target "$current")" | "$(target "$previous")") continue ;; esac
    kept=$((kept + 1))
    [ $kept -le 1 ] || rm -rf "${versions:?}/$entry"
  done
}

roll_back() {
  old=$(target "$current")
  back=$(target "$previous")
  [ -n "$back" ] && [ -d "$versions/$back" ] || fail "there is no earlier version in $versions"
  lead "$current" "$back"
  lead "$previous" "$old"
  lead_pages
  restart_services
  echo "install: version $back is in $prefix/bin again (before: $old)"
}

uninstall() {
  [ -n "$(target "$current")" ] || fail "nothing is installed in $prefix"
  remove_services
  for program in $programs; do
    link=$prefix/bin/$program
    [ "$(readlink "$link" || true)" != "../lib/ffmpeg-easy/current/$program" ] || rm -f "$link"
  done
  forget_pages
  rm -rf "$versions"
  echo "install: the programs are removed from $prefix"
  for folder in /etc/ffmpeg-easy /var/lib/ffmpeg-easy /var/cache/ffmpeg-easy "${XDG_CONFIG_HOME:-$HOME/.config}/ffmpeg-easy" \
    "${XDG_CACHE_HOME:-$HOME/.cache}/ffmpeg-easy" "${XDG_STATE_HOME:-$HOME/.local/state}/ffmpeg-easy" \
    "${XDG_DATA_HOME:-$HOME/.local/share}/ffmpeg-easy"; do
    [ ! -d "$folder" ] || echo "install: left as it is: $folder"
  done
}

list() {
  [ -d "$versions" ] || fail "nothing is installed in $prefix"
  for entry in $(ls -t "$versions"); do
    case $entry in
      current | previous) ;;
      "$(target "$current")") echo "$entry (current)" ;;
      "$(target "$previous")") echo "$entry (before)" ;;
      *) echo "$entry" ;;
    esac
  done
}

case $do in
  install)
    install_programs
    for service in $services; do add_service "$service"; done ;;
  roll-back) roll_back ;;
  uninstall) uninstall ;;
  list) list ;;
esac
