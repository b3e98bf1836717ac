import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeUnread } from '../../../src/actions/tell-notices.ts'

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
