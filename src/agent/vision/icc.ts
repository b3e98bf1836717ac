/** True for a profile of RGB pixels; those of grey or CMYK ones do not fit what is written. */
export function isRgbProfile(icc: Uint8Array | undefined): icc is Uint8Array {
  return icc !== undefined && icc.length >= 128 && Buffer.from(icc.subarray(16, 20)).toString('latin1') === 'RGB '
}
