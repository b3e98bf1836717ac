import { listHosts } from '../../actions/hosts/hosts.ts'
import type { Host } from '../../inventory/inventory.ts'
import { renderTable } from '../../ui/table.ts'
import { BaseCommand } from '../base.ts'

export default class HostsList extends BaseCommand {
  static override summary = 'List the hosts of the inventory.'

  static override description = 'Shows what the inventory says, defaults applied, without asking any host.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --inventory lab.yaml --json',
  ]

  async run(): Promise<{ hosts: Host[] }> {
    const { flags } = await this.parse(HostsList)
    const { hosts } = await listHosts(flags)
    this.log(hosts.length === 0 ? 'no hosts yet' : render(hosts))
    return { hosts }
  }
}

function render(hosts: Host[]): string {
  const columns = ['NAME', 'ADDRESS', 'TAGS', 'JUMP', 'TRANSPORT'].map((header) => ({ header }))
  return renderTable(
    columns,
    hosts.map((host) => [host.name, addressOf(host), host.tags.join(','), host.jump ?? '', transportOf(host)]),
  )
}

function addressOf({ transport, address, port, user }: Host): string {
  if (transport === 'local') return ''
  const place = port === undefined ? address : `${address.includes(':') ? `[${address}]` : address}:${port}`
  return user === undefined ? place : `${user}@${place}`
}

const transportOf = ({ transport, provision }: Host): string => (provision ? transport : `${transport}, no node`)
