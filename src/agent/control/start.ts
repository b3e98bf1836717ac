import { existsSync, realpathSync, rmSync } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { CpnError } from '../../common/errors.ts'
import { lastLines } from '../../common/log-lines.ts'
import { readAgentConfig } from '../agent-config-file.ts'
import { type AgentView, lookAtAgent } from '../agent-socket.ts'
import type { FleetFolder } from '../fleet-folder.ts'
import { ensureKept, type Kept } from '../keep/ensure-kept.ts'
import { lingers } from '../keep/linger.ts'
import { systemdAnswers } from '../keep/systemd-user.ts'
import { readPidFile } from '../process/pid-file.ts'
import type { ProcessIdentity } from '../process/process-identity.ts'
import { checkSocketPath } from '../server/socket-server.ts'
import { endAgent } from './stop.ts'

export interface Started extends Kept {
  pid: number | null
  alreadyRunning: boolean
}

export interface StartOptions {
  /** Leave an agent alone that was stopped on purpose. */
  ifNotStopped: boolean
  /** Replace a running agent, too. */
  restart: boolean
}

const startMs = 30_000
const pollMs = 50
const tail = 20
/** Deaths of an agent, or of each of its workers, after which no further start is waited for. */
const hopelessDeaths = 3

/**
 * Makes the agent of the current release run. A running one is drained and replaced when it is of another release, takes
 * no jobs any more, or is kept up by nobody.
 */
export async function startAgent(fleet: FleetFolder, options: StartOptions): Promise<Started | { stopped: true }> {
  if (options.ifNotStopped && existsSync(fleet.stopped)) return { stopped: true }
  // What the agent would fail at is better said here and now.
  readAgentConfig(fleet.config)
  checkSocketPath(fleet.socket)
  rmSync(fleet.stopped, { force: true })
  const running = await lookAtAgent(fleet.socket)
  if (running && !options.restart && isCurrent(fleet, running)) {
    await whenReady(fleet)
    return describe(fleet, await keptNow(running), true)
  }
  if (running) await endAgent(fleet, false)
  else if (await isHung(fleet)) await endAgent(fleet, true)
  const kept = await ensureKept(fleet)
  await whenReady(fleet)
  return describe(fleet, kept, false)
}

function isCurrent(fleet: FleetFolder, { card, heartbeat }: AgentView): boolean {
  const kept = card.isolation.supervisor !== 'none'
  return kept && card.release === basename(realpathSync(fleet.current)) && heartbeat.state !== 'draining'
}

/** It lives and listens, and does not answer. */
async function isHung(fleet: FleetFolder): Promise<boolean> {
  if (readPidFile(fleet.pid).length === 0 || !existsSync(fleet.socket)) return false
  return (await lookAtAgent(fleet.socket)) === undefined
}

async function keptNow({ card }: AgentView): Promise<Kept> {
  const linger = (await systemdAnswers()) ? await lingers() : null
  return { supervisor: card.isolation.supervisor, linger }
}

function describe(fleet: FleetFolder, kept: Kept, alreadyRunning: boolean): Started {
  return { ...kept, pid: readPidFile(fleet.pid)[0]?.pid ?? null, alreadyRunning }
}

async function whenReady(fleet: FleetFolder): Promise<void> {
  const deadline = performance.now() + startMs
  const deaths = new Deaths()
  while (performance.now() < deadline) {
    const view = await lookAtAgent(fleet.socket)
    if (view?.ready) return
    const hopeless = deaths.seen(readPidFile(fleet.pid), view)
    if (hopeless) throw notReady(fleet, hopeless)
    await setTimeout(pollMs)
  }
  throw notReady(fleet, `the agent is not ready after ${startMs / 1000} s`)
}

/** What has died while an agent was started: after some deaths in a row more time would not help. */
class Deaths {
  readonly #agents = new Set<number>()
  #instance: string | undefined
  #restartsBefore = 0

  /** Why there is no hope; undefined as long as there is some. */
  seen(agents: ProcessIdentity[], view: AgentView | undefined): string | undefined {
    for (const { pid } of agents) this.#agents.add(pid)
    if (this.#agents.size > hopelessDeaths) return `the agent ended ${hopelessDeaths} times as it started`
    if (!view) return undefined
    const { card, heartbeat } = view
    if (card.instance !== this.#instance) this.#restartsBefore = heartbeat.workerRestarts
    this.#instance = card.instance
    const died = heartbeat.workerRestarts - this.#restartsBefore
    if (heartbeat.workersReady > 0 || died < hopelessDeaths * card.workers) return undefined
    return `the agent runs, but its workers ended ${died} times as they started`
  }
}

function notReady(fleet: FleetFolder, what: string): CpnError {
  const lines = [...lastLines(fleet.crashLog, tail), ...lastLines(fleet.log, tail)]
  return new CpnError('CPN_ERR_AGENT_START', `${what}\n${lines.join('\n')}`, {
    suggestions: [`Look at ${fleet.log} on the host, or provision it again.`],
  })
}
