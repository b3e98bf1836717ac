import assert from 'node:assert/strict'
import { readdirSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TreeEntry } from './file-tree.ts'
import { descendants } from './processes.ts'
import type { SshdHost } from './sshd.ts'

const defaultGraceMs = 10_000

/**
 * Wraps a test so that it fails when it leaves child processes, file descriptors, sockets or timers behind. Hosts and
 * projects have to be disposed by then: take them with `await using`.
 */
export function leakFree<T>(
  test: (context: T) => Promise<void>,
  graceMs = defaultGraceMs,
): (context: T) => Promise<void> {
  return async (context) => {
    const before = openThings()
    await test(context)
    await settled(() => leaked(before, openThings()), 'the test left open', graceMs)
  }
}

/** Fails unless nothing runs on these hosts and nobody is connected to them. */
export async function assertIdle(hosts: SshdHost[], graceMs = defaultGraceMs): Promise<void> {
  for (const host of hosts) {
    await settled(() => host.processes().map(({ command }) => command), `on ${host.name} there still runs`, graceMs)
    await settled(() => host.connections().map(({ command }) => command), `${host.name} still has connections`, graceMs)
  }
}

/** Fails unless a host's home is as it was in an earlier snapshot. */
export function assertSameTree(host: SshdHost, before: TreeEntry[]): void {
  assert.deepEqual(host.tree(), before, `the home of ${host.name} is not as it was`)
}

/** Waits for what is just ending to end; what is left after the grace is a leak. */
async function settled(find: () => string[], message: string, graceMs: number): Promise<void> {
  for (const end = performance.now() + graceMs; ; await sleep(20)) {
    const left = find()
    if (left.length === 0) return
    if (performance.now() > end) assert.fail(`${message}:\n${left.join('\n')}`)
  }
}

/** Kinds of everything open in this process, counted. */
function openThings(): Map<string, number> {
  const kinds = [
    ...process.getActiveResourcesInfo().map((kind) => `resource ${kind}`),
    ...readdirSync('/proc/self/fd').map(describeDescriptor),
    ...descendants(process.pid).map(({ command }) => `process ${command}`),
  ]
  return new Map(Object.entries(Object.groupBy(kinds, (kind) => kind)).map(([kind, all]) => [kind, all!.length]))
}

function describeDescriptor(descriptor: string): string {
  try {
    return `file descriptor ${readlinkSync(`/proc/self/fd/${descriptor}`).replace(/:\[\d+\]$/, '')}`
  } catch {
    // The one that listed the folder is closed again.
    return 'closed'
  }
}

function leaked(before: Map<string, number>, now: Map<string, number>): string[] {
  return [...now]
    .map(([kind, count]) => ({ kind, more: count - (before.get(kind) ?? 0) }))
    .filter(({ kind, more }) => more > 0 && kind !== 'closed')
    .map(({ kind, more }) => `${more} × ${kind}`)
}
