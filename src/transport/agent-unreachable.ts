import { CpnError } from '../common/errors.ts'

/** The error of an agent's socket that takes no connection. */
export function agentUnreachable(host: string, why: string, cause?: unknown): CpnError {
  return new CpnError('CPN_ERR_AGENT_UNREACHABLE', `the agent on ${host} cannot be reached: ${why}`, {
    host,
    retryable: true,
    cause,
    suggestions: [`Start it with \`cpn start ${host}\`, or put it there with \`cpn provision ${host}\`.`],
  })
}
