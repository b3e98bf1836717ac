import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type CheckedHost, checkHosts } from '../../src/actions/hosts/check-hosts.ts'
import type { Context, Prompter } from '../../src/common/context.ts'
import { createLogger } from '../../src/common/logger.ts'
import type { Host } from '../../src/inventory/inventory.ts'
import type { CheckName } from '../../src/provision/host-report.ts'
import { cpn, isolatedEnvironment } from '../helpers/cli.ts'
import { type SshdHost, sshdMissing, startSshd, usersMissing } from '../helpers/sshd.ts'
import { hostOf, Master, nobody, plainHost } from './transport-fixture.ts'

function contextOf(prompter: Prompter = nobody): Context {
  return { signal: new AbortController().signal, logger: createLogger(), prompter, notice: () => undefined }
}

function check(master: Master, hosts: Host[]): Promise<CheckedHost[]> {
  const inventory = { file: undefined, stateDir: master.folder, hosts, requirements: [] }
  return checkHosts({ inventory, hosts: [] }, contextOf())
}

async function checkOne(sshd: SshdHost, overrides: Partial<Host> = {}): Promise<CheckedHost> {
  using master = new Master().trust(sshd)
  const [checked] = await check(master, [hostOf(sshd, overrides)])
  return checked!
}

/** The host lacks this, in these words, and is told what would help. */
function lacks(checked: CheckedHost, name: CheckName, found: string | RegExp, needed: boolean): void {
  const hint = checked.hints.find((each) => each.check === name)
  assert.equal(checked.checks[name].verdict, 'lack', JSON.stringify(checked))
  assert.match(checked.checks[name].found, typeof found === 'string' ? new RegExp(`^${found}$`) : found)
  assert.ok(hint && hint.suggestion !== '', 'no hint')
  assert.equal(hint.needed, needed)
  assert.equal(checked.usable, !checked.hints.some((each) => each.needed))
}

/** A launcher that runs commands as root in a mount namespace of the host's own before sshd starts. */
function inOwnMounts(commands: (folder: string) => string[]) {
  const unshare = ['unshare', '--mount', '--propagation', 'private', '/bin/sh', '-ec']
  return (folder: string) => [...unshare, [...commands(folder), 'exec "$@"'].join('\n'), 'host']
}

