import { nodePaths } from '../protocol/paths.ts'
import { quote } from '../transport/shell.ts'
import { type LockOwner, lockForThisScript, madeParents } from './lock.ts'
import { sweepBlobs } from './phases/prune-old.ts'

/**
 * Removes a fleet from a host, then what no other fleet uses, then remoteDir and the folders above it that came with it,
 * when nothing is left in them. It asks the agent to go first; where that does not work it ends its processes and
 * removes its systemd unit itself. Prints `removed` or, where there was nothing, `absent`; ends with lockedExit and
 * the owner's name when somebody has the host's lock.
 */
export function removeScript(dir: string, fleetId: string, owner: LockOwner): string {
  const fleet = nodePaths.fleet(fleetId)
  return `LC_ALL=C; export LC_ALL
unset NODE_OPTIONS NODE_PATH
found=
cd ${quote(dir)} 2>/dev/null || { echo absent; exit 0; }
umask 077
${lockForThisScript(owner)}[ -d ${fleet} ] || found=absent
if [ -z "$found" ] && [ -x ${fleet}/current/bin/cpn-agent ]; then
  ${quote(`${dir}/${fleet}`)}/current/bin/cpn-agent uninstall >/dev/null 2>&1
fi
${endProcesses(dir, fleet)}
${removeUnit(dir, fleetId)}
rm -rf ${fleet}
${removeUnused}
rmdir fleets releases models blobs 2>/dev/null
${forgetParents(dir)}
rm -rf lock lock.* receive
cd / && while rmdir "$d" 2>/dev/null && [ -n "$made" ] && [ "$d" != "$made" ]; do d=\${d%/*}; done
echo "\${found:-removed}"
`
}

function forgetParents(dir: string): string {
  return `d=${quote(dir)}
made=$(cat ${madeParents} 2>/dev/null)
case $d in "$made"/*) ;; *) made= ;; esac
[ -e fleets ] || rm -f ${madeParents}`
}

// A pid counts only while its command line names this folder: it may have been given to another process since.
function endProcesses(dir: string, fleet: string): string {
  return `ours() {
  case $1 in ''|*[!0-9]*) return 1 ;; esac
  if [ -r "/proc/$1/cmdline" ]; then line=$(tr '\\0' ' ' <"/proc/$1/cmdline"); else line=$(ps -o command= -p "$1"); fi
  case $line in *${quote(dir)}/*) return 0 ;; esac
  return 1
}
each() { for f in ${fleet}/run/keeper.pid ${fleet}/run/agent.pid ${fleet}/run/workers.pid; do
  [ -r "$f" ] && while read -r pid _; do ours "$pid" && { kill "-$1" "$pid" 2>/dev/null; alive=yes; }; done <"$f"
done; }
for s in TERM 0 0 0 0 0 KILL; do
  alive=; each "$s"
  [ -n "$alive" ] || break
  sleep 1
done`
}

function removeUnit(dir: string, fleetId: string): string {
  const unit = `cpn-${fleetId}.service`
  return `units=$HOME/.config/systemd/user
if [ -e "$units/${unit}" ]; then
  XDG_RUNTIME_DIR=\${XDG_RUNTIME_DIR:-/run/user/$(id -u)}; export XDG_RUNTIME_DIR
  systemctl --user --no-ask-password disable --now ${unit} >/dev/null 2>&1
  rm -f "$units/${unit}" "$units/default.target.wants/${unit}"
  systemctl --user --no-ask-password daemon-reload >/dev/null 2>&1
fi
record=${quote(dir)}/systemd.json
if [ -e "$record" ] && ! ls "$units"/cpn-*.service >/dev/null 2>&1; then
  for d in "$units/default.target.wants" "$units" "$HOME/.config/systemd" "$HOME/.config"; do
    case $(cat "$record") in *"\\"$d\\""*) rmdir "$d" 2>/dev/null ;; esac
  done
  case $(cat "$record") in *'"lingerEnabled":true'*) loginctl --no-ask-password disable-linger >/dev/null 2>&1 ;; esac
  rm -f "$record"
fi`
}

const removeUnused = `if [ -z "$(ls -A fleets 2>/dev/null)" ]; then
  rm -rf releases blobs models
else
  used=$(for d in fleets/*/; do for l in current previous; do
    to=$(CDPATH='' cd -P -- "$d$l" 2>/dev/null && pwd -P) && echo "\${to##*/}"; done; done)
  for r in $(ls -A releases 2>/dev/null); do
    case "
$used
" in *"
$r
"*) ;; *) rm -rf "releases/$r" ;; esac
  done
  lists=$(cat fleets/*/models.json 2>/dev/null)
  for m in $(ls -A models 2>/dev/null); do
    case $lists in *"\${m%.json}"*) ;; *) rm -f "models/$m" ;; esac
  done
  ${sweepBlobs}fi`
