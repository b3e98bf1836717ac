import { setTimeout as sleep } from 'node:timers/promises'

/** Time as code that is tested without waiting sees it. */
export interface Clock {
  /** Milliseconds, monotonic, from any origin. */
  now(): number
  /** Resolves after `ms` milliseconds; rejects when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, { signal })
  },
}
