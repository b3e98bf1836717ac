import * as z from 'zod'

/** fleets/<id>/agent.json: what provisioning tells an agent about itself. */
export const agentConfigSchema = z.object({
  fleet: z.string(),
  /** Inventory name of the host. */
  node: z.string(),
  workers: z.union([z.literal('auto'), z.number().int().positive()]),
  /** Niceness of the workers, 0..19. */
  nice: z.number().int().min(0).max(19),
})
export type AgentConfig = z.infer<typeof agentConfigSchema>
