import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { version } from '../common/version.ts'
import type { AgentConfig } from '../protocol/agent-config.ts'
import type { NodeCard } from '../protocol/messages.ts'
import { protocolVersion } from '../protocol/version.ts'
import type { Limits } from './limits.ts'
import type { Confinement } from './pool/confinement.ts'

export type Supervisor = NodeCard['isolation']['supervisor']

/** The part of the registration card that stays the same as long as the agent runs. */
export type FixedCard = Omit<NodeCard, 'executionProviders' | 'models'>

export function fixedCard(
  config: AgentConfig,
  release: string,
  limits: Limits,
  workers: number,
  by: Supervisor,
  confinement: Confinement,
): FixedCard {
  return {
    protocol: protocolVersion,
    agentVersion: version,
    release,
    fleet: config.fleet,
    instance: randomUUID(),
    bootId: bootId(),
    hostname: hostname(),
    platform: process.platform,
    arch: process.arch,
    nodeVersion: process.version,
    cores: limits.cores,
    memoryBytes: limits.memoryBytes,
    workers,
    slots: slotsOf(workers),
    isolation: { permission: true, ...confinement.isolation, supervisor: by },
    startedAt: new Date().toISOString(),
  }
}

/** One job in work and one waiting per worker, so that no worker waits for the network. */
export function slotsOf(workers: number): number {
  return 2 * workers
}

function bootId(): string {
  if (process.platform === 'linux') return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return execFileSync('sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }).trim()
}
