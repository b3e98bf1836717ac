import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import { startProxy } from '../../helpers/proxy.ts'

/** A server that sends back what it gets. */
async function startEcho(): Promise<{ server: Server; address: string; port: number }> {
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { address, port } = server.address() as AddressInfo
  return { server, address, port }
}

async function say(socket: Socket, text: string): Promise<string> {
  socket.write(text)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  return answer.toString()
}

test('the proxy passes bytes, delayed when asked to', async () => {
  const echo = await startEcho()
  await using proxy = await startProxy(echo, 20)
  const socket = connect(proxy.port, proxy.address)
  const before = performance.now()
  assert.equal(await say(socket, 'hello'), 'hello')
  assert.ok(performance.now() - before >= 38)
  assert.equal(proxy.connections, 1)
  socket.destroy()
  echo.server.close()
})

test('nothing passes a stalled proxy until it is resumed', async () => {
  const echo = await startEcho()
  await using proxy = await startProxy(echo)
  const socket = connect(proxy.port, proxy.address)
  await say(socket, 'first')
  proxy.stall()
  let answered = false
  const answer = say(socket, 'second').finally(() => {
    answered = true
  })
  // A second connection's attempt gives the first one's bytes the time they would have needed.
  const other = connect(proxy.port, proxy.address)
  await once(other, 'connect')
  assert.equal(answered, false)
  proxy.resume()
  assert.equal(await answer, 'second')
  socket.destroy()
  other.destroy()
  echo.server.close()
})

test('a cut resets open connections and lets new ones pass', async () => {
  const echo = await startEcho()
  await using proxy = await startProxy(echo)
  const socket = connect(proxy.port, proxy.address)
  await say(socket, 'first')
  proxy.cut()
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ECONNRESET')
  const next = connect(proxy.port, proxy.address)
  assert.equal(await say(next, 'again'), 'again')
  next.destroy()
  echo.server.close()
})
