import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fontFiles } from '../../src/provision/release/contents.ts'
import { onExit } from './exit-cleanup.ts'

let folder: string | undefined

/** A folder with the fonts of a release, removed at exit. */
export function fontsFolder(): string {
  folder ??= folderOf(
    fontFiles()
      .filter(({ path }) => /\.[ot]tf$/.test(path))
      .map(({ source }) => source),
  )
  return folder
}

/** A folder with some font files, removed at exit. */
export function folderOf(files: string[]): string {
  const made = mkdtempSync(join(tmpdir(), 'cpn-fonts-'))
  onExit(() => rmSync(made, { recursive: true, force: true }))
  for (const file of files) symlinkSync(file, join(made, basename(file)))
  return made
}
