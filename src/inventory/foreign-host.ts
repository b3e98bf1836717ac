import { hostNameFault } from './schema.ts'

/** A host as another program's configuration has it. */
export interface ForeignHost {
  /** As it is called there. */
  alias: string
  /** What the inventory would say; `jump` still names hosts as they are called there. Checked by whoever adds it. */
  settings: { [key: string]: unknown; address?: string; jump?: string | undefined }
  /** Why it cannot be taken over. */
  fault?: string
}

/** The alias as a host name of ours: lower case, with hyphens for everything else. Undefined when nothing is left. */
export function validHostName(alias: string): string | undefined {
  const name = alias
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 63)
    .replace(/-+$/, '')
  return hostNameFault(name) === undefined ? name : undefined
}
