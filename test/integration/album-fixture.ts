import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type Project, project } from '../helpers/project.ts'
import { shared } from '../helpers/shared.ts'

/** Ten photos of one of ten people, in the order of their numbers. */
export function photosOf(person: string): string[] {
  const folder = shared('photos', 'lfw-color-10x10', person)
  return readdirSync(folder)
    .sort()
    .map((file) => join(folder, file))
}

/** A project whose node is this machine, provisioned, with five photos each of Tony Blair and Hugo Chavez in `album`. */
export async function albumProject(): Promise<{ home: Project; album: string }> {
  const home = project()
  const album = join(home.folder, 'album')
  writeFileSync(home.inventory, 'version: 1\nhosts:\n  here: { transport: local }\n')
  mkdirSync(album)
  for (const person of ['Tony_Blair', 'Hugo_Chavez'])
    for (const photo of photosOf(person).slice(5)) copyFileSync(photo, join(album, basename(photo)))
  await home.ok(['provision', '--yes'])
  return { home, album }
}
