import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { noPeople, type People } from '../../../src/people/people.ts'
import { decodePeople } from '../../../src/people/people-file.ts'
import { PeopleStore } from '../../../src/people/people-store.ts'
import { wantedTraces } from '../../../src/people/wanted-traces.ts'
import { fillDisk, mountDisk } from '../../fault/lab/small-disk.ts'
import { peopleOf, person } from '../../helpers/people.ts'
import { repositoryRoot } from '../../helpers/shared.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

/** With one more. */
const plus = (name: string) => (people: People) => {
  const more = peopleOf(...people.people, person(name))
  return { ...people, model: more.model, people: more.people }
}
const names = ({ people }: People) => people.map(({ name }) => name)

test('who is enrolled is there again, counted, and closed to others', async () => {
  using folder = tempFolder()
  const dir = join(folder.path, 'people')
  const store = new PeopleStore(dir)
  assert.deepEqual(await store.read(), noPeople)
  await store.update(plus('Anna'))
  await store.update(plus('Eva'))
  assert.deepEqual([names(await store.read()), (await store.read()).version], [['Anna', 'Eva'], 2])
  assert.deepEqual(await new PeopleStore(dir).read(), await store.read())
  await store.noteExport('/x')
  const modes = (path: string) => (statSync(path).mode & 0o777).toString(8)
  const inside = readdirSync(dir, { recursive: true, withFileTypes: true })
  assert.deepEqual(modes(dir), '700')
  for (const entry of inside) {
    const path = join(entry.parentPath, entry.name)
    assert.equal(modes(path), entry.isDirectory() ? '700' : '600', path)
  }
})

test('the last ten versions are kept, and each is what was there', async () => {
  using folder = tempFolder()
  const store = new PeopleStore(folder.path)
  for (let count = 1; count <= 13; count++) await store.update(plus(`P${count}`))
  const versions = join(folder.path, 'versions')
  const kept = readdirSync(versions).sort()
  assert.deepEqual([kept.length, kept[0], kept.at(-1)], [10, '00000003.ndjson', '00000012.ndjson'])
  for (const name of kept) {
    const { version, people } = decodePeople(readFileSync(join(versions, name), 'utf8'), name)
    assert.deepEqual([`${version}`.padStart(8, '0'), people.length], [name.slice(0, 8), version])
  }
  const nobody = wantedTraces('Nobody', await store.read(), await store.older())
  assert.equal((await store.forget(nobody)).versions, 10)
  assert.deepEqual([readdirSync(versions), names(await store.read()).length], [[], 13])
})

test('somebody who is forgotten is in no version any more, and can be looked for until that has come to its end', async () => {
  using folder = tempFolder()
  const store = new PeopleStore(folder.path)
  for (const name of ['Anna', 'Eva']) await store.update(plus(name))
  await store.update((people) => ({ ...people, people: people.people.filter(({ name }) => name !== 'Anna') }))
  const find = async () => wantedTraces('anna', await store.read(), await store.older())
  const wanted = await find()
  const { people, versions } = await store.forget(wanted)
  assert.deepEqual([names(people), versions], [['Eva'], 2])
  assert.deepEqual(await find(), { ...wanted, others: new Set(['eva']) })
  // Whoever was enrolled again meanwhile goes as well, and into no version.
  await store.update(plus('Anna'))
  assert.deepEqual(names((await store.forget(await find())).people), ['Eva'])
  const kept = everything(folder.path)
  assert.deepEqual([...kept.keys()].filter((path) => kept.get(path)!.includes('Anna')).length, 1)
  for (const path of kept.keys()) assert.equal(statSync(path).mode & 0o777, 0o600, path)
  await store.endForgetting(await find())
  assert.ok(
    everything(folder.path)
      .values()
      .every((text) => !text.includes('Anna')),
  )
  assert.deepEqual((await find()).galleries, [])
})

