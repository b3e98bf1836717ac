import { open } from 'node:fs/promises'
import { CpnError } from '../../common/errors.ts'
import type { ReleasePlatform } from '../../protocol/release.ts'
import type { SourceFile } from './contents.ts'
import { fontPaths, fonts } from './fonts.ts'

/** What has to be in a release of a platform, whatever else is. */
function requiredFiles(platform: ReleasePlatform): RegExp[] {
  const [os, arch] = platform.split('-')
  const linux = os === 'linux'
  return [
    /^bin\/node$/,
    /^bin\/cpn-agent$/,
    /^agent\/agent\.mjs$/,
    /^agent\/worker\.mjs$/,
    /\/libheif-js\/libheif-wasm\/libheif\.wasm$/,
    /\/libraw-wasm\/dist\/libraw\.wasm$/,
    ...fonts.map((font) => new RegExp(`^${fontPaths(font).font}$`)),
    new RegExp(`/onnxruntime-node/bin/napi-v\\d+/${os}/${arch}/onnxruntime_binding\\.node$`),
    new RegExp(`/onnxruntime-node/bin/napi-v\\d+/${os}/${arch}/libonnxruntime\\..*${linux ? 'so' : 'dylib'}`),
    new RegExp(`/@img/sharp-${platform}/lib/sharp-${platform}.*\\.node$`),
    new RegExp(`/@img/sharp-libvips-${platform}/lib/libvips-cpp\\.`),
    new RegExp(`/@julusian/jpeg-turbo/prebuilds/jpeg-turbo-${platform}/node-napi-v\\d+\\.node$`),
    ...(linux ? [/^lib\/libatomic\.so\.1$/, new RegExp(`/jpeg-turbo-${platform}/libturbojpeg\\.so`)] : []),
  ]
}

const native = /(^bin\/node|\.node|\.dylib|\.so(\.[\d.]+)?)$/

/** Refuses a release that lacks a file or holds a native file for another machine: CPN_ERR_RELEASE_BUILD. */
export async function checkContents(platform: ReleasePlatform, contents: SourceFile[]): Promise<void> {
  for (const required of requiredFiles(platform)) {
    if (!contents.some(({ path }) => required.test(path)))
      throw wrong(platform, `nothing in it matches ${required.source}`)
  }
  for (const { path, source } of contents.filter((file) => native.test(file.path))) {
    const machine = await machineOf(source)
    if (machine !== platform) throw wrong(platform, `${path} is for ${machine ?? 'no known machine'}`)
  }
}

function wrong(platform: string, why: string): CpnError {
  return new CpnError('CPN_ERR_RELEASE_BUILD', `the release for ${platform} is not whole: ${why}`, {
    suggestions: ['Install cpn again (`npm ci` in a checkout) and build once more.'],
  })
}

const elfMachines: Record<number, ReleasePlatform> = { 62: 'linux-x64', 183: 'linux-arm64' }

/** The platform a native file is for, told by its first bytes: ELF e_machine or Mach-O cputype. */
export async function machineOf(path: string): Promise<ReleasePlatform | undefined> {
  await using file = await open(path)
  const head = Buffer.alloc(20)
  const { bytesRead } = await file.read(head, 0, head.length, 0)
  if (bytesRead < head.length) return undefined
  if (head.toString('latin1', 0, 4) === '\x7fELF') return elfMachines[head.readUInt16LE(18)]
  const machO64Arm = head.readUInt32LE(0) === 0xfeedfacf && head.readUInt32LE(4) === 0x0100000c
  return machO64Arm ? 'darwin-arm64' : undefined
}
