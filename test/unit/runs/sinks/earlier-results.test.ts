import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultResults, type ResultOptions, withEarlier } from '../../../../src/runs/sinks/index.ts'

test('every place that sidecars were written to is remembered, the present one apart', () => {
  const asked = (more: Partial<ResultOptions>): ResultOptions => ({ ...defaultResults, ...more })
  const steps: [Partial<ResultOptions>, string, string[]][] = [
    [{}, 'out full', []],
    [{ formats: ['xmp'], sidecars: 'originals' }, 'originals full', []],
    [{ formats: ['csv'] }, 'originals full', []],
    [{ formats: ['xmp'] }, 'out full', ['originals full']],
    [{ formats: ['xmp'] }, 'out full', ['originals full']],
    [{}, 'out full', ['originals full']],
    [{ formats: ['xmp'], sidecarNames: 'stem' }, 'out stem', ['originals full', 'out full']],
    [{ formats: ['xmp'], sidecars: 'originals' }, 'originals full', ['out full', 'out stem']],
  ]
  let before: ResultOptions | undefined
  for (const [flags, place, earlier] of steps) {
    // As it is kept with a run.
    before = JSON.parse(JSON.stringify(withEarlier(asked(flags), before))) as ResultOptions
    const told = [before, ...(before.earlierSidecars ?? [])].map((at) => `${at.sidecars} ${at.sidecarNames}`)
    assert.deepEqual(told, [place, ...earlier])
  }
})
