// One large file and many small ones to a host, beside scp and rsync; every copy is compared by digest afterwards.
import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type Project, project } from '../../test/helpers/project.ts'
import { type SshdHost, startHosts } from '../../test/helpers/sshd.ts'
import { firstLine } from '../machine.ts'
import { rsyncTo, scpTo } from '../peers/scp.ts'
import { type Ratio, type Report, type Row, ratio } from '../report.ts'
import { timedCpn } from '../timed-cpn.ts'

const rounds = Number(process.env.CPN_BENCH_ROUNDS ?? 5)
const largeBytes = Number(process.env.CPN_BENCH_BYTES ?? 1_000_000_000)
const smallFiles = 5000
const smallBytes = 4096

/** What runs a copy of `source` to `to` in the host's home. */
interface Side {
  what: string
  copy: (source: string, to: string) => Promise<void>
}

export async function measure(): Promise<Report> {
  await using hosts = await startHosts({})
  const host = hosts[0]!
  await using home = project(hosts)
  const large = join(home.folder, 'large')
  const small = join(home.folder, 'small')
  await writeLarge(large)
  writeSmall(small)
  const cpuMs: number[] = []
  const sides = sidesOf(home, host, cpuMs)
  const ofLarge = await measureSides(sides, large, host)
  const cpuOfLarge = cpuMs.splice(0)
  const ofSmall = await measureSides(sides, small, host)
  const gigabytes = largeBytes / 1e9
  return {
    title: `copy: ${gigabytes} GB in one file, and ${smallFiles} files of ${smallBytes} bytes, to one host on this machine`,
    rows: [
      ...rowsOf(ofLarge, `${gigabytes} GB`, 'MB/s', (seconds) => largeBytes / 1e6 / seconds),
      { what: "cpn's processor time here, one file", unit: 'ms', values: cpuOfLarge },
      ...rowsOf(ofSmall, `${smallFiles} files`, 's', (seconds) => seconds),
    ],
    ratios: [...rateRatios(ofLarge), ...timeRatios(ofSmall)],
    notes: [
      'The whole process, connection included. After each copy the digest of what is on the host was the same as here.',
      'Only cpn compares digests itself and writes under a temporary name first.',
      ...missingPeers(),
    ],
  }
}

function sidesOf(home: Project, host: SshdHost, cpuMs: number[]): Side[] {
  const cpn: Side = {
    what: 'cpn copy',
    copy: async (source, to) => {
      cpuMs.push((await timedCpn(home, ['copy', source, `${host.name}:${to}`])).cpuMs)
    },
  }
  const scp: Side = { what: 'scp', copy: (source, to) => scpTo(host, source, to) }
  // OpenSSH prefers ChaCha20; what cpn agrees on is this one.
  const scpGcm: Side = {
    what: 'scp with AES-GCM',
    copy: (source, to) => scpTo(host, source, to, 'aes128-gcm@openssh.com'),
  }
  const rsync: Side = { what: 'rsync', copy: (source, to) => rsyncTo(host, source, to) }
  return [cpn, scp, scpGcm, ...(hasRsync() ? [rsync] : [])]
}

/** Seconds of each round, by side. */
async function measureSides(sides: Side[], source: string, host: SshdHost): Promise<Map<string, number[]>> {
  const wanted = await digestOf(source)
  const seconds = new Map<string, number[]>(sides.map(({ what }) => [what, []]))
  const there = join(host.home, 'copied')
  for (let round = 0; round < rounds; round++) {
    for (const { what, copy } of sides) {
      const started = performance.now()
      await copy(source, 'copied')
      seconds.get(what)!.push((performance.now() - started) / 1000)
      if ((await digestOf(there)) !== wanted) throw new Error(`${what} copied something else`)
      rmSync(there, { recursive: true })
    }
  }
  return seconds
}

function rowsOf(measured: Map<string, number[]>, of: string, unit: string, value: (seconds: number) => number): Row[] {
  return [...measured].map(([what, seconds]) => ({ what: `${what}, ${of}`, unit, values: seconds.map(value) }))
}

function rateRatios(measured: Map<string, number[]>): Ratio[] {
  return peersOf(measured).map(([what, theirs, ours]) =>
    ratio(`rate of cpn / ${what}, one file`, theirs, ours, what === 'scp' ? '≥ 0.7' : undefined),
  )
}

function timeRatios(measured: Map<string, number[]>): Ratio[] {
  return peersOf(measured).map(([what, theirs, ours]) => ratio(`time of cpn / ${what}, many files`, ours, theirs))
}

function peersOf(measured: Map<string, number[]>): [what: string, theirs: number[], ours: number[]][] {
  const [[, ours], ...peers] = [...measured] as [[string, number[]], ...[string, number[]][]]
  return peers.map(([what, theirs]) => [what, theirs, ours])
}

function hasRsync(): boolean {
  return firstLine('rsync', ['--version']) !== 'missing'
}

function missingPeers(): string[] {
  return hasRsync() ? [] : ['Left out, as it is not installed: rsync.']
}

/** Nothing in it repeats within what a compressor looks at. */
async function writeLarge(path: string): Promise<void> {
  await using file = await open(path, 'w', 0o644)
  const block = Buffer.alloc(1024 * 1024)
  for (let at = 0; at < largeBytes; at += block.length) {
    // Each block is the digests of its place.
    for (let part = 0; part < block.length; part += 32)
      block.set(
        createHash('sha256')
          .update(`${at + part}`)
          .digest(),
        part,
      )
    await file.write(block, 0, Math.min(block.length, largeBytes - at))
  }
}

function writeSmall(folder: string): void {
  for (let index = 0; index < smallFiles; index++) {
    const inside = join(folder, `${index % 50}`)
    mkdirSync(inside, { recursive: true })
    writeFileSync(join(inside, `${index}`), `${index} `.repeat(smallBytes).slice(0, smallBytes), { mode: 0o644 })
  }
}

/** One digest over the names and bytes of everything at a path. */
async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for (const file of filesAt(path)) {
    hash.update(`${file.slice(path.length)}\0`)
    await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), async (chunks) => {
      for await (const chunk of chunks) hash.update(chunk as Buffer)
    })
  }
  return hash.digest('hex')
}

function filesAt(path: string): string[] {
  try {
    const entries = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    return entries.map((entry) => join(entry.parentPath, entry.name)).sort()
  } catch {
    return [path]
  }
}
