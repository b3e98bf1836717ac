import assert from 'node:assert/strict'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { updatePeopleFolder, type WantedFolder } from '../../../src/people/people-folder.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

const photo = (path: string) => ({ name: path.split('/').at(-1)!, target: `../../${path}` })
const ada = (...paths: string[]): WantedFolder => ({ name: 'Ada', links: paths.map(photo) })
const unknown = (key: string, ...paths: string[]): WantedFolder => ({
  name: 'unknown-001',
  links: paths.map(photo),
  sheet: { key, html: (names) => `${key}: ${names.join(' ')}` },
})

/** What is below a folder: where links lead, what files say. */
function tree(dir: string): Record<string, string> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && entry.name !== '.cpn-people.json')
    .map((entry) => join(entry.parentPath, entry.name))
  const told = (file: string) =>
    lstatSync(file).isSymbolicLink() ? `→ ${readlinkSync(file)}` : readFileSync(file, 'utf8')
  return Object.fromEntries(files.sort().map((file) => [file.slice(dir.length + 1), told(file)]))
}

test('people and groups get links, in a flat folder under names that differ on every file system', () => {
  using out = tempFolder()
  const dir = join(out.path, 'people')
  assert.deepEqual(
    updatePeopleFolder(dir, [ada('a/x.jpg', 'b/X.jpg', 'b/y.jpg', 'c/x.jpg'), unknown('k', 'z.jpg')]),
    [],
  )
  assert.deepEqual(tree(dir), {
    'Ada/X-2.jpg': '→ ../../b/X.jpg',
    'Ada/x-3.jpg': '→ ../../c/x.jpg',
    'Ada/x.jpg': '→ ../../a/x.jpg',
    'Ada/y.jpg': '→ ../../b/y.jpg',
    'unknown-001/contact-sheet.html': 'k: z.jpg',
    'unknown-001/z.jpg': '→ ../../z.jpg',
  })
})

test('links of photos that somebody is not on any more go, and with the last one the folder, and with that all', () => {
  using out = tempFolder()
  const dir = join(out.path, 'people')
  updatePeopleFolder(dir, [ada('a.jpg', 'b.jpg'), unknown('1', 'c.jpg')])
  updatePeopleFolder(dir, [ada('b.jpg'), unknown('2', 'c.jpg')])
  assert.deepEqual(Object.keys(tree(dir)), ['Ada/b.jpg', 'unknown-001/c.jpg', 'unknown-001/contact-sheet.html'])
  assert.equal(tree(dir)['unknown-001/contact-sheet.html'], '2: c.jpg')
  updatePeopleFolder(dir, [ada('b.jpg')])
  assert.deepEqual(readdirSync(dir).sort(), ['.cpn-people.json', 'Ada'])
  updatePeopleFolder(dir, [])
  assert.equal(existsSync(dir), false)
})

test('nothing is written where nothing is another, and what somebody took away is made again', () => {
  using out = tempFolder()
  const dir = join(out.path, 'people')
  const wanted = [ada('a.jpg'), unknown('k', 'c.jpg')]
  updatePeopleFolder(dir, wanted)
  const times = () => readdirSync(dir, { recursive: true }).map((path) => lstatSync(join(dir, `${path}`)).ctimeMs)
  const before = times()
  updatePeopleFolder(dir, wanted)
  assert.deepEqual(times(), before)
  const whole = tree(dir)
  rmSync(join(dir, 'Ada'), { recursive: true })
  rmSync(join(dir, 'unknown-001', 'contact-sheet.html'))
  updatePeopleFolder(dir, wanted)
  assert.deepEqual(tree(dir), whole)
})

