import { type Check, doctor } from '../actions/doctor.ts'
import { findInventory } from '../actions/find-inventory.ts'
import { exitCodes } from '../common/error-codes.ts'
import { renderTable } from '../ui/table.ts'
import { BaseCommand } from './base.ts'

export default class Doctor extends BaseCommand {
  static override summary = 'Look for what could keep cpn from working.'

  static override description =
    'Looks at this machine, the state beside the inventory, the models and every host; changes nothing. Exit code 4 when something failed.'

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  async run(): Promise<{ checks: Check[] }> {
    const { flags } = await this.parse(Doctor)
    const ctx = this.context()
    const checks = await doctor(await findInventory(flags.inventory, ctx), ctx)
    const columns = [{ header: 'CHECK' }, { header: 'VERDICT' }, { header: 'FOUND' }]
    this.log(
      renderTable(
        columns,
        checks.map(({ subject, verdict, message }) => [subject, verdict, message]),
      ),
    )
    for (const { subject, suggestions } of checks)
      for (const suggestion of suggestions) this.log(`${subject}: ${suggestion}`)
    if (checks.some(({ verdict }) => verdict === 'failed')) this.exitWith(exitCodes.noHost)
    return { checks }
  }
}
