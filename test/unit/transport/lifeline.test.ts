import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { markerOf } from '../../../src/protocol/locked-login.ts'
import { guardOrders, guardScript, underGuard, withLifeline, withMarkers } from '../../../src/transport/lifeline.ts'
import { readPastMarker } from '../../../src/transport/marker.ts'

const shells = ['/bin/sh', '/bin/bash', '/usr/bin/busybox'].filter((shell) => existsSync(shell))

const groups: number[] = []
after(() => {
  for (const group of groups.filter((it) => groupMembers(it).length > 0)) process.kill(-group, 'SIGKILL')
})

function start(shell: string, script: string): ChildProcess {
  const args = shell.endsWith('busybox') ? ['sh', '-c', script] : ['-c', script]
  const child = spawn(shell, args, { detached: true, stdio: 'pipe' })
  groups.push(child.pid!)
  return child
}

/** Processes of a group that are not zombies. */
function groupMembers(group: number): string[] {
  return execFileSync('ps', ['-eo', 'pgid=,stat=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => Number(line.trim().split(/\s+/)[0]) === group && !/^\s*\d+\s+Z/.test(line))
}

async function groupEnds(group: number): Promise<void> {
  for (const end = performance.now() + 10_000; groupMembers(group).length > 0; ) {
    if (performance.now() > end) throw new Error(`still there: ${groupMembers(group)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

for (const shell of shells) {
  test(`${shell}: a script under a lifeline gives its output and exit code`, async () => {
    const child = start(shell, withLifeline(`echo "it's out"; cat; echo err >&2; exit 7`))
    const output = Promise.all([text(child.stdout!), text(child.stderr!)])
    const [code] = await once(child, 'exit')
    assert.equal(code, 7)
    child.stdin!.destroy()
    assert.deepEqual(await output, ["it's out\n", 'err\n'])
    await groupEnds(child.pid!)
  })

  test(`${shell}: the end of the lifeline ends the group, also what ignores being asked`, async () => {
    const child = start(shell, withLifeline(`sh -c 'trap "" TERM HUP; echo on; sleep 1000 & wait' & sleep 1000`))
    await once(child.stdout!, 'data')
    child.stdin!.end()
    await groupEnds(child.pid!)
  })

  test(`${shell}: a guard ends what it watches, and nothing else`, async () => {
    const guard = start(shell, guardScript())
    const [ended, forgotten, watched] = await Promise.all([1, 2, 3].map(() => startGuarded(shell)))
    for (const it of [ended!, forgotten!, watched!]) guard.stdin!.write(guardOrders.watch(it.group))
    guard.stdin!.write(guardOrders.forget(forgotten!.group))
    guard.stdin!.write(guardOrders.end(ended!.group))
    await groupEnds(ended!.child.pid!)
    assert.ok(groupMembers(watched!.child.pid!).length > 0)
    guard.stdin!.end()
    await groupEnds(watched!.child.pid!)
    await once(guard, 'exit')
    assert.ok(groupMembers(forgotten!.child.pid!).length > 0)
    process.kill(-forgotten!.child.pid!, 'SIGKILL')
    await groupEnds(forgotten!.child.pid!)
  })

  test(`${shell}: a guarded script that never gets its word does not start`, async () => {
    const child = start(shell, underGuard('echo started', 'n'))
    child.stdin!.end()
    assert.doesNotMatch(await text(child.stdout!), /^started/m)
  })
}

/** A script under the guard's protocol: says its group, waits for the word, runs. */
async function startGuarded(shell: string): Promise<{ child: ChildProcess; group: string }> {
  const child = start(shell, underGuard('echo on; sleep 1000', 'n'))
  child.stdout!.resume()
  const [group = ''] = await readPastMarker(child.stderr!, markerOf('n'), 1)
  assert.equal(group, String(child.pid))
  child.stdin!.write('go\n')
  return { child, group }
}

test('markers stand before everything the script prints', () => {
  const script = withMarkers('echo out; echo err >&2', 'abc')
  assert.equal(
    execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    `${markerOf('abc')}\nout\n`,
  )
})
