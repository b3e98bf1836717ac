import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { openAgentLog } from '../agent-log.ts'
import type { FleetFolder } from '../fleet-folder.ts'
import { ensurePrivateFolder } from '../private-folder.ts'
import { takeLock } from '../process/lock.ts'
import { readPidFile, registerPid } from '../process/pid-file.ts'
import { signalProcess } from '../process/process-identity.ts'

/** An agent that ran this long has recovered: its next death is answered at once again. */
const settledMs = 60_000

/** Milliseconds to wait before the start that follows `deaths` quick deaths in a row. */
export function keeperDelayMs(deaths: number): number {
  return Math.min(60_000, 250 * 2 ** (deaths - 1))
}

/** The program that every start goes through: by way of `current`, so that a new release is taken up. */
export function agentProgram(fleet: FleetFolder): string {
  return join(fleet.current, 'bin', 'cpn-agent')
}

/**
 * Runs the agent and starts it again whenever it dies, until it is stopped on purpose or this process gets SIGTERM,
 * which is passed on. A second keeper of the same fleet returns at once.
 */
export async function runKeeper(fleet: FleetFolder): Promise<void> {
  ensurePrivateFolder(fleet.runDir)
  ensurePrivateFolder(fleet.logDir)
  const unlock = takeLock(fleet.keeperLock)
  if (!unlock) return
  const removePid = registerPid(fleet.keeperPid)
  const end = new AbortController()
  const onSignal = () => end.abort()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, onSignal)
  // Only means something during a pause; at other times it must not end the keeper.
  process.on('SIGHUP', () => {})
  try {
    await keep(fleet, end.signal)
  } finally {
    removePid()
    unlock()
  }
}

async function keep(fleet: FleetFolder, signal: AbortSignal): Promise<void> {
  const logger = openAgentLog(fleet.log)
  let deaths = 0
  while (!signal.aborted && !existsSync(fleet.stopped)) {
    const started = performance.now()
    const reason = await runOnce(fleet, signal)
    if (signal.aborted || existsSync(fleet.stopped)) break
    deaths = performance.now() - started > settledMs ? 1 : deaths + 1
    const delayMs = keeperDelayMs(deaths)
    logger.error({ reason, delayMs }, 'agent died and is started again')
    if (await pause(delayMs, signal)) {
      logger.info('agent is started now: somebody asks for it')
      deaths = 0
    }
  }
}

/** True when SIGHUP cut the pause short. */
async function pause(delayMs: number, signal: AbortSignal): Promise<boolean> {
  const hurry = new AbortController()
  const onHurry = () => hurry.abort()
  process.on('SIGHUP', onHurry)
  await setTimeout(delayMs, undefined, { signal: AbortSignal.any([signal, hurry.signal]) }).catch(() => {})
  process.removeListener('SIGHUP', onHurry)
  return hurry.signal.aborted
}

/** Starts the agent and waits for its end, which an abort brings about gently. */
async function runOnce(fleet: FleetFolder, signal: AbortSignal): Promise<string> {
  const child = spawnLogged(fleet, ['run', '--kept-by', 'keeper'], false)
  const onAbort = () => child.kill('SIGTERM')
  signal.addEventListener('abort', onAbort, { once: true })
  const { promise, resolve } = Promise.withResolvers<string>()
  child.once('error', (error) => resolve(error.message))
  child.once('exit', (code, killedBy) => resolve(killedBy ? `signal ${killedBy}` : `exit code ${code}`))
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** Starts a keeper that outlives this process and its terminal; one that is there already is told to make no pause. */
export function startKeeper(fleet: FleetFolder): void {
  if (readPidFile(fleet.keeperPid).some((keeper) => signalProcess(keeper, 'SIGHUP'))) return
  const child = spawnLogged(fleet, ['keeper'], true)
  child.on('error', () => {})
  child.unref()
}

function spawnLogged(fleet: FleetFolder, args: string[], detached: boolean): ChildProcess {
  const log = openSync(fleet.crashLog, 'a', 0o600)
  try {
    return spawn(agentProgram(fleet), args, { cwd: '/', detached, stdio: ['ignore', log, log] })
  } finally {
    closeSync(log)
  }
}
