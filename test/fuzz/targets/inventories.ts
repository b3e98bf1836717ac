import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseInventory } from '../../../src/inventory/load.ts'
import { repositoryRoot } from '../../helpers/shared.ts'
import { mutate } from '../mutate.ts'
import { type Target, verdictOf } from '../target.ts'

/** Inventories, the example among them. */
export async function inventoriesTarget(): Promise<Target> {
  const good = readFileSync(join(repositoryRoot, 'inventory.example.yaml'))
  return {
    one: (random) => {
      const text = mutate(good, random).toString('utf8')
      return verdictOf(() => parseInventory(text, '/nowhere/inventory.yaml'))
    },
    [Symbol.asyncDispose]: async () => {},
  }
}
