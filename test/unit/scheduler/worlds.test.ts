import { test } from 'node:test'
import { randomWorld, simulate } from './fleet-simulation.ts'
import { assertInvariants } from './invariants.ts'

// Worlds in which an innocent image was blamed once: agents killed while it was alone, a broken node that was the only witness.
const hardWorlds = [5522, 9304, 9754, 10_642]

test('whatever happens to a fleet: one outcome per job, no node over its credit, fair blame, few hedges', async () => {
  for (const seed of [...Array(150).keys(), ...hardWorlds]) {
    const plan = randomWorld(seed, 150)
    assertInvariants(plan, await simulate(plan))
  }
})
