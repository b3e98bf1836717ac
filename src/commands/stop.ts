import { Args, Flags } from '@oclif/core'
import { ControlCommand, type ControlReport } from './base-control.ts'

export default class Stop extends ControlCommand {
  static override summary = 'Stop the agents on hosts.'

  static override description =
    'Images in work end first. A stopped agent stays stopped, also over a reboot, until `cpn start`.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> node3',
    '<%= config.bin %> <%= command.id %> all --now',
  ]

  static override strict = false

  static override args = {
    pattern: Args.string({ required: true, description: 'Hosts, e.g. node1, tag:lab, all; several may be given.' }),
  }

  static override flags = {
    now: Flags.boolean({ description: 'Do not wait for images in work; they are done elsewhere.' }),
  }

  async run(): Promise<ControlReport> {
    const { flags, argv } = await this.parse(Stop)
    return this.control(flags.inventory, argv as string[], 'stopping agents', async (control, host) => {
      await control.stop(host, { now: flags.now })
      return 'stopped'
    })
  }
}
