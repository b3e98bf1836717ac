/** Variables of a host or a group. */
export type Variables = Record<string, unknown>

export interface AnsibleGroup {
  /** Hosts named in the group, with the variables that stand there. */
  hosts: Map<string, Variables>
  children: Set<string>
  variables: Variables
}

/** Groups by name, as an inventory of Ansible has them. */
export type AnsibleGroups = Map<string, AnsibleGroup>

export interface AnsibleHost {
  /** As the inventory calls it. */
  name: string
  /** Every group that it is in, also through children; without `all` and `ungrouped`. */
  groups: string[]
  /** Its own variables and those of its groups; the nearer ones win. */
  variables: Variables
}

/** The group of this name, made when there is none. */
export function groupIn(groups: AnsibleGroups, name: string): AnsibleGroup {
  return groups.getOrInsertComputed(name, () => ({ hosts: new Map(), children: new Set(), variables: {} }))
}

/** Adds a host to a group, or variables to what the group says of it. */
export function addHostTo(group: AnsibleGroup, name: string, variables: Variables): void {
  group.hosts.set(name, { ...group.hosts.get(name), ...variables })
}

/** Each host once, with everything that holds for it. */
export function hostsOf(groups: AnsibleGroups): AnsibleHost[] {
  const parents = parentsIn(groups)
  const names = new Set([...groups.values()].flatMap(({ hosts }) => [...hosts.keys()]))
  return [...names].map((name) => {
    const own = [...groups].filter(([, { hosts }]) => hosts.has(name)).map(([group]) => group)
    const lineage = ['all', ...withAncestors(own, parents).filter((group) => group !== 'all')]
    return {
      name,
      groups: lineage.filter((group) => group !== 'all' && group !== 'ungrouped'),
      variables: Object.assign(
        {},
        ...lineage.map((group) => groups.get(group)?.variables),
        ...lineage.map((group) => groups.get(group)?.hosts.get(name)),
      ) as Variables,
    }
  })
}

function parentsIn(groups: AnsibleGroups): Map<string, string[]> {
  const parents = new Map<string, string[]>()
  for (const [name, { children }] of groups) {
    for (const child of children) parents.getOrInsertComputed(child, () => []).push(name)
  }
  return parents
}

/** The groups and all above them, the outermost first; a circle is gone through once. */
function withAncestors(own: string[], parents: Map<string, string[]>): string[] {
  const found: string[] = []
  const visiting = new Set<string>()
  const visit = (group: string): void => {
    if (visiting.has(group)) return
    visiting.add(group)
    for (const parent of parents.get(group) ?? []) visit(parent)
    found.push(group)
  }
  own.forEach(visit)
  return found
}
