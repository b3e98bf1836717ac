import { existsSync } from 'node:fs'
import type { Heartbeat, NodeCard } from '../../protocol/messages.ts'
import { lookAtAgent } from '../agent-socket.ts'
import type { FleetFolder } from '../fleet-folder.ts'
import { readPidFile } from '../process/pid-file.ts'

export interface AgentStatus {
  /** stopped: on purpose; dead: it should run and does not answer. */
  state: 'running' | 'stopped' | 'dead'
  pid: number | null
  card: NodeCard | null
  heartbeat: Heartbeat | null
}

export async function agentStatus(fleet: FleetFolder): Promise<AgentStatus> {
  const view = await lookAtAgent(fleet.socket)
  const state = view ? 'running' : existsSync(fleet.stopped) ? 'stopped' : 'dead'
  return {
    state,
    pid: readPidFile(fleet.pid)[0]?.pid ?? null,
    card: view?.card ?? null,
    heartbeat: view?.heartbeat ?? null,
  }
}
