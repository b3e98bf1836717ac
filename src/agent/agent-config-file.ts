import { readFileSync } from 'node:fs'
import { CpnError } from '../common/errors.ts'
import { type AgentConfig, agentConfigSchema } from '../protocol/agent-config.ts'

export function readAgentConfig(path: string): AgentConfig {
  try {
    return agentConfigSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    throw new CpnError('CPN_ERR_AGENT_START', `${path} is missing or does not hold the agent's settings`, {
      cause,
      suggestions: ['Provision the host again.'],
    })
  }
}
