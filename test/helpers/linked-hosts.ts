import { type SshdHost, startHosts } from './sshd.ts'
import { makeVethLink, type VethLink } from './veth-link.ts'

export interface LinkedHosts extends AsyncDisposable {
  hosts: SshdHost[]
  /** The cable of each host, in their order. */
  links: VethLink[]
}

/** Hosts in network namespaces of their own, each at the end of a cable. */
export async function startLinkedHosts(count: number): Promise<LinkedHosts> {
  await using starting = new AsyncDisposableStack()
  const links = Array.from({ length: count }, () => starting.adopt(makeVethLink(), (link) => link.remove()))
  const options = links.map(({ namespace, address }) => ({
    address,
    port: 22,
    launcher: () => ['ip', 'netns', 'exec', namespace],
  }))
  const hosts = starting.use(await startHosts(...options))
  const started = starting.move()
  return { hosts, links, [Symbol.asyncDispose]: () => started.disposeAsync() }
}