test('a change that throws, and one that changes nothing, leave everything as it was', async () => {
  using folder = tempFolder()
  const store = new PeopleStore(folder.path)
  await store.update(plus('Anna'))
  const before = everything(folder.path)
  const refusing = store.update(() => {
    throw new RangeError('no')
  })
  await assert.rejects(refusing)
  await store.update((people) => people)
  assert.deepEqual(everything(folder.path), before)
  await store.update(plus('Eva'))
  assert.deepEqual(names(await store.read()), ['Anna', 'Eva'])
})

test('when nobody is left, people of another model can come', async () => {
  using folder = tempFolder()
  const store = new PeopleStore(folder.path)
  await store.update(plus('Anna'))
  assert.equal((await store.update((people) => ({ ...people, people: [] }))).model, undefined)
  assert.deepEqual([(await store.read()).model, (await store.read()).version], [undefined, 2])
})

test('processes that enrol at once lose nobody', async () => {
  using folder = tempFolder()
  const program = `
    import { PeopleStore } from './src/people/people-store.ts'
    import { peopleOf, person } from './test/helpers/people.ts'
    const [dir, prefix] = process.argv.slice(1)
    for (let count = 0; count < 10; count++) {
      await new PeopleStore(dir).update((people) => {
        const more = peopleOf(...people.people, person(prefix + count))
        return { ...people, model: more.model, people: more.people }
      })
    }`
  const run = (prefix: string) =>
    promisify(execFile)(process.execPath, ['--input-type=module-typescript', '-e', program, folder.path, prefix], {
      cwd: repositoryRoot,
    })
  await Promise.all([run('a'), run('b')])
  const people = await new PeopleStore(folder.path).read()
  const wanted = ['a', 'b'].flatMap((prefix) => Array.from({ length: 10 }, (_, count) => `${prefix}${count}`))
  assert.deepEqual([names(people), people.version], [wanted, 20])
})

test('on a full disk nothing changes, and with space again the same change is made', {
  skip: process.getuid?.() !== 0 && 'a disk can be mounted by root only',
}, async () => {
  using folder = tempFolder()
  const dir = join(folder.path, 'disk')
  using _disk = mountDisk(dir, 1)
  const store = new PeopleStore(dir)
  await store.update(plus('Anna'))
  await store.update(plus('Eva'))
  const before = everything(dir)
  {
    using _full = fillDisk(dir)
    await assert.rejects(store.update(plus('Zoë')), { code: 'CPN_ERR_STATE_DIR', message: /the disk is full/ })
    await assert.rejects(store.noteExport('/x'), { code: 'CPN_ERR_STATE_DIR' })
    assert.deepEqual(names(await store.read()), ['Anna', 'Eva'])
  }
  assert.deepEqual(everything(dir), before)
  assert.deepEqual(names(await store.update(plus('Zoë'))), ['Anna', 'Eva', 'Zoë'])
})

test('damaged files are told of, and none is taken for nobody', async () => {
  using folder = tempFolder()
  const store = new PeopleStore(folder.path)
  await store.update(plus('Anna'))
  const text = readFileSync(store.file, 'utf8')
  writeFileSync(store.file, text.slice(0, -1))
  await assert.rejects(store.read(), { code: 'CPN_ERR_GALLERY_DAMAGED' })
  await assert.rejects(store.update(plus('Eva')), { code: 'CPN_ERR_GALLERY_DAMAGED' })
  assert.equal(readFileSync(store.file, 'utf8'), text.slice(0, -1))
  writeFileSync(join(folder.path, 'exports.ndjson'), '{')
  await assert.rejects(store.exports(), { code: 'CPN_ERR_STATE_DIR' })
  mkdirSync(join(folder.path, 'other', 'people.ndjson'), { recursive: true })
  await assert.rejects(new PeopleStore(join(folder.path, 'other')).read(), { code: 'CPN_ERR_STATE_DIR' })
})

/** Every file below a folder with what is in it. */
function everything(folder: string): Map<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort()
  return new Map(paths.map((path) => [path, readFileSync(path, 'utf8')]))
}
