import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { keepTrack, removeLeftovers, removeTracked, temporaryName } from '../../../src/runs/temporary-files.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

test('what another process left is removed, what is ours or no temporary file stays', async () => {
  using folder = tempFolder()
  mkdirSync(join(folder.path, 'deep', 'er'), { recursive: true })
  const ours = temporaryName(join(folder.path, 'a.jpg'))
  const others = ['.cpn-0123456789ab.tmp', 'deep/er/.cpn-00000001-0123456789ab.tmp']
  const kept = ['.cpn-note.tmp', 'cpn-0123456789ab.tmp', 'deep/b.jpg']
  for (const name of [...others, ...kept]) writeFileSync(join(folder.path, name), '')
  writeFileSync(ours, '')
  await removeLeftovers(folder.path, new AbortController().signal)
  assert.deepEqual(
    readdirSync(folder.path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort(),
    [ours, ...kept.map((name) => join(folder.path, name))].sort(),
  )
})

test('files that are written when the process ends are removed, those that are done are not', () => {
  using folder = tempFolder()
  const [open, closed] = [temporaryName(join(folder.path, 'a')), temporaryName(join(folder.path, 'b'))]
  for (const file of [open, closed]) writeFileSync(file, '')
  using _open = keepTrack(open)
  keepTrack(closed)[Symbol.dispose]()
  removeTracked()
  assert.deepEqual([existsSync(open), existsSync(closed)], [false, true])
})
