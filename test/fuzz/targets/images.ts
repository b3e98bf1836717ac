import assert from 'node:assert/strict'
import { AgentFleet } from '../../helpers/agent-fleet.ts'
import { attempt } from '../../helpers/agent-work.ts'
import { drawnHeic, heifEncMissing } from '../../helpers/drawn-heic.ts'
import { drawnPhoto, drawnPixels } from '../../helpers/drawn-images.ts'
import { drawnRaw, rawKinds } from '../../helpers/drawn-raw.ts'
import { mutate, mutateEnds, oneOf } from '../mutate.ts'
import { type Target, verdictOf } from '../target.ts'

const formats = ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const
const deadlineMs = 20_000
const mostBytes = 2 * 2 ** 30

/** Pictures, through a real agent's workers. */
export async function imagesTarget(): Promise<Target> {
  const drawn = { width: 96, height: 64, squares: [[20, 10, 30] as [number, number, number]] }
  const good = await Promise.all([
    ...formats.map((format) => drawnPhoto({ ...drawn, format })),
    drawnPhoto({ ...drawn, orientation: 6 }),
    ...(heifEncMissing ? [] : [{}, { tile: 64, turns: 1 }]).map((look) =>
      drawnHeic({ ...drawn, ...look, pixels: drawnPixels(drawn) }),
    ),
  ])
  const seen = { width: 640, height: 480 }
  const preview = { ...seen, jpeg: await drawnPhoto({ ...seen, squares: [[100, 120, 80]] }) }
  const raws = await Promise.all(rawKinds.map((kind) => drawnRaw({ kind, preview })))
  await using starting = new AsyncDisposableStack()
  const fleet = starting.use(await AgentFleet.create({ workers: 2 }))
  const agent = await fleet.run()
  const client = starting.use(fleet.client())
  const started = starting.move()
  return {
    atOnce: 4,
    one: (random) => {
      // Most of a raw photo are pixels that nobody looks at.
      const image = random() < 0.15 ? mutateEnds(oneOf(random, raws), random) : mutate(oneOf(random, good), random)
      return verdictOf(() => client.predict(attempt(image, { deadlineMs })))
    },
    check: async () => {
      const { json } = await fleet.ask('GET', '/cpn/v1/heartbeat')
      assert.ok(json.rssBytes < mostBytes, `the agent and its workers have grown to ${json.rssBytes} bytes`)
      assert.deepEqual(fleet.supervisors().length, 1)
      assert.equal(agent.exitCode, null)
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}
