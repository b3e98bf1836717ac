import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import {
  assertKeepsOriginals,
  defaultOut,
  type Found,
  findInputs,
  resolveRoots,
} from '../../../src/runs/find-inputs.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

function put(root: string, files: Record<string, string | Buffer>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), content)
  }
}

async function find(paths: string[], out = '/nowhere') {
  const found: Found[] = []
  for await (const item of findInputs(await resolveRoots(paths), out)) found.push(item)
  return {
    inputs: found.flatMap((item) => (item.kind === 'input' ? [item.input.name] : [])).sort(),
    ignored: found.filter((item) => item.kind === 'ignored').length,
  }
}

test('pictures are found by name or by content, in all folders; other files are ignored', async () => {
  using folder = tempFolder()
  put(folder.path, {
    'a.JPG': 'x',
    'deep/er/b.png': 'x',
    'no-extension': Buffer.from([0xff, 0xd8, 0xff, 0xe0]),
    'notes.txt': 'no picture',
    empty: '',
    '.hidden/c.jpg': 'x',
    '._a.jpg': 'x',
  })
  const { inputs, ignored } = await find([folder.path])
  assert.deepEqual(inputs, ['a.JPG', 'deep/er/b.png', 'no-extension'])
  assert.equal(ignored, 2)
})

test('pictures of kinds that no node reads are ignored and named, unless they are something else', async () => {
  using folder = tempFolder()
  put(folder.path, {
    'a.psd': '8BPS',
    'deep/b.PSD': 'x',
    'c.jxl': 'x',
    'no-extension': '8BPS',
    'really-a-jpeg.bmp': Buffer.from([0xff, 0xd8, 0xff, 0xe0]),
    'IMG_1.HEIC': 'x',
    'IMG_1.CR3': 'x',
    'raw-photo': 'FUJIFILMCCD-RAW 0201',
    'notes.txt': 'BM is how a bitmap begins, too',
    'film.mp4': '\0\0\0\x18ftypisom',
  })
  const found: Found[] = []
  for await (const item of findInputs(await resolveRoots([folder.path]), '/nowhere')) found.push(item)
  const unread = found.flatMap((item) => (item.kind === 'ignored' ? [item.unread ?? 'other'] : []))
  assert.deepEqual(unread.sort(), ['.jxl', '.psd', '.psd', '.psd', 'other', 'other'])
  const inputs = found.flatMap((item) => (item.kind === 'input' ? [item.input.name] : []))
  assert.deepEqual(inputs.sort(), ['IMG_1.CR3', 'IMG_1.HEIC', 'raw-photo', 'really-a-jpeg.bmp'])
})

test('OUT inside the input is left out', async () => {
  using folder = tempFolder()
  put(folder.path, { 'a.jpg': 'x', 'out/a.jpg': 'x' })
  const out = join(realpathSync(folder.path), 'out')
  assert.deepEqual((await find([folder.path], out)).inputs, ['a.jpg'])
  symlinkSync(folder.path, join(folder.path, 'link'))
  assert.deepEqual((await find([join(folder.path, 'link')], out)).inputs, ['a.jpg'])
})

test('an OUT in which results would replace originals is refused', async () => {
  using folder = tempFolder()
  put(folder.path, { 'photos/a.jpg': 'x', 'photos/sub/b.jpg': 'x' })
  const path = (name: string) => join(folder.path, name)
  symlinkSync(path('photos'), path('link'))
  const refused: [string[], string][] = [
    [['photos'], 'photos'],
    [['photos'], 'link'],
    [['photos/a.jpg'], 'photos'],
    [['photos/sub', 'photos/a.jpg'], 'photos'],
  ]
  for (const [paths, out] of refused) {
    const roots = await resolveRoots(paths.map(path))
    await assert.rejects(assertKeepsOriginals(roots, path(out)), { code: 'CPN_ERR_USAGE' }, `${paths} into ${out}`)
  }
  for (const out of ['photos/out', 'photos-predicted', 'new/deep/out']) {
    await assertKeepsOriginals(await resolveRoots([path('photos')]), path(out))
  }
})

test('what is no regular file is not waited for', async () => {
  using folder = tempFolder()
  put(folder.path, { 'a.jpg': 'x' })
  execFileSync('mkfifo', [join(folder.path, 'pipe')])
  symlinkSync(join(folder.path, 'pipe'), join(folder.path, 'link.jpg'))
  const { inputs, ignored } = await find([folder.path])
  assert.deepEqual([inputs, ignored], [['a.jpg'], 1])
  await assert.rejects(resolveRoots([join(folder.path, 'pipe')]), { code: 'CPN_ERR_INPUT_MISSING' })
})

test('a name that is not UTF-8 is told of and ends nothing', async () => {
  using folder = tempFolder()
  put(folder.path, { 'a.jpg': 'x' })
  for (const byte of [0xe8, 0xe9]) {
    writeFileSync(Buffer.concat([Buffer.from(`${folder.path}/caf`), Buffer.from([byte]), Buffer.from('.jpg')]), 'x')
  }
  const found: Found[] = []
  for await (const item of findInputs(await resolveRoots([folder.path]), '/nowhere')) found.push(item)
  assert.deepEqual(found.map(({ kind }) => kind).sort(), ['input', 'left-out', 'left-out'])
})

test('the output of an earlier run inside the input is left out, unless it is asked for', async () => {
  using folder = tempFolder()
  const earlier = { 'x-predicted/a.jpg': 'x', 'x-predicted/summary.json': '{}', 'x-predicted/predictions.jsonl': '' }
  put(folder.path, { 'a.jpg': 'x', ...earlier })
  assert.deepEqual((await find([folder.path])).inputs, ['a.jpg'])
  assert.deepEqual((await find([join(folder.path, 'x-predicted')])).inputs, ['a.jpg'])
})

test('equal relative names from several paths do not collide', async () => {
  using folder = tempFolder()
  put(folder.path, { 'one/x.jpg': '1', 'two/x.jpg': '2', 'three/one/x.jpg': '3', 'x.jpg': '4' })
  const path = (name: string) => join(folder.path, name)
  const { inputs } = await find([path('one'), path('two'), path('three/one'), path('x.jpg'), path('one/x.jpg')])
  assert.deepEqual(inputs, ['one-2/x.jpg', 'one/x.jpg', 'two/x.jpg', 'x-2.jpg', 'x.jpg'])
})

test('links to files are followed, links to folders and circles are not', async () => {
  using folder = tempFolder()
  put(folder.path, { 'a/x.jpg': '1' })
  symlinkSync(join(folder.path, 'a/x.jpg'), join(folder.path, 'link.jpg'))
  symlinkSync(folder.path, join(folder.path, 'a/circle'))
  assert.deepEqual((await find([folder.path])).inputs, ['a/x.jpg', 'link.jpg'])
})

test('a path that does not exist is an error before anything begins', async () => {
  await assert.rejects(resolveRoots(['/does/not/exist.jpg']), { code: 'CPN_ERR_INPUT_MISSING', exitCode: 2 })
})

test('OUT is beside a lone folder or file', async () => {
  using folder = tempFolder()
  put(folder.path, { 'photos/a.jpg': 'x' })
  assert.equal(defaultOut(await resolveRoots([join(folder.path, 'photos')])), join(folder.path, 'photos-predicted'))
  assert.equal(
    defaultOut(await resolveRoots([join(folder.path, 'photos/a.jpg')])),
    join(folder.path, 'photos/a-predicted'),
  )
})
