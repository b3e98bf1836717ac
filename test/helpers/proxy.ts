import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { Transform } from 'node:stream'

/** A TCP proxy in front of a test host that can cut, stall and delay what passes. */
export class FaultProxy {
  readonly #server: Server
  readonly #pairs = new Set<[Socket, Socket]>()
  /** Milliseconds that every piece is held back, per direction. Set it before the first connection. */
  delayMs = 0
  #gate = Promise.withResolvers<void>()

  /** Use startProxy. */
  constructor(target: { address: string; port: number }) {
    this.#gate.resolve()
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
    for (const socket of [...this.#pairs].flat()) socket.resetAndDestroy()
  }

  /** Nothing passes any more, and nobody is told: as when a cable is pulled. */
  stall(): void {
    this.#gate = Promise.withResolvers<void>()
  }

  /** What was held back passes on. */
  resume(): void {
    this.#gate.resolve()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    this.resume()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #join(near: Socket, far: Socket): void {
    const pair: [Socket, Socket] = [near, far]
    this.#pairs.add(pair)
    near.pipe(this.#passage()).pipe(far)
    far.pipe(this.#passage()).pipe(near)
    const end = (): void => {
      this.#pairs.delete(pair)
      for (const socket of pair) socket.destroy()
    }
    for (const socket of pair) socket.setNoDelay(true).on('error', end).on('close', end)
  }

  #passage(): Transform {
    const late = (passage: Transform, act: () => void): void => {
      if (this.delayMs === 0) act()
      else setTimeout(() => passage.destroyed || act(), this.delayMs)
    }
    const passage: Transform = new Transform({
      transform: async (chunk, _encoding, done) => {
        await this.#gate.promise
        late(passage, () => passage.push(chunk))
        done()
      },
      flush: (done) => late(passage, done),
    })
    return passage
  }
}

/** Listens on a free loopback port and forwards to `target`. */
export async function startProxy(target: { address: string; port: number }, delayMs = 0): Promise<FaultProxy> {
  const proxy = new FaultProxy(target)
  proxy.delayMs = delayMs
  await proxy.listen()
  return proxy
}
