import { hostname, userInfo } from 'node:os'
import { CpnError } from '../common/errors.ts'
import { quote } from '../transport/shell.ts'

/**
 * Seconds that a lock is good for without being renewed. Longer than the longest upload that leaves no session free to
 * renew it in; a master that has died is noticed by its connection long before.
 */
export const defaultLeaseSeconds = 900

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

/**
 * Shell words: `held` tells whether the lock in the current folder counts, `holder` what its owner wrote then, though the
 * lock may have gone since. The process that took it has to live, where it can be seen, and its lease must not have run
 * out. Older versions wrote no `expires`.
 */
export const heldWords = `${processWords}
field() { sed -n "s/^$1=//p" "$2/owner" 2>/dev/null; }
holder() { printf '%s\\n' "$held_owner" | sed -n "s/^$1=//p"; }
number() { case $1 in ''|*[!0-9]*) echo 0 ;; *) echo "$1" ;; esac; }
held() {
  [ -e lock/owner ] || sleep 1
  held_owner=$(cat lock/owner 2>/dev/null)
  held_by=$(number "$(holder pid)")
  [ -n "$(holder token)" ] || return 1
  if [ "$held_by" -gt 0 ] && [ "$(born "$held_by")" != "$(holder born)" ]; then return 1; fi
  expires=$(number "$(holder expires)")
  [ "$expires" -gt 0 ] || expires=$(($(number "$(holder time)") + 3600))
  [ "$(date +%s)" -lt "$expires" ]
}
`

export interface LockOwner {
  /** Random; tells our lock from another's. */
  token: string
  /** Who holds it, for whoever finds it: one line. */
  name: string
}

/** File that holds the pid of a process which watches the lock, and which SIGUSR1 makes look at once. */
export const lockWatcher = 'lock/watcher'

/** Exit code of a script that found the lock taken; the owner's name is on stdout. */
export const lockedExit = 75

/** Us, for whoever finds what we left: `user@machine`. */
export function whoWeAre(): string {
  return `${userName()}@${hostname()}`
}

// A user without an entry in the system's list has only a number.
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.()}`
  }
}

/** Us, as an owner. `fleetId` tells which inventory it is for. */
export function lockOwner(token: string, fleetId: string): LockOwner {
  const since = new Date().toISOString().replace(/\.\d+/, '')
  const name = `${whoWeAre()}, process ${process.pid}, fleet ${fleetId}, since ${since}`
  return { token, name }
}

export function hostLocked(host: string, owner: string): CpnError {
  return new CpnError('CPN_ERR_HOST_LOCKED', `somebody else is at work on the host: ${owner || 'unknown'}`, {
    host,
    retryable: true,
    suggestions: [`Wait until that is done. If nobody is at work any more: cpn unlock ${host}`],
  })
}

/** The lock went to somebody else while we worked: our lease had run out, or it was broken. */
export function lockLost(host: string, owner: string): CpnError {
  const now = owner ? `it belongs to ${owner} now` : 'nobody holds it now'
  return new CpnError('CPN_ERR_HOST_LOCKED', `the lock on the host was taken from us: ${now}`, {
    host,
    retryable: true,
    suggestions: ['Provision the host again when nobody else does; what is done stays done.'],
  })
}

/**
 * Shell words: `take` makes the lock in the current folder one of the process \$mine. It gives 0, 75 with the owner's
 * name on stdout, or 1 where no lock can be made and nobody has one.
 */
function takeWords(owner: LockOwner, leaseSeconds: number): string {
  return `${heldWords}
