import { CpnError, toCpnError } from '../common/errors.ts'
import type { Logger } from '../common/logger.ts'
import type { Transport } from '../transport/transport.ts'
import { lockedExit, lockLost, renewScript, unlockScript } from './lock.ts'

const maxPauseMs = 60_000
const answerMs = 30_000

export interface LeaseOptions {
  host: string
  transport: Transport
  /** remoteDir, absolute. */
  dir: string
  token: string
  leaseSeconds: number
  logger: Logger
}

/** The lock on a host's remoteDir while we hold it: renewed until it is given back or lost. */
export class Lease {
  readonly token: string
  readonly #options: LeaseOptions
  readonly #lost = new AbortController()
  readonly #timer: NodeJS.Timeout
  #renewing = false

  constructor(options: LeaseOptions) {
    this.#options = options
    this.token = options.token
    this.#timer = setInterval(() => this.#renew(), Math.min(maxPauseMs, (options.leaseSeconds * 1000) / 3))
  }

  /** Aborts with CPN_ERR_HOST_LOCKED when somebody else has the lock: our lease ran out, or it was broken. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** Gives the lock back. Never rejects: a lock whose connection is gone is left behind by itself. */
  async release(): Promise<void> {
    const { transport, dir, token } = this.#options
    clearInterval(this.#timer)
    const script = unlockScript(dir, token)
    await transport.exec(script, { timeoutMs: answerMs }).catch((error) => this.#note(error, 'lock not given back'))
  }

  // A renewal that cannot be made now, for want of a session or of the network, is made with the next.
  async #renew(): Promise<void> {
    if (this.#renewing) return
    this.#renewing = true
    const { host, transport, dir, token, leaseSeconds } = this.#options
    try {
      const script = renewScript(dir, token, leaseSeconds)
      const { exitCode, stdout } = await transport.exec(script, { timeoutMs: answerMs })
      if (exitCode === lockedExit) this.#lost.abort(lockLost(host, stdout.trim()))
    } catch (error) {
      this.#note(error, 'lock not renewed')
    } finally {
      this.#renewing = false
    }
  }

  #note(error: unknown, message: string): void {
    const { host, logger } = this.#options
    const { code } = error instanceof CpnError ? error : toCpnError(error)
    logger.debug({ host, code }, message)
  }
}
