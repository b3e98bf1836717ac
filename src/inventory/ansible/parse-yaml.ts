import { parse } from 'yaml'
import { type AnsibleGroups, addHostTo, groupIn, type Variables } from './groups.ts'
import { expandHostRange } from './host-range.ts'

/**
 * Groups out of an inventory in YAML form.
 * @throws YAMLParseError or SyntaxError that says what is wrong
 */
export function parseAnsibleYaml(text: string): AnsibleGroups {
  // Tags such as !vault stand at values that are of no use here.
  const data: unknown = parse(text, { merge: true, logLevel: 'error' })
  const groups: AnsibleGroups = new Map()
  for (const [name, content] of entriesOf(data, 'the inventory')) readGroup(groups, name, content)
  return groups
}

function readGroup(groups: AnsibleGroups, name: string, content: unknown): void {
  const group = groupIn(groups, name)
  const { hosts, children, vars } = Object.fromEntries(entriesOf(content, `group ${name}`))
  Object.assign(group.variables, Object.fromEntries(entriesOf(vars, `vars of ${name}`)))
  for (const [pattern, variables] of entriesOf(hosts, `hosts of ${name}`)) {
    const own: Variables = Object.fromEntries(entriesOf(variables, `host ${pattern}`))
    for (const host of expandHostRange(pattern)) addHostTo(group, host, own)
  }
  for (const [child, inner] of entriesOf(children, `children of ${name}`)) {
    group.children.add(child)
    readGroup(groups, child, inner)
  }
}

function entriesOf(value: unknown, what: string): [string, unknown][] {
  if (value === undefined || value === null) return []
  if (typeof value === 'object' && !Array.isArray(value)) return Object.entries(value)
  throw new SyntaxError(`${what} has to be a mapping`)
}
