import { writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { CpnError } from '../../common/errors.ts'
import { askAgent } from '../agent-socket.ts'
import type { FleetFolder } from '../fleet-folder.ts'
import { stopUnit } from '../keep/systemd-user.ts'
import { readPidFile } from '../process/pid-file.ts'
import { signalProcess } from '../process/process-identity.ts'

const drainMs = 35_000
const endMs = 5_000
const pollMs = 25

/** Ends the agent for good: only a plain `start` runs it again, not even a reboot does. */
export async function stopAgent(fleet: FleetFolder, now: boolean): Promise<{ stopped: true }> {
  writeFileSync(fleet.stopped, `${new Date().toISOString()}\n`, { mode: 0o600 })
  await endAgent(fleet, now)
  return { stopped: true }
}

/** Ends what keeps the agent, the agent and its workers, in this order, and returns when all are gone. */
export async function endAgent(fleet: FleetFolder, now: boolean): Promise<void> {
  if (now) await askAgent(fleet.socket, 'POST', '/cpn/v1/shutdown?now=1').catch(() => {})
  await stopUnit(fleet)
  // The keeper passes the signal on; an agent that nobody keeps gets it itself.
  signalAll(readPidFile(fleet.keeperPid), 'SIGTERM')
  if (!(await gone(fleet, 0)) && readPidFile(fleet.keeperPid).length === 0) signalAll(readPidFile(fleet.pid), 'SIGTERM')
  if (await gone(fleet, now ? endMs : drainMs)) return
  for (const path of files(fleet)) signalAll(readPidFile(path), 'SIGKILL')
  if (await gone(fleet, endMs)) return
  throw new CpnError('CPN_ERR_REMOTE_TIMEOUT', `processes of fleet ${fleet.id} do not end`, {
    suggestions: ['Look at them on the host: they may wait for a disk that does not answer.'],
  })
}

function files(fleet: FleetFolder): string[] {
  return [fleet.keeperPid, fleet.pid, fleet.workerPids]
}

async function gone(fleet: FleetFolder, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs
  while (files(fleet).some((path) => readPidFile(path).length > 0)) {
    if (performance.now() >= deadline) return false
    await setTimeout(pollMs)
  }
  return true
}

function signalAll(processes: ReturnType<typeof readPidFile>, signal: NodeJS.Signals): void {
  for (const one of processes) signalProcess(one, signal)
}
