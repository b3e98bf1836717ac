import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodePredictHeaders, encodePredictHeaders, maxHeaderBytes } from '../../../src/protocol/headers.ts'
import type { Mark } from '../../../src/protocol/messages.ts'

const about = { job: 'a'.repeat(64), run: 'run-1', attempt: 1, epoch: 1, deadlineMs: 1000 }
const pipeline = { kind: 'draw', annotate: 'preview', maxPixels: 1e8 } as const
const marksOf = (count: number, label: string): Mark[] =>
  Array.from({ length: count }, (_, i) => ({ box: [i + 0.12, i / 7, 20.33, 20.25], label, kind: 'found' }))

test('marks come back as they were, names in any script', () => {
  for (const label of ['', 'Тони Блэр 0.55', '小林 さくら 0.40', '👩‍🚀 1.00', `${'x'.repeat(200)} 0.55`]) {
    const marks = marksOf(3, label)
    const headers = encodePredictHeaders({ ...about, pipeline, marks })
    assert.match(headers['cpn-marks']!, /^[ -~]*$/)
    assert.deepEqual(decodePredictHeaders(headers), { ...about, pipeline, marks })
  }
})

test('marks of 3,000 faces fit, and more than an agent takes are refused before they are sent', () => {
  const headers = encodePredictHeaders({ ...about, pipeline, marks: marksOf(3000, 'Тони Блэр 0.55') })
  const bytes = Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0)
  assert.ok(bytes < maxHeaderBytes)
  assert.throws(() => encodePredictHeaders({ ...about, pipeline, marks: marksOf(20_000, '') }), {
    code: 'CPN_ERR_IMAGE_TOO_LARGE',
    retryable: false,
    message: /20000 faces/,
  })
})

test('a matching or marks that are none are refused by their name', () => {
  const headers = encodePredictHeaders({ ...about, pipeline })
  for (const [name, value] of [
    ['cpn-matching', '{"gallery":"../x","threshold":0.4,"margin":0}'],
    ['cpn-matching', 'x'],
    ['cpn-marks', '[{"box":[1,2,3],"label":"","kind":"found"}]'],
    ['cpn-marks', `[{"box":[1,2,3,4],"label":"${'x'.repeat(257)}","kind":"found"}]`],
    ['cpn-marks', '{'],
  ] as const) {
    const refused = { code: 'CPN_ERR_AGENT_PROTOCOL', message: new RegExp(name) }
    assert.throws(() => decodePredictHeaders({ ...headers, [name]: value }), refused, `${name}: ${value}`)
  }
})
