import { existsSync, truncateSync } from 'node:fs'
import { dirname } from 'node:path'
import { CpnError } from '../common/errors.ts'
import { collectGarbageLessOften } from '../common/heap.ts'
import { fileBytes } from '../common/rotating-file.ts'
import { Agent, type AgentOptions } from './agent.ts'
import { openAgentLog } from './agent-log.ts'
import type { FleetFolder } from './fleet-folder.ts'
import { ensurePrivateFolders } from './private-folder.ts'
import { takeLock } from './process/lock.ts'
import { registerPid } from './process/pid-file.ts'

/** Size at which what the processes wrote by themselves is dropped. */
const crashLogBytes = 2 ** 20

/** Runs the agent until a signal or a request ends it. One per fleet: a second one throws CPN_ERR_AGENT_START. */
export async function runSupervisor(options: AgentOptions): Promise<void> {
  const { fleet } = options
  collectGarbageLessOften(200)
  ensurePrivateFolders(fleet.home, [fleet.modelsDir, dirname(fleet.dir), fleet.dir, fleet.runDir, fleet.logDir])
  if (fileBytes(fleet.crashLog) > crashLogBytes) truncateSync(fleet.crashLog)
  const logger = openAgentLog(fleet.log)
  const unlock = takeLock(fleet.lock) ?? alreadyRunning(fleet)
  const removePid = registerPid(fleet.pid)
  try {
    // Stopped stays stopped, whoever starts this. `stop` writes the marker first and looks for the pid then.
    if (existsSync(fleet.stopped)) return
    await new Agent(options, logger).run()
  } catch (error) {
    logger.fatal({ err: error }, 'agent failed')
    throw error
  } finally {
    removePid()
    unlock()
  }
}

function alreadyRunning(fleet: FleetFolder): never {
  throw new CpnError('CPN_ERR_AGENT_START', `another agent of fleet ${fleet.id} runs in ${fleet.dir}`, {
    suggestions: ['Use that one, or end it with `cpn-agent stop`. Hosts that share a home need a remoteDir each.'],
  })
}
