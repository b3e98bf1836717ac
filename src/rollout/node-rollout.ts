import { dirname } from 'node:path'
import { withDeadline } from '../common/deadline.ts'
import { CpnError, toCpnError } from '../common/errors.ts'
import type { AgentClient } from '../fleet/agent-client.ts'
import { type AgentPlace, agentProgramOf, connectAgent, findAgent, modelsRefused } from '../fleet/connect-agent.ts'
import { whenFree } from '../fleet/when-free.ts'
import type { Host } from '../inventory/inventory.ts'
import type { InstalledModel } from '../models/store.ts'
import type { NodeCard } from '../protocol/messages.ts'
import { nodePaths } from '../protocol/paths.ts'
import type { Pipeline } from '../protocol/pipeline.ts'
import { protocolVersion } from '../protocol/version.ts'
import { sendModels } from '../provision/send-models.ts'
import type { Connector } from '../transport/connector.ts'
import { quote } from '../transport/shell.ts'
import type { Transport } from '../transport/transport.ts'
import type { Opinion } from './compare.ts'
import type { GoldenPicture } from './golden-pictures.ts'

/** How nodes are reached. */
export interface Reach {
  connector: Connector
  fleetId: string
}

const inferenceMs = 60_000
const takeBackMs = 60_000
/** Verdicts about a picture: those a node may have, and all others have to have, too. */
const verdicts = new Set(['CPN_ERR_IMAGE_UNSUPPORTED', 'CPN_ERR_IMAGE_DECODE', 'CPN_ERR_IMAGE_TOO_LARGE'])

/** One node's part in a rollout, over one connection. Every method rejects with a CpnError that names the host. */
export class NodeRollout implements AsyncDisposable {
  readonly host: Host
  readonly card: NodeCard
  readonly #transport: Transport
  readonly #agent: AgentClient
  readonly #place: AgentPlace
  readonly #signal: AbortSignal

  private constructor(
    host: Host,
    card: NodeCard,
    transport: Transport,
    agent: AgentClient,
    place: AgentPlace,
    signal: AbortSignal,
  ) {
    this.host = host
    this.card = card
    this.#transport = transport
    this.#agent = agent
    this.#place = place
    this.#signal = signal
  }

  /** Connects to the node's agent, which is started where it is down. */
  static async open(host: Host, { connector, fleetId }: Reach, signal: AbortSignal): Promise<NodeRollout> {
    await using opened = new AsyncDisposableStack()
    const transport = opened.use(await connector.open(host, signal))
    // Nothing is worth waiting for once the connection is gone.
    const lost = AbortSignal.any([signal, transport.lost])
    const place = await findAgent(transport, host, fleetId, lost)
    const agent = opened.use(await connectAgent(transport, { host, fleetId, connections: 64, signal: lost }))
    const card = await agent.card(lost)
    if (card.protocol !== protocolVersion) throw otherProtocol(host.name, card.protocol)
    const node = new NodeRollout(host, card, transport, agent, place, lost)
    opened.move()
    return node
  }

  /** What computes there: where it is the same, numbers have to be the same. */
  get build(): string {
    const { release, platform, arch } = this.card
    return `${release} ${platform} ${arch}`
  }

  missing(models: readonly InstalledModel[]): InstalledModel[] {
    const has = new Set(this.card.models.map(({ sha256 }) => sha256))
    return models.filter(({ manifest }) => !has.has(manifest.sha256))
  }

  /** Sends models; the running ones are not touched. */
  async send(models: InstalledModel[]): Promise<void> {
    const { name } = this.host
    if (this.#place.locked) throw modelsRefused(name, models)
    const agentProgram = agentProgramOf(this.#place, name)
    const dir = dirname(dirname(this.#place.fleetDir))
    await sendModels(this.#transport, { agentProgram, dir, models, signal: this.#signal })
  }

  /**
   * What the node says of each picture. The first one goes to as many workers as it has at once, so that each of them
   * loads the models before a run wants them.
   */
  async look(pictures: readonly GoldenPicture[], pipeline: Pipeline): Promise<Opinion[]> {
    const { workers } = this.card
    const run = `push-${Date.now()}`
    const ask = (picture: GoldenPicture, attempt: number) => this.#ask(picture, pipeline, run, attempt)
    const [first, ...rest] = pictures
    const [opinion] = await Promise.all(Array.from({ length: workers }, (_, index) => ask(first!, index + 1)))
    const opinions = [opinion!]
    for (let start = 0; start < rest.length; start += workers) {
      opinions.push(...(await Promise.all(rest.slice(start, start + workers).map((picture) => ask(picture, 1)))))
    }
    return opinions
  }

  async #ask(picture: GoldenPicture, pipeline: Pipeline, run: string, attempt: number): Promise<Opinion> {
    const job = { id: picture.sha256, bytes: picture.bytes, read: () => picture.read() }
    const request = { job, attempt, epoch: 0, run, pipeline, deadlineMs: inferenceMs, signal: this.#signal }
    try {
      return { result: await whenFree(() => this.#agent.predict(request), this.#signal) }
    } catch (cause) {
      const error = toCpnError(cause)
      if (verdicts.has(error.code)) return { error }
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent[Symbol.asyncDispose]()
    await this.#transport[Symbol.asyncDispose]()
  }
}

/**
 * Removes models that a push has put on a host, over a connection of its own: the one that they came by may be what
 * failed. A manifest goes before its model, so that no agent sees one that is not there.
 */
export async function takeBack(
  host: Host,
  models: readonly InstalledModel[],
  { connector, fleetId }: Reach,
): Promise<void> {
  const failed = (reason: string) =>
    new CpnError('CPN_ERR_REMOTE_COMMAND', `models could not be removed again: ${reason}`, {
      host: host.name,
      suggestions: ['They do no harm there. A later push uses them; `cpn prune` removes what is old.'],
    })
  await withDeadline(
    takeBackMs,
    () => failed(`it took longer than ${takeBackMs / 1000} seconds`),
    async (signal) => {
      await using transport = await connector.open(host, signal)
      const { fleetDir } = await findAgent(transport, host, fleetId, signal)
      const digests = models.map(({ manifest }) => manifest.sha256)
      // An upload that was cut may have left a part.
      const files = [
        nodePaths.modelManifest,
        nodePaths.model,
        (digest: string) => `${nodePaths.model(digest)}.*.part`,
      ].flatMap((pathOf) => digests.map(pathOf))
      const script = `cd ${quote(dirname(dirname(fleetDir)))} && rm -f ${files.join(' ')}`
      const { exitCode, stderr } = await transport.exec(script, { signal, timeoutMs: takeBackMs })
      if (exitCode !== 0) throw failed(stderr.trim() || `exit code ${exitCode}`)
    },
  )
}

function otherProtocol(host: string, theirs: number): CpnError {
  return new CpnError(
    'CPN_ERR_AGENT_PROTOCOL',
    `its agent speaks protocol ${theirs}, this cpn speaks ${protocolVersion}`,
    {
      host,
      suggestions: [`Put this version's agent on it: cpn provision ${host}`],
    },
  )
}
