import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import type { LabNode } from './lab-node.ts'

// Shorter than any deadline, and longer than a picture takes.
const heldMs = 500
const letGoMs = 60

/**
 * Does something to a node while it has a job in work, for certain: workers that stand still keep their jobs. Rejects,
 * and does nothing, when the node gets no job in time.
 * @param strike is called once; what it begins and waits for goes on with workers that are let go again
 * @returns when it struck, in milliseconds since 1970
 */
export async function strikeBusy(
  victim: LabNode,
  strike: () => Promise<void> | void,
  patienceMs = 30_000,
): Promise<number> {
  const workers = victim.workers()
  victim.signal(workers, 'SIGSTOP')
  try {
    await victim.busy(patienceMs)
    const at = Date.now()
    const striking = strike()
    victim.signal(workers, 'SIGCONT')
    await striking
    return at
  } finally {
    victim.signal(workers, 'SIGCONT')
  }
}

/** Lets workers get on only now and then while something is done, so that the run does not end before that. */
export async function whileHeld(nodes: readonly LabNode[], work: () => Promise<void>): Promise<void> {
  // What has just been struck is let go again by whoever struck it.
  await setImmediate()
  const signal = (to: NodeJS.Signals): void => {
    for (const node of nodes) node.signal(node.workers(), to)
  }
  const working = work()
  const ended = working.then(
    () => true,
    () => true,
  )
  for (let over = false; !over; ) {
    signal('SIGSTOP')
    over = await Promise.race([ended, sleep(heldMs, false)])
    signal('SIGCONT')
    over ||= await Promise.race([ended, sleep(letGoMs, false)])
  }
  await working
}
