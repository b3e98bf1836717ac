import { Args, Flags } from '@oclif/core'
import { findInventory } from '../../actions/find-inventory.ts'
import { optionsOfRun } from '../../actions/predict/runs.ts'
import type { Summary } from '../../runs/outputs.ts'
import { BaseRun } from '../base-run.ts'

export default class RunsResume extends BaseRun {
  static override summary = 'Go on with a run.'

  static override description =
    'Does what is left of a run: what was not finished, what is new under its paths, what has changed since, and what is ' +
    'missing in its folder of outputs. The same `predict` command again does that, too. Results are those of the whole run.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> last',
    '<%= config.bin %> <%= command.id %> 20261128-114039-0a1b2c --hosts tag:lab --wait',
  ]

  static override args = {
    run: Args.string({ required: true, description: 'Id of the run, or last.' }),
  }

  static override flags = {
    hosts: Flags.string({ helpValue: 'PATTERN', multiple: true, description: 'Nodes to use; default those before.' }),
  }

  async run(): Promise<Summary> {
    const { args, flags } = await this.parse(RunsResume)
    const ctx = this.runContext(flags)
    const inventory = await findInventory(flags.inventory, ctx)
    const options = optionsOfRun(inventory, args.run)
    return this.work({ ...options, ...(flags.hosts ? { hosts: flags.hosts } : {}) }, flags, ctx)
  }
}
