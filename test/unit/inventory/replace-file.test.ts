import assert from 'node:assert/strict'
import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { replaceFile } from '../../../src/inventory/replace-file.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

test('changes that come at once are made one after another', async () => {
  using folder = tempFolder()
  const file = join(folder.path, 'list')
  writeFileSync(file, '')
  const append = (text: string) => replaceFile(file, async () => readFileSync(file, 'utf8') + text)
  await Promise.all([...'abcdef'].map(append))
  assert.deepEqual([...readFileSync(file, 'utf8')].sort(), [...'abcdef'])
  assert.deepEqual(readdirSync(folder.path), ['list'])
})

test('the lock of somebody who died stands in the way of nobody', async () => {
  using folder = tempFolder()
  const file = join(folder.path, 'list')
  const lock = join(folder.path, '.list.lock')
  writeFileSync(lock, '')
  const longAgo = new Date(Date.now() - 120_000)
  utimesSync(lock, longAgo, longAgo)
  await Promise.all([...'abc'].map((text) => replaceFile(file, async () => text)))
  assert.match(readFileSync(file, 'utf8'), /^[abc]$/)
  assert.deepEqual(readdirSync(folder.path), ['list'])
})
