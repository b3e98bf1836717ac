import { hostname, userInfo } from 'node:os'
import { CpnError } from '../common/errors.ts'
import { quote } from '../transport/shell.ts'

/** Seconds after which a lock whose owner cannot be seen counts as left behind. */
const expirySeconds = 3600

// `parent` sets $up. Reading with the shell's own word spares a process for each of the ancestors.
const processWords = `
parent() {
  if [ -r "/proc/$1/stat" ]; then stat=; read -r stat <"/proc/$1/stat"; set -- \${stat##*) }; up=$2
  else set -- $(ps -o ppid= -p "$1" 2>/dev/null); up=$1; fi
}
born() {
  if [ -r "/proc/$1/stat" ]; then
    set -- $(sed 's/^.*) //' "/proc/$1/stat")
    case $1 in Z|X) return ;; esac
    echo "\${20} $(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
  else LC_ALL=C ps -o lstart= -p "$1" 2>/dev/null; fi
}
ancestors() {
  up=$PPID
  while [ "\${up:-0}" -gt 1 ]; do printf '%s ' "$up"; parent "$up"; done
}
`

/** Prints \`cpn-fact ancestors=…\`: see lockScript. */
export const ancestorsFact = `${processWords}printf 'cpn-fact ancestors='; ancestors; echo\n`

export interface LockOwner {
  /** Random; tells our lock from another's. */
  token: string
  /** Who holds it, for whoever finds it: one line. */
  name: string
}

/** Exit code of a script that found the lock taken; the owner's name is on stdout. */
export const lockedExit = 75

/** Us, as an owner. */
export function lockOwner(token: string): LockOwner {
  const name = `${userInfo().username}@${hostname()}, process ${process.pid}, since ${new Date().toISOString()}`
  return { token, name }
}

export function hostLocked(host: string, owner: string): CpnError {
  return new CpnError('CPN_ERR_HOST_LOCKED', `somebody else is at work on the host: ${owner || 'unknown'}`, {
    host,
    retryable: true,
    suggestions: ['Wait until that is done, then run it again. A lock ends with the connection that took it.'],
  })
}

/**
 * Shell words: `take` makes the lock in the current folder one of the process \$mine. It gives 0, 75 with the owner's
 * name on stdout, or 1 where no lock can be made and nobody has one.
 */
function takeWords(owner: LockOwner): string {
  return `${processWords}
field() { sed -n "s/^$1=//p" "$2/owner" 2>/dev/null; }
held() {
  [ -e lock/owner ] || sleep 1
  held_token=$(field token lock)
  held_by=$(field pid lock)
  [ -n "$held_token" ] || return 1
  if [ "\${held_by:-0}" -gt 0 ]; then [ "$(born "$held_by")" = "$(field born lock)" ]; return; fi
  [ $(($(date +%s) - $(field time lock))) -lt ${expirySeconds} ]
}
take() {
  for try in 1 2 3; do
    if failure=$(mkdir lock 2>&1); then
      printf 'token=%s\\npid=%s\\nborn=%s\\ntime=%s\\nname=%s\\n' ${quote(owner.token)} "$mine" "$(born "$mine")" \\
        "$(date +%s)" ${quote(owner.name)} >lock/.owner && mv lock/.owner lock/owner
      return
    fi
    [ -e lock ] || continue
    if held; then field name lock; return ${lockedExit}; fi
    # Whoever was faster may have put a new lock in the place of the old one.
    if mv lock "lock.$$" 2>/dev/null; then
      if [ "$(field token "lock.$$")" = "$held_token" ]; then rm -rf "lock.$$"; else mv "lock.$$" lock; fi
    fi
  done
  [ -e lock ] && return ${lockedExit}
  echo "$failure" >&2
  return 1
}
`
}

/** File in remoteDir that names the topmost folder above it that did not exist before; missing when all did. */
export const madeParents = 'parents'

/**
 * Takes the lock of remoteDir, and makes that folder when it is missing: exit code 0, or 75 with the owner's name on
 * stdout. A lock is left behind, and taken over, when the connection that took it is gone (the process its commands
 * descended from), or, where that process cannot be told, after an hour.
 * @param ancestors processes above an earlier command of the same connection
 */
export function lockScript(dir: string, ancestors: number[], owner: LockOwner): string {
  return `umask 077
top=${quote(dir)}
made=
while [ -n "$top" ] && [ ! -d "$top" ]; do made=$top; top=\${top%/*}; done
mkdir -p ${quote(dir)} && cd ${quote(dir)} || exit 1
set -- $(ls -lnd .)
[ "$3" = "$(id -u)" ] || { echo 'it belongs to another user' >&2; exit 1; }
case $made in ''|${quote(dir)}) ;; *) printf '%s\\n' "$made" >${madeParents} || exit 1 ;; esac
${takeWords(owner)}
mine=0
for p in $(ancestors); do
  case ' ${ancestors.join(' ')} ' in *" $p "*) mine=$p; break ;; esac
done
take
`
}

/**
 * Shell words for a script that works in remoteDir itself: ends it with 75 when somebody has the lock. Where the lock
 * cannot be made it goes on: a full disk is no reason to remove nothing.
 */
export function lockForThisScript(owner: LockOwner): string {
  return `${takeWords(owner)}mine=$$
take 2>/dev/null
[ $? -ne ${lockedExit} ] || exit ${lockedExit}
`
}

/** Gives the lock back, if it is still ours. */
export function unlockScript(dir: string, token: string): string {
  return `cd ${quote(dir)} 2>/dev/null || exit 0
[ "$(sed -n 's/^token=//p' lock/owner 2>/dev/null)" = ${quote(token)} ] && rm -rf lock
exit 0
`
}
