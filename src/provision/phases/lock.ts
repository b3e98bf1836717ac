import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { CpnError } from '../../common/errors.ts'
import { nodePaths } from '../../protocol/paths.ts'
import { quote } from '../../transport/shell.ts'
import { Lease } from '../lease.ts'
import { defaultLeaseSeconds, hostLocked, type LockOwner, lockedExit, lockOwner, lockScript } from '../lock.ts'
import type { Phase } from '../phase.ts'
import { isEmpty } from '../plan.ts'
import type { Provisioning } from '../provisioning.ts'
import { isMissing } from '../requirement-state.ts'
import { takingBack } from '../take-back.ts'
import { noteWhatIsThere, whatIsThereWords } from '../what-is-there.ts'
import { planAnew } from './compare.ts'

const retryMs = 500

/** Keeps two provisionings from writing to one host at once. Nothing to write, no lock. */
export const lock: Phase = {
  name: 'lock',
  title: 'locking',
  timeoutMs: 120_000,
  settled: ({ plan, missing }) => (isEmpty(plan) && !isMissing(missing) ? 'skipped' : undefined),
  async run(provisioning, signal) {
    const { host, facts, transport, options } = provisioning
    const { leaseSeconds = defaultLeaseSeconds, logger } = options
    const owner = lockOwner(randomUUID(), options.fleetId)
    const { exitCode, stdout, stderr } = await lockAndLook(provisioning, owner, leaseSeconds, signal)
    if (exitCode === lockedExit) throw hostLocked(host.name, stdout.trim())
    if (exitCode !== 0) throw notTaken(host.name, facts.dir, stderr)
    const { token } = owner
    provisioning.lock = new Lease({ host: host.name, transport, dir: facts.dir, token, leaseSeconds, logger })
    noteWhatIsThere(provisioning, stdout)
    planAnew(provisioning)
    return 'changed'
  },
}

// A host that is just taking back what was cut off is done with it soon.
async function lockAndLook(p: Provisioning, owner: LockOwner, leaseSeconds: number, signal: AbortSignal) {
  for (;;) {
    const result = await p.transport.exec(lockScriptAndLook(p, owner, leaseSeconds), { signal })
    if (result.exitCode !== lockedExit || !result.stdout.trim().startsWith(takingBack)) return result
    await sleep(retryMs, undefined, { signal })
  }
}

// What another provisioning changed since counts as well, so it is looked at once more. The mark tells later runs that a
// node that answers was not verified since.
function lockScriptAndLook(provisioning: Provisioning, owner: LockOwner, leaseSeconds: number): string {
  const { facts, options } = provisioning
  const { dir, ancestors } = facts
  return `${lockScript(dir, ancestors, owner, leaseSeconds)}taken=$?
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
