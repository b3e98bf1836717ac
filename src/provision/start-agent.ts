import * as z from 'zod'
import { CpnError } from '../common/errors.ts'
import { nodePaths } from '../protocol/paths.ts'
import { decodeError } from '../protocol/wire-errors.ts'
import { lockedExit, lockLost } from './lock.ts'
import type { Provisioning, Started } from './provisioning.ts'

const startedSchema = z.object({
  supervisor: z.enum(['systemd-user', 'keeper', 'none']),
  linger: z.boolean().nullable(),
  alreadyRunning: z.boolean(),
})

/** Makes the fleet's agent run from the current release; a running one of another release is replaced. */
export async function startAgent(p: Provisioning, restart: boolean, signal: AbortSignal): Promise<Started> {
  const program = p.quoted(`${nodePaths.current(p.options.fleetId)}/bin/cpn-agent`)
  const script = `${program} start${restart ? ' --restart' : ''}`
  const { exitCode, stdout, stderr } = await p.transport.exec(p.fenced(script), { signal, timeoutMs: 120_000 })
  if (p.lock && exitCode === lockedExit) throw lockLost(p.host.name, stdout.trim())
  const started = startedSchema.safeParse(lastJson(stdout))
  if (exitCode === 0 && started.success) return started.data
  throw notStarted(p.host.name, stderr.trim() || stdout.trim())
}

function notStarted(host: string, said: string): CpnError {
  const lines = said.split('\n')
  const told = lines.findLast((line) => line.startsWith('{"error"'))
  const reason = told ? decodeError(500, told, host).message : lines.slice(-5).join('\n')
  return new CpnError('CPN_ERR_AGENT_START', `the agent does not start: ${reason}`, {
    host,
    suggestions: [`Read its log: \`cpn logs ${host}\`.`],
  })
}

function lastJson(text: string): unknown {
  try {
    return JSON.parse(text.trim().split('\n').at(-1) ?? '')
  } catch {
    return undefined
  }
}
