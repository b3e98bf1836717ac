import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isolationSchema } from '../../../src/protocol/messages.ts'
import { isolationWords } from '../../../src/ui/isolation.ts'

test('the words name what native code cannot reach', () => {
  const card = { permission: true, supervisor: 'keeper', network: 'namespace', files: true, noNewPrivileges: true }
  assert.equal(
    isolationWords(isolationSchema.parse({ ...card, limits: { openFiles: 256 } })),
    'network files privileges limits',
  )
  assert.equal(isolationWords(isolationSchema.parse({ ...card, files: false })), 'network privileges')
})

test('an agent that says nothing of it, as older ones do, has the permission model only', () => {
  assert.equal(isolationWords(isolationSchema.parse({ permission: true, supervisor: 'keeper' })), 'JavaScript only')
})
