import assert from 'node:assert/strict'
import { readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../../helpers/until.ts'
import type { LabNode } from './lab-node.ts'

/** What a node's workers run. */
export function workerProgram(node: LabNode): string {
  return realpathSync(join(node.fleetDir, 'current', 'agent', 'worker.mjs'))
}

/**
 * Plants a bug into what a node's next workers run; the answer takes it out again.
 * @param bug statements at the beginning of a job, which have `image`
 */
export async function plantBug(node: LabNode, bug: string): Promise<() => Promise<void>> {
  const program = workerProgram(node)
  const good = readFileSync(program, 'utf8')
  const bad = good.replace(/async function handle\([^)]*, image\) \{/, (begin) => `${begin}\n${bug}\n`)
  assert.notEqual(bad, good)
  const replace = async (text: string): Promise<void> => {
    writeFileSync(program, text)
    const before = new Set(node.workers().map(({ pid }) => pid))
    node.signal(node.workers(), 'SIGKILL')
    await until(() => node.workers().some(({ pid }) => !before.has(pid)), 'other workers have come')
    await node.ready()
  }
  await replace(bad)
  return () => replace(good)
}
