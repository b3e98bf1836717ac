import { quote } from '../transport/shell.ts'

/** Seconds after which a lock whose owner cannot be seen counts as left behind. */
const expirySeconds = 3600

// Process that the connection's commands descend from: it lives as long as the connection does.
const processWords = `
parent() {
  if [ -r "/proc/$1/stat" ]; then set -- $(sed 's/^.*) //' "/proc/$1/stat"); echo "$2"
  else set -- $(ps -o ppid= -p "$1" 2>/dev/null); echo "$1"; fi
}
born() {
  if [ -r "/proc/$1/stat" ]; then
    set -- $(sed 's/^.*) //' "/proc/$1/stat")
    case $1 in Z|X) return ;; esac
    echo "\${20} $(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
  else LC_ALL=C ps -o lstart= -p "$1" 2>/dev/null; fi
}
ancestors() {
  a=$PPID
  while [ "\${a:-0}" -gt 1 ]; do printf '%s ' "$a"; a=$(parent "$a"); done
}
`

/** Prints \`cpn-fact ancestors=…\`: see lockScript. */
export const ancestorsFact = `${processWords}printf 'cpn-fact ancestors=%s\\n' "$(ancestors)"\n`

export interface LockOwner {
  /** Random; tells our lock from another's. */
  token: string
  /** Who holds it, for whoever finds it: one line. */
  name: string
}

/**
 * Takes the lock of remoteDir: exit code 0, or 75 with the owner's name on stdout. A lock is left behind, and taken
 * over, when the connection that took it is gone (the process its commands descended from), or, where that process
 * cannot be told, after an hour.
 * @param ancestors processes above an earlier command of the same connection
 */
export function lockScript(dir: string, ancestors: number[], owner: LockOwner): string {
  return `umask 077
mkdir -p ${quote(dir)} && cd ${quote(dir)} || exit 1
${processWords}
field() { sed -n "s/^$1=//p" "$2/owner" 2>/dev/null; }
mine=0
for p in $(ancestors); do
  case ' ${ancestors.join(' ')} ' in *" $p "*) mine=$p; break ;; esac
done
held() {
  [ -e lock/owner ] || sleep 1
  held_token=$(field token lock)
  held_by=$(field pid lock)
  [ -n "$held_token" ] || return 1
  if [ "\${held_by:-0}" -gt 0 ]; then [ "$(born "$held_by")" = "$(field born lock)" ]; return; fi
  [ $(($(date +%s) - $(field time lock))) -lt ${expirySeconds} ]
}
for try in 1 2 3; do
  if mkdir lock 2>/dev/null; then
    printf 'token=%s\\npid=%s\\nborn=%s\\ntime=%s\\nname=%s\\n' ${quote(owner.token)} "$mine" "$(born "$mine")" \\
      "$(date +%s)" ${quote(owner.name)} >lock/.owner && mv lock/.owner lock/owner
    exit
  fi
  if held; then field name lock; exit 75; fi
  # Whoever was faster may have put a new lock in the place of the old one.
  if mv lock "lock.$$" 2>/dev/null; then
    if [ "$(field token "lock.$$")" = "$held_token" ]; then rm -rf "lock.$$"; else mv "lock.$$" lock; fi
  fi
done
exit 75
`
}

/** Gives the lock back, if it is still ours. */
export function unlockScript(dir: string, token: string): string {
  return `cd ${quote(dir)} 2>/dev/null || exit 0
[ "$(sed -n 's/^token=//p' lock/owner 2>/dev/null)" = ${quote(token)} ] && rm -rf lock
exit 0
`
}
