import { canonicalJson } from '../common/digest.ts'
import { formatBytes } from '../common/format.ts'
import type { Host } from '../inventory/inventory.ts'
import type { InstalledModel } from '../models/store.ts'
import type { AgentConfig } from '../protocol/agent-config.ts'
import { manifestPath } from '../protocol/release.ts'
import type { Holdings } from './holdings.ts'
import { type Release, releaseBytes } from './release/build.ts'

/** What has to change on a host; all of it empty or false when nothing has. */
export interface Plan {
  /** Blobs to send, the manifest's digest among them. */
  blobs: string[]
  /** Release folder is missing or not whole. */
  link: boolean
  /** Models whose bytes, and whose manifests, are to be sent. */
  models: InstalledModel[]
  manifests: InstalledModel[]
  configure: boolean
  listModels: boolean
  switch: boolean
  prune: Unused
}

/** What nothing will use any more once the new release is verified. */
export interface Unused {
  /** Names in releases/. */
  releases: string[]
  /** Blobs of no release and what interrupted uploads left, relative to remoteDir. */
  files: string[]
  /** What a provisioning that was not verified left: the link to the release before, or a mark. */
  unfinished: boolean
}

export interface Wanted {
  host: Host
  fleetId: string
  release: Release
  models: InstalledModel[]
}

/** The difference between what a host should have and what it has. */
export function planChanges(wanted: Wanted, holdings: Holdings): Plan {
  const { release, models, fleetId } = wanted
  const missing = missingBlobs(release, holdings)
  return {
    blobs: missing,
    link: missing.length > 0 || !releaseIsWhole(release, holdings),
    models: models.filter(({ manifest }) => holdings.models.get(manifest.sha256)?.bytes !== manifest.bytes),
    manifests: models.filter(
      ({ manifest }) =>
        holdings.models.get(`${manifest.sha256}.json`)?.bytes !== Buffer.byteLength(manifestText({ manifest })),
    ),
    configure: holdings.config !== configText(wanted.host, fleetId),
    listModels: holdings.modelList !== modelListText(models),
    switch: holdings.fleets.get(fleetId)?.current !== release.digest,
    prune: unused(fleetId, release, holdings),
  }
}

/** Bytes on the host's disk that the plan will take, and a little room to work. */
export function neededBytes(plan: Plan, release: Release): number {
  const room = 64 << 20
  const blobs = plan.blobs.reduce((sum, sha) => sum + (release.blobs.get(sha)?.bytes ?? 0), 0)
  const models = plan.models.reduce((sum, { manifest }) => sum + manifest.bytes, 0)
  return blobs + models > 0 ? blobs + models + room : 0
}

/** agent.json of a host. */
export function configText(host: Host, fleetId: string): string {
  const config: AgentConfig = { fleet: fleetId, node: host.name, workers: host.workers, nice: host.nice }
  return canonicalJson(config)
}

/** models.json of a fleet: which models it put on the host. */
export function modelListText(models: InstalledModel[]): string {
  return canonicalJson({ models: models.map(({ manifest }) => manifest.sha256).sort() })
}

/** A model's manifest as it lies beside the model on the host. */
export function manifestText({ manifest }: Pick<InstalledModel, 'manifest'>): string {
  return canonicalJson(manifest)
}

/** What the plan means for a person, one line per kind of change. */
export function describePlan(plan: Plan, release: Release): string[] {
  return [
    ...(plan.blobs.length > 0 ? [describeSending(plan.blobs, release)] : []),
    ...(plan.link ? [`put release ${release.digest.slice(0, 12)} together`] : []),
    ...plan.models.map(({ manifest }) => `send model ${manifest.name}: ${formatBytes(manifest.bytes)}`),
    ...(plan.configure ? ['write the agent’s settings'] : []),
    ...(plan.switch ? [`switch to release ${release.digest.slice(0, 12)} and start it`] : []),
    ...plan.prune.releases.map((name) => `remove release ${name.slice(0, 12)}, which nothing uses any more`),
    ...(plan.prune.unfinished ? ['verify what an earlier provisioning left unverified'] : []),
  ]
}

// All of it is counted as `cpn release build` does: files by path, bytes by content.
function describeSending(blobs: string[], release: Release): string {
  if (blobs.length > release.blobs.size) {
    return `send the release: ${release.manifest.files.length} files, ${formatBytes(releaseBytes(release))}`
  }
  const manifestBytes = Buffer.byteLength(release.manifestJson)
  const bytes = blobs.reduce((sum, sha) => sum + (release.blobs.get(sha)?.bytes ?? manifestBytes), 0)
  return `send part of the release: ${blobs.length === 1 ? '1 file' : `${blobs.length} files`}, ${formatBytes(bytes)}`
}

function missingBlobs(release: Release, holdings: Holdings): string[] {
  const missing = [...release.blobs.values()]
    .filter((blob) => holdings.blobs.get(blob.sha256)?.bytes !== blob.bytes)
    .map((blob) => blob.sha256)
  const manifest = holdings.blobs.get(release.digest)
  if (manifest?.bytes !== Buffer.byteLength(release.manifestJson)) missing.push(release.digest)
  return missing
}

function releaseIsWhole(release: Release, holdings: Holdings): boolean {
  const held = holdings.releases.get(release.digest)
  if (!held?.has(manifestPath)) return false
  return release.manifest.files.every((file) => held.get(file.path)?.bytes === file.bytes)
}

// Whatever no fleet will use after the switch, and what an interrupted upload left.
function unused(fleetId: string, release: Release, holdings: Holdings): Unused {
  const fleet = holdings.fleets.get(fleetId)
  const others = [...holdings.fleets].filter(([id]) => id !== fleetId)
  const inUse = new Set([release.digest, ...others.flatMap(([, { current, previous }]) => [current, previous])])
  const wanted = new Set([release.digest, ...release.blobs.keys()])
  const loose = [...holdings.blobs].filter(([name, { links }]) => links === 1 && !wanted.has(name))
  const parts = [...holdings.models.keys()].filter((name) => !/^[0-9a-f]{64}(\.json)?$/.test(name))
  return {
    releases: [...holdings.releases.keys()].filter((name) => !inUse.has(name)),
    files: [...loose.map(([name]) => `blobs/${name}`), ...parts.map((name) => `models/${name}`)],
    unfinished: fleet !== undefined && (fleet.previous !== '' || fleet.unverified || fleet.unfinished),
  }
}

/** True when the host needs no lock because nothing will be written. */
export function isEmpty(plan: Plan): boolean {
  const { blobs, models, manifests, prune } = plan
  const lists = [blobs, models, manifests, prune.releases, prune.files]
  const flags = [plan.link, plan.configure, plan.listModels, plan.switch, prune.unfinished]
  return lists.every((list) => list.length === 0) && !flags.includes(true)
}
