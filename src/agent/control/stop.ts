import { writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { CpnError } from '../../common/errors.ts'
import { askAgent } from '../agent-socket.ts'
import type { FleetFolder } from '../fleet-folder.ts'
import { stopUnit } from '../keep/systemd-user.ts'
import { readPidFile } from '../process/pid-file.ts'
import { isAlive, type ProcessIdentity, signalProcess } from '../process/process-identity.ts'

const drainMs = 35_000
const endMs = 5_000
const askMs = 2_000
const pollMs = 25

/** Ends the agent for good: only a plain `start` runs it again, not even a reboot does. */
export async function stopAgent(fleet: FleetFolder, now: boolean): Promise<{ stopped: true }> {
  writeFileSync(fleet.stopped, `${new Date().toISOString()}\n`, { mode: 0o600 })
  await endAgent(fleet, now)
  return { stopped: true }
}

/** Ends what keeps the agent, the agent and its workers, in this order, and returns when all are gone. */
export async function endAgent(fleet: FleetFolder, now: boolean): Promise<void> {
  const ending = new EndingProcesses([fleet.keeperPid, fleet.pid, fleet.workerPids])
  if (now) await askAgent(fleet.socket, 'POST', '/cpn/v1/shutdown?now=1', askMs).catch(() => {})
  await stopUnit(fleet)
  // The keeper passes the signal on; an agent that nobody keeps gets it itself.
  const keepers = readPidFile(fleet.keeperPid)
  for (const one of keepers.length > 0 ? keepers : readPidFile(fleet.pid)) signalProcess(one, 'SIGTERM')
  if (await ending.gone(now ? endMs : drainMs)) return
  ending.kill()
  if (await ending.gone(endMs)) return
  throw new CpnError('CPN_ERR_REMOTE_TIMEOUT', `processes of fleet ${fleet.id} do not end`, {
    suggestions: ['Look at them on the host: they may wait for a disk that does not answer.'],
  })
}

/** Processes by their pid files. One that has removed its file may still be about to exit: it is remembered. */
class EndingProcesses {
  readonly #files: string[]
  #seen: ProcessIdentity[] = []

  constructor(files: string[]) {
    this.#files = files
    this.#look()
  }

  async gone(withinMs: number): Promise<boolean> {
    const deadline = performance.now() + withinMs
    while (this.#look().length > 0) {
      if (performance.now() >= deadline) return false
      await setTimeout(pollMs)
    }
    return true
  }

  kill(): void {
    for (const one of this.#look()) signalProcess(one, 'SIGKILL')
  }

  #look(): ProcessIdentity[] {
    const named = this.#files.flatMap(readPidFile)
    const others = this.#seen.filter((one) => isAlive(one) && !named.some(({ pid }) => pid === one.pid))
    this.#seen = [...named, ...others]
    return this.#seen
  }
}