describe('checking hosts', { skip: sshdMissing }, () => {
  test('a good host has every column filled and is usable', async () => {
    await using sshd = await startSshd()
    const checked = await checkOne(sshd)
    assert.equal(checked.usable, true)
    for (const name of ['reachable', 'key', 'login', 'sftp'] as const) assert.equal(checked.checks[name].found, 'yes')
    for (const name of ['os', 'arch', 'libc', 'cpu', 'cores', 'memory', 'disk', 'clock', 'apt'] as const) {
      assert.notEqual(checked.checks[name].found, '', name)
    }
    assert.match(checked.checks.os.found, /^[a-z]/)
    assert.equal(checked.checks.exec.found, 'yes')
    assert.equal(checked.checks.clock.verdict, 'ok')
    assert.equal(sshd.tree().filter(({ path }) => path.includes('.cpn')).length, 0)
  })

  test('a host that nobody listens on is not reachable, and the others are looked at', async () => {
    await using sshd = await startSshd()
    using master = new Master().trust(sshd)
    const dead = plainHost({ name: 'dead', address: '127.0.0.1', port: 1 })
    const [first, second] = await check(master, [dead, hostOf(sshd)])
    lacks(first!, 'reachable', 'no', true)
    assert.equal(first!.checks.key.verdict, 'unknown')
    assert.equal(second!.usable, true)
  })

  test('a host that never answers delays no other', async () => {
    await using sshd = await startSshd()
    using master = new Master(['Host 127.0.0.1', 'ConnectTimeout 1']).trust(sshd)
    const silent = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => silent.once('listening', resolve))
    const { port } = silent.address() as { port: number }
    process.env.CPN_TIMEOUT_SCALE = '0.2'
    try {
      const [first, second] = await check(master, [
        plainHost({ name: 'silent', address: '127.0.0.1', port }),
        hostOf(sshd),
      ])
      lacks(first!, 'reachable', 'no', true)
      assert.equal(second!.usable, true)
    } finally {
      delete process.env.CPN_TIMEOUT_SCALE
      silent.close()
    }
  })

  test('an unknown host key and a changed one are told apart', async () => {
    await using sshd = await startSshd()
    using master = new Master()
    lacks((await check(master, [hostOf(sshd)]))[0]!, 'key', 'unknown', true)
    master.trust(sshd)
    await sshd.rotateHostKey()
    lacks((await check(master, [hostOf(sshd)]))[0]!, 'key', 'changed', true)
  })

  test('a refused login is seen as such', async () => {
    await using sshd = await startSshd()
    await using other = await startSshd()
    const checked = await checkOne(sshd, { identityFile: other.identityFile })
    lacks(checked, 'login', 'no', true)
    assert.equal(checked.checks.key.found, 'yes')
  })

  test('a login shell that runs nothing is not usable', { skip: usersMissing }, async () => {
    await using sshd = await startSshd({ shell: '/usr/sbin/nologin' })
    lacks(await checkOne(sshd), 'login', 'no shell', true)
  })

  test('a server for SFTP alone has no shell and has SFTP', async () => {
    await using sshd = await startSshd({ config: ['ForceCommand internal-sftp'] })
    const checked = await checkOne(sshd)
    lacks(checked, 'login', 'no shell', true)
    assert.equal(checked.checks.sftp.found, 'yes')
  })

  test('without the SFTP subsystem a host stays usable', async () => {
    await using sshd = await startSshd({ subsystem: false })
    const checked = await checkOne(sshd)
    lacks(checked, 'sftp', 'no', false)
    assert.equal(checked.usable, true)
  })

  test('an SFTP program that cannot start is no SFTP', async () => {
    await using sshd = await startSshd({ subsystem: false, config: ['Subsystem sftp /no/such/program'] })
    const checked = await checkOne(sshd)
    lacks(checked, 'sftp', 'no', false)
    assert.equal(checked.usable, true)
  })

  test('one session at a time is enough', async () => {
    await using sshd = await startSshd({ config: ['MaxSessions 1'] })
    const checked = await checkOne(sshd)
    assert.equal(checked.usable, true)
    assert.equal(checked.checks.sftp.found, 'yes')
  })

  for (const [config, found] of [
    [[], 'forwarding'],
    [['AllowStreamLocalForwarding no'], 'bridge'],
    [['DisableForwarding yes'], 'bridge'],
  ] as const) {
    test(`with ${config[0] ?? 'nothing forbidden'} the tunnel is: ${found}`, { skip: usersMissing }, async () => {
      await using sshd = await startSshd({ config: [...config] })
      const socket = join(sshd.home, 'listening.sock')
      const server = createServer().listen({ path: socket, writableAll: true })
      await new Promise((resolve) => server.once('listening', resolve))
      try {
        const checked = await checkOne(sshd)
        assert.equal(checked.checks.tunnel.found, found)
        if (found === 'bridge') lacks(checked, 'tunnel', 'bridge', false)
      } finally {
        server.close()
      }
    })
  }

  test('a home mounted noexec is not usable', { skip: usersMissing }, async () => {
    const launcher = inOwnMounts((folder) => [
      `mount --bind ${folder}/home ${folder}/home`,
      `mount -o remount,bind,noexec ${folder}/home`,
    ])
    await using sshd = await startSshd({ launcher })
    lacks(await checkOne(sshd), 'exec', 'noexec', true)
  })

  test('a home mounted read-only is not usable', { skip: usersMissing }, async () => {
    const launcher = inOwnMounts((folder) => [
      `mount --bind ${folder}/home ${folder}/home`,
      `mount -o remount,bind,ro ${folder}/home`,
    ])
    await using sshd = await startSshd({ launcher })
    lacks(await checkOne(sshd), 'disk', /./, true)
  })

  test('a disk without room for a release is not usable', { skip: usersMissing }, async () => {
    const launcher = inOwnMounts(() => ['mount -t tmpfs -o size=10m,mode=1777 tmpfs /mnt'])
    await using sshd = await startSshd({ launcher })
    lacks(await checkOne(sshd, { remoteDir: '/mnt/cpn' }), 'disk', /MB|MiB/, true)
  })

  test('without sudo, with another clock and with apt at work a host is usable', { skip: usersMissing }, async () => {
    const launcher = inOwnMounts((folder) => [
      'for f in /usr/bin/sudo /usr/local/bin/sudo; do [ -e "$f" ] && mount --bind /dev/null "$f" || :; done',
      `printf '#!/bin/sh\\necho 1000000000\\n' >${folder}/date; chmod 755 ${folder}/date`,
      `mount --bind ${folder}/date "$(readlink -f /usr/bin/date)"`,
      'mount -t tmpfs tmpfs /var/lib/dpkg',
      "setpriv --pdeathsig KILL sh -c 'exec 9>/var/lib/dpkg/lock-frontend; flock 9; exec sleep 1000' >/dev/null 2>&1 &",
      'while ! grep -q ":$(ls -i /var/lib/dpkg/lock-frontend 2>/dev/null | cut -d" " -f1) " /proc/locks; do :; done',
    ])
    await using sshd = await startSshd({ launcher })
    const checked = await checkOne(sshd)
    lacks(checked, 'sudo', 'none', false)
    lacks(checked, 'clock', /^-\d+ d$/, false)
    lacks(checked, 'apt', 'locked', false)
    assert.equal(checked.usable, true)
  })

  test('a host that only leads to others needs to let us in and nothing else', { skip: usersMissing }, async () => {
    await using sshd = await startSshd()
    using master = new Master().trust(sshd)
    const inventory = { file: undefined, stateDir: master.folder, requirements: [] }
    const hosts = [hostOf(sshd, { provision: false, remoteDir: '/proc/none' })]
    const [checked] = await checkHosts({ inventory: { ...inventory, hosts }, hosts: [sshd.name] }, contextOf())
    assert.equal(checked!.usable, true)
    assert.equal(checked!.checks.disk.verdict, 'lack')
  })

  test('this machine is looked at without SSH', async () => {
    using master = new Master()
    const [checked] = await check(master, [plainHost({ name: 'here', transport: 'local' })])
    assert.equal(checked!.checks.login.found, 'local')
    assert.equal(checked!.checks.tunnel.found, 'forwarding')
  })
})

