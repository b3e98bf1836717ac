/** Process exit codes of `cpn`; see docs/errors.md. */
export const exitCodes = {
  ok: 0,
  bug: 1,
  usage: 2,
  inventory: 3,
  noHost: 4,
  provision: 5,
  agent: 6,
  partial: 7,
  interrupted: 130,
} as const

type ExitClass = Exclude<keyof typeof exitCodes, 'ok'>

/**
 * Every error code with the exit code it leads to when it ends a command. docs/errors.md explains each of them;
 * test/unit/error-codes.test.ts keeps both lists the same.
 */
export const errorCodes = {
  CPN_ERR_BUG: 'bug',
  CPN_ERR_INTERRUPTED: 'interrupted',
  CPN_ERR_RUNTIME: 'usage',
  CPN_ERR_USAGE: 'usage',
  CPN_ERR_RUN_UNKNOWN: 'usage',
  CPN_ERR_RUN_BUSY: 'usage',
  CPN_ERR_ROLLOUT_BUSY: 'usage',
  CPN_ERR_NEEDS_TERMINAL: 'usage',
  CPN_ERR_DECLINED: 'usage',

  CPN_ERR_INVENTORY_MISSING: 'inventory',
  CPN_ERR_INVENTORY_READ: 'inventory',
  CPN_ERR_INVENTORY_SYNTAX: 'inventory',
  CPN_ERR_INVENTORY_SCHEMA: 'inventory',
  CPN_ERR_INVENTORY_WRITE: 'inventory',
  CPN_ERR_HOST_EXISTS: 'inventory',
  CPN_ERR_HOST_UNKNOWN: 'inventory',
  CPN_ERR_HOST_IN_USE: 'inventory',
  CPN_ERR_STATE_DIR: 'inventory',

  CPN_ERR_NO_USABLE_HOST: 'noHost',
  CPN_ERR_DNS: 'noHost',
  CPN_ERR_CONNECT_REFUSED: 'noHost',
  CPN_ERR_CONNECT_TIMEOUT: 'noHost',
  CPN_ERR_CONNECT_UNREACHABLE: 'noHost',
  CPN_ERR_BANNER_TIMEOUT: 'noHost',
  CPN_ERR_KEX_TIMEOUT: 'noHost',
  CPN_ERR_KEX_FAILED: 'noHost',
  CPN_ERR_HOST_KEY_UNKNOWN: 'noHost',
  CPN_ERR_HOST_KEY_CHANGED: 'noHost',
  CPN_ERR_HOST_KEY_REVOKED: 'noHost',
  CPN_ERR_AUTH_TIMEOUT: 'noHost',
  CPN_ERR_AUTH_FAILED: 'noHost',
  CPN_ERR_IDENTITY: 'noHost',
  CPN_ERR_KEY_LOCKED: 'noHost',
  CPN_ERR_SSH_CONFIG: 'noHost',
  CPN_ERR_JUMP: 'noHost',
  CPN_ERR_CONNECTION_LOST: 'noHost',
  CPN_ERR_CHANNEL_TIMEOUT: 'noHost',
  CPN_ERR_CHANNEL_REFUSED: 'noHost',
  CPN_ERR_FORWARDING_REFUSED: 'noHost',
  CPN_ERR_NO_SHELL: 'noHost',
  CPN_ERR_REMOTE_COMMAND: 'noHost',
  CPN_ERR_REMOTE_TIMEOUT: 'noHost',
  CPN_ERR_SUDO: 'noHost',
  CPN_ERR_TRANSFER: 'noHost',
  CPN_ERR_NODE_UNPROVISIONED: 'noHost',
  CPN_ERR_NODE_STOPPED: 'noHost',

  CPN_ERR_PROVISION_FAILED: 'provision',
  CPN_ERR_PLATFORM: 'provision',
  CPN_ERR_HOST_CHECK: 'provision',
  CPN_ERR_HOST_LOCKED: 'provision',
  CPN_ERR_REQUIREMENT: 'provision',
  CPN_ERR_RELEASE_BUILD: 'provision',
  CPN_ERR_UPLOAD: 'provision',
  CPN_ERR_VERIFY: 'provision',
  CPN_ERR_PHASE_TIMEOUT: 'provision',

  CPN_ERR_AGENT_START: 'agent',
  CPN_ERR_AGENT_UNREACHABLE: 'agent',
  CPN_ERR_AGENT_DIED: 'agent',
  CPN_ERR_AGENT_PROTOCOL: 'agent',
  CPN_ERR_AGENT_BUSY: 'agent',
  CPN_ERR_AGENT_DRAINING: 'agent',
  CPN_ERR_STALE_EPOCH: 'agent',
  CPN_ERR_DIGEST_MISMATCH: 'agent',
  CPN_ERR_GALLERY_MISSING: 'agent',
  CPN_ERR_GALLERY_DAMAGED: 'agent',
  CPN_ERR_MODEL_UNKNOWN: 'agent',
  CPN_ERR_MODEL_MISSING: 'agent',
  CPN_ERR_MODEL_DIGEST: 'agent',
  CPN_ERR_MODEL_INVALID: 'agent',
  CPN_ERR_MODEL_DOWNLOAD: 'agent',
  CPN_ERR_GOLDEN: 'agent',
  CPN_ERR_ROLLOUT: 'agent',

  CPN_ERR_PERSON_NAME: 'usage',
  CPN_ERR_PERSON_UNKNOWN: 'usage',
  CPN_ERR_PERSON_EXISTS: 'usage',
  CPN_ERR_GALLERY_MODEL: 'usage',
  CPN_ERR_INPUT_MISSING: 'usage',
  CPN_ERR_ENROLMENT: 'partial',
  CPN_ERR_NOT_RUN: 'partial',
  CPN_ERR_INPUT_UNREADABLE: 'partial',
  CPN_ERR_IMAGE_UNSUPPORTED: 'partial',
  CPN_ERR_IMAGE_DECODE: 'partial',
  CPN_ERR_IMAGE_TOO_LARGE: 'partial',
  CPN_ERR_IMAGE_TIMEOUT: 'partial',
  CPN_ERR_WORKER_CRASHED: 'partial',
  CPN_ERR_JOB_TIMEOUT: 'partial',
  CPN_ERR_OUTPUT_SPACE: 'partial',
  CPN_ERR_OUTPUT_WRITE: 'partial',
  CPN_ERR_XMP: 'partial',
  CPN_ERR_DEMO: 'partial',
} as const satisfies Record<string, ExitClass>

export type ErrorCode = keyof typeof errorCodes

/** True for a code of ours, whoever sent it. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorCodes, code)
}
