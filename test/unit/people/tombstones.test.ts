import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { buriedOn, bury, forgetOn } from '../../../src/people/tombstones.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

const { signal } = new AbortController()

/** An agent that counts what it is told. */
function agent(answer: () => Promise<void> = async () => {}) {
  const told = {
    times: 0,
    forgetGalleries: () => {
      told.times++
      return answer()
    },
  }
  return told
}

test('a node is told once, when it is there, and others stay due', async () => {
  using folder = tempFolder()
  const dir = join(folder.path, 'people')
  assert.deepEqual(await buriedOn(dir), [])
  await bury(dir, ['node1', 'node2'])
  await bury(dir, ['node2', 'node3'])
  const client = agent()
  await forgetOn('node2', client, dir, signal)
  await forgetOn('node2', client, dir, signal)
  await forgetOn('node9', client, dir, signal)
  assert.equal(client.times, 1)
  assert.deepEqual(await buriedOn(dir), ['node1', 'node3'])
  assert.equal(statSync(join(dir, 'tombstones.json')).mode & 0o777, 0o600)
  assert.deepEqual(Object.keys(JSON.parse(readFileSync(join(dir, 'tombstones.json'), 'utf8'))), ['node1', 'node3'])
})

test('a node that does not answer is still to be told', async () => {
  using folder = tempFolder()
  await bury(folder.path, ['node1'])
  const deaf = agent(() => Promise.reject(new Error('gone')))
  await assert.rejects(forgetOn('node1', deaf, folder.path, signal), { message: 'gone' })
  assert.deepEqual(await buriedOn(folder.path), ['node1'])
})

test('nodes that are told at once are all struck out', async () => {
  using folder = tempFolder()
  const nodes = Array.from({ length: 8 }, (_, index) => `node${index}`)
  await bury(folder.path, nodes)
  await Promise.all(nodes.map((node) => forgetOn(node, agent(), folder.path, signal)))
  assert.deepEqual(await buriedOn(folder.path), [])
})

test('where the list is damaged every node is told, and nobody is struck out', async () => {
  using folder = tempFolder()
  writeFileSync(join(folder.path, 'tombstones.json'), '{"node1": "yester')
  let told = 0
  const client = { forgetGalleries: async () => void told++ }
  for (const node of ['node1', 'node2', 'node1']) await forgetOn(node, client, folder.path, signal)
  assert.equal(told, 3)
  await bury(folder.path, ['node1'])
  assert.deepEqual(await buriedOn(folder.path), ['node1'])
})
