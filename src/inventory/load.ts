import { dirname, join, resolve } from 'node:path'
import { inconsistencies } from './consistency.ts'
import { resolveHosts, resolveRequirements } from './hosts.ts'
import type { Inventory } from './inventory.ts'
import { parseYaml } from './parse.ts'
import { readInventoryText } from './source.ts'
import { schemaError, validate } from './validate.ts'

/** Absolute path of the inventory: `file`, else $CPN_INVENTORY, else ./inventory.yaml. */
export function inventoryPath(file?: string): string {
  return resolve(file || process.env.CPN_INVENTORY || 'inventory.yaml')
}

/** Absolute path of the state folder of the inventory at `file`. */
export function stateDirOf(file: string): string {
  return join(dirname(file), '.cpn')
}

/**
 * The inventory of this command, checked. Ends with CPN_ERR_INVENTORY_MISSING, _READ, _SYNTAX or _SCHEMA; the last two
 * name file, line and column, show the line with a caret and say what to write instead.
 */
export async function loadInventory(file?: string): Promise<Inventory> {
  const path = inventoryPath(file)
  return parseInventory(await readInventoryText(path), path)
}

/** The inventory that `text` holds, as if it had been read from `file` (absolute). */
export function parseInventory(text: string, file: string): Inventory {
  const yaml = parseYaml(text, file)
  const entries = validate(yaml, text, file)
  const hosts = resolveHosts(entries, dirname(file))
  const faults = inconsistencies(hosts, yaml)
  if (faults.length > 0) throw schemaError(text, file, faults)
  return { file, stateDir: stateDirOf(file), hosts, requirements: resolveRequirements(entries) }
}
