import { CpnError } from '../../common/errors.ts'
import { type Difference, lostShare } from '../../rollout/compare.ts'
import type { PushedNode } from './push-report.ts'

/** Why a push is given up, or a node goes back. */

export function nobodyCanTry(nodes: readonly PushedNode[]): CpnError {
  const reasons = nodes.map(({ name, error }) => `${name}: ${error?.message ?? 'no node is left to compare it with'}`)
  return new CpnError('CPN_ERR_NO_USABLE_HOST', `no node can try it\n${reasons.join('\n')}`, {
    suggestions: ['Look at every host: cpn status'],
  })
}

export function canaryFailed(version: string, failed: readonly PushedNode[]): CpnError {
  const names = failed.map(({ name }) => name).join(' and ')
  const error = failed[0]?.error
  return new CpnError('CPN_ERR_ROLLOUT', `${version} failed on the canary ${names}: ${error?.message}`, {
    cause: error,
    suggestions: [...(error?.suggestions ?? []), 'Nothing has changed; push it again when that is right.'],
  })
}

export function canariesDisagree(one: string, other: string, difference: string): CpnError {
  return new CpnError('CPN_ERR_GOLDEN', `the canaries ${one} and ${other} disagree about ${difference}`, {
    suggestions: ['One of them computes wrongly. Try with three: whoever is left alone is wrong.'],
  })
}

export function resultsDiffer(host: string, canary: string, difference: string): CpnError {
  return new CpnError('CPN_ERR_GOLDEN', `it gives other results than ${canary} for ${difference}`, {
    host,
    suggestions: [
      `Look for what is wrong with it: cpn run-remote ${host} -- dmesg`,
      'Then push to it again with --hosts.',
    ],
  })
}

export function tooManyFailed(version: string, failed: number, nodes: number): CpnError {
  return new CpnError('CPN_ERR_ROLLOUT', `${failed} of ${nodes} nodes failed with ${version}: all went back`, {
    suggestions: [
      'Look at what each of them says.',
      'Allow more failures with --max-fail, or leave hosts out with --hosts.',
    ],
  })
}

/** @param before the version that is compared with; undefined where that is what is known of the pictures */
export function losesFaces(
  version: string,
  before: string | undefined,
  difference: Difference,
  maxLost: number,
): CpnError {
  const { before: faces, same } = difference
  const which = before === undefined ? 'that are on the golden pictures' : `that ${before} finds on the golden pictures`
  const shares = `${percent(lostShare(difference))} are lost, and ${percent(maxLost)} may be`
  return new CpnError('CPN_ERR_GOLDEN', `${version} finds ${same} of the ${faces} faces ${which}: ${shares}`, {
    suggestions: [
      'Have it look at pictures of your own: --golden DIR',
      'If that is how it should be, allow it with --max-lost PERCENT.',
    ],
  })
}

const percent = (share: number) => `${Math.round(share * 100)} %`
