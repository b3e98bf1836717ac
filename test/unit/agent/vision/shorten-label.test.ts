import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shortenings } from '../../../../src/agent/vision/shorten-label.ts'

test('a name is cut between what readers take for characters, what stands behind it stays', () => {
  assert.deepEqual(shortenings('\u2068Zoe\u0308 B\u2069 0.82'), [
    '\u2068…\u2069 0.82',
    '\u2068Z…\u2069 0.82',
    '\u2068Zo…\u2069 0.82',
    '\u2068Zoe\u0308…\u2069 0.82',
    '\u2068Zoe\u0308…\u2069 0.82',
  ])
  assert.deepEqual(shortenings('\u2068👩‍👩‍👧🇩🇪👍🏽\u2069 1'), [
    '\u2068…\u2069 1',
    '\u2068👩‍👩‍👧…\u2069 1',
    '\u2068👩‍👩‍👧🇩🇪…\u2069 1',
  ])
  assert.deepEqual(shortenings('\u2068क्षत्र\u2069 1'), ['\u2068…\u2069 1', '\u2068क्ष…\u2069 1'])
})

test('a label without a name is cut as a whole, and an empty one can be', () => {
  assert.deepEqual(shortenings('dog'), ['…', 'd…', 'do…'])
  assert.deepEqual(shortenings(''), ['…'])
})
