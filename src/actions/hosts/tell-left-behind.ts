import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Context } from '../../common/context.ts'
import { stateDirOf } from '../../inventory/load.ts'
import { localInventory } from '../../inventory/local.ts'
import { statePaths } from '../../inventory/state.ts'
import { noPeople } from '../../people/people.ts'
import { PeopleStore } from '../../people/people-store.ts'
import { quote } from '../../transport/shell.ts'

/**
 * Where an inventory is about to be made, says what stays with this machine alone, which did the work so far, and how people
 * come along. Says nothing where nothing was done, or a fleet has been here before.
 * @param file absolute path of the inventory
 */
export async function tellLeftBehind(file: string, { notice }: Pick<Context, 'notice'>): Promise<void> {
  if (existsSync(file) || existsSync(stateDirOf(file))) return
  const { dir, peopleDir, ledgerFile } = statePaths(localInventory().stateDir)
  const store = new PeopleStore(peopleDir)
  // What cannot be read is told by whoever needs it.
  const { people } = await store.read().catch(() => noPeople)
  if (people.length === 0 && !existsSync(ledgerFile)) return
  notice(`${file} begins anew: people, runs and models of cpn without an inventory stay in ${dir}.`)
  if (people.length === 0) return
  const where = file === resolve('inventory.yaml') ? [] : ['--inventory', file]
  const command = ['cpn', 'people', 'import', store.file, ...where].map(quote).join(' ')
  notice(`To take the people along: ${command}`)
}
