import { Args } from '@oclif/core'
import { keptUp } from '../ui/kept-up.ts'
import { ControlCommand, type ControlReport } from './base-control.ts'

export default class Start extends ControlCommand {
  static override summary = 'Start the agents on hosts.'

  static override description = 'Also those that were stopped on purpose: from now on they are used again.'

  static override examples = ['<%= config.bin %> <%= command.id %> node2', '<%= config.bin %> <%= command.id %> all']

  static override strict = false

  static override args = {
    pattern: Args.string({ required: true, description: 'Hosts, e.g. node1, tag:lab, all; several may be given.' }),
  }

  async run(): Promise<ControlReport> {
    const { flags, argv } = await this.parse(Start)
    return this.control(flags.inventory, argv as string[], 'starting agents', async (control, host) => {
      const { alreadyRunning, supervisor, linger } = await control.start(host)
      return `${alreadyRunning ? 'runs already' : 'started'}, ${keptUp(supervisor, linger)}`
    })
  }
}
