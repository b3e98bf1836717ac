import { execFileSync } from 'node:child_process'
import { chmodSync, lchownSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A fresh key pair at `file` and `file`.pub; an old one there is replaced. */
export function makeKey(file: string, type = 'ed25519', passphrase = ''): void {
  rmSync(file, { force: true })
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', 'cpn test', '-f', file])
  chmodSync(file, 0o600)
}

/** SHA256:… of a public key file. */
export function keyFingerprint(publicKeyFile: string): string {
  return execFileSync('ssh-keygen', ['-lf', publicKeyFile], { encoding: 'utf8' }).split(' ')[1]!
}

/** `ssh-ed25519 AAAA…` of a public key file, without its comment. */
export function publicKey(publicKeyFile: string): string {
  return readFileSync(publicKeyFile, 'utf8').trim().split(' ').slice(0, 2).join(' ')
}

export interface HomeOwner {
  home: string
  uid: number
  gid: number
}

/** A home folder with authorized_keys and the files a test wants in it, all of it the login's. */
export function makeHome(owner: HomeOwner, authorizedKeys: string[], files: Record<string, string>): void {
  const all = { '.ssh/authorized_keys': `${authorizedKeys.join('\n')}\n`, ...files }
  for (const [path, content] of Object.entries(all)) {
    mkdirSync(dirname(join(owner.home, path)), { recursive: true, mode: 0o700 })
    writeFileSync(join(owner.home, path), content, { mode: 0o600 })
  }
  chmodSync(owner.home, 0o700)
  giveTo(owner)
}

function giveTo({ home, uid, gid }: HomeOwner): void {
  for (const path of ['.', ...readdirSync(home, { recursive: true, encoding: 'utf8' })]) {
    lchownSync(join(home, path), uid, gid)
  }
}
