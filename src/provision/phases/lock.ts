import { randomUUID } from 'node:crypto'
import { CpnError } from '../../common/errors.ts'
import { nodePaths } from '../../protocol/paths.ts'
import { quote } from '../../transport/shell.ts'
import { hostLocked, type LockOwner, lockedExit, lockOwner, lockScript } from '../lock.ts'
import type { Phase } from '../phase.ts'
import { isEmpty } from '../plan.ts'
import type { Provisioning } from '../provisioning.ts'
import { isMissing } from '../requirement-state.ts'
import { noteWhatIsThere, whatIsThereWords } from '../what-is-there.ts'
import { planAnew } from './compare.ts'

/** Keeps two provisionings from writing to one host at once. Nothing to write, no lock. */
export const lock: Phase = {
  name: 'lock',
  title: 'locking',
  timeoutMs: 60_000,
  settled: ({ plan, missing }) => (isEmpty(plan) && !isMissing(missing) ? 'skipped' : undefined),
  async run(provisioning, signal) {
    const { host, facts, transport } = provisioning
    const owner = lockOwner(randomUUID())
    const { exitCode, stdout, stderr } = await transport.exec(lockAndLook(provisioning, owner), { signal })
    if (exitCode === lockedExit) throw hostLocked(host.name, stdout.trim())
    provisioning.lock = owner.token
    if (exitCode !== 0) throw notTaken(host.name, facts.dir, stderr)
    noteWhatIsThere(provisioning, stdout)
    planAnew(provisioning)
    return 'changed'
  },
}

// What another provisioning changed since counts as well, so it is looked at once more. The mark tells later runs that a
// node that answers was not verified since.
function lockAndLook(provisioning: Provisioning, owner: LockOwner): string {
  const { facts, options } = provisioning
  const { dir, ancestors } = facts
  return `${lockScript(dir, ancestors, owner)}taken=$?
[ "$taken" = 0 ] || exit "$taken"
dir=${quote(dir)}
${whatIsThereWords(provisioning)}
[ ! -d ${nodePaths.fleet(options.fleetId)} ] || : >${nodePaths.unfinished(options.fleetId)}
`
}

function notTaken(host: string, dir: string, stderr: string): CpnError {
  return new CpnError('CPN_ERR_HOST_CHECK', `${dir} cannot be written: ${stderr.trim()}`, {
    host,
    suggestions: [
      /no space left/i.test(stderr)
        ? 'Free space there (inodes, where `df -i` shows none), or set remoteDir to a folder on another disk.'
        : 'Set remoteDir to a folder that the user can write.',
    ],
  })
}
