import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '../../../src/common/digest.ts'
import { DigestFilter } from '../../../src/runs/digest-filter.ts'

test('a digest that was added is never denied, and few others are asked about', () => {
  const filter = new DigestFilter()
  const digests = Array.from({ length: 20_000 }, (_, index) => sha256(`${index}`))
  for (const digest of digests) filter.add(digest)
  assert.ok(digests.every((digest) => filter.mayHave(digest)))
  const others = Array.from({ length: 20_000 }, (_, index) => sha256(`other ${index}`))
  const inVain = others.filter((digest) => filter.mayHave(digest)).length
  assert.ok(inVain > 0 && inVain < 200, `${inVain}`)
})
