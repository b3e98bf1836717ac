import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves when a condition of the outside world holds that no event tells of; rejects after a minute. */
export async function until(condition: () => boolean, what: string, timeoutMs = 60_000): Promise<void> {
  for (const end = performance.now() + timeoutMs; !condition(); await sleep(20)) {
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`)
  }
}
