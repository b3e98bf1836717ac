import { Args } from '@oclif/core'
import { type ShownHost, showHost } from '../../actions/hosts/hosts.ts'
import type { HostEvent } from '../../inventory/state.ts'
import { renderTable } from '../../ui/table.ts'
import { BaseCommand } from '../base.ts'

export default class HostsShow extends BaseCommand {
  static override summary = 'Show one host: its settings, key, release and history.'

  static override description = 'Shows what the inventory and its state folder know, without asking the host.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> node1',
    '<%= config.bin %> <%= command.id %> node1 --json',
  ]

  static override args = { name: Args.string({ required: true, description: 'name of the host' }) }

  async run(): Promise<ShownHost> {
    const { args, flags } = await this.parse(HostsShow)
    const host = await showHost({ inventory: flags.inventory, name: args.name })
    this.log(render(host))
    return host
  }
}

function render({ history, hostKeys, firstSeen, release, name, ...settings }: ShownHost): string {
  const keys = hostKeys.map(({ type, fingerprint }) => `${type} ${fingerprint}`)
  const rows = [
    ...Object.entries(settings).map(([key, value]) => [key, Array.isArray(value) ? value.join(',') : `${value}`]),
    ['first seen', firstSeen ?? 'never'],
    ...(keys.length > 0 ? keys : ['none recorded']).map((key) => ['host key', key]),
    ['release', release ?? 'not provisioned'],
  ]
  const table = renderTable([{ header: 'NAME' }, { header: name }], rows)
  const events = history.map((event) => [event.time, event.event, detailsOf(event)])
  if (events.length === 0) return table
  return `${table}\n\n${renderTable([{ header: 'TIME' }, { header: 'EVENT' }, { header: 'DETAILS' }], events)}`
}

function detailsOf({ time: _time, event: _event, ...details }: HostEvent): string {
  return Object.entries(details)
    .map(([key, value]) => `${key} ${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join(', ')
}