describe('cpn hosts check', { skip: sshdMissing }, () => {
  test('prints a table and hints, exits with 4 when a host lacks what provisioning needs, with 0 else', async () => {
    await using sshd = await startSshd({ name: 'node1', subsystem: false })
    using master = new Master()
    const { address, port, user, identityFile } = sshd
    const node1 = JSON.stringify({ address, port, user, identityFile })
    const inventory = join(master.folder, 'inventory.yaml')
    writeFileSync(inventory, `version: 1\nhosts:\n  node1: ${node1}\n  dead: { address: 127.0.0.1, port: 1 }\n`)
    mkdirSync(join(master.folder, '.cpn'), { mode: 0o700 })
    writeFileSync(join(master.folder, '.cpn', 'known_hosts'), `${sshd.knownHostsLine()}\n`)
    const env = isolatedEnvironment(join(master.folder, 'home'))
    const all = await cpn(['hosts', 'check', '-i', inventory], { env })
    assert.equal(all.exitCode, 4, all.stderr)
    assert.match(all.stdout, /^HOST +USABLE +REACHABLE .* APT\nnode1 +yes +yes .*\ndead +no +no! +\?/)
    assert.match(all.stdout, /\nnode1: sftp: .*Subsystem sftp.*\n(.*\n)*dead: reachable \(needed\): .*/)
    const one = await cpn(['hosts', 'check', 'node1', '-i', inventory, '--json'], { env })
    assert.equal(one.exitCode, 0, one.stderr)
    const [host] = (JSON.parse(one.stdout) as { hosts: CheckedHost[] }).hosts
    assert.deepEqual([host!.name, host!.usable, host!.checks.sftp.verdict], ['node1', true, 'lack'])
  })
})
