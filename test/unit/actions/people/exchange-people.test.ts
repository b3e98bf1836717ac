import assert from 'node:assert/strict'
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { exportPeople, importPeople, removeFromExport } from '../../../../src/actions/people/exchange-people.ts'
import { mergePeople, renamePerson } from '../../../../src/actions/people/people.ts'
import type { Inventory } from '../../../../src/inventory/inventory.ts'
import type { People } from '../../../../src/people/people.ts'
import { encodePeople } from '../../../../src/people/people-file.ts'
import { PeopleStore } from '../../../../src/people/people-store.ts'
import { wantedTraces } from '../../../../src/people/wanted-traces.ts'
import { peopleOf, person } from '../../../helpers/people.ts'
import { tempFolder } from '../../../helpers/temp-folder.ts'

/** A state folder with these people. */
async function fleetOf(people: People) {
  const folder = tempFolder()
  const store = new PeopleStore(join(folder.path, 'people'))
  await store.update(() => people)
  const inventory = { stateDir: folder.path } as Inventory
  return { inventory, store, file: join(folder.path, 'all.people'), [Symbol.dispose]: () => folder[Symbol.dispose]() }
}

const [anna, eva, zoe] = [person('Anna'), person('Eva'), person('Zoë')]
const photosOf = async (store: PeopleStore) =>
  (await store.read()).people.map(({ name, photos }) => [name, photos.map(({ sha256 }) => sha256)])

test('what is exported is imported, and who has the same name is the same person', async () => {
  using here = await fleetOf(peopleOf(anna, eva))
  using there = await fleetOf(peopleOf({ ...zoe, name: 'EVA' }, zoe))
  await exportPeople(here.inventory, here.file, false)
  const imported = await importPeople(there.inventory, here.file)
  assert.deepEqual(imported, { added: ['Anna'], extended: ['EVA'], unchanged: [] })
  const sources = (photos: typeof eva.photos) => photos.map(({ sha256 }) => sha256)
  assert.deepEqual(await photosOf(there.store), [
    ['Anna', sources(anna.photos)],
    ['EVA', [...sources(zoe.photos), ...sources(eva.photos)]],
    ['Zoë', sources(zoe.photos)],
  ])
  const again = await importPeople(there.inventory, here.file)
  assert.deepEqual(again, { added: [], extended: [], unchanged: ['Anna', 'EVA'] })
})

test('a file of another model, a damaged one and one that is none change nothing', async () => {
  using here = await fleetOf(peopleOf(anna))
  const before = readFileSync(here.store.file, 'utf8')
  const other = { ...peopleOf(eva), model: { name: 'sface', version: '1', sha256: 'b'.repeat(64) } }
  const whole = encodePeople(peopleOf(eva, zoe))
  for (const [text, code] of [
    [encodePeople(other), 'CPN_ERR_GALLERY_MODEL'],
    [whole.slice(0, -100), 'CPN_ERR_GALLERY_DAMAGED'],
    [whole.replace('"Eva"', '"../../Eva"'), 'CPN_ERR_GALLERY_DAMAGED'],
    [whole.replace('"Eva"', '"E\\u001b[2Jva"'), 'CPN_ERR_GALLERY_DAMAGED'],
    [whole.replace('"Eva"', '"zoë"'), 'CPN_ERR_GALLERY_DAMAGED'],
    ['<!DOCTYPE html>', 'CPN_ERR_GALLERY_DAMAGED'],
    ['', 'CPN_ERR_GALLERY_DAMAGED'],
  ] as const) {
    writeFileSync(here.file, text)
    await assert.rejects(importPeople(here.inventory, here.file), { code })
    assert.equal(readFileSync(here.store.file, 'utf8'), before)
  }
  await assert.rejects(importPeople(here.inventory, `${here.file}.gone`), { code: 'CPN_ERR_INPUT_MISSING' })
})

test('an export is closed to others, and replaces a file only when that is wanted', async () => {
  using here = await fleetOf(peopleOf(anna))
  writeFileSync(here.file, 'mine')
  chmodSync(here.file, 0o644)
  await assert.rejects(exportPeople(here.inventory, here.file, false), { code: 'CPN_ERR_OUTPUT_WRITE' })
  assert.equal(readFileSync(here.file, 'utf8'), 'mine')
  await exportPeople(here.inventory, here.file, true)
  assert.equal(statSync(here.file).mode & 0o777, 0o600)
  await exportPeople(here.inventory, here.file, true)
  assert.deepEqual(await here.store.exports(), [here.file])
  const nowhere = join(here.file, 'x')
  await assert.rejects(exportPeople(here.inventory, nowhere, false), { code: 'CPN_ERR_OUTPUT_WRITE' })
  using nobody = await fleetOf({ ...peopleOf(), model: undefined })
  await assert.rejects(exportPeople(nobody.inventory, nobody.file, false), { code: 'CPN_ERR_USAGE' })
})

test('somebody is taken out of an export, also under a former name; what is no export any more is left alone', async () => {
  using here = await fleetOf(peopleOf(anna, eva, zoe))
  await exportPeople(here.inventory, here.file, false)
  await renamePerson(here.inventory, 'Anna', 'Annette')
  await mergePeople(here.inventory, 'Zoë', 'Annette')
  const wanted = async (name: string) => wantedTraces(name, await here.store.read(), await here.store.older())
  const annette = await wanted('annette')
  assert.deepEqual(
    [await removeFromExport(here.file, annette), await removeFromExport(here.file, annette)],
    [true, false],
  )
  using there = await fleetOf(peopleOf(person('Ida')))
  assert.deepEqual(await importPeople(there.inventory, here.file), { added: ['Eva'], extended: [], unchanged: [] })
  writeFileSync(here.file, 'a letter')
  assert.equal(await removeFromExport(here.file, await wanted('Eva')), false)
  assert.equal(readFileSync(here.file, 'utf8'), 'a letter')
  assert.equal(await removeFromExport(`${here.file}.gone`, await wanted('Eva')), false)
})
