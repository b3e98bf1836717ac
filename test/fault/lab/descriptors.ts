import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'

/** From now on a process opens no file and no connection more than it has; disposing gives it its limit back. */
export function exhaustDescriptors({ pid, uid }: { pid: number; uid?: number }): Disposable {
  const numbers = readdirSync(`/proc/${pid}/fd`).map(Number)
  // Its limits are changed by its own user: root may not have the right where everything runs in a container.
  const owner = uid === undefined ? {} : { uid, gid: uid }
  const limit = (soft: number): void => {
    execFileSync('prlimit', ['--pid', `${pid}`, `--nofile=${soft}:`], { stdio: 'pipe', ...owner })
  }
  // A descriptor's number has to be below the limit: those in the gaps are still free.
  limit(firstGap(numbers))
  return {
    [Symbol.dispose]: () => {
      try {
        limit(4096)
      } catch {
        // The process has ended.
      }
    },
  }
}

function firstGap(numbers: number[]): number {
  const taken = new Set(numbers)
  let gap = 0
  while (taken.has(gap)) gap++
  return gap
}
