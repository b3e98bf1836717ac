import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { Transform } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

/** `up`: to the host. `down`: from the host to whoever connected. */
export type Direction = 'up' | 'down'

interface Pair {
  near: Socket
  far: Socket
  /** The far side has gone and the near side was not told. */
  halfOpen: boolean
}

interface Way {
  gate: PromiseWithResolvers<void>
  /** Bytes per second; undefined: no limit. */
  rate: number | undefined
  /** When the limit lets the next piece pass, by performance.now(). */
  freeAt: number
  /** Bytes that still pass before something is done to the piece that goes beyond them. */
  trap: { bytes: number; spring: (chunk: Buffer) => Buffer; sprung: () => void } | undefined
}

/** A TCP proxy in front of a test host that can cut, stall, delay, throttle and corrupt what passes. */
export class FaultProxy {
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  readonly #ways: Record<Direction, Way> = { up: openWay(), down: openWay() }
  /** Milliseconds that every piece is held back, per direction. */
  delayMs = 0

  /** Use startProxy. */
  constructor(target: { address: string; port: number }) {
    this.#server = createServer((near) => this.#join(near, connect(target.port, target.address)))
  }

  get address(): string {
    return (this.#server.address() as AddressInfo).address
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Connections open now. */
  get connections(): number {
    return this.#pairs.size
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => this.#server.once('error', reject).listen(0, '127.0.0.1', resolve))
  }

  /** Resets all connections; new ones pass. */
  cut(): void {
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy()
      far.resetAndDestroy()
    }
  }

  /** Nothing passes any more, in one direction or in both, and nobody is told: as when a cable is pulled. */
  stall(...directions: Direction[]): void {
    for (const way of this.#of(directions)) way.gate = Promise.withResolvers()
  }

  /** What was held back passes on. */
  resume(): void {
    for (const way of this.#of([])) way.gate.resolve()
  }

  /** The far side of every connection goes; the near side is not told, and what it sends is lost. New ones pass. */
  loseFarSide(): void {
    for (const pair of this.#pairs) {
      pair.halfOpen = true
      pair.near.unpipe()
      pair.near.resume()
      pair.far.destroy()
    }
  }

  /** From now on no more than this passes in each direction, all connections together; undefined lifts the limit. */
  limit(bytesPerSecond: number | undefined): void {
    for (const way of this.#of([])) way.rate = bytesPerSecond
  }

  /** Resets all connections as soon as so many more bytes have passed in a direction; resolves then. */
  async cutAfter(bytes: number, direction: Direction): Promise<void> {
    await this.#trap(bytes, direction, () => {
      this.cut()
      return Buffer.alloc(0)
    })
  }

  /** Flips one bit of what passes after so many more bytes in a direction; resolves when it has. */
  async corruptAfter(bytes: number, direction: Direction): Promise<void> {
    await this.#trap(bytes, direction, (chunk) => {
      const damaged = Buffer.from(chunk)
      damaged[damaged.length >> 1]! ^= 1
      return damaged
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    this.resume()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #of(directions: Direction[]): Way[] {
    return (directions.length > 0 ? directions : (['up', 'down'] as const)).map((direction) => this.#ways[direction])
  }

  async #trap(bytes: number, direction: Direction, spring: (chunk: Buffer) => Buffer): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#ways[direction].trap = { bytes, spring, sprung: resolve }
    await promise
  }

  #join(near: Socket, far: Socket): void {
    const pair: Pair = { near, far, halfOpen: false }
    this.#pairs.add(pair)
    near.pipe(this.#passage(this.#ways.up)).pipe(far)
    const down = far.pipe(this.#passage(this.#ways.down))
    down.pipe(near, { end: false })
    down.on('end', () => pair.halfOpen || near.end())
    const end = (): void => {
      this.#pairs.delete(pair)
      near.destroy()
      far.destroy()
    }
    for (const socket of [near, far]) socket.setNoDelay(true)
    near.on('error', end).on('close', end)
    far.on('error', () => pair.halfOpen || end()).on('close', () => pair.halfOpen || end())
  }

  #passage(way: Way): Transform {
    const late = (passage: Transform, act: () => void): void => {
      if (this.delayMs === 0) act()
      else setTimeout(() => passage.destroyed || act(), this.delayMs)
    }
    const passage: Transform = new Transform({
      transform: async (chunk: Buffer, _encoding, done) => {
        await way.gate.promise
        await allowed(way, chunk.length)
        const passing = trapped(way, chunk)
        late(passage, () => passage.push(passing))
        done()
      },
      flush: (done) => late(passage, done),
    })
    return passage
  }
}

function openWay(): Way {
  const gate = Promise.withResolvers<void>()
  gate.resolve()
  return { gate, rate: undefined, freeAt: 0, trap: undefined }
}

/** Waits until the way's limit lets so many bytes pass. */
async function allowed(way: Way, bytes: number): Promise<void> {
  if (way.rate === undefined) return
  const now = performance.now()
  const waitMs = Math.max(0, way.freeAt - now)
  way.freeAt = now + waitMs + (bytes / way.rate) * 1000
  await sleep(waitMs)
}

function trapped(way: Way, chunk: Buffer): Buffer {
  const { trap } = way
  if (!trap) return chunk
  trap.bytes -= chunk.length
  if (trap.bytes > 0) return chunk
  way.trap = undefined
  const changed = trap.spring(chunk)
  trap.sprung()
  return changed
}

/** Listens on a free loopback port and forwards to `target`. */
export async function startProxy(target: { address: string; port: number }, delayMs = 0): Promise<FaultProxy> {
  const proxy = new FaultProxy(target)
  proxy.delayMs = delayMs
  await proxy.listen()
  return proxy
}
