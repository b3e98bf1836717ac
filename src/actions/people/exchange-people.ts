import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { CpnError, reasonOf } from '../../common/errors.ts'
import type { Inventory } from '../../inventory/inventory.ts'
import { replaceFile } from '../../inventory/replace-file.ts'
import { statePaths } from '../../inventory/state.ts'
import type { People, Person } from '../../people/people.ts'
import { decodePeople, encodePeople } from '../../people/people-file.ts'
import { PeopleStore } from '../../people/people-store.ts'
import { type WantedTraces, withoutWanted } from '../../people/wanted-traces.ts'
import { findPerson, withPerson } from './people.ts'

/**
 * Writes everybody who is enrolled into one file (0600), which another fleet can import. Rejects with CPN_ERR_USAGE where
 * there is nobody, and with CPN_ERR_OUTPUT_WRITE, also where a file is in the way and no `force`: it stays as it was.
 */
export async function exportPeople(
  { stateDir }: Inventory,
  path: string,
  force: boolean,
): Promise<{ file: string; people: number }> {
  const store = new PeopleStore(statePaths(stateDir).peopleDir)
  const people = await store.read()
  const file = resolve(path)
  if (people.people.length === 0) throw new CpnError('CPN_ERR_USAGE', 'nobody is enrolled: there is nothing to export')
  if (!force && existsSync(file)) {
    throw new CpnError('CPN_ERR_OUTPUT_WRITE', `${file} is there already`, {
      suggestions: ['Name another file, or use --force to replace it.'],
    })
  }
  // Noted first: a copy that nobody knows of could not be found again.
  await store.noteExport(file)
  await replaceFile(file, async () => encodePeople(people), 'CPN_ERR_OUTPUT_WRITE', 0o600)
  return { file, people: people.people.length }
}

export interface ImportedPeople {
  added: string[]
  /** Who was here, and has photos from the file as well now. */
  extended: string[]
  /** Who was here with all photos of the file. */
  unchanged: string[]
}

/**
 * Takes in everybody of an exported file. Who has the same name is the same person. Rejects with CPN_ERR_INPUT_MISSING,
 * CPN_ERR_GALLERY_DAMAGED, and CPN_ERR_GALLERY_MODEL for embeddings of another model; nothing is changed then.
 */
export async function importPeople({ stateDir }: Inventory, path: string): Promise<ImportedPeople> {
  const file = resolve(path)
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw new CpnError('CPN_ERR_INPUT_MISSING', `${file} cannot be read: ${reasonOf(cause)}`, { cause })
  })
  const incoming = decodePeople(text, file)
  const imported: ImportedPeople = { added: [], extended: [], unchanged: [] }
  await new PeopleStore(statePaths(stateDir).peopleDir).update((people) => {
    assertSameModel(people, incoming, file)
    return incoming.people.reduce((all, person) => takeIn(all, person, imported), {
      ...people,
      model: people.model ?? incoming.model,
    })
  })
  return imported
}

function takeIn(people: People, { name, photos }: Person, imported: ImportedPeople): People {
  const known = findPerson(people, name)
  const has = new Set(known?.photos.map(({ sha256, face }) => `${sha256} ${face}`))
  const added = photos.filter(({ sha256, face }) => !has.has(`${sha256} ${face}`))
  if (!known) imported.added.push(name)
  else (added.length > 0 ? imported.extended : imported.unchanged).push(known.name)
  return withPerson(people, { name: known?.name ?? name, photos: [...(known?.photos ?? []), ...added] })
}

function assertSameModel(people: People, incoming: People, file: string): void {
  if (!people.model || !incoming.model || people.model.sha256 === incoming.model.sha256) return
  const message = `${file} has embeddings of ${incoming.model.name}@${incoming.model.version}, the people here of ${people.model.name}@${people.model.version}`
  throw new CpnError('CPN_ERR_GALLERY_MODEL', message, {
    suggestions: ['Enrol these people from photos: embeddings of two models do not compare.'],
  })
}

/** Everybody in an exported file; undefined where it is not there or not one of ours any more. */
export const readExport = (file: string): Promise<People | undefined> =>
  readFile(file, 'utf8')
    .then((text) => decodePeople(text, file))
    .catch(() => undefined)

/**
 * Takes somebody out of an exported file, whatever they are called there. False where they were not in it. Rejects with
 * CPN_ERR_OUTPUT_WRITE.
 */
export async function removeFromExport(file: string, wanted: WantedTraces): Promise<boolean> {
  const people = await readExport(file)
  const rest = people && withoutWanted(people, wanted)
  if (!people || !rest || rest === people) return false
  await replaceFile(file, async () => encodePeople(rest), 'CPN_ERR_OUTPUT_WRITE')
  return true
}
