import { after, before, test } from 'node:test'
import { startLinkedHosts } from '../helpers/linked-hosts.ts'
import { sshdMissing } from '../helpers/sshd.ts'
import { vethMissing } from '../helpers/veth-link.ts'
import { hostOf, Master } from './transport-fixture.ts'

// Shorter deadlines, so that less has to be sent to be longer on its way than they allow.
const scaleBefore = process.env.CPN_TIMEOUT_SCALE
before(() => {
  process.env.CPN_TIMEOUT_SCALE = '0.3'
})
after(() => {
  if (scaleBefore === undefined) delete process.env.CPN_TIMEOUT_SCALE
  else process.env.CPN_TIMEOUT_SCALE = scaleBefore
})

// Twelve megabytes fit into the windows of six channels and take five seconds; a channel is asked for within three.
test('a command starts while others send more than the link takes', {
  skip: sshdMissing || vethMissing(),
}, async () => {
  await using fleet = await startLinkedHosts(1)
  using master = new Master().trust(...fleet.hosts)
  const host = hostOf(fleet.hosts[0]!)
  await using connector = master.connector([host])
  await using transport = await connector.open(host)
  const senders = await Promise.all(Array.from({ length: 6 }, () => transport.spawn('cat >/dev/null')))
  fleet.links[0]!.limit(20)
  for (const { stdin } of senders) stdin.end(Buffer.alloc(2 * 2 ** 20))
  await transport.exec('true')
  await Promise.all(senders.map(({ exited }) => exited))
})
