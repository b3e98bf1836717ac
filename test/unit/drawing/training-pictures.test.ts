import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { DrawnFace } from '../../../src/drawing/head.ts'
import { repositoryRoot } from '../../helpers/shared.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

interface Truth {
  photos: { file: string; width: number; height: number; faces: DrawnFace[] }[]
}

test('portraits and scenes of some people and no others are written with their truth', () => {
  using folder = tempFolder()
  const first = draw(join(folder.path, 'a'), 40)
  assert.deepEqual(
    first.photos.map(({ file }) => file).sort(),
    ['portraits', 'scenes']
      .flatMap((kind) => readdirSync(join(folder.path, 'a', kind)).map((name) => `${kind}/${name}`))
      .sort(),
  )
  assert.deepEqual(
    first.photos.filter(({ file }) => file.startsWith('portraits')).map(({ faces }) => faces[0]!.person),
    [40, 40, 41, 41, 42, 42],
  )
  assert.deepEqual([...peopleOf(first)].sort(), [40, 41, 42])
  const others = draw(join(folder.path, 'b'), 43)
  assert.deepEqual([...peopleOf(others)].sort(), [43, 44, 45])
})

function draw(out: string, person: number): Truth {
  const options = ['--people', '3', '--portraits', '2', '--scenes', '2', '--seed', '4', '--first-person', `${person}`]
  execFileSync(process.execPath, [join(repositoryRoot, 'tools/train/draw.ts'), out, ...options])
  return JSON.parse(readFileSync(join(out, 'truth.json'), 'utf8'))
}

function peopleOf({ photos }: Truth): Set<number> {
  return new Set(photos.flatMap(({ faces }) => faces.map(({ person }) => person)))
}
