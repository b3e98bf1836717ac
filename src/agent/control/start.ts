import { existsSync, realpathSync, rmSync } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { CpnError } from '../../common/errors.ts'
import { lastLines } from '../../common/log-lines.ts'
import { readAgentConfig } from '../agent-config-file.ts'
import { type AgentView, isReady, lookAtAgent } from '../agent-socket.ts'
import type { FleetFolder } from '../fleet-folder.ts'
import { ensureKept, type Kept } from '../keep/ensure-kept.ts'
import { lingers } from '../keep/linger.ts'
import { systemdAnswers } from '../keep/systemd-user.ts'
import { readPidFile } from '../process/pid-file.ts'
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
  while (performance.now() < deadline) {
    if (await isReady(fleet.socket)) return
    await setTimeout(pollMs)
  }
  throw notReady(fleet)
}

function notReady(fleet: FleetFolder): CpnError {
  const lines = [...lastLines(fleet.crashLog, tail), ...lastLines(fleet.log, tail)]
  return new CpnError('CPN_ERR_AGENT_START', `the agent is not ready after ${startMs / 1000} s\n${lines.join('\n')}`, {
    suggestions: [`Look at ${fleet.log} on the host, or provision it again.`],
  })
}
