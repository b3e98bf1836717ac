import { CpnError } from '../../common/errors.ts'
import { type ReleasePlatform, releasePlatforms } from '../../protocol/release.ts'

export function isReleasePlatform(name: string): name is ReleasePlatform {
  return (releasePlatforms as readonly string[]).includes(name)
}

/** The platform of this machine; CPN_ERR_PLATFORM where there is no release for it. */
export function hostPlatform(): ReleasePlatform {
  const name = `${process.platform}-${process.arch}`
  if (isReleasePlatform(name)) return name
  throw new CpnError('CPN_ERR_PLATFORM', `there is no release for ${name}`, {
    suggestions: [`Use one of ${releasePlatforms.join(', ')}; Windows works through WSL2.`],
  })
}
