import { quote, quotePath } from '../transport/shell.ts'
import { auditWords } from './audit.ts'
import { heldWords, unlockWords } from './lock.ts'

/** The lock that somebody has on a host. */
export interface LockState {
  /** remoteDir, absolute. */
  dir: string
  token: string
  /** Who took it, and since when, in words. */
  owner: string
  /** False when it is left behind: whoever wants it next takes it over. */
  held: boolean
}

/** Asks who has the lock of remoteDir; nothing is written. */
export function lockStateScript(remoteDir: string): string {
  return `dir=${quotePath(remoteDir)}
cd "$dir" 2>/dev/null && [ -e lock ] || { echo 'cpn-lock none'; exit 0; }
${heldWords}
if held; then state=held; else state=left; fi
printf 'cpn-lock %s %s %s\\n' "$state" "$(holder token)" "$(pwd)"
holder name
`
}

/** Undefined without a lock, or with an answer that is none. */
export function parseLockState(output: string): LockState | undefined {
  const [, state, token, dir, owner] = /^cpn-lock (held|left) (\S*) (\/.*)\n(.*)/m.exec(output) ?? []
  return dir === undefined ? undefined : { dir, token: token!, owner: owner || 'unknown', held: state === 'held' }
}

/** Takes the lock away from that owner, and from no other; says so in the fleet's audit file, where it has one. */
export function breakLockScript({ dir, token, owner }: LockState, fleetId: string): string {
  const audit = auditWords(dir, fleetId, { event: 'unlocked', owner })
  return `cd ${quote(dir)} || exit 1
${token === '' ? '[ -e lock/owner ] || rm -rf lock' : unlockWords(token)}
[ ! -e lock ] || [ "$(sed -n 's/^token=//p' lock/owner 2>/dev/null)" != ${quote(token)} ] || exit 1
${audit} 2>/dev/null
exit 0
`
}
