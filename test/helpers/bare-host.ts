import { hidingScript } from './hidden-paths.ts'
import { SshdHost, usersMissing } from './sshd.ts'
import { makeVethLink, type VethLink, vethMissing } from './veth-link.ts'

/** Reason for leaving a test out that needs a bare host; false where one can be made. */
export const bareHostMissing: string | false = usersMissing || vethMissing()

/**
 * A host as it comes out of its box, in a mount and network namespace of its own: the checkout, its data, Node, npm and
 * Python are hidden, and nothing but this machine can be reached.
 */
export class BareHost extends SshdHost {
  readonly #link: VethLink

  /** Use startBareHost. */
  constructor(link: VethLink) {
    const inNetwork = ['ip', 'netns', 'exec', link.namespace]
    const withMounts = ['unshare', '--mount', '--propagation', 'private', '/bin/sh', '-c']
    const launcher = (folder: string): string[] => [...inNetwork, ...withMounts, hidingScript(folder), 'bare-host']
    super({ name: 'bare', address: link.address, port: 22, launcher })
    this.#link = link
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]()
    this.#link.remove()
  }
}

/** Starts a bare host. Use it as `await using host = await startBareHost()`. */
export async function startBareHost(): Promise<BareHost> {
  const host = new BareHost(makeVethLink())
  try {
    await host.start()
    return host
  } catch (error) {
    await host[Symbol.asyncDispose]()
    throw error
  }
}
