import { setTimeout as sleep } from 'node:timers/promises'
import { CpnError } from '../common/errors.ts'

const busyPauseMs = 20

/** Asks a node until it has a slot. While a run goes on, others take its slots: that shows nothing about what is asked. */
export async function whenFree<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof CpnError) || error.code !== 'CPN_ERR_AGENT_BUSY') throw error
      await sleep(busyPauseMs, undefined, { signal })
    }
  }
}
