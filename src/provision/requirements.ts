import { glob, stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { sha256File } from '../common/digest.ts'
import { CpnError } from '../common/errors.ts'
import type { Host, Inventory, Requirement } from '../inventory/inventory.ts'

/** A file of the inventory's requirements, sent along. */
export interface RequirementFile {
  /** Absolute path on the master. */
  source: string
  name: string
  sha256: string
  bytes: number
}

/** Everything the inventory requires of one host. */
export interface HostRequirements {
  apt: string[]
  pip: string[]
  commands: string[]
  files: RequirementFile[]
}

export function isNothing({ apt, pip, commands, files }: HostRequirements): boolean {
  return [apt, pip, commands, files].every((list) => list.length === 0)
}

export const debs = ({ files }: HostRequirements) => files.filter(({ name }) => name.endsWith('.deb'))
export const wheels = ({ files }: HostRequirements) => files.filter(({ name }) => name.endsWith('.whl'))

/** The requirements of a host, by its tags. Ends with CPN_ERR_REQUIREMENT when a glob matches no file. */
export async function requirementsOf(host: Host, inventory: Inventory): Promise<HostRequirements> {
  const own = inventory.requirements.filter(
    ({ tags }) => tags.length === 0 || tags.some((tag) => host.tags.includes(tag)),
  )
  const all = (pick: (requirement: Requirement) => string[]) => [...new Set(own.flatMap(pick))]
  const folder = inventory.file ? dirname(inventory.file) : process.cwd()
  const sources = await Promise.all(all(({ files }) => files).map((pattern) => matches(pattern, folder)))
  return {
    apt: all(({ apt }) => apt),
    pip: all(({ pip }) => pip),
    commands: all(({ commands }) => commands),
    files: await Promise.all([...new Set(sources.flat())].sort().map(describeFile)),
  }
}

async function matches(pattern: string, folder: string): Promise<string[]> {
  const found: string[] = []
  for await (const path of glob(pattern, { cwd: folder })) {
    const absolute = resolve(folder, path)
    if ((await stat(absolute)).isFile()) found.push(absolute)
  }
  if (found.length > 0) return found
  throw new CpnError('CPN_ERR_REQUIREMENT', `no file matches "${pattern}" of the inventory's requirements`, {
    suggestions: [`Put the files there (relative to ${folder}), or correct the pattern.`],
  })
}

async function describeFile(source: string): Promise<RequirementFile> {
  return { source, name: basename(source), sha256: await sha256File(source), bytes: (await stat(source)).size }
}
