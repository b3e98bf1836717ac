import { realpathSync, rmSync } from 'node:fs'
import { freemem, loadavg } from 'node:os'
import { basename } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Logger } from '../common/logger.ts'
import type { Heartbeat, NodeCard } from '../protocol/messages.ts'
import { readAgentConfig } from './agent-config-file.ts'
import { EpochGuard } from './epochs.ts'
import type { FleetFolder } from './fleet-folder.ts'
import { GalleryShelf } from './gallery-shelf.ts'
import { JobGate } from './job-gate.ts'
import { machineLimits, workerCount, workerLimits, workerRssLimit } from './limits.ts'
import { modelsOnNode } from './models-on-node.ts'
import { type FixedCard, fixedCard, type Supervisor } from './node-card.ts'
import { findConfinement, workerFolders } from './pool/confinement.ts'
import { launchWorker } from './pool/launch-worker.ts'
import { WorkerPool } from './pool/worker-pool.ts'
import { endOrphans, recordWorkers } from './process/worker-record.ts'
import { controlRoutes } from './server/control-routes.ts'
import { EventStream } from './server/events.ts'
import { galleryRoutes } from './server/gallery.ts'
import { inferenceProtocolRoutes } from './server/inference-protocol.ts'
import { predictHandler } from './server/predict.ts'
import { createRouter } from './server/router.ts'
import { SocketServer } from './server/socket-server.ts'

export interface AgentOptions {
  fleet: FleetFolder
  /** Folder of the release this program lies in. */
  releaseDir: string
  keptBy: Supervisor
}

const drainMs = 30_000
const closeMs = 10_000
const hurriedCloseMs = 500

/** One life of an agent: workers, server, events. */
export class Agent {
  readonly #fleet: FleetFolder
  readonly #logger: Logger
  readonly #card: FixedCard
  readonly #starter = process.ppid
  readonly #pool: WorkerPool
  readonly #gate: JobGate
  readonly #events: EventStream
  readonly #server: SocketServer
  readonly #end = Promise.withResolvers<string>()
  readonly #now = Promise.withResolvers<void>()
  #hurried = false

  constructor({ fleet, releaseDir, keptBy }: AgentOptions, logger: Logger) {
    const config = readAgentConfig(fleet.config)
    const limits = machineLimits()
    const workers = workerCount(config.workers, limits)
    const folders = workerFolders(releaseDir, fleet.modelsDir)
    const confinement = findConfinement(process.execPath, folders, workerLimits(limits))
    this.#fleet = fleet
    this.#logger = logger
    this.#card = fixedCard(config, basename(realpathSync(releaseDir)), limits, workers, keptBy, confinement)
    this.#gate = new JobGate(this.#card.slots)
    this.#events = new EventStream({ card: () => this.#nodeCard(), heartbeat: () => this.#heartbeat() })
    this.#pool = new WorkerPool({
      workers,
      logger,
      launch: () => launchWorker({ releaseDir, modelsDir: fleet.modelsDir }, config.nice, confinement.launcher),
      rssLimitBytes: workerRssLimit(workers, limits),
      onWorkers: (pids) => recordWorkers(fleet.workerPids, pids),
    })
    this.#server = new SocketServer(this.#router())
  }

  async run(): Promise<void> {
    endOrphans(this.#fleet.workerPids)
    const server = this.#server
    await server.listen(this.#fleet.socket)
    const stopListening = this.#onSignals()
    this.#logger.info({ card: this.#card }, 'agent started')
    this.#pool.start()
    const reason = await this.#end.promise
    this.#logger.info({ reason }, 'agent ends')
    await Promise.race([this.#gate.drain(), this.#now.promise, setTimeout(drainMs, undefined, { ref: false })])
    await this.#close(server, reason)
    stopListening()
    this.#logger.info('agent ended')
  }

  async #close(server: SocketServer, reason: string): Promise<void> {
    // New connections are refused from here on, before the last ones hear goodbye.
    rmSync(this.#fleet.socket, { force: true })
    this.#events.close(reason)
    await Promise.all([server.close(this.#hurried ? hurriedCloseMs : closeMs), this.#pool.close()])
    rmSync(this.#fleet.workerPids, { force: true })
  }

  #router() {
    const galleries = new GalleryShelf()
    const parts = { pool: this.#pool, gate: this.#gate, epochs: new EpochGuard(), galleries }
    const routes = {
      ...inferenceProtocolRoutes({
        models: () => modelsOnNode(this.#fleet.modelsDir),
        ready: () => this.#pool.workersReady > 0 && !this.#gate.draining,
      }),
      ...controlRoutes({
        card: () => this.#nodeCard(),
        heartbeat: () => this.#heartbeat(),
        events: this.#events,
        drain: () => this.#gate.drain(),
        shutdown: (reason, now) => this.#shutdown(reason, now),
      }),
      ...galleryRoutes(galleries, this.#pool),
      'POST /cpn/v1/predict': predictHandler(parts),
    }
    return createRouter(routes, this.#logger)
  }

  #nodeCard(): NodeCard {
    const models = modelsOnNode(this.#fleet.modelsDir).map(({ name, version, sha256 }) => ({ name, version, sha256 }))
    const isolation = { ...this.#card.isolation, supervisor: this.#supervisor() }
    return { ...this.#card, isolation, executionProviders: this.#pool.executionProviders, models }
  }

  /** A keeper that has died keeps nobody. */
  #supervisor(): Supervisor {
    const { supervisor } = this.#card.isolation
    return supervisor === 'keeper' && process.ppid !== this.#starter ? 'none' : supervisor
  }

  #heartbeat(): Heartbeat {
    const { workers, workersReady } = this.#pool
    return {
      event: 'heartbeat',
      time: new Date().toISOString(),
      state: this.#gate.draining ? 'draining' : workersReady === workers ? 'ready' : 'degraded',
      busy: this.#gate.busy,
      workersReady,
      done: this.#pool.done,
      imagesPerSecond: this.#pool.imagesPerSecond(),
      load1: loadavg()[0] ?? 0,
      freeMemoryBytes: freemem(),
      rssBytes: process.memoryUsage.rss() + this.#pool.rssBytes(),
      workerRestarts: this.#pool.restarts,
      receivedBytes: this.#server.receivedBytes,
    }
  }

  #shutdown(reason: string, now: boolean): void {
    if (now) this.#hurried = true
    if (now) this.#now.resolve()
    this.#end.resolve(reason)
  }

  /** The first signal drains, a second one gives the jobs in work up. */
  #onSignals(): () => void {
    let seen = 0
    const onSignal = (signal: NodeJS.Signals) => {
      seen += 1
      this.#shutdown(signal, seen > 1)
    }
    const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
    for (const signal of signals) process.on(signal, onSignal)
    return () => {
      for (const signal of signals) process.removeListener(signal, onSignal)
    }
  }
}
