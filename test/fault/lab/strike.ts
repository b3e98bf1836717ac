import { setImmediate } from 'node:timers/promises'
import type { LabNode } from './lab-node.ts'

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

/** Keeps the workers of nodes from getting on while something is done: the run cannot end before that. */
export async function whileHeld(nodes: readonly LabNode[], work: () => Promise<void>): Promise<void> {
  // What has just been struck is let go again by whoever struck it.
  await setImmediate()
  const held = nodes.flatMap((node) => node.workers())
  nodes[0]!.signal(held, 'SIGSTOP')
  try {
    await work()
  } finally {
    nodes[0]!.signal(held, 'SIGCONT')
  }
}
