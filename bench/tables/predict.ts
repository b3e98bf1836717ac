// Images per second of a whole run against the pipeline alone and against Dask, and the master's processor time.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { project } from '../../test/helpers/project.ts'
import { readPredictions, readSummary } from '../../test/helpers/run-output.ts'
import { startHosts } from '../../test/helpers/sshd.ts'
import { Limit } from '../limit.ts'
import { Dask, daskMissing } from '../peers/dask.ts'
import { groupPhotos } from '../pictures.ts'
import { processorTime } from '../processor-time.ts'
import { type Report, ratio } from '../report.ts'
import { timedCpn } from '../timed-cpn.ts'

const rounds = Number(process.env.CPN_BENCH_ROUNDS ?? 5)
const copies = Number(process.env.CPN_BENCH_COPIES ?? 20)
const detector = ['--detector', 'ultraface-320']

export async function measure(): Promise<Report> {
  await using hosts = await startHosts({}, {})
  await using home = project(hosts)
  const pictures = groupPhotos(join(home.folder, 'pictures'), copies)
  const few = groupPhotos(join(home.folder, 'few'), 1)
  const many = groupPhotos(join(home.folder, 'many'), 3 * copies)
  await home.ok(['models', 'pull', 'ultraface-320', '--yes'])
  await home.ok(['provision', '--yes'], { timeoutMs: 300_000 })
  let begun = 0
  const cpn = async (folder: string) => {
    // A folder of its own each time: a run into one that it knows goes on where the last one ended. None is removed
    // meanwhile: file systems look for a place in vain where files have just been deleted.
    const out = join(home.folder, `out-${++begun}`)
    const before = processorTime(hosts)
    const { seconds, cpuMs } = await timedCpn(home, [
      'predict',
      '--pipeline',
      'faces',
      folder,
      ...detector,
      '--out',
      out,
      '--json',
    ])
    // The servers' part is known when their connections have ended.
    await sleep(200)
    const after = processorTime(hosts)
    const nodesMs = {
      workers: after.workers - before.workers,
      supervisors: after.supervisors - before.supervisors,
      sshd: after.sshd - before.sshd,
    }
    const faces = readPredictions(out).reduce((sum, line) => sum + (line.faces?.length ?? 0), 0)
    const run = readSummary(out)
    return { seconds, cpuMs, nodesMs, faces, run }
  }
  await cpn(few.folder)
  await using limit = await Limit.start(join(pictures.folder, '0-1.jpg'))
  const missing = process.env.CPN_BENCH_PEERS === 'none' ? 'asked for' : daskMissing()
  await using stack = new AsyncDisposableStack()
  const dask = missing ? undefined : stack.use(await Dask.start(hosts))
  await dask?.run(few.folder, join(home.folder, 'dask-warm'))
  const runs = []
  for (let round = 0; round < rounds; round++) {
    const alone = await limit.run(pictures.folder)
    const ours = await cpn(pictures.folder)
    const theirs = await dask?.run(pictures.folder, join(home.folder, 'dask-out'))
    const short = await cpn(few.folder)
    const long = await cpn(many.folder)
    if (ours.faces !== alone.faces || ours.run.done !== pictures.count) throw new Error('not the same work was done')
    runs.push({ alone, ours, theirs, short, long })
  }
  const perSecond = (seconds: number) => pictures.count / seconds
  const whole = runs.map(({ ours }) => perSecond(ours.seconds))
  const steady = runs.map(({ ours, short }) => (pictures.count - few.count) / (ours.seconds - short.seconds))
  const alone = runs.map((round) => perSecond(round.alone.seconds))
  const theirs = runs.flatMap((round) => (round.theirs ? [perSecond(round.theirs.seconds)] : []))
  const each = 100_000 / pictures.bytes
  const cpuMs = runs.map(({ ours }) => ours.cpuMs * each)
  // What the start costs, and compiling what is used often, is in both runs: the difference is what the images cost.
  const marginal = runs.map(({ ours, long }) => ((long.cpuMs - ours.cpuMs) * 100_000) / (many.bytes - pictures.bytes))
  const longer = runs.map(({ long }) => many.count / long.seconds)
  const nodes = runs.map(({ ours }) => ours.nodesMs)
  const { count } = pictures
  const found = runs[0]!
  return {
    title: `predict: ${pictures.count} photographs, ${Math.round(pictures.bytes / 1e6)} MB, 2 SSH hosts on this machine`,
    rows: [
      { what: 'cpn predict, whole process', unit: 'images/s', values: whole },
      { what: 'cpn predict, start and end left out', unit: 'images/s', values: steady },
      { what: `cpn predict, whole process, ${many.count} photographs`, unit: 'images/s', values: longer },
      { what: 'the pipeline alone, a process per core', unit: 'images/s', values: alone },
      ...(dask ? [{ what: 'Dask SSHCluster + OpenCV, without its start', unit: 'images/s', values: theirs }] : []),
      { what: 'master CPU per 100 kB, start included', unit: 'ms', values: cpuMs },
      { what: 'master CPU per 100 kB, once it is under way (floor ≤ 3)', unit: 'ms', values: marginal },
      {
        what: 'workers on the nodes, CPU per photograph',
        unit: 'ms',
        values: nodes.map(({ workers }) => workers / count),
      },
      {
        what: 'supervisors on the nodes, the same',
        unit: 'ms',
        values: nodes.map(({ supervisors }) => supervisors / count),
      },
      { what: 'sshd on the nodes, the same', unit: 'ms', values: nodes.map(({ sshd }) => sshd / count) },
    ],
    ratios: [
      ratio('cpn / the pipeline alone, without the start of either', steady, alone, '≥ 0.6'),
      ratio('cpn, whole process / the pipeline alone, without its start', whole, alone),
      ratio(`the same, ${many.count} photographs`, longer, alone),
      ...(dask ? [ratio('cpn / Dask', whole, theirs, '≥ 1.4')] : []),
    ],
    notes: [
      `Faces found: cpn ${found.ours.faces}, the pipeline alone ${found.alone.faces}, Dask ${found.theirs?.faces ?? '-'}.`,
      ...(missing ? [`Dask is left out: ${missing}.`] : []),
    ],
  }
}
