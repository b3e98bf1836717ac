// `true` on many hosts, cold, beside the programs that people use for that.
import { type Project, project } from '../../test/helpers/project.ts'
import { startHosts } from '../../test/helpers/sshd.ts'
import { fanOuts } from '../peers/fan-out.ts'
import { type Ratio, type Report, ratio } from '../report.ts'
import { timedCpn } from '../timed-cpn.ts'

const rounds = Number(process.env.CPN_BENCH_ROUNDS ?? 9)
const many = Number(process.env.CPN_BENCH_HOSTS ?? 16)
const command = ['run-remote', 'all', '--', 'true']

export async function measure(): Promise<Report> {
  await using hosts = await startHosts(...Array.from({ length: many }, () => ({})))
  await using home = project(hosts)
  const peers = fanOuts(hosts, home.folder)
  const sides = [{ what: 'cpn run-remote', run: () => runCpn(home) }, ...peers.filter(({ isThere }) => isThere)]
  const seconds = new Map<string, number[]>(sides.map(({ what }) => [what, []]))
  const cpuMs: number[] = []
  // The first run of each is not counted: it reads its files from the disk.
  for (let round = 0; round <= rounds; round++) {
    for (const { what, run } of sides) {
      const started = performance.now()
      await run()
      if (round > 0) seconds.get(what)!.push((performance.now() - started) / 1000)
    }
    if (round > 0) cpuMs.push((await timedCpn(home, command)).cpuMs)
  }
  const missing = peers.filter(({ isThere }) => !isThere).map(({ what }) => what)
  return {
    title: `run-remote: \`true\` on ${many} hosts on this machine, whole process, no connection open before`,
    rows: [
      ...[...seconds].map(([what, values]) => ({ what, unit: 's', values })),
      { what: "cpn's processor time here", unit: 'ms', values: cpuMs },
    ],
    ratios: ratios(seconds),
    notes: [
      'The command ended with 0 on every host in every run, or there would be no table. All use the same keys, know the host ' +
        'keys beforehand and have all hosts in work at once.',
      ...(missing.length > 0 ? [`Left out, as they are not installed: ${missing.join(', ')}.`] : []),
    ],
  }
}

async function runCpn(home: Project): Promise<void> {
  await home.ok(command)
}

function ratios(seconds: Map<string, number[]>): Ratio[] {
  const [[, ours], ...peers] = [...seconds] as [[string, number[]], ...[string, number[]][]]
  const each = peers.map(([what, theirs]) => ratio(`cpn / ${what}`, ours, theirs, floorOf(what)))
  const best = ours.map((_, round) => Math.min(...peers.map(([, theirs]) => theirs[round]!)))
  return peers.length === 0 ? [] : [...each, ratio('cpn / the best of them in each round (goal ≤ 0.7)', ours, best)]
}

function floorOf(peer: string): string | undefined {
  if (peer === 'parallel-ssh') return '≤ 0.85'
  return peer.startsWith('xargs') ? '≤ 1.0' : undefined
}
