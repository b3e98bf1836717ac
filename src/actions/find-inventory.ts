import { access } from 'node:fs/promises'
import type { Context } from '../common/context.ts'
import type { Inventory } from '../inventory/inventory.ts'
import { inventoryPath, loadInventory } from '../inventory/load.ts'
import { localInventory } from '../inventory/local.ts'
import { statePaths } from '../inventory/state.ts'

/**
 * The inventory that a command works with: the named one, else $CPN_INVENTORY, else ./inventory.yaml, else this machine
 * alone, which is said. A named one that is missing is an error.
 */
export async function findInventory(
  file: string | undefined,
  ctx: Pick<Context, 'notice' | 'logTo'>,
): Promise<Inventory> {
  const inventory = await findOrMake(file, ctx)
  ctx.logTo?.(statePaths(inventory.stateDir).logsDir)
  return inventory
}

async function findOrMake(file: string | undefined, { notice }: Pick<Context, 'notice'>): Promise<Inventory> {
  const named = file ?? process.env.CPN_INVENTORY
  const path = inventoryPath(file)
  const exists = await access(path).then(
    () => true,
    () => false,
  )
  if (named !== undefined || exists) return loadInventory(file)
  notice('There is no inventory.yaml here: using this machine alone, as the node `here`.')
  return localInventory()
}