test('what cpn has not made, or somebody has changed, stays and keeps its name', () => {
  using out = tempFolder()
  const dir = join(out.path, 'people')
  mkdirSync(join(dir, 'Ada'), { recursive: true })
  writeFileSync(join(dir, 'Ada', 'A.jpg'), 'mine')
  symlinkSync('/elsewhere', join(dir, 'Ada', 'link.jpg'))
  updatePeopleFolder(dir, [ada('a.jpg', 'b.jpg', 'link.jpg'), unknown('k', 'c.jpg')])
  assert.equal(tree(dir)['Ada/a-2.jpg'], '→ ../../a.jpg')
  assert.equal(tree(dir)['Ada/link-2.jpg'], '→ ../../link.jpg')
  // Somebody puts a picture where a link was, and notes on the contact sheet.
  rmSync(join(dir, 'Ada', 'b.jpg'))
  writeFileSync(join(dir, 'Ada', 'b.jpg'), 'edited')
  writeFileSync(join(dir, 'unknown-001', 'contact-sheet.html'), 'my notes')
  const faults = updatePeopleFolder(dir, [ada('b.jpg'), unknown('l', 'c.jpg')])
  assert.match(faults.join('\n'), /contact-sheet\.html is not cpn's/)
  // Whose group is no more is told of: the page may show faces.
  assert.match(updatePeopleFolder(dir, []).join('\n'), /^\S*unknown-001\/contact-sheet\.html is not as cpn made it/)
  assert.deepEqual(tree(dir), {
    'Ada/A.jpg': 'mine',
    'Ada/b.jpg': 'edited',
    'Ada/link.jpg': '→ /elsewhere',
    'unknown-001/contact-sheet.html': 'my notes',
  })
})

test('nothing is written or removed through links in the place of folders, nor where a list leads out', () => {
  using out = tempFolder()
  const elsewhere = join(out.path, 'elsewhere')
  mkdirSync(elsewhere)
  const dir = join(out.path, 'people')
  mkdirSync(dir)
  symlinkSync(elsewhere, join(dir, 'Ada'))
  assert.match(updatePeopleFolder(dir, [ada('a.jpg')]).join(), /Ada cannot be made: something that is no folder/)
  assert.deepEqual(readdirSync(elsewhere), [])

  for (const path of ['a', join('people', 'b')]) symlinkSync('../../a.jpg', join(out.path, path))
  symlinkSync('../../a.jpg', join(elsewhere, 'c'))
  const made = Object.fromEntries(['../a', './b', 'Ada/c', '/etc/d'].map((path) => [path, { link: '../../a.jpg' }]))
  writeFileSync(join(dir, '.cpn-people.json'), JSON.stringify({ format: 'cpn people folder 1', made }))
  updatePeopleFolder(dir, [])
  assert.ok(lstatSync(join(out.path, 'a')).isSymbolicLink())
  assert.ok(lstatSync(join(dir, 'b')).isSymbolicLink())
  assert.ok(lstatSync(join(elsewhere, 'c')).isSymbolicLink())

  const other = join(out.path, 'other')
  symlinkSync(elsewhere, other)
  assert.equal(updatePeopleFolder(other, [ada('a.jpg')]).length, 1)
  assert.deepEqual(readdirSync(elsewhere), ['c'])
})

test('what was begun by a command that was killed is known as cpn’s', () => {
  using out = tempFolder()
  const dir = join(out.path, 'people')
  updatePeopleFolder(dir, [ada('a.jpg'), unknown('k', 'c.jpg')])
  // As it is in the middle of an update: the list knows of more than there is.
  const file = join(dir, '.cpn-people.json')
  const list = JSON.parse(readFileSync(file, 'utf8'))
  list.made['Ada/b.jpg'] = { link: '../../b.jpg' }
  list.made['Ada/a.jpg'] = { link: '../../new/a.jpg', before: '../../a.jpg' }
  list.made['unknown-001/contact-sheet.html'] = { begun: true }
  writeFileSync(file, JSON.stringify(list))
  symlinkSync('../../b.jpg', join(dir, 'Ada', 'b.jpg'))
  updatePeopleFolder(dir, [ada('new/a.jpg'), unknown('k', 'c.jpg')])
  assert.deepEqual(tree(dir), {
    'Ada/a.jpg': '→ ../../new/a.jpg',
    'unknown-001/c.jpg': '→ ../../c.jpg',
    'unknown-001/contact-sheet.html': 'k: c.jpg',
  })
  updatePeopleFolder(dir, [])
  assert.equal(existsSync(dir), false)
})
