import { test } from 'node:test'
import { randomWorld, simulate } from './fleet-simulation.ts'
import { assertInvariants } from './invariants.ts'

test('whatever happens to a fleet: one outcome per job, no node over its credit, fair blame, few hedges', async () => {
  for (let seed = 0; seed < 150; seed++) {
    const plan = randomWorld(seed, 150)
    assertInvariants(plan, await simulate(plan))
  }
})
