import type { FleetFolder } from '../fleet-folder.ts'
import { removeUnit } from '../keep/systemd-user.ts'
import { stopAgent } from './stop.ts'

/** Stops the agent and takes back what was changed outside our own folder for it. */
export async function uninstallAgent(fleet: FleetFolder): Promise<{ uninstalled: true }> {
  await stopAgent(fleet, true)
  await removeUnit(fleet)
  return { uninstalled: true }
}
