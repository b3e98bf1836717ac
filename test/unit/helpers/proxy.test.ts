import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import { startProxy } from '../../helpers/proxy.ts'
import { until } from '../../helpers/until.ts'

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

/** What the far side heard, as it comes. */
async function startEar() {
  const heard = { text: '', ended: false }
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('close', () => {
      heard.ended = true
    })
    socket.setEncoding('utf8').on('data', (text: string) => {
      heard.text += text
    })
    socket.write('welcome')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { server, heard, ...(server.address() as AddressInfo) }
}

test('one direction can stall while the other passes', async () => {
  const ear = await startEar()
  await using proxy = await startProxy(ear)
  proxy.stall('up')
  const socket = connect(proxy.port, proxy.address)
  socket.write('held back')
  const [welcome] = (await once(socket, 'data')) as [Buffer]
  assert.deepEqual([welcome.toString(), ear.heard.text], ['welcome', ''])
  proxy.resume()
  await until(() => ear.heard.text === 'held back', 'it has passed')
  socket.destroy()
  ear.server.close()
})

test('a lost far side is not told to the near one', async () => {
  const ear = await startEar()
  await using proxy = await startProxy(ear)
  const socket = connect(proxy.port, proxy.address)
  await once(socket, 'data')
  let told = false
  socket.on('close', () => {
    told = true
  })
  proxy.loseFarSide()
  await until(() => ear.heard.ended, 'the far side has gone')
  socket.write('into the void')
  assert.deepEqual([told, ear.heard.text], [false, ''])
  socket.destroy()
  ear.server.close()
})

test('a limit holds back what is more', async () => {
  const echo = await startEcho()
  await using proxy = await startProxy(echo)
  proxy.limit(100_000)
  const socket = connect(proxy.port, proxy.address)
  const before = performance.now()
  await say(socket, 'x'.repeat(5000))
  await say(socket, 'y')
  assert.ok(performance.now() - before >= 50)
  socket.destroy()
  echo.server.close()
})

test('one bit is flipped, and a connection is reset, after so many bytes', async () => {
  const echo = await startEcho()
  await using proxy = await startProxy(echo)
  const socket = connect(proxy.port, proxy.address)
  const flipped = proxy.corruptAfter(3, 'up')
  assert.equal(await say(socket, 'ab'), 'ab')
  assert.equal(await say(socket, 'cdefg'), 'cddfg')
  await flipped
  const cut = proxy.cutAfter(4, 'up')
  assert.equal(await say(socket, 'abc'), 'abc')
  socket.write('d')
  await cut
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ECONNRESET')
  echo.server.close()
})
