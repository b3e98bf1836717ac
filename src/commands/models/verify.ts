import { findInventory } from '../../actions/find-inventory.ts'
import { exitCodes } from '../../common/error-codes.ts'
import { statePaths } from '../../inventory/state.ts'
import { openModelStore } from '../../models/store.ts'
import type { VerifyResult } from '../../models/verify.ts'
import { renderTable } from '../../ui/table.ts'
import { BaseCommand } from '../base.ts'

export default class ModelsVerify extends BaseCommand {
  static override summary = 'Check digest, manifest and family of every model that is here.'
  static override description = 'Ends with exit code 6 when a file is not what it should be.'
  static override examples = ['<%= config.bin %> models verify', '<%= config.bin %> models verify --json']

  async run(): Promise<{ files: VerifyResult[] }> {
    const { flags } = await this.parse(ModelsVerify)
    const ctx = this.context()
    const { stateDir } = await findInventory(flags.inventory, ctx)
    const files = await openModelStore({ dir: statePaths(stateDir).modelsDir, logger: ctx.logger }).verify()
    if (files.length === 0) this.log('there are no models here')
    else this.log(renderTable([{ header: 'MODEL' }, { header: 'STATE' }, { header: 'DETAIL' }], files.map(row)))
    if (files.some(({ state }) => state !== 'ok' && state !== 'partial')) this.exitWith(exitCodes.agent)
    return { files }
  }
}

function row({ model, file, state, detail }: VerifyResult): string[] {
  return [model ?? file, state, detail]
}
