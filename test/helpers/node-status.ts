import type { Project } from './project.ts'

/** A node as `cpn status --json` describes it. */
export interface NodeStatus {
  name: string
  state: string
  agentVersion: string | null
  slots: number
  busy: number
  imagesPerSecond: number
  models: string[]
  lastSeen: string | null
  firstSeen: string | null
  hostKey: string | null
  isolation: unknown
}

/** `cpn status --json`, by the nodes' names. */
export async function nodeStatus(project: Project): Promise<Map<string, NodeStatus>> {
  const { nodes } = await project.json<{ nodes: NodeStatus[] }>(['status'])
  return new Map(nodes.map((node) => [node.name, node]))
}
