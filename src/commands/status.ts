import { Args } from '@oclif/core'
import { findInventory } from '../actions/find-inventory.ts'
import { type NodeStatus, status } from '../actions/nodes/status.ts'
import { formatRate, printable } from '../ui/format.ts'
import { isolationWords } from '../ui/isolation.ts'
import { renderTable } from '../ui/table.ts'
import { BaseCommand } from './base.ts'

export default class Status extends BaseCommand {
  static override summary = 'Show how every node is.'

  static override description = 'Asks the agents; starts and changes nothing. Without PATTERN it asks all.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> tag:lab --json',
  ]

  static override strict = false

  static override args = {
    pattern: Args.string({ description: 'Hosts, e.g. node1, node[2-9], tag:lab; several may be given.' }),
  }

  async run(): Promise<{ nodes: NodeStatus[] }> {
    const { flags, argv } = await this.parse(Status)
    const ctx = this.context()
    const inventory = await findInventory(flags.inventory, ctx)
    const nodes = await status({ inventory, hosts: argv as string[] }, ctx)
    this.log(render(nodes))
    for (const { name, error } of nodes)
      if (error) this.log(printable(`${name}: ${error.message}. ${error.suggestions.join(' ')}`.trim()))
    return { nodes }
  }
}

function render(nodes: NodeStatus[]): string {
  const columns = [
    { header: 'NODE' },
    { header: 'STATE' },
    { header: 'AGENT' },
    { header: 'BUSY', align: 'right' },
    { header: 'IMAGES/S', align: 'right' },
    { header: 'MODELS' },
    { header: 'ISOLATION' },
    { header: 'LAST SEEN (UTC)' },
  ] as const
  return renderTable(
    [...columns],
    nodes.map((node) => [
      node.name,
      node.state,
      node.agentVersion ?? '',
      node.slots > 0 ? `${node.busy}/${node.slots}` : '',
      node.imagesPerSecond > 0 ? formatRate(node.imagesPerSecond) : '',
      node.models.join(' '),
      node.isolation ? isolationWords(node.isolation) : '',
      node.lastSeen?.slice(0, 19).replace('T', ' ') ?? 'never',
    ]),
  )
}