take() {
  # Found out before, so that the lock is without an owner for as short as can be.
  mine_born=$(born "$mine")
  for try in 1 2 3; do
    now=$(date +%s)
    if failure=$(mkdir lock 2>&1); then
      printf 'token=%s\\npid=%s\\nborn=%s\\ntime=%s\\nexpires=%s\\nname=%s\\n' ${quote(owner.token)} "$mine" \\
        "$mine_born" "$now" $((now + ${leaseSeconds})) ${quote(owner.name)} >lock/.owner && mv lock/.owner lock/owner
      return
    fi
    [ -e lock ] || continue
    if held; then holder name; return ${lockedExit}; fi
    # Whoever was faster may have put a new lock in the place of the old one.
    if mv lock "lock.$$" 2>/dev/null; then
      if [ "$(field token "lock.$$")" = "$(holder token)" ]; then rm -rf "lock.$$"; else mv "lock.$$" lock; fi
    fi
  done
  if [ -e lock ]; then holder name; return ${lockedExit}; fi
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
 * descended from), or when its lease has run out without having been renewed: a frozen master, a half-open connection.
 * @param ancestors processes above an earlier command of the same connection
 */
export function lockScript(
  dir: string,
  ancestors: number[],
  owner: LockOwner,
  leaseSeconds = defaultLeaseSeconds,
): string {
  return `umask 077
top=${quote(dir)}
made=
while [ -n "$top" ] && [ ! -d "$top" ]; do made=$top; top=\${top%/*}; done
mkdir -p ${quote(dir)} && cd ${quote(dir)} || exit 1
set -- $(ls -lnd .)
[ "$3" = "$(id -u)" ] || { echo 'it belongs to another user' >&2; exit 1; }
case $made in ''|${quote(dir)}) ;; *) printf '%s\\n' "$made" >${madeParents} || exit 1 ;; esac
${takeWords(owner, leaseSeconds)}
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
  return `${inheritWords(owner)}take 2>/dev/null
[ $? -ne ${lockedExit} ] || exit ${lockedExit}
`
}

/**
 * Makes the lease as long as at its begin: exit code 0, or 75 with the new owner's name on stdout when the lock is not
 * ours any more. Written from inside the lock's folder, so that nothing is written into a lock that took its place.
 */
export function renewScript(dir: string, token: string, leaseSeconds: number): string {
  return `umask 077
cd ${quote(`${dir}/lock`)} 2>/dev/null || exit ${lockedExit}
[ "$(sed -n 's/^token=//p' owner 2>/dev/null)" = ${quote(token)} ] ||
  { sed -n 's/^name=//p' owner 2>/dev/null; exit ${lockedExit}; }
sed "s/^expires=.*/expires=$(($(date +%s) + ${leaseSeconds}))/" owner >.owner && mv -f .owner owner
`
}

/** Shell words that end a script with 75 and the owner's name, before it does anything, unless the lock is still ours. */
export function onlyWithLock(dir: string, token: string): string {
  const owner = quote(`${dir}/lock/owner`)
  return `[ "$(sed -n 's/^token=//p' ${owner} 2>/dev/null)" = ${quote(token)} ] ||
  { sed -n 's/^name=//p' ${owner} 2>/dev/null; exit ${lockedExit}; }
`
}

/** Gives the lock back, if it is still ours. */
export function unlockScript(dir: string, token: string): string {
  return `cd ${quote(dir)} 2>/dev/null || exit 0
${unlockWords(token)}
exit 0
`
}

/** Shell words: gives a lock in the current folder back, if it has this token, and wakes who watches it. */
export function unlockWords(token: string): string {
  return `if [ "$(sed -n 's/^token=//p' lock/owner 2>/dev/null)" = ${quote(token)} ]; then
  watcher=$(cat ${lockWatcher} 2>/dev/null)
  rm -rf lock
  [ -z "$watcher" ] || kill -s USR1 "$watcher" 2>/dev/null
fi`
}

/**
 * Shell words for a process that outlives the connection which took the lock: `held` tells whether that lock still
 * counts, `take` makes it one of this process.
 */
export function inheritWords(owner: LockOwner): string {
  return `${takeWords(owner, defaultLeaseSeconds)}mine=$$
`
}
