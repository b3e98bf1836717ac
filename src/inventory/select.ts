import { CpnError } from '../common/errors.ts'
import type { Host, Inventory } from './inventory.ts'
import { didYouMean } from './nearest.ts'
import { type Pattern, parsePatterns } from './pattern.ts'

/**
 * The hosts that patterns mean, each once, in the inventory's order. Patterns are names, node[2-9], globs, tag:lab, all
 * and exclusions ('!node4'), joined by commas; none at all means all. Hosts with `provision: false` come only by their
 * exact name. Ends with CPN_ERR_HOST_UNKNOWN when a pattern means nothing or nothing is left.
 */
export function selectHosts(inventory: Inventory, patterns: string[]): Host[] {
  const parsed = parsePatterns(patterns)
  for (const pattern of parsed) assertMeansSomething(pattern, inventory)
  const selected = select(inventory, parsed)
  if (selected.length === 0 && parsed.some(({ exclude }) => exclude)) throw nothingLeft(patterns)
  return selected
}

function select(inventory: Inventory, patterns: Pattern[]): Host[] {
  const wanted = patterns.filter((pattern) => !pattern.exclude)
  const unwanted = patterns.filter((pattern) => pattern.exclude)
  return inventory.hosts.filter(
    (host) =>
      (wanted.length === 0 ? host.provision : wanted.some((pattern) => selects(pattern, host))) &&
      !unwanted.some((pattern) => pattern.matches(host)),
  )
}

/** As selectHosts, but a pattern that means nothing any more selects nothing, and nothing may be left. */
export function selectPresentHosts(inventory: Inventory, patterns: string[]): Host[] {
  return select(inventory, parsePatterns(patterns))
}

/** As selectHosts, for work that needs a host: ends with CPN_ERR_HOST_UNKNOWN when all are meant and there are none. */
export function selectSomeHosts(inventory: Inventory, patterns: string[]): Host[] {
  const selected = selectHosts(inventory, patterns)
  if (selected.length > 0) return selected
  if (inventory.hosts.length > 0) throw onlyJumpHosts('all')
  throw new CpnError('CPN_ERR_HOST_UNKNOWN', 'the inventory has no hosts', {
    suggestions: ['Add one: cpn hosts add NAME --address ADDRESS'],
  })
}

/** The host of exactly this name. Ends with CPN_ERR_HOST_UNKNOWN naming near ones. */
export function findHost(inventory: Inventory, name: string): Host {
  const host = inventory.hosts.find((candidate) => candidate.name === name)
  if (host) return host
  throw unknown(`no host is called "${name}"`, name, namesOf(inventory))
}

function selects(pattern: Pattern, host: Host): boolean {
  return pattern.matches(host) && (host.provision || pattern.kind === 'name')
}

function assertMeansSomething(pattern: Pattern, inventory: Inventory): void {
  const { kind, text, source, exclude } = pattern
  const means = (host: Host) => (exclude ? pattern.matches(host) : selects(pattern, host))
  if (kind === 'all' || inventory.hosts.some(means)) return
  if (kind === 'name') findHost(inventory, text)
  if (inventory.hosts.some((host) => pattern.matches(host))) throw onlyJumpHosts(source)
  if (kind === 'match') throw unknown(`no host matches "${source}"`, text, namesOf(inventory))
  const tags = [...new Set(inventory.hosts.flatMap((host) => host.tags))]
  throw unknown(`no host has the tag "${text}"`, text, tags, 'Tags')
}

const namesOf = (inventory: Inventory): string[] => inventory.hosts.map((host) => host.name)

function unknown(message: string, word: string, candidates: string[], what = 'Hosts'): CpnError {
  const listed = candidates.length > 10 ? [...candidates.slice(0, 10), '…'] : candidates
  const suggestion = listed.length > 0 ? `${what} of this inventory: ${listed.join(', ')}.` : undefined
  return new CpnError('CPN_ERR_HOST_UNKNOWN', [message, didYouMean(word, candidates, '')].filter(Boolean).join('; '), {
    suggestions: [suggestion ?? 'Add a host with `cpn hosts add NAME --address ADDRESS`.'],
  })
}

function onlyJumpHosts(source: string): CpnError {
  return new CpnError('CPN_ERR_HOST_UNKNOWN', `"${source}" matches only hosts with provision: false`, {
    suggestions: ['Name such a host exactly, or remove provision: false from it.'],
  })
}

function nothingLeft(patterns: string[]): CpnError {
  return new CpnError('CPN_ERR_HOST_UNKNOWN', `"${patterns.join(',')}" leaves no host`, {
    suggestions: ['Exclude fewer hosts.'],
  })
}
