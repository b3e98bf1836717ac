import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { CpnError } from '../common/errors.ts'
import { collectGarbageLessOften } from '../common/heap.ts'
import { nodePaths } from '../protocol/paths.ts'
import { type ReceiveAnswer, receiveAnswerSchema } from '../protocol/release.ts'
import { defineDigest } from '../transport/digest-script.ts'
import { quote } from '../transport/shell.ts'
import type { Provisioning } from './provisioning.ts'
import { blobAt, type PackedBlob, type SourceBlob } from './release/build.ts'
import type { Encoding } from './release/compress.ts'
import { standInLibrary } from './release/contents.ts'
import { modelsNotSent, modelUploads } from './send-models.ts'
import { countedStream, packedUpload, textUpload, type Upload, uploadStream } from './upload-stream.ts'

const changedOnTheWay = 65
const uploadTimeoutMs = 3_600_000

/**
 * Brings the release to the host: first the runtime and the agent program with the host's own tools, then everything
 * else, models among it, in one stream that the agent program unpacks, checks and links.
 */
export async function installRelease(provisioning: Provisioning, signal: AbortSignal): Promise<void> {
  collectGarbageLessOften(200)
  let blobs = new Set(provisioning.plan.blobs)
  // Blobs that turn out to be damaged while linking are sent once more.
  for (let round = 0; round < 2; round++) {
    const answer = await sendAndLink(provisioning, blobs, round === 0, signal)
    if (answer.linked) return
    blobs = new Set(answer.damaged)
  }
  throw new CpnError('CPN_ERR_UPLOAD', 'files of the release change on the host after they were checked', {
    host: provisioning.host.name,
    suggestions: ['Check the disk of that host.'],
  })
}

async function sendAndLink(
  p: Provisioning,
  blobs: Set<string>,
  isFirst: boolean,
  signal: AbortSignal,
): Promise<ReceiveAnswer> {
  const programs = programsFor(p)
  const damaged = await damagedPrograms(p, programs, blobs, signal)
  const first = programs.filter(({ sha256 }) => blobs.has(sha256) || damaged.has(sha256))
  const rest = [...blobs].filter((sha256) => !programs.some((program) => program.sha256 === sha256))
  const encoding = p.facts.tools.includes('zstd') ? 'zstd' : 'gzip'
  const packed = await Promise.all(
    first.map(async (blob) => ({ blob, ...(await p.release.pack(blob.sha256, encoding)) })),
  )
  const models = isFirst ? modelUploads(p.plan.models, p.plan.manifests) : []
  const uploads = [...models, ...(await Promise.all(rest.map((sha256) => uploadOf(p, sha256))))]
  const report = reporter(p, [...packed, ...uploads.map(({ file }) => file)])
  for (const program of packed) await sendProgram(p, program, report(), signal)
  const verified = programs.map(({ sha256 }) => sha256)
  const stream = uploadStream(uploads, { release: p.release.digest, verified }, report())
  const { stdout } = await p
    .run(receiveScript(p, programs), 'the release could not be unpacked', {
      stdin: stream,
      signal,
      timeoutMs: uploadTimeoutMs,
    })
    .catch((error) => throwChanged(p, error, uploads))
  return receiveAnswerSchema.parse(JSON.parse(stdout))
}

/** What has to be there before the agent program can unpack the rest: runtime, program, and what the host lacks. */
function programsFor({ release, facts }: Provisioning): SourceBlob[] {
  const lacksAtomic = facts.system === 'Linux' && !facts.libraries.includes('libatomic.so.1')
  const paths = ['bin/node', 'agent/agent.mjs', ...(lacksAtomic ? [standInLibrary] : [])]
  return paths.map((path) => blobAt(release, path))
}

async function uploadOf({ release }: Provisioning, sha256: string): Promise<Upload> {
  const blob = release.blobs.get(sha256)
  if (!blob) return textUpload('blob', release.digest, release.manifestJson)
  return packedUpload(sha256, blob.bytes, await release.pack(sha256, 'zstd'))
}

