import { type AddressInfo, connect, createServer } from 'node:net'

/** A way to a server that keeps what clients send over it. */
export interface Wire extends AsyncDisposable {
  address: string
  port: number
  /** Everything that each client has sent so far. */
  sent: Buffer[]
}

/** Listens on a free loopback port and passes everything on to `target`. */
export async function startWire(target: { address: string; port: number }): Promise<Wire> {
  const sent: Buffer[] = []
  const server = createServer((near) => {
    const client = sent.push(Buffer.alloc(0)) - 1
    near.on('data', (data: Buffer) => (sent[client] = Buffer.concat([sent[client]!, data])))
    const far = connect(target.port, target.address)
    near.pipe(far).pipe(near)
    for (const socket of [near, far]) socket.on('error', () => [near, far].map((each) => each.destroy()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { address, port } = server.address() as AddressInfo
  const end = () => new Promise<void>((resolve) => void server.close(() => resolve()))
  return { address, port, sent, [Symbol.asyncDispose]: end }
}

/**
 * Numbers of the SSH messages that a client sent (RFC 4253), as far as they are not encrypted: behind 21 (new keys)
 * everything is.
 */
export function plainMessages(sent: Buffer): number[] {
  const numbers: number[] = []
  let at = sent.indexOf('\r\n') + 2
  while (at + 6 <= sent.length && numbers.at(-1) !== 21) {
    numbers.push(sent[at + 5]!)
    at += 4 + sent.readUInt32BE(at)
  }
  return numbers
}
