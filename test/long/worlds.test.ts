import { test } from 'node:test'
import { randomWorld, simulate } from '../unit/scheduler/fleet-simulation.ts'
import { assertInvariants } from '../unit/scheduler/invariants.ts'

// CPN_SEED replays one world, CPN_SEEDS says how many there are.
const seeds = Number(process.env.CPN_SEEDS ?? 20_000)
const [from, to] = process.env.CPN_SEED ? [Number(process.env.CPN_SEED), Number(process.env.CPN_SEED) + 1] : [0, seeds]

test(`the scheduler's invariants hold in ${to - from} worlds`, async () => {
  for (let seed = from; seed < to; seed++) {
    const plan = randomWorld(seed, 150)
    assertInvariants(plan, await simulate(plan))
  }
})