// The packed form of a blob may be what is wrong: it is made anew then. A model lies here as it was pulled.
async function throwChanged({ host }: Provisioning, error: Error, uploads: Upload[]): Promise<never> {
  const changed = uploads.find(({ file }) => error.message.includes(`${file.sha256} did not arrive`))
  if (changed && changed.file.kind !== 'blob') throw modelsNotSent(host.name, error.message)
  if (typeof changed?.source === 'string') await rm(changed.source, { force: true })
  throw error
}

// Parts that follow each other count into one total.
function reporter(p: Provisioning, parts: { wireBytes: number }[]): () => (sent: number) => void {
  const total = parts.reduce((sum, { wireBytes }) => sum + wireBytes, 0)
  let before = 0
  let current = 0
  return () => {
    before += current
    current = 0
    return (sent) => {
      current = sent
      p.progress(Math.min(before + sent, total), total)
    }
  }
}

async function sendProgram(
  p: Provisioning,
  { blob, path, encoding }: PackedBlob & { blob: SourceBlob },
  onProgress: (sent: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const script = unpackScript(p.path('blobs'), blob, encoding)
  const stdin = countedStream(createReadStream(path, { highWaterMark: 256 << 10 }), onProgress)
  const { exitCode, stderr } = await p.transport.exec(script, { stdin, signal, timeoutMs: uploadTimeoutMs })
  if (exitCode === 0) return
  // The packed form may be what is wrong: it is made anew then.
  if (exitCode === changedOnTheWay) await rm(path, { force: true })
  const what = [exitCode === changedOnTheWay ? 'it arrived changed' : '', stderr.trim()].filter(Boolean).join(': ')
  throw new CpnError('CPN_ERR_UPLOAD', `the runtime could not be put on the host: ${what}`, {
    host: p.host.name,
    retryable: true,
    suggestions: ['Run it again; if that does not help, look at the disk and the connection of that host.'],
  })
}

const withDigest = defineDigest('{ echo "no program computes SHA-256 there" >&2; exit 1; }')

/** Unpacks stdin into the blobs folder with tools every host has; the digest is compared before it gets its name. */
export function unpackScript(blobsDir: string, blob: SourceBlob, encoding: Encoding): string {
  return `umask 077
mkdir -p ${quote(blobsDir)} && cd ${quote(blobsDir)} || exit 1
${withDigest}
t=${blob.sha256}.$$.part
trap 'rm -f "$t"' EXIT
trap 'exit 1' HUP INT TERM
${encoding} -dc >"$t" || exit 1
got=$(digest <"$t")
set -- $(ls -ln "$t")
[ "$got" = ${blob.sha256} ] && [ "$5" = ${blob.bytes} ] || exit ${changedOnTheWay}
chmod ${blob.mode.toString(8)} "$t" && mv -f "$t" ${blob.sha256}
`
}

/** Which programs that were there before are not what their names say. */
async function damagedPrograms(
  p: Provisioning,
  programs: SourceBlob[],
  missing: Set<string>,
  signal: AbortSignal,
): Promise<Set<string>> {
  const present = programs.filter(({ sha256 }) => !missing.has(sha256)).map(({ sha256 }) => sha256)
  if (present.length === 0) return new Set()
  const script = `${withDigest}
cd ${p.quoted('blobs')} && for f in ${present.join(' ')}; do
  [ "$(digest <"$f")" = "$f" ] || echo "$f"
done`
  const { stdout } = await p.run(script, 'the runtime could not be checked', { signal })
  return new Set(stdout.split('\n').filter(Boolean))
}

// Node.js takes a file for a module by its name, so the agent's blob gets one for the time of the upload.
function receiveScript(p: Provisioning, [runtime, agent, library]: SourceBlob[]): string {
  const place = (blob: SourceBlob, name: string) => `ln -f ${nodePaths.blob(blob.sha256)} receive/${name} || exit 1`
  return `umask 077
cd ${quote(p.facts.dir)} || exit 1
unset NODE_OPTIONS NODE_PATH
trap 'rm -rf receive' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p receive && ${place(agent!, 'agent.mjs')}
${library ? `${place(library, 'libatomic.so.1')}\nLD_LIBRARY_PATH=$PWD/receive; export LD_LIBRARY_PATH` : ''}
${nodePaths.blob(runtime!.sha256)} receive/agent.mjs receive --home ${quote(p.facts.dir)}
`
}
