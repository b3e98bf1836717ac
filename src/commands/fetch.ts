import { Args } from '@oclif/core'
import { findInventory } from '../actions/find-inventory.ts'
import { openFetcher } from '../actions/transfer/fetch.ts'
import { printable } from '../ui/format.ts'
import { TransferCommand, type TransferJson } from './base-transfer.ts'

export default class Fetch extends TransferCommand {
  static override summary = 'Fetch files and folders from hosts.'

  static override description =
    "Each host's files go to DIR under the name of the host. Every file is compared with its digest on the host before " +
    'it gets its name. Modes and times are kept, links are followed. Run it again to continue an interrupted fetch.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> all:/etc/os-release ./releases',
    '<%= config.bin %> <%= command.id %> tag:lab:data/results ./results',
  ]

  static override args = {
    source: Args.string({ required: true, description: 'Hosts and a path there, PATTERN:PATH, e.g. all:/etc/hosts.' }),
    dir: Args.string({ required: true, description: 'Folder here; made when it is missing.' }),
  }

  async run(): Promise<TransferJson> {
    const { args, flags } = await this.parse(Fetch)
    const context = this.context()
    const ctx = { ...context, notice: (line: string) => context.notice(printable(line)) }
    const inventory = await findInventory(flags.inventory, ctx)
    await using fetcher = await openFetcher({ inventory, source: args.source, folder: args.dir }, ctx)
    const { hosts, fetch } = fetcher
    return this.transfer({ title: 'fetching', parallel: flags.parallel, hosts, run: fetch })
  }
}
