// How long one waits for the program itself, and for one photograph on a node that is warm.
import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { project } from '../../test/helpers/project.ts'
import { shared } from '../../test/helpers/shared.ts'
import { startHosts } from '../../test/helpers/sshd.ts'
import type { Report } from '../report.ts'
import { timedCpn } from '../timed-cpn.ts'

const rounds = Number(process.env.CPN_BENCH_ROUNDS ?? 9)

export async function measure(): Promise<Report> {
  await using hosts = await startHosts({})
  await using home = project(hosts)
  await home.ok(['models', 'pull', 'ultraface-320', '--yes'])
  await home.ok(['provision', '--yes'], { timeoutMs: 300_000 })
  const photo = join(home.folder, 'photo.jpg')
  copyFileSync(shared('photos', 'ultraface-groups', '1.jpg'), photo)
  const out = join(home.folder, 'out')
  const predict = async () => {
    const run = await timedCpn(home, [
      'predict',
      '--pipeline',
      'faces',
      photo,
      '--detector',
      'ultraface-320',
      '--out',
      out,
      '--json',
    ])
    rmSync(out, { recursive: true })
    return run
  }
  await predict()
  const runs = []
  for (let round = 0; round < rounds; round++) {
    runs.push({ version: await timedCpn(home, ['--version']), photo: await predict() })
  }
  return {
    title: 'start of the program, and one photograph on a warm node',
    rows: [
      { what: 'cpn --version (floor ≤ 0.25)', unit: 's', values: runs.map(({ version }) => version.seconds) },
      { what: 'cpn predict of one photograph (floor ≤ 1)', unit: 's', values: runs.map(({ photo }) => photo.seconds) },
      { what: 'its processor time here', unit: 'ms', values: runs.map(({ photo }) => photo.cpuMs) },
    ],
    ratios: [],
    notes: ['The whole process, SSH connection included, started with the pinned runtime.'],
  }
}
