import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeQuarantine, describeUnread } from '../../../../src/actions/predict/tell-notices.ts'
import { CpnError } from '../../../../src/common/errors.ts'

const job = { id: 'j', bytes: 1, source: '/photos/a b.jpg', read: async () => Buffer.alloc(1) }
const error = new CpnError('CPN_ERR_WORKER_CRASHED', 'SIGSEGV')
const outcome = { state: 'quarantined', job, attempts: 2, error, nodes: ['node1', 'node2'] } as const
const pipeline = {
  pipelineName: 'faces',
  detector: 'd@1',
  embeddings: false,
  annotate: 'none',
  maxPixels: 50_000_000,
} as const

const commandOf = (file: string | undefined) =>
  /See it happen: (.*)/.exec(
    describeQuarantine({ ...outcome, nodes: [...outcome.nodes] }, { ...pipeline, inventory: { file } }),
  )?.[1]

test('the command for a quarantined image names the inventory, and the node that it harmed last', () => {
  assert.equal(
    commandOf('/my fleets/lab.yaml'),
    "cpn predict '/photos/a b.jpg' --inventory '/my fleets/lab.yaml' --hosts node2 --pipeline faces --detector d@1 --annotate none --max-megapixels 50",
  )
})

test('where there is no inventory none is named', () => {
  assert.doesNotMatch(commandOf(undefined)!, /--inventory/)
})

test('pictures that are not read are counted by kind, the most frequent first', () => {
  const counts = new Map([
    ['.jxl', 2],
    ['.psd', 10],
    ['.bmp', 2],
  ])
  assert.equal(describeUnread(counts, true), '14 pictures of kinds that cpn does not read: 10 .psd, 2 .bmp, 2 .jxl')
  const one = new Map([['.svg', 1]])
  assert.equal(describeUnread(one, false), '1 picture of a kind that cpn does not read, so far: 1 .svg')
})
