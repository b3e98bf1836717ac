import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { resolveHost } from './hosts.ts'
import type { Inventory } from './inventory.ts'

/** The inventory of whoever has none: this machine as the only host, with its state in the user's state folder. */
export function localInventory(): Inventory {
  const host = resolveHost('here', { transport: 'local' }, {}, process.cwd())
  return { file: undefined, stateDir: join(stateHome(), 'cpn'), hosts: [host], requirements: [] }
}

// The XDG specification says that a relative path there counts as unset.
function stateHome(): string {
  const { XDG_STATE_HOME: folder } = process.env
  return folder && isAbsolute(folder) ? folder : join(homedir(), '.local', 'state')
}
