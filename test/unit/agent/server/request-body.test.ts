import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256Of } from '../../../../src/agent/server/request-body.ts'
import { contentDigest, sha256 } from '../../../../src/common/digest.ts'

test('the sha-256 is found among the digests of a header', () => {
  const body = Buffer.from('an image')
  const hex = sha256(body)
  assert.equal(sha256Of(contentDigest(body)).toString('hex'), hex)
  assert.equal(sha256Of(`md5=:AAAA:, ${contentDigest(body)}`).toString('hex'), hex)
})

test('a header without a sha-256 is refused', () => {
  for (const header of [undefined, '', 'md5=:AAAA:', 'sha-256=:short:', 'x-sha-256=:AAAA:']) {
    assert.throws(() => sha256Of(header), { code: 'CPN_ERR_DIGEST_MISMATCH', status: 400 })
  }
})
