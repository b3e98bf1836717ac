// Bare hosts to nodes beside scp and tar of the same bytes, and provisioning that has nothing to do.
import { execFileSync } from 'node:child_process'
import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Project, project } from '../../test/helpers/project.ts'
import { startHosts } from '../../test/helpers/sshd.ts'
import { scpAndUnpack } from '../peers/scp.ts'
import { type Report, ratio } from '../report.ts'
import { timedCpn } from '../timed-cpn.ts'

const rounds = Number(process.env.CPN_BENCH_ROUNDS ?? 3)
const many = Number(process.env.CPN_BENCH_HOSTS ?? 16)

export async function measure(): Promise<Report> {
  await using elsewhere = await startHosts({})
  await using builder = project(elsewhere)
  await pullModel(builder)
  await builder.ok(['release', 'build', '--out', 'release'], { timeoutMs: 300_000 })
  const release = join(builder.folder, 'release')
  // What lies on a node after provisioning besides the agent's own few files.
  cpSync(join(builder.folder, '.cpn', 'models'), join(release, 'models'), { recursive: true })
  const archive = join(builder.folder, 'release.tar.gz')
  execFileSync('tar', ['-C', release, '-czf', archive, '.'])
  const cold = []
  for (let round = 0; round < rounds; round++) {
    cold.push({ ...(await coldHosts()), theirs: await scpToColdHosts(archive) })
  }
  const again = await unchanged()
  const whole = cold.map((round) => round.whole)
  const uploads = cold.map((round) => round.upload)
  const theirs = cold.map((round) => round.theirs)
  return {
    title: `provision: 4 cold hosts, and ${many} with nothing to do, all on this machine`,
    rows: [
      { what: 'cpn provision, 4 cold hosts', unit: 's', values: whole },
      { what: 'of this the upload, on the host where it takes longest', unit: 's', values: uploads },
      { what: 'scp + tar of the same files, 4 hosts side by side', unit: 's', values: theirs },
      { what: `cpn provision again, ${many} hosts (floor ≤ 2)`, unit: 's', values: again },
    ],
    ratios: [
      ratio('cpn / scp + tar, upload', uploads, theirs, '≤ 1.3'),
      ratio('cpn / scp + tar, whole', whole, theirs, '≤ 2'),
    ],
    notes: [
      `Both put ${mebibytes(release)} MiB of files on each host; the archive for scp is packed beforehand, as cpn's release is. ` +
        'Only cpn verifies every file, starts an agent and has it look at a picture.',
    ],
  }
}

async function pullModel(home: Project): Promise<void> {
  await home.ok(['models', 'pull', 'ultraface-320', '--yes'])
}

interface Provisioned {
  hosts: { seconds: Record<string, number> }[]
}

async function coldHosts(): Promise<{ whole: number; upload: number }> {
  await using hosts = await startHosts({}, {}, {}, {})
  await using home = project(hosts)
  await pullModel(home)
  const { stdout, seconds: whole } = await timedCpn(home, ['provision', '--yes', '--json'])
  const { hosts: reports } = JSON.parse(stdout) as Provisioned
  const uploads = reports.map(({ seconds }) => (seconds['upload-release'] ?? 0) + (seconds['upload-models'] ?? 0))
  return { whole, upload: Math.max(...uploads) }
}

async function scpToColdHosts(archive: string): Promise<number> {
  await using hosts = await startHosts({}, {}, {}, {})
  const started = performance.now()
  await Promise.all(hosts.map((host) => scpAndUnpack(host, archive)))
  return (performance.now() - started) / 1000
}

async function unchanged(): Promise<number[]> {
  await using hosts = await startHosts(...Array.from({ length: many }, () => ({})))
  await using home = project(hosts)
  await pullModel(home)
  await home.ok(['provision', '--yes'], { timeoutMs: 600_000 })
  const seconds = []
  for (let round = 0; round < rounds; round++) seconds.push((await timedCpn(home, ['provision', '--yes'])).seconds)
  return seconds
}

function mebibytes(folder: string): number {
  const kibibytes = execFileSync('du', ['-sk', ...readdirSync(folder).map((name) => join(folder, name))], {
    encoding: 'utf8',
  })
  const sum = kibibytes.split('\n').reduce((total, line) => total + Number(line.split('\t')[0]), 0)
  return Math.round(sum / 1024)
}
